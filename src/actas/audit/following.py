"""Hand the trail on to others that keep a copy, line by line: none is lost, however long they fail.

The trail on this disk is what is handed on, so nothing is kept a second time: a *follower* that was away is told from
the line where it stopped. Where it is stands in a small file, written when the follower has taken a batch; after a
crash a batch may be handed on twice, and a line's number tells. Only lines that are durable here are handed on.
"""

import contextlib
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import anyio
import msgspec
from anyio import to_thread

from actas import private_files
from actas.audit import chain, records, segments
from actas.audit.errors import AuditError, LineUnreadable, NotWritable, TrailUnreadable
from actas.audit.interface import Copied, Follower
from actas.audit.records import Opened

MOST: Final = 10_000
MOST_BYTES: Final = 900_000
"""How much is handed on at once: what the strictest follower takes in one request."""
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds between tries while a follower fails."""
_RANDOM: Final = secrets.SystemRandom().random


class Place(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far a follower is: the last line that it took, and where the next one begins."""

    chain: str
    segment: int
    offset: int
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What is handed on next, and how far that is."""

    lines: tuple[Copied, ...]
    after: Place


class Following:
    """One follower's way along the trail."""

    def __init__(
        self, folder: Path, state: Path, follower: Follower, *, durable: Callable[[], int], every: float
    ) -> None:
        """Read *folder*, remember the place in *state*; *durable* tells the number of the last line that is safe."""
        self._folder, self._file, self._follower = folder, state / f"{follower.name}.json", follower
        self._durable, self._every = durable, every
        self._place: Place | None = None
        self.trouble: AuditError | None = None
        """Why the follower does not take lines now; None where it does."""
        self.skipped = 0
        """Lines that were gone from the disk before the follower came to them."""

    @property
    def name(self) -> str:
        """Whose way it is."""
        return self._follower.name

    @property
    def behind(self) -> int:
        """How many lines the follower has yet to take."""
        return max(0, self._durable() - (self._place.seq if self._place else 0))

    async def close(self) -> None:
        """Let the follower go of its connections."""
        await self._follower.close()

    async def run(self) -> None:
        """Hand on what comes, until cancelled."""
        pause = FIRST_PAUSE
        while True:
            try:
                await self.catch_up()
            except AuditError as wrong:
                self.trouble = wrong
                # Half of it is chance: many gateways that failed together do not come back together.
                await anyio.sleep(pause * (0.5 + _RANDOM() / 2))
                pause = min(LONGEST_PAUSE, pause * 2)
            else:
                pause = FIRST_PAUSE
                await anyio.sleep(self._every)

    async def catch_up(self) -> None:
        """Hand on all that is durable now; raise what stands in the way."""
        while (batch := await to_thread.run_sync(self._looked)) is not None:
            if batch.lines:
                await self._follower.take(batch.lines)
            await to_thread.run_sync(self._keep, batch.after)
            self.trouble = None

    def _keep(self, place: Place) -> None:
        self._place = place
        try:
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            private_files.write(self._file, msgspec.json.encode(place))
        except OSError as wrong:
            raise NotWritable(why=wrong.strerror or "it fails") from wrong

    def _looked(self) -> Batch | None:
        try:
            return self._next()
        except OSError as wrong:
            raise TrailUnreadable(name=self._folder.name, why=wrong.strerror or "it cannot be read") from wrong

    def _next(self) -> Batch | None:
        """Read the next batch; None where there is nothing more yet."""
        paths = {int(path.stem): path for path in segments.listed(self._folder)}
        if not paths:
            return None
        place = self._place = self._place or self._read(paths)
        if place.segment not in paths or place.offset > paths[place.segment].stat().st_size:
            place = self._gone(place, paths)
        lines, after = self._lines(paths[place.segment], place)
        if lines:
            return Batch(lines=tuple(lines), after=after)
        following = min((one for one in paths if one > place.segment), default=None)
        if following is None or self._durable() <= place.seq:
            return None
        return Batch(lines=(), after=msgspec.structs.replace(after, segment=following, offset=0))

    def _read(self, paths: dict[int, Path]) -> Place:
        """Read where the follower was; of another trail, or where that is not known, it begins at the beginning."""
        first = min(paths)
        begin = Place(chain=_chain(paths[first]), segment=first, offset=0, seq=0)
        with contextlib.suppress(OSError, msgspec.DecodeError, UnicodeDecodeError):
            found = msgspec.json.decode(self._file.read_bytes(), type=Place)
            if found.chain == begin.chain:
                return found
        return begin

    def _gone(self, place: Place, paths: dict[int, Path]) -> Place:
        """Go on with what is left where somebody took segments away; the numbers of the lines show it."""
        left = [one for one in paths if one > place.segment]
        return msgspec.structs.replace(place, segment=min(left, default=max(paths)), offset=0)

    def _lines(self, path: Path, place: Place) -> tuple[list[Copied], Place]:
        found: list[Copied] = []
        size, offset, seq, durable = 0, place.offset, place.seq, self._durable()
        for raw in _from(path, place.offset):
            if seq >= durable or not raw.endswith(b"\n"):  # behind that may be the trace of a write that failed
                break
            line = chain.parse(raw)
            if line.seq > durable or len(found) == MOST or (found and size + len(raw) > MOST_BYTES):
                break
            offset += len(raw)
            if line.seq <= seq:
                continue
            if seq and line.seq != seq + 1:
                self.skipped += line.seq - seq - 1
            size, seq = size + len(raw), line.seq
            found.append(Copied(seq=line.seq, text=raw[:-1], entry=records.decode(line.record)))
        return found, msgspec.structs.replace(place, offset=offset, seq=seq, segment=int(path.stem))


def _from(path: Path, offset: int) -> Iterator[bytes]:
    """Give the lines of a segment from *offset* on."""
    with path.open("rb") as file:
        file.seek(offset)
        while line := file.readline(chain.MAX_LINE + 1):
            yield line


def _chain(path: Path) -> str:
    """Read which chain a segment belongs to."""
    first = next(segments.lines(path), b"")
    opened = records.decode(chain.parse(first).record)
    if not isinstance(opened, Opened):
        raise LineUnreadable(why="it does not open its segment")
    return opened.chain
