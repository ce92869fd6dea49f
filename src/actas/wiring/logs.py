"""Functions' own logs: a stream beside the trail that may be deleted, one file a function and day.

Functions may print as much as they like, and the disk is shared with the trail, without which no call is taken. So a
day's file has a largest size, and lines are lost rather than written where the disk is nearly full.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from actas.model import clock

_MOST_OPEN: Final = 64
LARGEST: Final = 1024**3
"""Bytes of one function's file of one day; what comes after is dropped, and a last line says so."""
_SHARE: Final = 2
"""Lines are lost while the disk has less than this many times the reserve of the trail: logs give way first."""
_LOOK_EVERY: Final = 1024 * 1024
"""Bytes; how much is written before the disk is looked at again."""


@dataclass(slots=True)
class _File:
    handle: int
    size: int


class FunctionLogs:
    """Appends lines to ``logs/FUNCTION/YYYY-MM-DD.log``, each with its call id."""

    def __init__(self, folder: Path, *, reserve: int = 0, largest: int = LARGEST) -> None:
        self._folder, self._largest = folder, largest
        self._least_free = _SHARE * reserve
        self._files: dict[tuple[str, str], _File] = {}
        self._unlooked = _LOOK_EVERY
        self._has_room = True

    def line(self, call: str, function: str, line: bytes) -> None:
        """Keep one line. A disk that is full loses lines, never calls: the trail holds their hash."""
        now = clock.now()
        text = b"%s %s %s\n" % (now.isoformat(timespec="milliseconds").encode(), call.encode(), line)
        try:
            file = self._file(function, f"{now:%Y-%m-%d}")
            if file.size >= self._largest or not self._may_write(file, len(text)):
                return
            file.size += len(text)
            if file.size >= self._largest:
                text = b"%s - [this day's log is full; the rest is dropped]\n" % text[:24]
            os.write(file.handle, text)
        except OSError:
            return

    def _may_write(self, file: _File, size: int) -> bool:
        """Look now and then how much room the disk has."""
        self._unlooked += size
        if self._unlooked >= _LOOK_EVERY or not self._has_room:
            self._unlooked = 0
            disk = os.fstatvfs(file.handle)
            self._has_room = disk.f_bavail * disk.f_frsize >= self._least_free
        return self._has_room

    def _file(self, function: str, day: str) -> _File:
        found = self._files.get((function, day))
        if found is None:
            if len(self._files) >= _MOST_OPEN:
                self.close()
            folder = self._folder / function
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            handle = os.open(folder / f"{day}.log", flags, 0o600)
            found = self._files[function, day] = _File(handle, os.fstat(handle).st_size)
        return found

    def close(self) -> None:
        """Close every file."""
        for one in self._files.values():
            os.close(one.handle)
        self._files.clear()
