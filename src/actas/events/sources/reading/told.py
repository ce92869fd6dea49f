"""What one event of a provider says, in words that are the same for every provider. Pure.

A provider's own names stay in ``type``; what we make of them is ``kind``. A fact that the provider does not state is
None, never a guess: an event that takes rights away and names no subject speaks of everybody.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import get_args

from actas.settings.schema_event_sources import KindName
from actas.settings.schema_events import ENDING

Kind = KindName
KINDS: tuple[Kind, ...] = get_args(Kind)
ADDRESS = "email:"
"""What stands before an e-mail address by which somebody is named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One thing that happened, as the provider tells it."""

    id: str
    """The provider's own name for the event, the same whichever way it comes."""
    type: str
    """What the provider calls it: ``access.LOGIN``, ``group.user_membership.remove``."""
    kind: Kind
    at: datetime
    """When it happened, by the provider's clock."""
    subject: str | None = field(default=None, repr=False)
    """Whom it happened to, by the identifier that tokens carry."""
    named: tuple[str, ...] = field(default=(), repr=False)
    """How the provider names the subject where it does not by that identifier: ``email:…``, ``phone_number:…``."""
    actor: str | None = field(default=None, repr=False)
    """Who did it, where somebody else than the subject."""
    client: str | None = None
    session: str | None = field(default=None, repr=False)
    roles: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    reason: str | None = None
    """The provider's word for why: ``invalid_user_credentials``, ``hijacking``."""
    raw: bytes | None = field(default=None, repr=False)
    """What came, where it is to be kept."""

    @property
    def mail(self) -> str | None:
        """The first address by which the subject is named."""
        return next((one.removeprefix(ADDRESS) for one in self.named if one.startswith(ADDRESS)), None)


ENDS: frozenset[str] = frozenset(ENDING)
"""Kinds that can end access: a source that begins hears those also of the time before."""
