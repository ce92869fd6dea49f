"""What a function prints, line by line, each with the call it belongs to.

A function that prints without end is slowed down, not followed: past its allowance a call's output is read
in small sips and thrown away, so a flood costs the gateway next to nothing.
"""

import asyncio
import hashlib
import os
from collections.abc import Callable
from typing import Final

Logs = Callable[[str, str, bytes], None]
"""Keeps one line of a call: ``log(call_id, function, line)``."""

LARGEST_LOG: Final = 1024 * 1024
"""What one call may log; what comes after is dropped, and a last line says so."""
PER_LINE: Final = 100
"""What a line counts for itself: keeping a million empty ones costs the gateway more than keeping a megabyte."""
TAIL: Final = 4096
"""Bytes of a call's log that its caller may ask for (``X-Amz-Log-Type: Tail``)."""
_LARGEST_LINE: Final = 256 * 1024  # a Lambda log event's limit
_SIP: Final = 65536
_PAUSE: Final = 0.02
_LAST_SIPS: Final = 16


class LogPump:
    """Carries one process's output to where logs are kept."""

    def __init__(self, descriptor: int, function: str, log: Logs) -> None:
        os.set_blocking(descriptor, False)
        self._descriptor: int | None = descriptor
        self._function, self._log = function, log
        self._call = ""
        self._left = LARGEST_LOG
        self._partial = bytearray()
        self._hash = hashlib.sha256()
        self._last = bytearray()
        self._loop = asyncio.get_running_loop()
        self._pause: asyncio.TimerHandle | None = None
        self._loop.add_reader(descriptor, self._readable)

    def begin(self, call: str) -> None:
        """Count what comes from now on to *call*."""
        if call != self._call:
            self._drain()
            self._end_line()
            self._call, self._left, self._hash = call, LARGEST_LOG, hashlib.sha256()
            self._last.clear()

    def end(self) -> str:
        """Take in all that was printed until now; give the SHA-256 of the call's lines, hex."""
        self._drain()
        self._end_line()
        return self._hash.hexdigest()

    def tail(self) -> bytes:
        """Give the last of the call's lines that were taken in."""
        return bytes(self._last[-TAIL:])

    def close(self) -> None:
        """Take in the rest and stop."""
        if self._descriptor is None:
            return
        self._drain()
        self._end_line()
        self._stop()

    def _stop(self) -> None:
        if self._descriptor is not None:
            self._loop.remove_reader(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = None
        if self._pause:
            self._pause.cancel()
            self._pause = None

    def _readable(self) -> None:
        self._sip()
        if self._left <= 0 and self._descriptor is not None:
            self._loop.remove_reader(self._descriptor)
            self._pause = self._loop.call_later(_PAUSE, self._resume)

    def _resume(self) -> None:
        self._pause = None
        if self._descriptor is not None:
            self._loop.add_reader(self._descriptor, self._readable)

    def _drain(self) -> None:
        for _ in range(_LAST_SIPS):
            if not self._sip():
                break

    def _sip(self) -> bool:
        """Read once; False where nothing is there."""
        if self._descriptor is None:
            return False
        try:
            found = os.read(self._descriptor, _SIP)
        except BlockingIOError:
            return False
        if not found:
            self._end_line()
            self._stop()
            return False
        self._take(found)
        return True

    def _take(self, found: bytes) -> None:
        if self._left <= 0:
            return
        *whole, rest = (bytes(self._partial) + found).split(b"\n")
        self._partial = bytearray(rest)
        for line in whole:
            self._keep(line)
        if len(self._partial) > _LARGEST_LINE:
            self._end_line()

    def _end_line(self) -> None:
        if self._partial:
            line, self._partial = bytes(self._partial), bytearray()
            self._keep(line)

    def _keep(self, line: bytes) -> None:
        if self._left <= 0:
            return
        self._left -= len(line) + PER_LINE
        if self._left <= 0:
            line = f"[this call logged more than {LARGEST_LOG} bytes; the rest is dropped]".encode()
            self._partial.clear()
        self._hash.update(line + b"\n")
        self._last += line[-TAIL:] + b"\n"
        if len(self._last) > 2 * TAIL:
            del self._last[:-TAIL]
        self._log(self._call, self._function, line)
