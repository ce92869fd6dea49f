"""Read a request's head and its chunks as a function sends them: what could be read in two ways is refused. Pure.

The sender may be hostile. Nothing is sent on as text, so there is nobody who could read it in another way; the rules
are RFC 9112's all the same, without what it only tolerates.
"""

import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote

LARGEST_HEAD: Final = 64 * 1024
"""Bytes; the gateway's own limits, which are in the settings, are smaller as a rule."""
_MOST_FIELDS: Final = 200
_LARGEST_SIZE_LINE: Final = 8
_MOST_CHUNKS: Final = 10_000
"""In one body: a megabyte in chunks of one byte would keep us for seconds."""
_REQUEST_LINE: Final = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]{1,32}) (/[!-\"$-~]*) HTTP/1\.1")
_NAME: Final = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,256}")
_VALUE: Final = re.compile(rb"[\t -~\x80-\xff]*")
_LENGTH: Final = re.compile(rb"[0-9]{1,15}")
_SIZE: Final = re.compile(rb"[0-9A-Fa-f]{1,8}")
_SINGLE: Final = frozenset({b"host", b"content-length", b"transfer-encoding"})


class Unreadable(Exception):
    """The function does not speak HTTP/1.1 as we read it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """One request without its body."""

    method: str
    raw_path: bytes
    query: bytes
    headers: list[tuple[bytes, bytes]] = field(repr=False)
    length: int | None
    """Bytes of the body; None where it comes in chunks."""
    keeps_alive: bool
    waits_for_word: bool
    """Whether the body only comes when we say that we want it (``Expect: 100-continue``)."""

    @property
    def path(self) -> str:
        """The path with its percent signs resolved."""
        return unquote(self.raw_path.decode("ascii"))


def is_field(name: bytes, value: bytes) -> bool:
    """Tell whether two texts can stand in a head as one field."""
    return _NAME.fullmatch(name) is not None and _VALUE.fullmatch(value) is not None


def read_head(octets: bytes) -> Head:
    """Read a head, without the empty line at its end, or raise `Unreadable`."""
    first, *lines = octets.split(b"\r\n")
    line = _REQUEST_LINE.fullmatch(first)
    if line is None or len(lines) > _MOST_FIELDS:
        raise Unreadable
    headers: list[tuple[bytes, bytes]] = []
    single: dict[bytes, bytes] = {}
    for one in lines:
        name, colon, value = one.partition(b":")
        if not colon or not is_field(name, value):  # not in one expression: blanks on both sides would square its time
            raise Unreadable
        name, value = name.lower(), value.strip(b" \t")
        if name in _SINGLE:
            if name in single:
                raise Unreadable
            single[name] = value
        headers.append((name, value))
    path, _, query = line[2].partition(b"?")
    words = {value.lower() for name, value in headers if name == b"connection"}
    return Head(
        method=line[1].decode("ascii"),
        raw_path=path,
        query=query,
        headers=headers,
        length=_framing(single),
        keeps_alive=not any(b"close" in word for word in words),
        waits_for_word=any(name == b"expect" and value.lower() == b"100-continue" for name, value in headers),
    )


def _framing(single: dict[bytes, bytes]) -> int | None:
    """Say how long the body is (RFC 9112, section 6.3); the two ways to say so exclude each other."""
    if b"host" not in single:
        raise Unreadable
    coding, length = single.get(b"transfer-encoding"), single.get(b"content-length")
    if coding is not None:
        if coding.lower() != b"chunked" or length is not None:
            raise Unreadable
        return None
    if length is None:
        return 0
    if not _LENGTH.fullmatch(length):
        raise Unreadable
    return int(length)


class Body:
    """A request's body as it comes in: *length* bytes, or chunks where that is None."""

    def __init__(self, length: int | None) -> None:
        self._is_chunked = length is None
        self._left = length or 0
        self._chunks = 0
        self._between = False
        """Whether the line break behind a chunk is still to come."""
        self.is_whole = length == 0

    def feed(self, buffer: bytearray) -> bytes:
        """Take what belongs to the body off *buffer*; raise `Unreadable` where it is not framed as it must be."""
        if not self._is_chunked:
            piece = self._take(buffer)
            self.is_whole = not self._left
            return piece
        pieces: list[bytes] = []
        while not self.is_whole and (self._left or self._next_chunk(buffer)):
            piece = self._take(buffer)
            if not piece:
                break
            pieces.append(piece)
            self._between = not self._left
        return b"".join(pieces)

    def _take(self, buffer: bytearray) -> bytes:
        piece = bytes(buffer[: self._left])
        del buffer[: self._left]
        self._left -= len(piece)
        return piece

    def _next_chunk(self, buffer: bytearray) -> bool:
        """Read the line that says how long the next chunk is; False where it is not there yet."""
        start = 2 if self._between else 0
        if start and not b"\r\n".startswith(buffer[:2]):
            raise Unreadable
        end = buffer.find(b"\r\n", start)
        if end < 0:
            if len(buffer) > start + _LARGEST_SIZE_LINE + 1:
                raise Unreadable
            return False
        line = bytes(buffer[start:end])
        if not _SIZE.fullmatch(line):  # an extension would be ours to ignore; no client of ours sends one
            raise Unreadable
        self._left = int(line, 16)
        self._chunks += 1
        if self._chunks > _MOST_CHUNKS:
            raise Unreadable
        if self._left:
            self._between = False
            del buffer[: end + 2]
            return True
        return self._end(buffer, end + 2)

    def _end(self, buffer: bytearray, at: int) -> bool:
        """Take the empty line behind the last chunk; fields there would be read by nobody, and are refused."""
        last = bytes(buffer[at : at + 2])
        if not b"\r\n".startswith(last):
            raise Unreadable
        if len(last) == 2:
            del buffer[: at + 2]
            self.is_whole = True
        return False
