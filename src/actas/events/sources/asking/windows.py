"""Which spans of time are asked for, where a provider lists by time, the newest first, and writes some of it late.

Each question goes on from the last one and reaches back a little; now and then the last hours are read again, and
twice a day the last days. A span that is too much to read at once is asked for in smaller ones from then on.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import msgspec

from actas.events.sources.errors import ProviderUnreadable
from actas.events.sources.reading import strict
from actas.events.sources.reading.told import ENDS, Told

BEGIN: Final = timedelta(hours=24)
"""How far back a source begins that has never asked."""
SHALLOW: Final = timedelta(minutes=10)
"""How far each question reaches back at least."""
LOOKS: Final = ((timedelta(hours=12), timedelta(days=3)), (timedelta(minutes=30), timedelta(hours=6)))
"""How often it is looked back, and how far."""
_LONGEST: Final = timedelta(hours=6)
_SHORTEST: Final = timedelta(minutes=1)

Read = Callable[[datetime, datetime], Awaitable[tuple[list[Told], bool]]]
"""Reads what happened between two moments; false where that was too much to read at once."""


class Cursor(msgspec.Struct, frozen=True):
    """How far one list was read."""

    since: str
    """When we began to listen: of what was before, only what ends access counts."""
    to: str
    """Up to when everything was asked for."""
    looked: tuple[str, ...] = ()
    """When it was looked back last, in the order of `LOOKS`."""
    sweep: tuple[str, str] | None = None
    """What of the last look back is still to be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What one question brought."""

    told: list[Told]
    cursor: Cursor
    more: bool


def start(now: datetime) -> Cursor:
    """Begin where nothing was ever asked."""
    at = strict.written(now)
    return Cursor(since=at, to=strict.written(now - BEGIN), looked=(at,) * len(LOOKS))


class Windows:
    """Asks for one list."""

    def __init__(self, what: str, overlap: timedelta) -> None:
        self._what, self._overlap, self._size = what, max(SHALLOW, overlap), _LONGEST

    async def ask(self, cursor: Cursor, read: Read, *, now: datetime) -> Found:
        """Read on from *cursor*, and what is due of a look back."""
        to = strict.instant(cursor.to)
        end = min(now, to + self._size)
        told, whole = await read(to - self._overlap, end)
        self._fitted(whole=whole)
        if whole:
            cursor = msgspec.structs.replace(cursor, to=strict.written(max(to, end)))
        if whole and end == now:
            late, cursor = await self._look_back(cursor, read, now)
            told += late
        since = strict.instant(cursor.since)
        kept = [one for one in sorted(told, key=lambda one: one.at) if one.at >= since or one.kind in ENDS]
        return Found(told=kept, cursor=cursor, more=not whole or end < now)

    async def _look_back(self, cursor: Cursor, read: Read, now: datetime) -> tuple[list[Told], Cursor]:
        cursor = _due(cursor, now)
        if cursor.sweep is None:
            return [], cursor
        begin, until = map(strict.instant, cursor.sweep)
        end = min(begin + self._size, until)
        told, whole = await read(begin, end)
        self._fitted(whole=whole)
        if not whole:
            return told, cursor
        left = None if end >= until else (strict.written(end), cursor.sweep[1])
        return told, msgspec.structs.replace(cursor, sweep=left)

    def _fitted(self, *, whole: bool) -> None:
        """Ask for less the next time where it was too much, and for more again where it was not."""
        if not whole and self._size == _SHORTEST:
            raise ProviderUnreadable(what=self._what, why="has more of one minute than can be read at once")
        self._size = min(_LONGEST, self._size * 2) if whole else max(_SHORTEST, self._size / 2)


async def everything(read: Read, what: str, since: datetime, until: datetime) -> AsyncIterator[Told]:
    """Give all that a list has between two moments; what is too much for one span is asked for in smaller ones."""
    size, begin = _LONGEST, since
    while begin < until:
        end = min(until, begin + size)
        told, whole = await read(begin, end)
        if not whole and size == _SHORTEST:
            raise ProviderUnreadable(what=what, why="has more of one minute than can be read at once")
        if not whole:
            size = max(_SHORTEST, size / 2)
            continue
        for one in told:
            if begin <= one.at < end or one.at == until:
                yield one
        begin = end


def _due(cursor: Cursor, now: datetime) -> Cursor:
    """Begin to look back where it is time; the longest look holds the others."""
    looked = cursor.looked if len(cursor.looked) == len(LOOKS) else (strict.written(now),) * len(LOOKS)
    if cursor.sweep is None:
        for place, (every, back) in enumerate(LOOKS):
            if now >= strict.instant(looked[place]) + every:
                done = (*looked[:place], *(strict.written(now),) * (len(LOOKS) - place))
                sweep = strict.written(now - back), strict.written(now)
                return msgspec.structs.replace(cursor, looked=done, sweep=sweep)
    return msgspec.structs.replace(cursor, looked=looked)
