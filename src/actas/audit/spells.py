"""Remember a while in which the trail could not be written, until a `Gap` in the trail says so.

Pure.
"""

from datetime import datetime

from actas.audit.records import NAMED_CALLS, Entry, Gap
from actas.model.record import Ended


class Spell:
    """One while: since when, why, and what could not even be held."""

    def __init__(self, since: datetime, because: str) -> None:
        self.since, self.because = since, because
        self.lost = 0
        self._calls: list[str] = []

    def lose(self, entry: Entry) -> None:
        """Count *entry* as lost."""
        self.lost += 1
        if isinstance(entry, Ended) and len(self._calls) < NAMED_CALLS:
            self._calls.append(entry.call)

    def gap(self, now: datetime, late: int) -> Gap | None:
        """Give the mark of this while, where *late* records follow it; None where nothing is late or lost."""
        if not late and not self.lost:
            return None
        calls = tuple(self._calls)
        return Gap(at=now, since=self.since, because=self.because, late=late, lost=self.lost, calls=calls)

    def told(self, gap: Gap) -> None:
        """Forget what *gap*, now in the trail, has said."""
        self.lost -= gap.lost
        del self._calls[: len(gap.calls)]
