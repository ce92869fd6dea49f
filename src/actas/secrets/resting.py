"""The ring that seals what lies in the database: AES-256-GCM keys, a new one each month, kept for a year.

What is sealed is bound to what it is about, so that no row can stand in for another.
"""

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from actas.secrets import rings
from actas.secrets.errors import Unopenable

EVERY = timedelta(days=30)
KEEP = timedelta(days=366)
FILE = Path("keys", "resting.json")
_ID, _NONCE = 8, 12


class Resting:
    """The keys for what rests, as read from disk."""

    def __init__(self, path: Path, clock: Callable[[], datetime]) -> None:
        self._path, self._clock = path, clock
        self._keys: dict[bytes, AESGCM] = {}
        self._newest = b""

    def rotate(self, now: datetime) -> None:
        """Make a key if there is none or the newest is a month old; read what other replicas made."""
        self._take(rings.rotate(self._path, "resting", make=_make, every=EVERY, keep=KEEP, now=now))

    def seal(self, body: bytes, about: bytes) -> bytes:
        """Seal *body*, to be opened with the same *about* only."""
        if not self._newest:
            self.rotate(self._clock())
        nonce = secrets.token_bytes(_NONCE)  # random: a key seals far less than 2^32 bodies in its month
        return self._newest + nonce + self._keys[self._newest].encrypt(nonce, body, about)

    def open(self, sealed: bytes, about: bytes) -> bytes:
        """Open what `seal` made, or raise `Unopenable`."""
        key_id, nonce, rest = sealed[:_ID], sealed[_ID : _ID + _NONCE], sealed[_ID + _NONCE :]
        if key_id not in self._keys:
            self._take(rings.read(self._path, "resting"))
        if (key := self._keys.get(key_id)) is None:
            raise Unopenable(why="its key is not in the ring")
        try:
            return key.decrypt(nonce, rest, about)
        except (InvalidTag, ValueError) as wrong:
            raise Unopenable(why="it was changed, or is about something else") from wrong

    def _take(self, keys: tuple[rings.RingKey, ...]) -> None:
        self._keys = {key.id.encode(): AESGCM(bytes.fromhex(key.material)) for key in keys}
        self._newest = keys[-1].id.encode() if keys else b""


def _make(now: datetime) -> rings.RingKey:
    return rings.RingKey(id=secrets.token_hex(_ID // 2), made_at=now, material=secrets.token_hex(32))
