"""The ring that signs: envelopes to functions, our own issuer's tokens, checkpoints of the trail.

ES256, because AWS takes it from an identity provider and every JOSE library verifies it.
"""

import json
from datetime import datetime, timedelta
from pathlib import Path

from actas import jose
from actas.secrets import rings
from actas.secrets.errors import RingUnreadable

ALGORITHM = "ES256"
EVERY = timedelta(days=30)
KEEP = timedelta(days=2)
"""AWS caches a key set for hours; a retired key stays published for two days."""


class Signing:
    """The keys that sign, as read from disk; the public halves are what `/.well-known/actas/jwks.json` shows."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.keys: tuple[jose.Key, ...] = ()

    def rotate(self, now: datetime) -> None:
        """Make a key if there is none or the newest is 30 days old; read what other replicas made."""
        found = rings.rotate(self._path, "signing", make=_make, every=EVERY, keep=KEEP, now=now)
        try:
            self.keys = tuple(jose.KeySet.from_json(key.material).keys[0] for key in found)
        except (jose.JoseError, IndexError) as wrong:
            raise RingUnreadable(path=self._path, why="a key in it is no usable JWK") from wrong

    def newest(self) -> jose.Key:
        """Give the key that signs now."""
        return self.keys[-1]

    def jwks(self) -> dict[str, object]:
        """Give the public key set."""
        return {"keys": [{**key.to_json(), "alg": ALGORITHM, "use": "sig"} for key in self.keys]}


def _make(now: datetime) -> rings.RingKey:
    key = jose.Key.generate(ALGORITHM)
    return rings.RingKey(id=key.thumbprint()[:16], made_at=now, material=json.dumps(key.to_json(private=True)))
