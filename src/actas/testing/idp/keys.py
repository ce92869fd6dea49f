"""The provider's keys: one that signs, those that are published, and what roll-over does to them."""

import secrets
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from actas import jose


def _new_key(algorithm: str) -> jose.Key:
    return jose.Key.generate(algorithm, kid=secrets.token_urlsafe(12))


@cache
def _never_published(algorithm: str) -> jose.Key:
    return _new_key(algorithm)


@dataclass(frozen=True, slots=True, kw_only=True)
class Impostor:
    """Signs with one key under the name of another (a `jose.Signer`)."""

    algorithm: str
    kid: str | None
    key: jose.Key

    def sign(self, data: bytes) -> bytes:
        """Sign with the key that was never published."""
        return self.key.signer(self.algorithm)(data)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRing:
    """The keys at one moment; a change makes another ring."""

    algorithm: str
    signing: jose.Key
    published: tuple[jose.Key, ...]
    identity: jose.Key | None = None
    """Signs ID tokens where a provider has a key of their own."""

    @classmethod
    def new(cls, algorithm: str) -> "KeyRing":
        """Make a ring of one new key."""
        key = _new_key(algorithm)
        return cls(algorithm=algorithm, signing=key, published=(key,))

    def with_identity(self) -> "KeyRing":
        """Have a key of their own for ID tokens."""
        return self if self.identity else replace(self, identity=_new_key(self.algorithm))

    def signer(self, *, identity: bool, foreign: bool) -> jose.Key | Impostor:
        """Give what signs an ID token (where those have a key of their own) or any other, rightly or not."""
        key = self.identity if identity and self.identity else self.signing
        if foreign:
            return Impostor(algorithm=self.algorithm, kid=key.kid, key=_never_published(self.algorithm))
        return key

    def rotated(self, *, late: bool, keep: int) -> "KeyRing":
        """Sign by a new key, published beside the *keep* newest old ones, or not yet where it is *late*."""
        key = _new_key(self.algorithm)
        if late:
            return replace(self, signing=key)
        return replace(self, signing=key, published=(key, *self.published[:keep]))

    def caught_up(self) -> "KeyRing":
        """Publish the signing key if it is not yet."""
        if self.signing in self.published:
            return self
        return replace(self, published=(self.signing, *self.published))

    def pruned(self) -> "KeyRing":
        """Publish the signing key alone, as after an emergency."""
        return replace(self, published=(self.signing,))


def encryption_key() -> dict[str, Any]:
    """Make a public key that is published for encryption and must not verify anything."""
    return _new_key("RS256").to_json() | {"alg": "RSA-OAEP", "use": "enc"}
