"""Open session tokens, and remember those that were opened lately: whoever signs, signs with one session many times.

A cache never changes an answer. An entry stands for one whole token (its SHA-256) and is good only while the ring
still has the very key that sealed it and the session has not ended; what revokes sessions is asked beside it, each
time. A token that does not open is not remembered, so strangers fill nothing.
"""

from collections.abc import Callable
from datetime import datetime
from hashlib import sha256
from typing import Final, NamedTuple

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from actas.assume.errors import SessionExpired
from actas.assume.held import LARGEST, opened
from actas.model.held import Held

SIZE: Final = 4096
"""How many sessions are remembered."""

Find = Callable[[str, datetime], AESGCM | None]


class _Entry(NamedTuple):
    held: Held
    key_id: str
    key: AESGCM
    """The very key that opened it."""


class Opening:
    """Opens what the ring sealed; the ones not shown for longest are forgotten first, half of them at a time."""

    def __init__(self, find: Find, *, size: int = SIZE) -> None:
        self._find, self._half = find, max(size // 2, 1)
        self._young: dict[bytes, _Entry] = {}
        self._old: dict[bytes, _Entry] = {}

    def __len__(self) -> int:
        return len(self._young.keys() | self._old.keys())

    def open(self, token: str, *, now: datetime) -> Held:
        """Open *token*, or raise what `actas.assume.held.opened` raises."""
        if len(token) > LARGEST:  # none of ours, and not worth being digested
            return opened(token, self._find, now=now)
        digest = sha256(token.encode("utf-8", "surrogatepass")).digest()
        found = self._young.get(digest) or self._old.get(digest)
        if found is None or self._find(found.key_id, now) is not found.key:
            found = self._opened(token, now)
        elif now >= found.held.expires_at:
            raise SessionExpired(expired_at=found.held.expires_at, now=now)
        if digest not in self._young:
            self._put(digest, found)
        return found.held

    def _opened(self, token: str, now: datetime) -> _Entry:
        used: list[tuple[str, AESGCM]] = []

        def find(key_id: str, at: datetime) -> AESGCM | None:
            if (key := self._find(key_id, at)) is not None:
                used.append((key_id, key))
            return key

        held = opened(token, find, now=now)
        return _Entry(held, *used[-1])

    def _put(self, digest: bytes, entry: _Entry) -> None:
        if len(self._young) >= self._half:
            self._old, self._young = self._young, {}
        self._young[digest] = entry
