"""One connection of a function to the gateway: requests are handed to the door in this process, answers given back.

HTTP/1.1 on one side, ASGI on the other. One request at a time is under way on a connection; what comes beyond it
waits in the function's own socket.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final, Protocol, cast

from actas.invoke.local.relay_exchange import Exchange
from actas.invoke.local.relay_heads import LARGEST_HEAD, Head, Unreadable, read_head
from actas.invoke.origins import SCOPE_KEY, Origin

App = Callable[[Any, Any, Any], Awaitable[None]]

HEAD_WITHIN: Final = 10.0
"""Seconds for a head, from its first byte."""
IDLE: Final = 300.0
"""Seconds that a connection may wait for its next request; also while its process is stopped."""
STALLED: Final = 30.0
"""Seconds that an answer may wait for its function to take it."""
LINGER: Final = 2.0
"""Seconds in which a function may still send what nobody wants any more, so that it gets to read why."""
_HELD: Final = 64 * 1024


class Owner(Protocol):
    """The relay that a connection belongs to."""

    def origin(self) -> Origin | None:
        """Say what a request that begins now belongs to; None where the function has no call in flight."""

    def app(self, connection: "Connection", head: Head) -> App | None:
        """Give what answers; None where this listener does not lead there."""

    def turn(self) -> float:
        """Say after how many seconds the next request may begin."""

    def begin(self, work: Awaitable[None]) -> None:
        """Carry out *work*, and see to its end."""

    def lost(self, connection: "Connection", *, was_used: bool) -> None:
        """Hear that a connection is gone, and whether anything sensible ever came by it."""


class Connection(asyncio.Protocol):
    """One connection."""

    def __init__(self, owner: Owner, refusal: Callable[[int, str], bytes]) -> None:
        self._owner, self._refusal = owner, refusal
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._searched = 0
        self._exchange: Exchange | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self._was_used = self._is_lingering = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for the first request."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one without inheriting from it
        self._transport.set_write_buffer_limits(_HELD)
        self._wait(HEAD_WITHIN)

    def connection_lost(self, _error: Exception | None) -> None:
        """Tell whoever is answering, and the relay."""
        self._transport = None
        self._stop_timer()
        self._writable.set()
        if self._exchange:
            self._exchange.changed.set()
        self._owner.lost(self, was_used=self._was_used)

    def pause_writing(self) -> None:
        """Take note that the function does not read."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """Take note that it reads again."""
        self._writable.set()

    def eof_received(self) -> bool:
        """Hang up; nobody who waits for an answer stops sending by closing half."""
        return False

    def data_received(self, data: bytes) -> None:
        """Take what came."""
        if self._is_lingering or self._transport is None:
            return
        self._buffer += data
        if len(self._buffer) > _HELD and self._exchange:
            self._transport.pause_reading()
        self._go_on()

    def abort(self) -> None:
        """Hang up at once."""
        if self._transport:
            self._transport.abort()

    @property
    def is_open(self) -> bool:
        """Whether the function is still there."""
        return self._transport is not None

    def _go_on(self) -> None:
        try:
            if self._exchange:
                self._exchange.take(self._buffer)
            else:
                self._read_head()
        except Unreadable:
            self._refuse(400, "what was sent is not HTTP/1.1")

    def _read_head(self) -> None:
        end = self._buffer.find(b"\r\n\r\n", self._searched)
        if max(end, len(self._buffer) if end < 0 else 0) > LARGEST_HEAD:
            return self._refuse(431, "the head is too large")
        if end < 0:
            if not self._searched:
                self._wait(HEAD_WITHIN)
            self._searched = max(0, len(self._buffer) - 3)
            return None
        head = read_head(bytes(self._buffer[:end]))
        del self._buffer[: end + 4]
        self._searched = 0
        self._stop_timer()
        return self._begin(head)

    def _begin(self, head: Head) -> None:
        """Hand a request on, unless the function has no call in flight or there is nobody to take it."""
        origin = self._owner.origin()
        if origin is None:
            return self._refuse(409, "the function has no call in flight")
        app = self._owner.app(self, head)
        if app is None:
            return self._refuse(404, "there is nothing here")
        self._was_used = True
        exchange = Exchange(self, head)
        exchange.take(self._buffer)
        self._exchange = exchange
        scope = _scope(head, origin, self._address())
        self._owner.begin(self._carry(app, scope, exchange))
        return None

    def _address(self) -> tuple[str, int]:
        assert self._transport
        host, port = self._transport.get_extra_info("sockname")[:2]
        return host, port

    async def _carry(self, app: App, scope: dict[str, Any], exchange: Exchange) -> None:
        try:
            if wait := self._owner.turn():
                await asyncio.sleep(wait)
            if self._owner.origin() is scope[SCOPE_KEY]:  # the call may have ended meanwhile
                await app(scope, exchange.receive, exchange.send)
        finally:
            self._exchange = None
            exchange.changed.set()
            if not exchange.is_answered:
                self.abort()  # so that nobody takes half an answer as whole
            elif self._transport and not self._transport.is_closing():
                self._between(exchange)

    def _between(self, exchange: Exchange) -> None:
        """Wait for the next request, where there may be one."""
        assert self._transport
        if not exchange.body.is_whole:
            self._linger()
        elif exchange.head.keeps_alive:
            self._transport.resume_reading()
            self._wait(IDLE)
            self._loop.call_soon(self._next)
        else:
            self._transport.close()

    def _next(self) -> None:
        if self._buffer and self._exchange is None and self._transport and not self._is_lingering:
            self._go_on()

    def _refuse(self, status: int, why: str) -> None:
        """Answer ourselves, where nobody else does already, and close."""
        if self._exchange:
            self.abort()
        elif self._transport:
            self._transport.write(self._refusal(status, why))
            self._linger()

    def _linger(self) -> None:
        """Close so that the function can read the answer, though it may still be sending."""
        self._is_lingering = True
        self._buffer.clear()
        if self._transport:
            self._transport.resume_reading()
            self._transport.write_eof()
            self._wait(LINGER)

    def _wait(self, seconds: float) -> None:
        self._stop_timer()
        self._timer = self._loop.call_later(seconds, self.abort)

    def _stop_timer(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None

    # what an exchange needs

    def more(self) -> None:
        """Read on, now that what was held is taken."""
        self._go_on()
        if self._transport and not self._transport.is_closing() and len(self._buffer) <= _HELD:
            self._transport.resume_reading()

    async def write(self, octets: bytes) -> None:
        """Write, and wait while the function does not read; hang up where that takes too long."""
        if self._transport is None or self._transport.is_closing():
            return
        self._transport.write(octets)
        if not self._writable.is_set():
            late = self._loop.call_later(STALLED, self.abort)
            try:
                await self._writable.wait()
            finally:
                late.cancel()


def _scope(head: Head, origin: Origin, server: tuple[str, int]) -> dict[str, Any]:
    """Say of a request what Granian would, and its origin, which Granian's scopes never have."""
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": head.method,
        "scheme": "http",
        "path": head.path,
        "raw_path": head.raw_path,
        "query_string": head.query,
        "root_path": "",
        "headers": head.headers,
        "client": (f"root {origin.root}", 0),  # limits by network go by the root call
        "server": server,
        "extensions": {},
        "state": {},
        SCOPE_KEY: origin,
    }
