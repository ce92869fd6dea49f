"""Whether anything was committed to a SQLite file since the last time, told in microseconds.

SQLite counts, for each connection, what others committed (``PRAGMA data_version``); the count lies in memory that all
share. So whoever looks at a table again and again can do without while nothing was written, by whichever process.
"""

import contextlib
import sqlite3
from itertools import count
from pathlib import Path

Stamp = tuple[int, int]
"""Stays the same exactly as long as nothing is committed; those of two connections are never the same."""
_CONNECTIONS = count()


class Stamps:
    """A connection that only counts."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._connection: sqlite3.Connection | None = None
        self._number, self._closed = -1, False

    def read(self) -> Stamp | None:
        """Give the stamp of now; None where it cannot be told, and whoever asks has to look."""
        if self._closed:
            return None
        try:
            if self._connection is None:
                self._connection = self._open()
            (version,) = self._connection.execute("PRAGMA data_version").fetchone()
        except sqlite3.Error:
            self._drop()
            return None
        return self._number, int(version)

    def close(self) -> None:
        """Let go of the file; nothing can be told afterwards."""
        self._closed = True
        self._drop()

    def _drop(self) -> None:
        found, self._connection = self._connection, None
        if found is not None:
            with contextlib.suppress(sqlite3.Error):
                found.close()

    def _open(self) -> sqlite3.Connection:
        self._number = next(_CONNECTIONS)
        place = f"{self._file.absolute().as_uri()}?mode=ro"
        # No waiting: it is read on the event loop. One thread at a time does so, though not always the same.
        return sqlite3.connect(place, uri=True, timeout=0, isolation_level=None, check_same_thread=False)
