"""The one way out of a sandbox: to the gateway's own doors, and nowhere else.

A function's process finds two listeners in its network: one leads to the public origin's door (calls, the Lambda
API), one to STS on the control origin. What comes in is read here and handed to the door in this very process: no
connection is made to anywhere, so nothing but these two doors can be reached, and the door knows from the hand-over
which call is the cause (`actas.invoke.origins`). No right comes with it: each request shows its own credentials.
"""

import asyncio
import json
import logging
import socket
from collections.abc import Awaitable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, Protocol

from actas.invoke.local.relay_connection import App, Connection
from actas.invoke.local.relay_heads import Head
from actas.invoke.origins import Origin

log = logging.getLogger("actas.invoke")
MOST_CONNECTIONS: Final = 32
"""Connections of one process, to both doors together; more wait in the function's own network."""
LISTENERS: Final = ("public", "control")
REQUESTS_A_SECOND: Final = 500
"""What one process may ask for on and on; more is slowed down, not refused, for a refusal costs us as much."""
_AT_ONCE: Final = 1000
"""Requests that may come before that counts."""
_CONTROL_PATHS: Final = frozenset({b"/"})
"""What a function may reach of the control origin: STS. The admin API and the console are no business of functions."""
_REASONS: Final = {400: "Bad Request", 404: "Not Found", 409: "Conflict", 431: "Request Header Fields Too Large"}
_CODES: Final = {409: "invoke.root-over"}
_REST: Final = 0.5
"""Seconds before connections are taken again, where the machine had none to give."""


@dataclass(slots=True)
class Doors:
    """The gateway's doors as functions reach them; none until there is a gateway."""

    public: App | None = None
    control: App | None = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def begin(self, work: Awaitable[None]) -> None:
        """Answer a request; what is not over when the gateway ends, ends with it."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (wrong := task.exception()) is not None:  # the doors answer what they foresee
            log.error("a request from inside a function failed unexpectedly: %s", type(wrong).__name__)

    async def close(self) -> None:
        """End what is being answered, and wait for that."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


class Caller(Protocol):
    """The process whose way out it is."""

    @property
    def origin(self) -> Origin | None:
        """What its calls belong to now; None between calls."""

    def misbehaved(self) -> None:
        """Hear that a connection brought nothing sensible."""


class Relay:
    """One process's way out."""

    def __init__(self, process: Caller, doors: Doors, listeners: tuple[socket.socket, ...]) -> None:
        """Take connections at *listeners*, which are in the order of `LISTENERS`."""
        self._process, self._doors = process, doors
        self._loop = asyncio.get_running_loop()
        self._listeners = dict(zip(LISTENERS, listeners, strict=True))
        self._connections: dict[Connection, str] = {}
        self._arriving: set[asyncio.Task[object]] = set()
        self._is_listening = self._is_closed = False
        self._due = 0.0
        self.addresses = {name: "{}:{}".format(*one.getsockname()) for name, one in self._listeners.items()}
        self._listen()

    @property
    def connections(self) -> int:
        """How many there are."""
        return len(self._connections)

    def close(self) -> None:
        """Take no more, and hang up."""
        self._deafen()
        self._is_closed = True
        for listener in self._listeners.values():
            listener.close()
        for connection in tuple(self._connections):
            connection.abort()

    # what the connections ask

    def origin(self) -> Origin | None:
        """Say what a request that begins now belongs to."""
        return self._process.origin

    def app(self, connection: Connection, head: Head) -> App | None:
        """Give the door that this connection leads to."""
        if self._connections[connection] == "public":
            return self._doors.public
        return self._doors.control if head.raw_path in _CONTROL_PATHS else None

    def turn(self) -> float:
        """Give the seconds that a request has to wait, so that a process cannot keep the gateway busy with itself."""
        now = self._loop.time()
        self._due = max(self._due, now) + 1 / REQUESTS_A_SECOND
        return max(0.0, self._due - now - _AT_ONCE / REQUESTS_A_SECOND)

    def begin(self, work: Awaitable[None]) -> None:
        """Have a request answered."""
        self._doors.begin(work)

    def lost(self, connection: Connection, *, was_used: bool) -> None:
        """Forget a connection; take the next that waits."""
        self._connections.pop(connection, None)
        if not was_used:
            self._process.misbehaved()
        self._listen()

    def _listen(self) -> None:
        if not self._is_listening and not self._is_closed and len(self._connections) < MOST_CONNECTIONS:
            self._is_listening = True
            for name, listener in self._listeners.items():
                self._loop.add_reader(listener.fileno(), self._accept, name, listener)

    def _deafen(self) -> None:
        if self._is_listening:
            self._is_listening = False
            for listener in self._listeners.values():
                self._loop.remove_reader(listener.fileno())

    def _accept(self, name: str, listener: socket.socket) -> None:
        try:
            accepted, _peer = listener.accept()
        except (BlockingIOError, ConnectionError):
            return
        except OSError:  # no descriptor left: others may be given back
            self._deafen()
            self._loop.call_later(_REST, self._listen)
            return
        accepted.setblocking(False)
        connection = Connection(self, refusal)
        self._connections[connection] = name
        if len(self._connections) >= MOST_CONNECTIONS:
            self._deafen()
        arriving: asyncio.Task[object] = self._loop.create_task(self._take(connection, accepted))
        self._arriving.add(arriving)
        arriving.add_done_callback(self._arriving.discard)

    async def _take(self, connection: Connection, accepted: socket.socket) -> None:
        try:
            await self._loop.connect_accepted_socket(lambda: connection, accepted)
        except OSError:  # it is gone already
            accepted.close()
            self.lost(connection, was_used=False)
            return
        if self._is_closed:
            connection.abort()


def refusal(status: int, why: str) -> bytes:
    """Write the answer to what no door gets to see."""
    said = {"type": "about:blank", "title": _REASONS[status], "status": status, "detail": why}
    with suppress(KeyError):
        said["code"] = _CODES[status]
    body = json.dumps(said).encode()
    head = f"HTTP/1.1 {status} {_REASONS[status]}\r\nContent-Type: application/problem+json\r\n"
    return f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body
