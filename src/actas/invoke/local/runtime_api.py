"""The Lambda Runtime API, version 2018-06-01, as one function's process speaks to it.

Each process has a listener of its own. The peer is the function, so it may be hostile: heads, bodies and
connections are bounded, and what is out of order is refused.
"""

import asyncio
from collections.abc import Mapping
from typing import Final, Protocol, cast

LARGEST_ANSWER: Final = 6 * 1024 * 1024 + 100
"""Lambda's limit of 6 MB, and the 100 bytes that it allows beyond."""
_LARGEST_HEAD: Final = 1_200_000  # the X-Ray cause alone, a header of an error, may have 1 MB
_PREFIX: Final = "/2018-06-01/runtime/"
_FRAMING: Final = {"content-length", "transfer-encoding"}
_MOST_CHUNKS: Final = 100_000
SMALL: Final = 64 * 1024
"""Bytes of a request that any connection may hold."""
_REASONS: Final = {202: "Accepted", 400: "Bad Request", 403: "Forbidden", 413: "Payload Too Large"}
_OK: Final = b'{"status":"OK"}'
_TOO_LARGE: Final = (
    b'{"errorMessage":"Exceeded maximum allowed payload size (6291556 bytes).","errorType":"RequestEntityTooLarge"}'
)


class Served(Protocol):
    """What a connection tells the process that it belongs to; each answer is the HTTP status to send."""

    def asked_next(self, connection: "Connection") -> None:
        """Hear that the runtime waits for its next event on *connection*."""

    def answered(self, call: str, body: bytes, headers: Mapping[str, str]) -> int:
        """Take the function's result for *call*."""

    def failed(self, call: str, body: bytes) -> int:
        """Take the function's error for *call*."""

    def failed_to_start(self, body: bytes) -> int:
        """Hear that the function could not be loaded."""

    def answered_too_much(self) -> None:
        """Hear that a body was larger than any answer may be."""

    def admits(self, connection: "Connection") -> bool:
        """Say whether one more connection is taken."""

    def may_be_large(self, connection: "Connection") -> bool:
        """Say whether this connection may hold a large request; one at a time may."""

    def misbehaved(self) -> None:
        """Hear that a connection did not speak the protocol, or was one too many."""

    def lost(self, connection: "Connection") -> None:
        """Hear that the peer hung up."""


class _BadRequest(Exception):
    """The peer does not speak the protocol."""


class _TooLarge(Exception):
    """A body goes beyond the limit."""


