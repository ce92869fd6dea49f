"""What signing out needs to know: whose session ends, and by which name their provider knows them.

A browser has it in its sign-in. A command gets it sealed, beside its token: with it this gateway ends what rests on
that sign-in, and a browser tells the provider. It lets nobody do anything else. Pure but for the ring.
"""

from datetime import datetime, timedelta
from typing import Final

import msgspec

from actas.identify.sign_in import SignIn
from actas.model.secret import Secret
from actas.secrets import sealed
from actas.secrets.sealed import Ring

LONGEST: Final = timedelta(days=1)
_PURPOSE: Final = "saml leaving"


class Leaving(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Somebody who may sign out."""

    provider: str
    subject: str
    session: str | None
    issued_at: datetime | None
    until: datetime
    name_id: str | None = None
    name_id_format: str | None = None
    qualifiers: tuple[str | None, str | None] = (None, None)

    def __repr__(self) -> str:
        return "Leaving(...)"


def leaving_of(found: SignIn, *, now: datetime) -> Leaving:
    """Take of a sign-in what signing out needs."""
    return Leaving(
        provider=found.identity.provider,
        subject=found.identity.subject,
        session=found.identity.provider_session,
        issued_at=found.identity.issued_at,
        until=now + LONGEST,
        name_id=found.name_id,
        name_id_format=found.name_id_format,
        qualifiers=found.qualifiers,
    )


def seal(ring: Ring, leaving: Leaving) -> Secret:
    """Write it for a command."""
    return Secret(sealed.seal(ring, _PURPOSE, msgspec.json.encode(leaving)))


def opened(ring: Ring, text: str, *, provider: str, now: datetime) -> Leaving | None:
    """Read what a command kept; None for anything else."""
    content = sealed.opened(ring, _PURPOSE, text, now=now)
    if content is None:
        return None
    try:
        found = msgspec.json.decode(content, type=Leaving)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return found if found.provider == provider and now < found.until else None
