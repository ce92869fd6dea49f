"""Where a function's code is, and which version of it lies there now."""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from actas.settings.schema import Function

_MOST_FILES = 5000
_LOOK_AGAIN = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """A function's file and what in it is called."""

    runtime: Literal["python", "node"]
    file: Path
    handler: str
    """As Lambda names it: ``report.handler``."""

    @property
    def folder(self) -> Path:
        """Everything that the function sees of its code: the folder of its file."""
        return self.file.parent


def find(settings: Function, base: Path) -> Code:
    """Read ``functions/report.py:handler``; *base* is the settings file's folder. The settings are checked already."""
    runtime: Literal["python", "node"] = "python" if settings.python is not None else "node"
    spec = settings.python if settings.python is not None else settings.node
    assert spec is not None
    path, _, name = spec.rpartition(":")
    file = (base / path).resolve()
    return Code(runtime=runtime, file=file, handler=f"{file.stem}.{name}")


class Version:
    """The digest of a function's files as they were last seen: sizes and times, not contents."""

    def __init__(self, code: Code) -> None:
        self._code = code
        self._entry: tuple[int, int] | None = None
        self._seen_at = -1.0
        self._digest = ""

    def at(self, now: float) -> str:
        """Give the version at *now*, a monotonic time; raise OSError where the function's file is not there.

        The function's own file is looked at each time, the rest of its folder every half second.
        """
        found = self._code.file.stat()
        entry = (found.st_mtime_ns, found.st_size)
        if entry != self._entry or now - self._seen_at >= _LOOK_AGAIN:
            self._entry, self._seen_at = entry, now
            self._digest = digest(self._code.folder)
        return self._digest


def digest(folder: Path) -> str:
    """Name the state of all files below *folder*."""
    seen = hashlib.sha256()
    for count, (path, found) in enumerate(_files(str(folder))):
        if count >= _MOST_FILES:
            break  # a folder this large is not edited by hand while it is served
        seen.update(f"{path}\0{found.st_mtime_ns}\0{found.st_size}\0".encode("utf-8", "surrogateescape"))
    return seen.hexdigest()[:16]


def _files(folder: str) -> Iterator[tuple[str, os.stat_result]]:
    """Walk in a fixed order; what interpreters write themselves, dependencies, and hidden files do not count."""
    with os.scandir(folder) as entries:
        ordered = sorted(entries, key=lambda entry: entry.name)
    for entry in ordered:
        if entry.name.startswith(".") or entry.name in {"__pycache__", "node_modules"}:
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _files(entry.path)
        else:
            yield entry.path, entry.stat(follow_symlinks=False)
