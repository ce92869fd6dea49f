"""An identity that nobody proved: for asking what the rules would say of somebody. Pure.

No door takes one; `actas test` and `actas explain` do.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from actas.model.facts import Fact, Known, Missing
from actas.model.identity import Actor, Identity, Kind

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Imagined:
    """What is supposed of a caller; what is in ``unknown`` is not known, whatever the rest says."""

    provider: str
    subject: str = "somebody"
    kind: Kind = Kind.HUMAN
    groups: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    scopes: frozenset[str] = frozenset()
    client: str | None = None
    tenant: str | None = None
    mfa: bool = False
    signed_in: timedelta | None = None
    """How long ago."""
    actors: tuple[str, ...] = ()
    unknown: frozenset[str] = frozenset()


def imagine(who: Imagined, *, now: datetime) -> Identity:
    """Make the identity that *who* would have."""

    def fact(name: str, value: T | None) -> Fact[T]:
        if name in who.unknown:
            return Missing.UNKNOWN
        return Missing.ABSENT if value is None else Known(value)

    return Identity(
        provider=who.provider,
        issuer=who.provider,
        subject=who.subject,
        kind=fact("kind", who.kind),
        expires_at=now + timedelta(hours=1),
        issued_at=now,
        evidence="imagined",
        evidence_id="imagined",
        tenant=fact("tenant", who.tenant),
        client=fact("client", who.client),
        groups=fact("groups", who.groups),
        roles=fact("roles", who.roles),
        scopes=fact("scopes", who.scopes),
        mfa=fact("mfa", who.mfa),
        authenticated_at=fact("auth_age", None if who.signed_in is None else now - who.signed_in),
        actors=tuple(_actors(who.provider, who.actors)),
    )


def _actors(issuer: str, names: Iterable[str]) -> Iterable[Actor]:
    return (Actor(issuer=issuer, subject=name, client=name) for name in names)
