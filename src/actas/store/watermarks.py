"""Before when nothing counts any more: what ends tokens and sessions at once.

A watermark is the provider's event time. A token is refused when its ``iat`` is not later (design.md, 8.5). Gateways
read the table once a second; one that has not read it for `STALE` refuses whatever it has cached.
"""

import contextlib
import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import anyio

from actas.store.errors import StoreError
from actas.store.person_key import PersonKey

if TYPE_CHECKING:
    from actas.store.database import Store

STALE = timedelta(seconds=5)
EVERY = 1.0
TURN = 0x4163746D
"""The advisory lock of this table: without it a reader could see sequence 8 before 7 is committed, and miss 7."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Watermarks:
    """The table, in memory, and the one that reads it."""

    def __init__(self, key: PersonKey, clock: Callable[[], datetime]) -> None:
        self._key, self._clock = key, clock
        self._marks: dict[str, dict[bytes | None, float]] = {}
        """By provider and subject (None for all of it): microseconds since 1970."""
        self._read_at: datetime | None = None
        self.sequence = 0
        """The last row read."""

    def refuses(self, provider: str, issuer: str, subject: str, issued_at: datetime | None) -> bool:
        """Tell whether evidence issued then has ended; evidence that does not say when counts as old."""
        if not (marks := self._marks.get(provider)):
            return False
        mark = marks.get(None, -math.inf)
        if len(marks) > 1 or None not in marks:
            mark = max(mark, marks.get(self._key.mark(issuer, subject), -math.inf))
        if issued_at is None:
            return mark > -math.inf
        return _microseconds(issued_at) <= mark

    def fresh(self, now: datetime) -> bool:
        """Tell whether the table was read lately enough to rely on anything cached."""
        return self._read_at is not None and abs(now - self._read_at) <= STALE

    async def append(
        self, store: "Store", *, provider: str, at: datetime, reason: str, person: tuple[str, str] | None = None
    ) -> int:
        """Add a watermark, of one *person* (issuer and subject) or of the whole provider; give its sequence."""
        from actas.store import rows

        subject = None if person is None else self._key.mark(*person)
        async with store.write(TURN) as connection:
            sequence = await rows.add_watermark(connection, provider, subject, _microseconds(at), reason)
        await self.read(store)
        return sequence

    async def read(self, store: "Store") -> None:
        """Take in what was added since the last time."""
        from actas.store import rows

        began = self._clock()
        async with store.read() as connection:
            for sequence, provider, subject, event_us in await rows.watermarks_since(connection, self.sequence):
                self._take(provider, subject, event_us)
                self.sequence = sequence
        self._read_at = began

    def _take(self, provider: str, subject: bytes | None, event_us: int) -> None:
        marks = self._marks.setdefault(provider, {})
        marks[subject] = max(marks.get(subject, -math.inf), event_us)

    async def run(self, store: "Store") -> None:
        """Read once a second until cancelled; a store that fails makes the table stale, not the reader end."""
        while True:
            with contextlib.suppress(StoreError):  # `fresh` tells it, and everything that asks refuses
                await self.read(store)
            await anyio.sleep(EVERY)


def _microseconds(time: datetime) -> int:
    return (time - _EPOCH) // _MICROSECOND
