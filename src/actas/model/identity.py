"""A caller we believe. Only the room `identify` makes one."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from actas.model.aws_attributes import AwsAttributes
from actas.model.facts import Fact, Missing


class Kind(Enum):
    """What sort of caller it is."""

    HUMAN = "human"
    SERVICE = "service"
    AGENT = "agent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who acts on the subject's behalf (RFC 8693, section 4.1); never a reason to allow more."""

    issuer: str
    subject: str
    client: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who is calling, by which evidence, and for whom they act.

    ``subject`` is the provider's stable identifier (`oid` at Entra, `sub` elsewhere): never an e-mail address.
    Groups and roles are names as the provider gives them; rules qualify them by provider.
    """

    provider: str
    issuer: str
    subject: str = field(repr=False)
    kind: Fact[Kind]
    expires_at: datetime
    """When the evidence ends; nothing that rests on it may live longer."""
    issued_at: datetime | None
    evidence: str
    """``bearer``, ``saml``, ``session``, …"""
    evidence_id: str
    """A hash that names the evidence in the trail: of the token's ``jti`` or the assertion's id, else of the token."""
    tenant: Fact[str] = Missing.ABSENT
    client: Fact[str] = Missing.ABSENT
    groups: Fact[frozenset[str]] = field(default=Missing.ABSENT, repr=False)
    roles: Fact[frozenset[str]] = field(default=Missing.ABSENT, repr=False)
    scopes: Fact[frozenset[str]] = field(default=Missing.ABSENT, repr=False)
    mfa: Fact[bool] = Missing.ABSENT
    authenticated_at: Fact[datetime] = Missing.ABSENT
    provider_session: str | None = field(default=None, repr=False)
    """``sid``: the provider's own session, for log-out."""
    address: str | None = field(default=None, repr=False)
    """By which events may name the subject, where the provider's settings say so; empty where the evidence has none
    that can be read. It never names the caller: it can only end access."""
    subject_format: str | None = field(default=None, compare=False)
    """The format of the name by which an assertion calls the subject (a URI), while it is at hand; it is no part of who
    they are, and not kept."""
    actors: tuple[Actor, ...] = field(default=(), repr=False)
    """Who acts, the current actor first; empty where the caller acts for itself."""
    aws: Fact[AwsAttributes] = field(default=Missing.ABSENT, repr=False)
    """What a SAML provider says for AWS; unknown where AWS would refuse it."""

    @property
    def acting(self) -> tuple[str, ...]:
        """Who acts, by the names of the subject's own issuer: whose end is the end of what they do for others."""
        return tuple([actor.subject for actor in self.actors if actor.issuer == self.issuer])
