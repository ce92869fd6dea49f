"""Read ``application/vnd.amazon.eventstream``, in which Lambda streams answers. Pure.

A message is: its length and its headers' length (four octets each, big-endian), the CRC-32 of those eight, the
headers, the payload, and the CRC-32 of all before. Whatever is not exactly that is refused: a stream out of step
would make an answer of somebody's length field.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NoReturn
from zlib import crc32

_PRELUDE: Final = struct.Struct(">III")
_LEAST: Final = 16
LARGEST: Final = 16 * 1024 * 1024
"""Octets of one message; AWS's own clients refuse longer ones too."""
_LARGEST_HEADERS: Final = 128 * 1024
_SIZES: Final = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}
"""How long a header's value is, by its type; 6 and 7 say their own length."""
_STRING: Final = 7
_SIZED: Final = (6, _STRING)


class NotAStream(Exception):
    """The octets are no event stream; says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message: its headers that are texts, and its payload."""

    headers: dict[str, str]
    payload: bytes = field(repr=False)


class Reader:
    """Takes octets as they come, gives messages as they are whole."""

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, octets: bytes) -> Iterator[Message]:
        """Give every message that *octets* complete; raise `NotAStream` for what is none."""
        self._held += octets
        while len(self._held) >= _PRELUDE.size:
            size, head, check = _PRELUDE.unpack_from(self._held)
            if crc32(self._held[:8]) != check:
                raise NotAStream("a message's first checksum is wrong")
            if not _LEAST <= size <= LARGEST or head > min(size - _LEAST, _LARGEST_HEADERS):
                raise NotAStream("a message has a length that it cannot have")
            if len(self._held) < size:
                return
            whole = bytes(self._held[:size])
            del self._held[:size]
            if crc32(whole[:-4]) != int.from_bytes(whole[-4:]):
                raise NotAStream("a message's last checksum is wrong")
            start = _PRELUDE.size
            yield Message(headers=_headers(whole[start : start + head]), payload=whole[start + head : -4])

    def end(self) -> NoReturn:
        """Say that nothing more comes, where more should have: raise `NotAStream`."""
        raise NotAStream("it ends within a message" if self._held else "it ends before it says so")


def _headers(octets: bytes) -> dict[str, str]:
    found: dict[str, str] = {}
    at = 0
    try:
        while at < len(octets):
            name, at = _cut(octets, at + 1, octets[at])
            kind, at = octets[at], at + 1
            if kind in _SIZED:
                value, at = _cut(octets, at + 2, int.from_bytes(_cut(octets, at, 2)[0]))
            else:
                value, at = _cut(octets, at, _SIZES[kind])
            key = name.decode()
            if key in found:
                raise NotAStream("a message has a header twice")
            found[key] = value.decode() if kind == _STRING else ""
    except (IndexError, KeyError, UnicodeDecodeError) as wrong:
        raise NotAStream("a message's headers cannot be read") from wrong
    return found


def _cut(octets: bytes, at: int, size: int) -> tuple[bytes, int]:
    if at + size > len(octets):
        raise IndexError
    return octets[at : at + size], at + size
