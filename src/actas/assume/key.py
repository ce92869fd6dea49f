"""What a session rests on, as one value: two grants that are equal here may share a session, no others. Pure."""

import hashlib
from datetime import datetime

import msgspec

from actas.model.decision import Grant
from actas.model.evidence import Evidence
from actas.model.facts import Known
from actas.model.identity import Identity
from actas.model.rule_ref import RuleRef


class Rests(msgspec.Struct, frozen=True, cache_hash=True):
    """Everything of design.md, 8.3, but issued-at, and whoever made it: the session cache's key."""

    provider: str
    issuer: str
    subject: str
    actors: tuple[tuple[str, str, str | None], ...]
    kind: str
    authenticated_at: datetime | None
    mfa: bool | None
    evidence_expires_at: datetime
    role: str
    role_arn: str
    session: float
    policy: str | None
    rules: tuple[RuleRef, ...]
    facts: tuple[tuple[str, str], ...]
    function_arn: str
    fence: tuple[str, ...]
    evidence_issued_at: datetime | None
    provider_session: str | None
    """With the moment before it and the address: which watermarks end the session, and from when on."""
    took: tuple[str, ...]
    took_as: tuple[str, ...]
    parent: str
    """The session that was shown, digested; empty where the caller showed something else."""
    broker: str = ""
    """The broker's ``shape``: what its settings make of equal grants."""
    evidence: str = ""
    """What the caller showed, digested; only where the broker passes it on."""
    address: str | None = None


def rests(grant: Grant, *, broker: str = "", evidence: str = "") -> Rests:
    """Say what sessions from *grant* rest on; the grant must have a role."""
    identity, role = grant.identity, grant.role
    assert role is not None
    return Rests(
        provider=identity.provider,
        issuer=identity.issuer,
        subject=identity.subject,
        actors=tuple((actor.issuer, actor.subject, actor.client) for actor in identity.actors),
        kind=kind_of(identity),
        authenticated_at=identity.authenticated_at.value if isinstance(identity.authenticated_at, Known) else None,
        mfa=identity.mfa.value if isinstance(identity.mfa, Known) else None,
        evidence_expires_at=identity.expires_at,
        role=role.name,
        role_arn=role.arn,
        session=role.session.total_seconds(),
        policy=role.policy,
        rules=grant.rules,
        facts=grant.facts,
        function_arn=grant.function_arn,
        fence=grant.fence,
        evidence_issued_at=identity.issued_at,
        provider_session=identity.provider_session,
        took=grant.took,
        took_as=grant.took_as,
        parent="" if grant.parent is None else digest(grant.parent.secret_access_key),
        broker=broker,
        evidence=evidence,
        address=identity.address,
    )


def shown(evidence: Evidence | None) -> str:
    """Digest what a caller showed."""
    return "" if evidence is None else digest(evidence.shown.reveal())


def digest(text: str) -> str:
    """Digest what must not be kept, but be told from others."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def kind_of(identity: Identity) -> str:
    """Name the caller's kind, or say how it is missing."""
    return identity.kind.value.value if isinstance(identity.kind, Known) else identity.kind.value


def name(key: Rests) -> str:
    """Give a short name for *key*: no two different keys have the same, and it tells nothing of the caller."""
    return hashlib.sha256(msgspec.json.encode(key)).hexdigest()[:32]
