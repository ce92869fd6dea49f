"""Read who acts on the caller's behalf: the claim ``act`` of RFC 8693, section 4.1.

The outermost is the current actor; what is nested inside is history. A chain that cannot be read is refused rather
than left out, because a rule may forbid an actor.
"""

from collections.abc import Mapping
from typing import Any, Final

from actas.identify.errors import BadActor
from actas.model.identity import Actor

DEEPEST: Final = 8
"""How many actors a chain may have."""


def actors(claims: Mapping[str, Any], issuer: str) -> tuple[Actor, ...]:
    """Give the chain, the current actor first; empty where nobody acts."""
    chain: list[Actor] = []
    here = claims.get("act")
    while here is not None:
        if not isinstance(here, dict):
            raise BadActor(why="is not an object")
        if len(chain) == DEEPEST:
            raise BadActor(why=f"nests more than {DEEPEST} actors")
        chain.append(_actor(here, issuer))
        here = here.get("act")
    return tuple(chain)


def _actor(act: Mapping[str, Any], issuer: str) -> Actor:
    subject, client, of = act.get("sub"), act.get("client_id"), act.get("iss", issuer)
    for value in (subject, client, of):
        if value is not None and (not isinstance(value, str) or not value):
            raise BadActor(why="has a sub, client_id or iss that is not a text")
    name = subject or client
    if name is None or of is None:
        raise BadActor(why="names nobody: it has neither sub nor client_id")
    return Actor(issuer=of, subject=name, client=client)
