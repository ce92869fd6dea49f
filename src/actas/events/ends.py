"""Which events end access, and whose. Pure.

An event ends what was issued up to the provider's own time of it. It never gives anything: what a token says is
what counts, and after the end a new one has to be got from the provider.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from actas.events.normal import IdentityEvent, Kind
from actas.settings.schema_events import ENDING

ADDRESS: Final = "email:"
"""What stands before an address by which an event names somebody."""
_OF_A_SESSION: Final = frozenset({Kind.SESSION_REVOKED, Kind.SIGNED_OUT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """Up to when nothing counts any more, and of whom: a session, a person, or, with neither, a whole provider.

    With both: the session, and what names no session and was issued to its subject, for it may be of this one.
    """

    provider: str
    at: datetime
    reason: str
    subject: str | None = field(default=None, repr=False)
    session: str | None = field(default=None, repr=False)
    addresses: tuple[str, ...] = field(default=(), repr=False)
    """A person, by addresses; evidence without any may be theirs."""

    @property
    def what(self) -> str:
        """Say whose access it ends."""
        if self.session is not None:
            return "session"
        return "subject" if self.subject is not None else "address" if self.addresses else "provider"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What a source's events end, by the settings."""

    kinds: Collection[str]
    leeway: timedelta
    addresses: bool = False
    """An address is one person's, and evidence bears it."""
    everybody: bool = False
    """Who is named in a way that tokens do not name them is taken for anybody."""

    def ends(self, event: IdentityEvent) -> bool:
        """Tell whether it is of a kind that ends access."""
        return event.kind.value in self.kinds and event.kind.value in ENDING


def cut(event: IdentityEvent, reach: Reach) -> Cut | None:
    """Say what *event* ends, if its source may end anything by its kind; None also where nobody can be found.

    A time of the future is cut down to what clocks may differ by: else an event dated next year would lock somebody
    out until then. A role or a group that changed as such names no subject and ends the whole provider's: who its
    members are is known to the provider, and to us only of those who called.
    """
    if not reach.ends(event):
        return None
    at = min(event.happened_at, event.heard_at + reach.leeway)
    found = Cut(
        provider=event.provider,
        at=at,
        reason=f"event:{event.kind.value}",
        subject=event.subject,
        session=event.session if event.kind in _OF_A_SESSION else None,
        addresses=_addresses(event) if reach.addresses and event.subject is None else (),
    )
    if found.what != "provider":
        return found
    if event.named:
        return found if reach.everybody else None
    # A provider does not sign everybody out by leaving names out.
    return None if event.kind in _OF_A_SESSION else found


def _addresses(event: IdentityEvent) -> tuple[str, ...]:
    return tuple(one.removeprefix(ADDRESS) for one in event.named if one.startswith(ADDRESS))
