"""One request of a function and its answer, as ASGI: the body comes in and the answer goes out by its connection."""

import asyncio
from collections.abc import Iterable
from typing import Any, Final, Protocol

from actas.invoke.local.relay_heads import Body, Head, is_field

_THEIRS: Final = frozenset({b"connection", b"keep-alive", b"transfer-encoding"})
"""Fields that are the connection's to write."""
_BODILESS: Final = frozenset({204, 304})


class Line(Protocol):
    """What an exchange needs of its connection."""

    @property
    def is_open(self) -> bool:
        """Whether the function is still there."""
        ...

    def more(self) -> None:
        """Read on, now that what was held is taken."""

    async def write(self, octets: bytes) -> None:
        """Write, and wait while the function does not read."""


class Exchange:
    """One request and its answer."""

    def __init__(self, connection: Line, head: Head) -> None:
        self._connection, self.head = connection, head
        self.body = Body(head.length)
        self.changed = asyncio.Event()
        self.is_answered = False
        self._pieces: list[bytes] = []
        self._is_told = False
        self._is_begun = self._is_in_chunks = False
        self._left: int | None = 0
        """Bytes of the answer still to come, where it said how many there would be."""

    def take(self, buffer: bytearray) -> None:
        """Take what belongs to the body; little is held before somebody asks for it."""
        if not self._pieces and not self.body.is_whole and (piece := self.body.feed(buffer)):
            self._pieces.append(piece)
        if self._pieces or self.body.is_whole:
            self.changed.set()

    async def receive(self) -> dict[str, Any]:
        """Give the next piece of the body, or the news that the function hung up."""
        if self.head.waits_for_word and not self._pieces and not self.body.is_whole:
            await self._connection.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        while not self.is_answered:
            if self._pieces or (self.body.is_whole and not self._is_told):
                piece = b"".join(self._pieces)
                self._pieces.clear()
                self._connection.more()
                self._is_told = self.body.is_whole and not self._pieces
                return {"type": "http.request", "body": piece, "more_body": not self._is_told}
            if not self._connection.is_open:
                break
            self.changed.clear()
            await self.changed.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: dict[str, Any]) -> None:
        """Write the answer's head or a piece of its body."""
        match message["type"]:
            case "http.response.start" if not self._is_begun:
                octets = self._start(message["status"], message.get("headers", ()))
                self._is_begun = True
                await self._connection.write(octets)
            case "http.response.body" if self._is_begun and not self.is_answered:
                await self._body(bytes(message.get("body", b"")), more=message.get("more_body", False))
            case _:
                raise RuntimeError("an answer is begun once, and nothing comes behind its end")

    def _start(self, status: int, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
        fields = [(name.lower(), value) for name, value in headers if name.lower() not in _THEIRS]
        if not all(is_field(name, value) for name, value in fields):
            raise RuntimeError("a field of the answer is none")  # what a function wrote must not split its reader's
        if self.head.method != "HEAD" and status not in _BODILESS:
            self._left = next((int(value) for name, value in fields if name == b"content-length"), None)
            self._is_in_chunks = self._left is None
        if self._is_in_chunks:
            fields.append((b"transfer-encoding", b"chunked"))
        if not self.head.keeps_alive:
            fields.append((b"connection", b"close"))
        lines = [b"HTTP/1.1 %d " % status, *(name + b": " + value for name, value in fields), b"", b""]
        return b"\r\n".join(lines)

    async def _body(self, piece: bytes, *, more: bool) -> None:
        if self._is_in_chunks:
            piece = (b"%x\r\n%b\r\n" % (len(piece), piece) if piece else b"") + (b"" if more else b"0\r\n\r\n")
        else:
            assert self._left is not None
            piece = piece[: self._left]  # no answer to HEAD has a body, whatever the door gives
            self._left -= len(piece)
        if piece:
            await self._connection.write(piece)
        self.is_answered = not more and not (self._left or 0)
