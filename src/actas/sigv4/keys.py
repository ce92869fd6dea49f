"""Derive the key that signs for one day, region and service, and keep the last few."""

import hmac
from collections.abc import Callable, Hashable
from hashlib import sha256
from typing import Final, TypeVar, cast

T = TypeVar("T")

_DEFAULT_SIZE: Final = 64


def derive(secret: str, date: str, region: str, service: str) -> bytes:
    """Derive a signing key: four rounds of HMAC-SHA256."""
    key = hmac.digest(f"AWS4{secret}".encode("utf-8", "surrogatepass"), date.encode(), "sha256")
    key = hmac.digest(key, region.encode(), "sha256")
    key = hmac.digest(key, service.encode(), "sha256")
    return hmac.digest(key, b"aws4_request", "sha256")


class SigningKey:
    """A derived key with both halves of its HMAC begun (RFC 2104, section 4): signs in less than half the time."""

    __slots__ = ("_inner", "_outer")

    def __init__(self, key: bytes) -> None:
        padded = key.ljust(64, b"\0")
        self._inner = sha256(bytes(octet ^ 0x36 for octet in padded))
        self._outer = sha256(bytes(octet ^ 0x5C for octet in padded))

    def sign(self, text: str) -> str:
        """Sign a string to sign."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(text.encode())
        outer.update(inner.digest())
        return outer.hexdigest()


def sign_once(text: str, secret: str, date: str, region: str, service: str) -> str:
    """Sign with a key that is not kept."""
    return hmac.digest(derive(secret, date, region, service), text.encode(), "sha256").hex()


class SigningKeys:
    """Keeps derived keys, the most lately used ones; make one for each place that signs or verifies.

    A key is good for its day only, so an old one is never asked for again and falls out. Beside the keys it keeps
    as many plans of how requests with the same headers' names are written. Threads may share it.
    """

    __slots__ = ("_kept", "_plans", "_size")

    def __init__(self, size: int = _DEFAULT_SIZE) -> None:
        self._size = max(1, size)
        self._kept: dict[tuple[str, str, str, str], SigningKey] = {}
        self._plans: dict[Hashable, object] = {}

    def plan(self, name: Hashable, make: Callable[[], T]) -> T:
        """Give what *make* made of *name*, now or before: it depends on the name alone."""
        try:
            return cast("T", self._plans[name])
        except KeyError:
            pass
        if len(self._plans) >= self._size:
            self._plans.pop(next(iter(list(self._plans))), None)
        made = self._plans[name] = make()
        return made

    def sign(self, text: str, secret: str, date: str, region: str, service: str) -> str:
        """Sign with a key that was derived now or before."""
        name = (secret, date, region, service)
        key = self._kept.pop(name, None) or SigningKey(derive(secret, date, region, service))
        self._kept[name] = key  # to the end: the first is the one not used for longest
        if len(self._kept) > self._size:
            self._kept.pop(next(iter(list(self._kept))), None)  # a list: another thread may be here too
        return key.sign(text)

    def __len__(self) -> int:
        return len(self._kept)

    def __repr__(self) -> str:
        return f"SigningKeys({len(self._kept)} of {self._size})"
