"""Watch the settings and the files they name, and hand on every new state of them.

Every quarter of a second each file is looked at (inode, size, time); one that looks new, or whose time is too
fresh to be told from the next, is told by its content. That costs some microseconds a file, works on every file
system, and sees whatever editors do when they save: write in place, or put a new file in the old one's place. What
is still being written is waited for. A new state is read and checked whole, off the event loop, and swapped in one
step; a broken one changes nothing but the `State`.
"""

import os
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Final

import anyio
import anyio.to_thread

from actas.errors import ActasError
from actas.model import clock
from actas.settings.errors import BrokenSettings
from actas.settings.mistakes import Mistake, errors
from actas.settings.reader import Loaded, read_file

EVERY: Final = 0.25
"""Seconds between two looks."""
SETTLE: Final = 0.08
"""Seconds for which a file must stay as it is: half a file may be valid, and lack the rules that forbid."""
_TRIES: Final = 6
_AGAIN: Final = 4
"""How many looks there are between two tries at a broken state whose files are the same."""
_FRESH: Final = 2_000_000_000
"""Nanoseconds: younger files are told by their content, for file systems whose times are coarse."""
Contents = dict[Path, str | None]
"""Each file's digest; None for one that cannot be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Which settings are in use, and whether newer ones are broken: for ``/readyz`` and metrics."""

    generation: int
    """Counts the states that were taken into use, from 1."""
    digest: str
    loaded_at: datetime
    broken: tuple[Mistake, ...] | None = None
    """What is wrong with the newer state that was not taken; None where there is none."""
    broken_since: datetime | None = None


@dataclass(slots=True)
class Watch:
    """The settings in use, kept up to date while `run` runs.

    ``load`` reads and checks (in a thread); ``on_change`` takes a sound state into use and may still refuse it
    by raising an error of ours; ``on_broken`` is told of every new broken state.
    """

    load: Callable[[], Loaded]
    on_change: Callable[[Loaded], Awaitable[None]]
    on_broken: Callable[[tuple[Mistake, ...]], None] = lambda _: None
    every: float = EVERY
    settle: float = SETTLE
    clock: Callable[[], datetime] = clock.now
    state: State = field(init=False)
    current: Loaded = field(init=False)
    _files: "_Files" = field(init=False)
    _seen: Contents = field(init=False)
    """What the newest state, sound or broken, was read from."""
    _used: Contents = field(init=False)
    """What the state in use was read from."""
    _looks: int = field(init=False, default=0)
    _missing: bool = field(init=False, default=False)
    """A broken state may want a file that is not watched, such as a function's, and which may come any time."""

    def start(self) -> Loaded:
        """Read the settings a first time; raise BrokenSettings where they cannot be used."""
        self._files = _Files(self.clock)
        loaded = self._read()
        loaded.usable()
        self.current, self._used = loaded, self._seen
        self.state = State(generation=1, digest=loaded.digest, loaded_at=self.clock())
        return loaded

    async def run(self) -> None:
        """Watch until cancelled; `start` comes first."""
        while True:
            await anyio.sleep(self.every)
            await self.look()

    async def look(self) -> bool:
        """Look once; True where a new state was taken into use."""
        self._looks += 1
        if not await self._has_changed() and not (self._missing and self._looks % _AGAIN == 0):
            return False
        fresh = await anyio.to_thread.run_sync(self._read)
        self._missing = fresh.broken
        if fresh.broken:
            self._note_broken(errors(fresh.mistakes))
            return False
        if self._seen == self._used:
            self.state = replace(self.state, broken=None, broken_since=None)
            return False
        return await self._take(fresh)

    async def _take(self, fresh: Loaded) -> bool:
        used = self._seen
        try:
            await self.on_change(fresh)
        except BrokenSettings as refused:
            self._note_broken(refused.mistakes)
            return False
        except ActasError as refused:
            self._note_broken((fresh.source.mistake(refused.code, (), refused.message, refused.hint),))
            return False
        self.current, self._used = fresh, used
        self.state = State(generation=self.state.generation + 1, digest=fresh.digest, loaded_at=self.clock())
        return True

    async def _has_changed(self) -> bool:
        """Tell whether the files are new, and have stopped changing."""
        last = await anyio.to_thread.run_sync(self._files.contents)
        if last == self._seen:
            return False
        for _ in range(_TRIES):
            await anyio.sleep(self.settle)
            now = await anyio.to_thread.run_sync(self._files.contents)
            if now == last:
                return now != self._seen
            last = now
        return False  # it is still being written; the next look comes soon

    def _note_broken(self, mistakes: tuple[Mistake, ...]) -> None:
        if mistakes != self.state.broken:
            self.state = replace(self.state, broken=mistakes, broken_since=self.state.broken_since or self.clock())
            self.on_broken(mistakes)

    def _read(self) -> Loaded:
        """Read everything; what changes while it is read is seen at the next look."""
        before = self._files.contents()
        loaded = self.load()
        self._files.watch(one.path for one in loaded.files)
        # Secret files are not read with the others, so that they are as they looked before.
        self._seen = {one.path: before.get(one.path) if one.digest is None else one.digest for one in loaded.files}
        for one in loaded.files:
            if one.path not in before and one.digest is None and one.problem is None:
                self._seen[one.path] = self._files.content(one.path)
        return loaded


@dataclass(slots=True)
class _Files:
    """The files that are watched, and what was seen of each."""

    clock: Callable[[], datetime]
    _known: dict[Path, tuple[tuple[int, ...], str | None]] = field(default_factory=dict)
    _paths: tuple[Path, ...] = ()

    def watch(self, paths: Iterable[Path]) -> None:
        """Watch *paths* and nothing else."""
        self._paths = tuple(paths)
        self._known = {path: seen for path, seen in self._known.items() if path in self._paths}

    def contents(self) -> Contents:
        """Give the digests of all files, reading those that look new."""
        return {path: self.content(path) for path in self._paths}

    def content(self, path: Path) -> str | None:
        """Give the digest of one file."""
        try:
            status = os.stat(path)  # noqa: PTH116 - the numbers are what is wanted
        except (OSError, ValueError):
            self._known.pop(path, None)
            return None
        look = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_mode)
        age = self.clock().timestamp() * 1e9 - status.st_mtime_ns
        known = self._known.get(path)
        if known is None or known[0] != look or abs(age) < _FRESH:
            known = self._known[path] = look, read_file(path).digest
        return known[1]
