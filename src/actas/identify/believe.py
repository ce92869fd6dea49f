"""Make an identity of claims whose signature holds. The only place that makes one.

Pure: verified claims, the issuer they came from and the time go in; an identity comes out, or an `IdentifyError`
says why not.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from actas.identify import facts
from actas.identify.accept import accept
from actas.identify.actors import actors
from actas.identify.aws_claims import aws_claims
from actas.identify.errors import MalformedToken, MissingClaim, NoSubject
from actas.identify.paths import Path, find
from actas.identify.profile import Issuer, Profile
from actas.model.facts import Known
from actas.model.identity import Identity, Kind

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = 253402300799  # 9999-12-31T23:59:59Z


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What is believed of a token beside its claims: its verified header, and a hash that names it."""

    header: Mapping[str, Any]
    digest: bytes


def believe(claims: Mapping[str, Any], shown: Shown, issuer: Issuer, *, now: datetime) -> Identity:
    """Turn verified *claims* into an identity."""
    accept(claims, shown.header, issuer)
    profile, preset = issuer.profile, issuer.profile.preset
    chain = actors(claims, issuer.iss)
    client = facts.text(claims, profile.client)
    kind = facts.kind(claims, profile, client, chain)
    subject, session, issued = own_subject(claims, profile), claims.get("sid"), _time(claims, "iat")
    return Identity(
        provider=profile.name,
        issuer=issuer.iss,
        # Several tenants behind one provider: a name is unique inside its tenant only (protocols.md, 1.2).
        subject=f"{issuer.tenant}/{subject}" if profile.several_tenants else subject,
        kind=kind,
        expires_at=_ends(claims, profile, issued),
        issued_at=issued,
        evidence="bearer",
        evidence_id=_evidence_id(claims, preset.token_id, issuer.iss, shown.digest),
        tenant=facts.text(claims, profile.tenant),
        client=client,
        groups=facts.names(claims, profile.groups, overage=preset.overage),
        roles=facts.names(claims, profile.roles),
        scopes=facts.scopes(claims, profile.scopes),
        mfa=facts.mfa(claims, profile),
        authenticated_at=facts.authenticated_at(claims, now=now, leeway=profile.leeway),
        provider_session=session if isinstance(session, str) and session else None,
        address=facts.address(claims, profile, kind),
        actors=chain,
        aws=aws_claims(claims),
    )


def subject_path(claims: Mapping[str, Any], profile: Profile) -> Path:
    """Say which claim names the caller: a program that calls for itself may have one of its own."""
    preset = profile.preset
    if preset.service_subject == preset.subject or profile.subject != (preset.subject,):
        return profile.subject
    is_service = facts.person_or_program(claims, profile) == Known(Kind.SERVICE)
    return (preset.service_subject,) if is_service else profile.subject


def own_subject(claims: Mapping[str, Any], profile: Profile) -> str:
    """Give the caller's name as the provider itself knows it."""
    path = subject_path(claims, profile)
    found = next((value for _, value in find(claims, path)), None)
    if not isinstance(found, str) or not found or not found.isprintable():
        raise NoSubject(claim=".".join(path))
    return found


def _ends(claims: Mapping[str, Any], profile: Profile, issued: datetime | None) -> datetime:
    expires = _time(claims, "exp")
    if expires is None:
        raise MissingClaim(why="the token has no claim exp")
    if profile.max_age is not None and issued is not None:
        return min(expires, issued + profile.max_age)
    return expires


def _time(claims: Mapping[str, Any], claim: str) -> datetime | None:
    value = claims.get(claim)
    if value is None:
        return None
    if type(value) not in (int, float) or not 0 <= value <= _LATEST:  # jose has looked; a file of claims is not signed
        raise MalformedToken(why=f"the claim {claim} is not a date between 1970 and 9999")
    return _EPOCH + timedelta(seconds=value)


def _evidence_id(claims: Mapping[str, Any], token_id: tuple[str, ...], iss: str, digest: bytes) -> str:
    for claim in token_id:
        value = claims.get(claim)
        if isinstance(value, str) and value:
            return sha256(f"{iss}\n{value}".encode()).hexdigest()[:32]
    return digest.hex()[:32]
