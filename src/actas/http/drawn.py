"""Random bytes for the names of calls, drawn for many at a time: a system call for each costs more than its name."""

import secrets
from typing import Final

from actas.model.ids import RANDOM

_AT_ONCE: Final = 256


class Random:
    """Gives each octet that the system gave once. Not for two threads, nor for both sides of a fork."""

    __slots__ = ("_left",)

    def __init__(self) -> None:
        self._left: list[bytes] = []

    def take(self) -> bytes:
        """Give the random bytes of one name."""
        if not self._left:
            drawn = secrets.token_bytes(RANDOM * _AT_ONCE)
            self._left = [drawn[at : at + RANDOM] for at in range(0, len(drawn), RANDOM)]
        return self._left.pop()
