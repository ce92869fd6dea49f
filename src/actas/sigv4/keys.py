"""Derive the key that signs for one day, region and service, and keep the last few."""

import hmac
from typing import Final

_DEFAULT_SIZE: Final = 64


def derive(secret: str, date: str, region: str, service: str) -> bytes:
    """Derive a signing key: four rounds of HMAC-SHA256."""
    key = hmac.digest(f"AWS4{secret}".encode("utf-8", "surrogatepass"), date.encode(), "sha256")
    key = hmac.digest(key, region.encode(), "sha256")
    key = hmac.digest(key, service.encode(), "sha256")
    return hmac.digest(key, b"aws4_request", "sha256")


class SigningKeys:
    """Keeps derived keys, the most lately used ones; make one for each place that signs or verifies.

    A key is good for its day only, so an old one is never asked for again and falls out.
    """

    __slots__ = ("_kept", "_size")

    def __init__(self, size: int = _DEFAULT_SIZE) -> None:
        self._size = max(1, size)
        self._kept: dict[tuple[str, str, str, str], bytes] = {}

    def key(self, secret: str, date: str, region: str, service: str) -> bytes:
        """Give the key, derived now or before."""
        name = (secret, date, region, service)
        key = self._kept.pop(name, None) or derive(secret, date, region, service)
        self._kept[name] = key  # to the end: the first is the one not used for longest
        while len(self._kept) > self._size:
            self._kept.pop(next(iter(self._kept)), None)
        return key

    def __len__(self) -> int:
        return len(self._kept)

    def __repr__(self) -> str:
        return f"SigningKeys({len(self._kept)} of {self._size})"
