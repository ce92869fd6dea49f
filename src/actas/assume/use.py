"""Whether a session may be used now, whatever for: it is a work session, has not ended, and nobody revoked it. Pure."""

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

from actas.assume.errors import RevocationsUnread, SessionExpired, SessionNotOurs, SessionRevoked
from actas.model.held import Held, Mark


class Marks(Protocol):
    """What ends sessions before their time."""

    def ended(self, marks: Iterable[Mark]) -> bool:
        """Tell whether one of *marks* has been passed, or there are none."""
        ...

    def fresh(self, now: datetime) -> bool:
        """Tell whether that can be relied upon."""
        ...


def usable(held: Held, marks: Marks, *, now: datetime) -> None:
    """Return where *held* may be used, else raise why not."""
    if held.purpose != "work":
        raise SessionNotOurs(why="it is one that never leaves the gateway")
    if now >= held.expires_at:
        raise SessionExpired(expired_at=held.expires_at, now=now)
    if not marks.fresh(now):
        raise RevocationsUnread
    if marks.ended(held.marks):
        raise SessionRevoked
