"""The ring that seals sessions: AES-256-GCM keys, rotated daily, kept until the last session they sealed has ended."""

import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from actas.secrets import rings

EVERY = timedelta(days=1)
REREAD = timedelta(seconds=5)
KEEP = timedelta(hours=2)
"""A session lives one hour at most; twice that covers clocks that differ."""


class Sealing:
    """The keys that seal, as read from disk."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._keys: dict[str, AESGCM] = {}
        self._newest = ""
        self._read_at = datetime.min.replace(tzinfo=UTC)

    def rotate(self, now: datetime) -> None:
        """Make a key if there is none or the newest is a day old; read what other replicas made."""
        self._take(rings.rotate(self._path, "sealing", make=_make, every=EVERY, keep=KEEP, now=now))

    def newest(self) -> tuple[str, AESGCM]:
        """Give the key that seals now."""
        return self._newest, self._keys[self._newest]

    def find(self, key_id: str, now: datetime) -> AESGCM | None:
        """Find a key to open with; one we do not know may have been made by another replica since.

        The file is read for it once in five seconds at most, so that made-up key ids cost nothing.
        """
        if key_id not in self._keys and now - self._read_at >= REREAD:
            self._read_at = now
            self._take(rings.read(self._path, "sealing"))
        return self._keys.get(key_id)

    def _take(self, keys: tuple[rings.RingKey, ...]) -> None:
        self._keys = {key.id: self._keys.get(key.id) or AESGCM(bytes.fromhex(key.material)) for key in keys}
        self._newest = keys[-1].id if keys else ""


def _make(now: datetime) -> rings.RingKey:
    return rings.RingKey(id=secrets.token_hex(4), made_at=now, material=secrets.token_hex(32))
