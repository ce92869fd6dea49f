"""An identity as it is kept inside what we seal: all that the assertion said of somebody, and nothing else. Pure.

What has no room is declared overflowed, or unknown, and never cut (design.md, 8.8).
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

import msgspec

from actas.model.aws_attributes import AwsAttributes, ClaimedRole
from actas.model.facts import Fact, Known, Missing
from actas.model.identity import Identity, Kind

EVIDENCE: Final = "saml"
"""What the trail calls an assertion, and what stands for one."""
NOT_OURS: Final = (msgspec.DecodeError, ValueError, IndexError)
"""What reading raises where the content is not of this version's making."""
_LESS: Final[tuple[Callable[[Identity], Identity], ...]] = (
    lambda one: replace(one, groups=Missing.OVERFLOWED) if isinstance(one.groups, Known) else one,
    lambda one: replace(one, roles=Missing.OVERFLOWED) if isinstance(one.roles, Known) else one,
    lambda one: replace(one, aws=Missing.UNKNOWN) if isinstance(one.aws, Known) else one,
)
"""What is given up first, and what it then is."""


class Told(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One fact: its value, or how it is missing."""

    texts: tuple[str, ...] | None = None
    yes: bool | None = None
    at: datetime | None = None
    by_absence: bool = False
    missing: str | None = None

    def __repr__(self) -> str:
        return "Told(...)"


class KeptAws(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What the assertion says for AWS."""

    roles: tuple[tuple[str, str], ...] = ()
    session_name: str | None = None
    seconds: float | None = None
    tags: tuple[tuple[str, str], ...] = ()
    transitive_tags: tuple[str, ...] = ()
    source_identity: str | None = None

    def __repr__(self) -> str:
        return "KeptAws(...)"


class Kept(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A whole identity."""

    provider: str
    profile: str
    """The digest of the provider's settings under which it was believed."""
    issuer: str
    subject: str
    evidence_id: str
    issued_at: datetime | None
    kind: Told
    tenant: Told
    groups: Told
    roles: Told
    mfa: Told
    authenticated_at: Told
    provider_session: str | None = None
    address: str | None = None
    aws: KeptAws | None = None
    aws_missing: str | None = None

    def __repr__(self) -> str:
        return "Kept(...)"


def kept(identity: Identity, profile: str) -> Kept:
    """Write *identity* down."""
    aws, kind = identity.aws, identity.kind
    return Kept(
        provider=identity.provider,
        profile=profile,
        issuer=identity.issuer,
        subject=identity.subject,
        evidence_id=identity.evidence_id,
        issued_at=identity.issued_at,
        kind=Told(texts=(kind.value.value,)) if isinstance(kind, Known) else Told(missing=kind.value),
        tenant=_text(identity.tenant),
        groups=_set(identity.groups),
        roles=_set(identity.roles),
        mfa=Told(yes=identity.mfa.value) if isinstance(identity.mfa, Known) else Told(missing=identity.mfa.value),
        authenticated_at=Told(at=identity.authenticated_at.value)
        if isinstance(identity.authenticated_at, Known)
        else Told(missing=identity.authenticated_at.value),
        provider_session=identity.provider_session,
        address=identity.address,
        aws=_aws(aws.value) if isinstance(aws, Known) else None,
        aws_missing=None if isinstance(aws, Known) else aws.value,
    )


def identity_of(found: Kept, *, expires_at: datetime) -> Identity:
    """Give the identity that was written down, with the end of what holds it."""
    return Identity(
        provider=found.provider,
        issuer=found.issuer,
        subject=found.subject,
        kind=Missing(found.kind.missing) if found.kind.texts is None else Known(Kind(found.kind.texts[0])),
        expires_at=expires_at,
        issued_at=found.issued_at,
        evidence=EVIDENCE,
        evidence_id=found.evidence_id,
        tenant=Missing(found.tenant.missing) if found.tenant.texts is None else Known(found.tenant.texts[0]),
        groups=_names(found.groups),
        roles=_names(found.roles),
        mfa=Missing(found.mfa.missing) if found.mfa.yes is None else Known(found.mfa.yes),
        authenticated_at=Missing(found.authenticated_at.missing)
        if found.authenticated_at.at is None
        else Known(found.authenticated_at.at),
        provider_session=found.provider_session,
        address=found.address,
        aws=Missing(found.aws_missing) if found.aws is None else Known(_attributes(found.aws)),
    )


def fitting(identity: Identity, write: Callable[[Identity], str], room: int) -> str:
    """Write *identity* in at most *room* characters where that can be; the longest lists go first."""
    text = write(identity)
    for less in _LESS:
        if len(text) <= room:
            break
        identity = less(identity)
        text = write(identity)
    return text


def _text(fact: Fact[str]) -> Told:
    return Told(texts=(fact.value,)) if isinstance(fact, Known) else Told(missing=fact.value)


def _set(fact: Fact[frozenset[str]]) -> Told:
    if isinstance(fact, Missing):
        return Told(missing=fact.value)
    return Told(texts=tuple(sorted(fact.value)), by_absence=fact.by_absence)


def _names(told: Told) -> Fact[frozenset[str]]:
    return Missing(told.missing) if told.texts is None else Known(frozenset(told.texts), told.by_absence)


def _aws(found: AwsAttributes) -> KeptAws:
    return KeptAws(
        roles=tuple((one.role_arn, one.provider_arn) for one in found.roles),
        session_name=found.session_name,
        seconds=None if found.duration is None else found.duration.total_seconds(),
        tags=found.tags,
        transitive_tags=found.transitive_tags,
        source_identity=found.source_identity,
    )


def _attributes(found: KeptAws) -> AwsAttributes:
    return AwsAttributes(
        roles=tuple(ClaimedRole(role_arn=role, provider_arn=provider) for role, provider in found.roles),
        session_name=found.session_name,
        duration=None if found.seconds is None else timedelta(seconds=found.seconds),
        tags=found.tags,
        transitive_tags=found.transitive_tags,
        source_identity=found.source_identity,
    )
