"""The ring that signs: envelopes to functions, our own issuer's tokens, checkpoints of the trail.

ES256, because AWS takes it from an identity provider and every JOSE library verifies it. A ring of its own has keys
of another algorithm, for parties that take no other.
"""

import json
from datetime import datetime, timedelta
from pathlib import Path

from actas import jose
from actas.secrets import rings
from actas.secrets.errors import RingUnreadable

ALGORITHM = "ES256"
EVERY = timedelta(days=30)
LEAD = timedelta(days=1)
"""A new key is published for a day before it signs: AWS and functions keep a key set for hours."""
KEEP = timedelta(days=3)
"""A retired key stays published: the day until its successor signs, and two more for what it signed."""


class Signing:
    """The keys that sign, as read from disk; the public halves are what `/.well-known/actas/jwks.json` shows."""

    def __init__(self, path: Path, algorithm: str = ALGORITHM) -> None:
        self._path, self.algorithm = path, algorithm
        self.keys: tuple[jose.Key, ...] = ()
        self._signs = 0

    @property
    def is_there(self) -> bool:
        """Whether a key was ever made."""
        return self._path.exists()

    def rotate(self, now: datetime) -> None:
        """Make a key if there is none or the newest is 30 days old; read what other replicas made."""
        found = rings.rotate(self._path, "signing", make=self._make, every=EVERY, keep=KEEP, now=now)
        try:
            self.keys = tuple(jose.KeySet.from_json(key.material).keys[0] for key in found)
        except (jose.JoseError, IndexError) as wrong:
            raise RingUnreadable(path=self._path, why="a key in it is no usable JWK") from wrong
        known = [place for place, key in enumerate(found) if now - key.made_at >= LEAD]
        self._signs = known[-1] if known else 0

    def newest(self) -> jose.Key:
        """Give the key that signs now: the newest that everybody had time to hear of."""
        return self.keys[self._signs]

    def jwks(self) -> dict[str, list[dict[str, object]]]:
        """Give the public key set."""
        return {"keys": [{**key.to_json(), "alg": self.algorithm, "use": "sig"} for key in self.keys]}

    def _make(self, now: datetime) -> rings.RingKey:
        key = jose.Key.generate(self.algorithm)
        name = key.thumbprint()  # verifiers choose by kid, and AWS demands one
        return rings.RingKey(id=name[:16], made_at=now, material=json.dumps({**key.to_json(private=True), "kid": name}))
