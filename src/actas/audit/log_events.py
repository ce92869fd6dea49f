"""Put lines into batches as CloudWatch Logs takes them (PutLogEvents): sizes, counts, order, ages. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from actas.audit.interface import Copied

LARGEST_BATCH: Final = 1_048_576
PER_EVENT: Final = 26
"""Octets that each event counts beside its message."""
MOST_EVENTS: Final = 10_000
LARGEST_EVENT: Final = 1_048_576 - PER_EVENT
LONGEST_SPAN: Final = timedelta(hours=24)
OLDEST: Final = timedelta(days=14) - timedelta(hours=1)
"""An event older than 14 days is refused; a line that comes later comes as newer: its record says when it was."""
YOUNGEST: Final = timedelta(hours=2) - timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event: milliseconds, and a message that is UTF-8."""

    at: int
    message: bytes = field(repr=False)

    @property
    def size(self) -> int:
        """What it counts."""
        return len(self.message) + PER_EVENT


def batches(events: Iterable[Event]) -> Iterator[tuple[Event, ...]]:
    """Cut events, which are in order, into batches that are each taken whole."""
    batch: list[Event] = []
    size = 0
    for event in events:
        is_full = len(batch) == MOST_EVENTS or size + event.size > LARGEST_BATCH
        if batch and (is_full or event.at - batch[0].at >= _milliseconds(LONGEST_SPAN)):
            yield tuple(batch)
            batch, size = [], 0
        batch.append(event)
        size += event.size
    if batch:
        yield tuple(batch)


def of_lines(lines: Iterable[Copied], *, now: datetime) -> Iterator[Event]:
    """Make an event of each line, in the order of the trail: none is earlier than the one before it.

    A line that is longer than an event may be is named by its number and its hash; it stands in the files.
    """
    before = stamp(now - OLDEST)
    latest = stamp(now + YOUNGEST)
    for line in lines:
        before = min(latest, max(before, stamp(line.entry.at)))
        yield Event(at=before, message=line.text if len(line.text) <= LARGEST_EVENT else _named(line))


def stamp(at: datetime) -> int:
    """Write a time as CloudWatch counts it."""
    return int(at.timestamp() * 1000)


def _named(line: Copied) -> bytes:
    return b'{"seq":%d,"left_out":%d,%b' % (line.seq, len(line.text), line.text[line.text.rindex(b'"hash":') :])


def _milliseconds(span: timedelta) -> int:
    return span // timedelta(milliseconds=1)
