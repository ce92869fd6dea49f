"""Functions' own logs: a stream beside the trail that may be deleted, one file a function and day."""

import os
from pathlib import Path

from actas.model import clock

_MOST_OPEN = 64


class FunctionLogs:
    """Appends lines to ``logs/FUNCTION/YYYY-MM-DD.log``, each with its call id."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[tuple[str, str], int] = {}

    def line(self, call: str, function: str, line: bytes) -> None:
        """Keep one line. A disk that is full loses lines, never calls: the trail holds their hash."""
        now = clock.now()
        text = b"%s %s %s\n" % (now.isoformat(timespec="milliseconds").encode(), call.encode(), line)
        try:
            os.write(self._file(function, f"{now:%Y-%m-%d}"), text)
        except OSError:
            return

    def _file(self, function: str, day: str) -> int:
        found = self._files.get((function, day))
        if found is None:
            if len(self._files) >= _MOST_OPEN:
                self.close()
            folder = self._folder / function
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            found = self._files[function, day] = os.open(folder / f"{day}.log", flags, 0o600)
        return found

    def close(self) -> None:
        """Close every file."""
        for handle in self._files.values():
            os.close(handle)
        self._files.clear()
