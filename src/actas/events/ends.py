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

_OF_A_SESSION: Final = frozenset({Kind.SESSION_REVOKED, Kind.SIGNED_OUT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """Up to when nothing counts any more, and of whom: a session, a subject, or, with neither, a whole provider.

    With both: the session, and what names no session and was issued to its subject, for it may be of this one.
    """

    provider: str
    at: datetime
    reason: str
    subject: str | None = field(default=None, repr=False)
    session: str | None = field(default=None, repr=False)

    @property
    def what(self) -> str:
        """Say whose access it ends."""
        return "session" if self.session is not None else "subject" if self.subject is not None else "provider"


def cut(event: IdentityEvent, kinds: Collection[str], *, leeway: timedelta) -> Cut | None:
    """Say what *event* ends, if its source may end anything by its kind.

    A time of the future is cut down to what clocks may differ by: else an event dated next year would lock somebody
    out until then. A role or a group that changed as such names no subject and ends the whole provider's: who its
    members are is known to the provider, and to us only of those who called.
    """
    if event.kind.value not in kinds or event.kind.value not in ENDING:
        return None
    at = min(event.happened_at, event.heard_at + leeway)
    reason = f"event:{event.kind.value}"
    if event.kind in _OF_A_SESSION:
        if event.session is not None:
            return Cut(provider=event.provider, at=at, reason=reason, subject=event.subject, session=event.session)
        if event.subject is None:  # nobody can be meant; a provider does not sign everybody out by leaving names out
            return None
    return Cut(provider=event.provider, at=at, reason=reason, subject=event.subject)
