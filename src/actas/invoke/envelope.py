"""Mint the envelope: what tells a function who called it, signed (design.md, 8.8).

Pure but for the key, which may be a signer elsewhere. The claims are in `actas.lambda_.claims`; the function reads
them with `actas.lambda_.caller`.
"""

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import msgspec

from actas import jose
from actas.invoke.errors import InvokeError
from actas.lambda_.canonical import NotCanonical, canonical_bytes
from actas.lambda_.claims import LARGEST, TYPE, Acts, Envelope, Form
from actas.model.call import Call
from actas.model.decision import Grant
from actas.model.facts import Fact, Known, Missing
from actas.model.identity import Actor, Identity

LASTS: Final = timedelta(minutes=5)
"""From minting to the end; never past the caller's evidence. Lambda's queueing and cold starts fit in."""
_SIGNATURE: Final = 86
_DOTS: Final = 2


class EnvelopeTooLarge(InvokeError):
    """Who called does not fit into what a function can be told."""

    code = "invoke.envelope-too-large"
    hint = "Shorten the chain of actors, or the names in it; lists of groups, roles and scopes were left out already."
    status = 431

    def __init__(self, *, function: str, size: int) -> None:
        """State both sizes."""
        super().__init__(f"the envelope for function {function} has {size} characters; at most {LARGEST} fit")


class Minter:
    """Mints envelopes with the newest key; ``minter(call, grant, event, now)``."""

    def __init__(self, *, issuer: str, newest: Callable[[], jose.Key | jose.Signer], algorithm: str = "ES256") -> None:
        """Take our issuer's name and who gives the key that signs now."""
        self._issuer, self._newest, self._algorithm = issuer, newest, algorithm

    def __call__(self, call: Call, grant: Grant, event: bytes, now: datetime) -> str:
        """Mint the envelope of one call for the event's bytes."""
        key = self._newest()
        claims = envelope(call, grant, event, issuer=self._issuer, now=now)
        head = len(msgspec.json.encode({"alg": self._algorithm, "kid": key.kid, "typ": TYPE}))
        payload = fitting(claims, LARGEST - _encoded(head) - _SIGNATURE - _DOTS, function=call.function)
        return jose.sign(payload, key, algorithm=self._algorithm, header={"typ": TYPE})


def envelope(call: Call, grant: Grant, event: bytes, *, issuer: str, now: datetime) -> Envelope:
    """State who makes this call, and of what."""
    identity, role = grant.identity, grant.role
    digest, form = _digest(event)
    issued_at = int(now.timestamp())
    return Envelope(
        iss=issuer,
        aud=grant.function_arn,
        jti=call.id,
        iat=issued_at,
        exp=min(issued_at + int(LASTS.total_seconds()), int(grant.expires_at.timestamp())),
        sub=identity.subject,
        event_sha256=digest,
        event_form=form,
        provider=identity.provider,
        identity_issuer=identity.issuer,
        kind=identity.kind.value.value if isinstance(identity.kind, Known) else None,
        groups=_listed(identity.groups),
        roles=_listed(identity.roles),
        scopes=_listed(identity.scopes),
        client=identity.client.value if isinstance(identity.client, Known) else None,
        tenant=identity.tenant.value if isinstance(identity.tenant, Known) else None,
        mfa=identity.mfa.value if isinstance(identity.mfa, Known) else None,
        missing=_missing(identity),
        act=_chain(identity.actors),
        role=role.name if role else None,
        role_arn=role.arn if role else None,
        root=call.root or call.id,
        depth=call.depth,
    )


def fitting(claims: Envelope, room: int, *, function: str) -> bytes:
    """Write the claims in at most *room* characters; whole lists are declared overflowed, longest first, never cut."""
    while _encoded(len(payload := msgspec.json.encode(claims))) > room:
        lists = {"groups": claims.groups, "roles": claims.roles, "scopes": claims.scopes}
        sizes = {name: len(msgspec.json.encode(found)) for name, found in lists.items() if found}
        if not sizes:
            raise EnvelopeTooLarge(function=function, size=_encoded(len(payload)) + LARGEST - room)
        longest = max(sizes, key=sizes.__getitem__)
        told = claims.missing | {longest: Missing.OVERFLOWED.value}
        claims = msgspec.structs.replace(claims, **{longest: None, "missing": told})
    return payload


def _encoded(size: int) -> int:
    """Tell how long base64url without padding makes *size* bytes."""
    return (size * 4 + 2) // 3


def _digest(event: bytes) -> tuple[str, Form]:
    """Digest the event's canonical form, or its bytes where it has none."""
    try:
        return hashlib.sha256(canonical_bytes(event)).hexdigest(), "jcs"
    except NotCanonical:
        return hashlib.sha256(event).hexdigest(), "bytes"


def _listed(fact: Fact[frozenset[str]]) -> tuple[str, ...] | None:
    return tuple(sorted(fact.value)) if isinstance(fact, Known) else None


_FACTS: Final = ("kind", "groups", "roles", "scopes", "client", "tenant", "mfa")


def _missing(identity: Identity) -> dict[str, str]:
    facts = {name: getattr(identity, name) for name in _FACTS}
    return {name: fact.value for name, fact in facts.items() if isinstance(fact, Missing)}


def _chain(actors: tuple[Actor, ...]) -> Acts | None:
    """Nest the actors as RFC 8693 does: the current one outermost."""
    chain: Acts | None = None
    for actor in reversed(actors):
        chain = Acts(sub=actor.subject, iss=actor.issuer, client_id=actor.client, act=chain)
    return chain
