"""Read IP addresses and networks, v4 and v6, as numbers."""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

_V4: Final = 32
_V6: Final = 128


class Network(NamedTuple):
    """Addresses that share their first bits."""

    bits: int
    """32 or 128: the family."""
    shift: int
    """How many bits at the end are free."""
    prefix: int
    """The address without those bits."""


def address_of(text: object) -> tuple[int, int] | None:
    """Return (family bits, number) of a bare address; None if it is none."""
    return _read(text) if isinstance(text, str) and 2 <= len(text) <= 45 else None


@lru_cache(maxsize=4096)  # one address asks for many decisions
def _read(text: str) -> tuple[int, int] | None:
    if ":" in text:
        number = _v6(text)
        return None if number is None else (_V6, number)
    number = _v4(text)
    return None if number is None else (_V4, number)


def network_of(text: str) -> Network | None:
    """Read a CIDR block or a bare address, which is a block of one."""
    host, slash, length = text.partition("/")
    address = address_of(host)
    if address is None:
        return None
    bits, number = address
    if slash and (not length.isascii() or not length.isdigit() or len(length) > 3 or int(length) > bits):
        return None
    shift = bits - int(length) if slash else 0
    return Network(bits, shift, number >> shift)


def _v4(text: str) -> int | None:
    parts = text.split(".")
    if len(parts) != 4:
        return None
    number = 0
    for part in parts:
        if not part.isascii() or not part.isdigit() or len(part) > 3 or (part[0] == "0" and len(part) > 1):
            return None
        octet = int(part)
        if octet > 255:
            return None
        number = number << 8 | octet
    return number


def _v6(text: str) -> int | None:
    if "." in text:  # the last 32 bits may be written as v4 (RFC 4291, section 2.2)
        head, _, last = text.rpartition(":")
        low = _v4(last)
        if low is None:
            return None
        text = f"{head}:{low >> 16:x}:{low & 0xFFFF:x}"
    left, gap, right = text.partition("::")
    if "::" in right or (gap and (right.startswith(":") or left.endswith(":"))):
        return None
    heads = left.split(":") if left else []
    tails = right.split(":") if right else []
    missing = 8 - len(heads) - len(tails)
    if (missing < 1) if gap else (missing != 0):
        return None
    number = 0
    for group in (*heads, *["0"] * missing, *tails):
        if not 1 <= len(group) <= 4 or not all(char in "0123456789abcdefABCDEF" for char in group):
            return None
        number = number << 16 | int(group, 16)
    return number