class Connection(asyncio.Protocol):
    """One HTTP/1.1 connection of a runtime client."""

    def __init__(self, process: Served) -> None:
        self._process = process
        self._buffer = bytearray()
        self._searched = 0
        self._body = bytearray()
        self._count = 0
        self._head: tuple[str, str, dict[str, str]] | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection, or hang up where there are too many."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one without inheriting from it
        if not self._process.admits(self):
            self._transport.abort()

    def connection_lost(self, _error: Exception | None) -> None:
        """Tell the process."""
        self._transport = None
        self._process.lost(self)

    @property
    def held(self) -> int:
        """How many bytes of an unfinished request it holds."""
        return len(self._buffer) + len(self._body)

    def send(self, head: bytes, body: bytes) -> None:
        """Write one response."""
        if self._transport:
            self._transport.write(head + body if len(body) < 65536 else head)
            if len(body) >= 65536:
                self._transport.write(body)

    def close(self) -> None:
        """Hang up."""
        if self._transport:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Read requests as they come."""
        self._buffer += data
        try:
            while self._transport and self._may_go_on() and self._read_request():
                pass
        except _TooLarge:
            self._reply(413, _TOO_LARGE)
            self._process.answered_too_much()
        except _BadRequest:
            self._reply(400, b"{}")
            self._hang_up()

    def _may_go_on(self) -> bool:
        if self.held > SMALL and not self._process.may_be_large(self):
            raise _BadRequest
        return True

    def _read_request(self) -> bool:
        """Handle one whole request; False where more must come first."""
        if self._head is None:
            end = self._buffer.find(b"\r\n\r\n", self._searched)
            if end < 0:
                self._searched = max(0, len(self._buffer) - 3)
                if len(self._buffer) > _LARGEST_HEAD:
                    raise _BadRequest
                return False
            self._head = _read_head(bytes(self._buffer[:end]))
            del self._buffer[: end + 4]
            self._searched = 0
            if self._head[2].get("expect", "").lower() == "100-continue" and self._transport:
                self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        method, target, headers = self._head
        body = self._read_body(headers)
        if body is None:
            return False
        self._head = None
        self._route(method, target, headers, body)
        return True

    def _read_body(self, headers: dict[str, str]) -> bytes | None:
        if "transfer-encoding" in headers:
            if headers["transfer-encoding"].lower() != "chunked" or "content-length" in headers:
                raise _BadRequest
            return self._read_chunks(headers)
        length = headers.get("content-length", "0")
        if not (length.isascii() and length.isdigit() and len(length) < 16):
            raise _BadRequest
        if int(length) > LARGEST_ANSWER:
            raise _TooLarge
        if len(self._buffer) < int(length):
            return None
        body = bytes(self._buffer[: int(length)])
        del self._buffer[: int(length)]
        return body

    def _read_chunks(self, headers: dict[str, str]) -> bytes | None:
        """Read a streamed answer, whose trailers may say that it failed half-way; each byte is looked at once."""
        at, done = 0, False
        try:
            while not done and (line_end := self._buffer.find(b"\r\n", at)) >= 0:
                size = _chunk_size(bytes(self._buffer[at:line_end]))
                if size == 0:
                    done = True
                    break
                if len(self._buffer) < line_end + 2 + size + 2:
                    break
                self._body += self._buffer[line_end + 2 : line_end + 2 + size]
                at = line_end + 2 + size + 2
                self._count += 1
                if len(self._body) > LARGEST_ANSWER or self._count > _MOST_CHUNKS:
                    raise _TooLarge
        finally:  # what was moved is held once, also where what follows is refused
            del self._buffer[:at]
        if len(self._buffer) > LARGEST_ANSWER + _LARGEST_HEAD:
            raise _TooLarge
        return self._read_trailers(headers) if done else None

    def _read_trailers(self, headers: dict[str, str]) -> bytes | None:
        """Read what follows the last chunk, up to an empty line."""
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return None
        headers.update(_read_fields(self._buffer[:end].decode("latin-1").split("\r\n")[1:]))
        del self._buffer[: end + 4]
        body, self._body, self._count = bytes(self._body), bytearray(), 0
        return body

    def _route(self, method: str, target: str, headers: dict[str, str], body: bytes) -> None:
        if not target.startswith(_PREFIX):
            raise _BadRequest
        what = target[len(_PREFIX) :].split("/")
        match method, what:
            case "GET", ["invocation", "next"]:
                return self._process.asked_next(self)
            case "POST", ["invocation", call, "response"]:
                return self._reply(self._process.answered(call, body, headers))
            case "POST", ["invocation", call, "error"]:
                return self._reply(self._process.failed(call, body))
            case "POST", ["init", "error"]:
                return self._reply(self._process.failed_to_start(body))
            case _:
                raise _BadRequest

    def _hang_up(self) -> None:
        """Close after what was written; nonsense is answered once."""
        if self._transport:
            self._transport.close()
        self._process.misbehaved()

    def _reply(self, status: int, body: bytes = _OK) -> None:
        head = f"HTTP/1.1 {status} {_REASONS[status]}\r\nContent-Type: application/json\r\n"
        self.send(f"{head}Content-Length: {len(body)}\r\n\r\n".encode(), body)


def _read_head(head: bytes) -> tuple[str, str, dict[str, str]]:
    first, *fields = head.decode("latin-1").split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or words[2] != "HTTP/1.1":
        raise _BadRequest
    return words[0], words[1], _read_fields(fields)


def _read_fields(lines: list[str]) -> dict[str, str]:
    fields: dict[str, str] = {}
    for line in lines:
        if not line:
            continue
        name, colon, value = line.partition(":")
        name = name.lower()
        if not colon or not name or (name in fields and name in _FRAMING):
            raise _BadRequest
        fields[name] = value.strip()
    return fields


def _chunk_size(line: bytes) -> int:
    digits = line.split(b";")[0].strip()
    try:
        return int(digits, 16) if 0 < len(digits) <= 8 and digits.isalnum() else _refuse()
    except ValueError as wrong:
        raise _BadRequest from wrong


def _refuse() -> int:
    raise _BadRequest
