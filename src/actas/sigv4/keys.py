"""Derive the key that signs for one day, region and service, and keep the last few."""

import hmac
from collections import OrderedDict
from collections.abc import Callable, Hashable
from datetime import datetime
from hashlib import sha256
from typing import Any, Final, TypeVar, cast

from actas.sigv4.canonical import Target, target

T = TypeVar("T")

Shown = tuple[str, str, str, str, str]
"""Access key id, day, region, service and signed headers."""
_DEFAULT_SIZE: Final = 64
_LONGEST_KEPT: Final = 1024
"""Characters; a longer URL is taken apart each time."""


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


def _let_go(kept: OrderedDict[Any, Any]) -> None:
    """Forget what came first; another thread may have."""
    try:  # noqa: SIM105 - on the hot path, where a context costs as much as what it holds
        kept.popitem(last=False)
    except KeyError:
        pass


class SigningKeys:
    """Keeps derived keys, the most lately used ones; make one for each place that signs or verifies.

    A key is good for its day only, so an old one is never asked for again and falls out. Beside the keys it keeps
    as many plans of how requests with the same headers' names are written, and as many URLs taken apart. Threads may
    share it.
    """

    __slots__ = ("_claims", "_kept", "_last", "_plans", "_size", "_targets", "_time")

    def __init__(self, size: int = _DEFAULT_SIZE) -> None:
        self._size = max(1, size)
        # Ordered ones let go of their first in one step, whatever other threads do meanwhile, and without a copy.
        self._kept: OrderedDict[tuple[str, str, str, str], SigningKey] = OrderedDict()
        self._last: tuple[tuple[str, str, str, str], SigningKey] | None = None
        self._plans: dict[Hashable, object] = {}
        self._targets: OrderedDict[tuple[str, bool, bool], Target] = OrderedDict()
        self._claims: OrderedDict[str, Shown] = OrderedDict()
        self._time: tuple[str, datetime | None] | None = None

    def plan(self, name: Hashable, make: Callable[..., T], *given: object) -> T:
        """Give what *make* made of *given*, now or before: it depends on *name* alone."""
        try:
            return cast("T", self._plans[name])
        except KeyError:
            pass
        if len(self._plans) >= self._size:
            self._plans.pop(next(iter(list(self._plans))), None)
        made = self._plans[name] = make(*given)
        return made

    def target(self, url: str, normalize: bool, double_encode: bool) -> Target:  # noqa: FBT001 - on the hot path
        """Take a URL apart, now or before: most are asked for again and again."""
        name = (url, normalize, double_encode)
        if (found := self._targets.get(name)) is not None:
            return found
        made = target(url, normalize=normalize, double_encode=double_encode)
        if len(url) <= _LONGEST_KEPT:
            if len(self._targets) >= self._size:
                _let_go(self._targets)
            self._targets[name] = made
        return made

    def shown(self, front: str, value: str, read: Callable[[str], Shown | None]) -> Shown | None:
        """Give what an Authorization header says, by *read*, now or before; None where it is none.

        *front* is all of it but the signature, which is the same for a caller's whole day; the signature that stands
        behind it was looked at only where it is read.
        """
        if (found := self._claims.get(front)) is not None:
            return found
        if (made := read(value)) is None:
            return None
        if len(front) <= _LONGEST_KEPT:
            if len(self._claims) >= self._size:
                _let_go(self._claims)
            self._claims[front] = made
        return made

    def time(self, text: str, read: Callable[[str], datetime | None]) -> datetime | None:
        """Give the time that a text says, by *read*, now or at the last request: many come within a second."""
        before = self._time
        if before is not None and before[0] == text:
            return before[1]
        found = read(text)
        self._time = text, found
        return found

    def sign(self, text: str, secret: str, date: str, region: str, service: str) -> str:
        """Sign with a key that was derived now or before."""
        name = (secret, date, region, service)
        last = self._last
        if last is not None and last[0] == name:
            return last[1].sign(text)
        key = self._kept.pop(name, None) or SigningKey(derive(secret, date, region, service))
        self._kept[name] = key  # to the end: the first is the one not used for longest
        if len(self._kept) > self._size:
            _let_go(self._kept)
        self._last = name, key
        return key.sign(text)

    def __len__(self) -> int:
        return len(self._kept)

    def __repr__(self) -> str:
        return f"SigningKeys({len(self._kept)} of {self._size})"
