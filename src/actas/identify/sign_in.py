"""A person's sign-in in a browser, as the one text that the browser keeps for us: sealed, short, and revocable.

Pure but for the ring. Nobody but a gateway with our ring can read it or make one; the watermarks of the provider
count for it as for the assertion it was made of.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import msgspec

from actas.identify.saml_errors import SignInOver
from actas.identify.saml_kept import NOT_OURS, Kept, fitting, identity_of, kept
from actas.identify.saml_verifier import Believed
from actas.model.identity import Identity
from actas.model.secret import Secret
from actas.secrets import sealed
from actas.secrets.sealed import Ring

ROOM: Final = 3_600
"""Characters: browsers keep cookies of 4,096 bytes, their names and attributes included (RFC 6265, section 6.1)."""
_PURPOSE: Final = "sign-in"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """Somebody who signed in, and what the provider must be told when they sign out."""

    identity: Identity
    profile: str
    """The digest of the provider's settings under which they were believed."""
    name_id: str | None = field(repr=False)
    name_id_format: str | None
    until: datetime
    qualifiers: tuple[str | None, str | None] = (None, None)
    """Whose name it is and towards whom: some providers know nobody by the name alone (SAML core 3.3.4)."""


class _Kept(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is sealed."""

    who: Kept
    until: datetime
    name_id: str | None = None
    name_id_format: str | None = None
    qualifiers: tuple[str | None, str | None] = (None, None)

    def __repr__(self) -> str:
        return "_Kept(...)"


def sign_in_of(believed: Believed, *, now: datetime) -> SignIn:
    """Begin a sign-in: as long as the provider's session and the settings let it."""
    assertion, profile = believed.assertion, believed.profile
    until = min(now + profile.sign_in, assertion.session_not_on_or_after or now + profile.sign_in)
    if until <= now:
        raise SignInOver(why="the provider's session has ended")
    return SignIn(
        identity=believed.identity,
        profile=profile.digest,
        name_id=assertion.name_id,
        name_id_format=assertion.name_id_format,
        qualifiers=(assertion.name_qualifier, assertion.sp_name_qualifier),
        until=until,
    )


def seal(ring: Ring, found: SignIn) -> Secret:
    """Write a sign-in for the browser."""

    def write(identity: Identity) -> str:
        inside = _Kept(
            who=kept(identity, found.profile),
            until=found.until,
            name_id=found.name_id,
            name_id_format=found.name_id_format,
            qualifiers=found.qualifiers,
        )
        return sealed.seal(ring, _PURPOSE, msgspec.json.encode(inside))

    return Secret(fitting(found.identity, write, ROOM))


def opened(ring: Ring, text: str, *, now: datetime) -> SignIn:
    """Read what the browser kept, or raise `SignInOver`."""
    content = sealed.opened(ring, _PURPOSE, text, now=now)
    if content is None:
        raise SignInOver(why="nothing of ours was shown")
    try:
        found = msgspec.json.decode(content, type=_Kept)
        identity = identity_of(found.who, expires_at=found.until)
    except NOT_OURS as wrong:
        raise SignInOver(why="another version of this gateway made it") from wrong
    if now >= found.until:
        raise SignInOver(why="its time is up")
    return SignIn(
        identity=identity,
        profile=found.who.profile,
        name_id=found.name_id,
        name_id_format=found.name_id_format,
        qualifiers=found.qualifiers,
        until=found.until,
    )
