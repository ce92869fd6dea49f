"""One connection: requests in, the application's answers out, one after the other, each small enough to be held."""

from dataclasses import dataclass, field
from urllib.parse import unquote

import anyio
import anyio.abc
import h11
from starlette.types import ASGIApp, Message, Scope

LARGEST = 64 * 1024
"""Bytes of a request's head, and of its body."""
PATIENCE = 60.0
"""Seconds until a connection that says nothing is closed."""


@dataclass(slots=True, kw_only=True)
class Exchange:
    """One request and its answer, as ASGI has them."""

    request: h11.Request
    body: bytes
    status: int = 500
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    answer: bytearray = field(default_factory=bytearray)
    is_read: bool = False

    def scope(self) -> Scope:
        """Write the request as an ASGI scope."""
        path, _, query = self.request.target.partition(b"?")
        return {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": self.request.http_version.decode(),
            "method": self.request.method.decode(),
            "scheme": "http",
            "path": unquote(path.decode("latin-1")),
            "raw_path": path,
            "query_string": query,
            "root_path": "",
            "headers": [(name.lower(), value) for name, value in self.request.headers],
        }

    async def receive(self) -> Message:
        """Hand the body over, whole."""
        if self.is_read:
            return {"type": "http.disconnect"}
        self.is_read = True
        return {"type": "http.request", "body": self.body, "more_body": False}

    async def send(self, message: Message) -> None:
        """Collect the answer."""
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], list(message.get("headers", ()))
        else:
            self.answer += message.get("body", b"")


async def converse(app: ASGIApp, stream: anyio.abc.SocketStream) -> None:
    """Answer one request after the other until either side has had enough."""
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=LARGEST)
    try:
        while (exchange := await _read(connection, stream)) is not None:
            await app(exchange.scope(), exchange.receive, exchange.send)
            await _write(connection, stream, exchange)
            if connection.our_state is not h11.DONE:
                return
            connection.start_next_cycle()
    except h11.RemoteProtocolError as wrong:
        if connection.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
            headers = [(b"content-length", b"0"), (b"connection", b"close")]
            await _send(connection, stream, h11.Response(status_code=wrong.error_status_hint, headers=headers))
            await _send(connection, stream, h11.EndOfMessage())


async def _read(connection: h11.Connection, stream: anyio.abc.SocketStream) -> Exchange | None:
    request: h11.Request | None = None
    body = bytearray()
    while True:
        event = await _next(connection, stream)
        if isinstance(event, h11.Request):
            request = event
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > LARGEST:
                raise h11.RemoteProtocolError("the body is too long", error_status_hint=413)
        elif isinstance(event, h11.EndOfMessage) and request is not None:
            return Exchange(request=request, body=bytes(body))
        else:
            return None


async def _next(connection: h11.Connection, stream: anyio.abc.SocketStream) -> object:
    while (event := connection.next_event()) is h11.NEED_DATA:
        if connection.they_are_waiting_for_100_continue:
            await _send(connection, stream, h11.InformationalResponse(status_code=100, headers=[]))
        try:
            with anyio.fail_after(PATIENCE):
                connection.receive_data(await stream.receive())
        except anyio.EndOfStream:
            connection.receive_data(b"")
    return event


async def _write(connection: h11.Connection, stream: anyio.abc.SocketStream, exchange: Exchange) -> None:
    headers = [pair for pair in exchange.headers if pair[0].lower() != b"content-length"]
    headers.append((b"content-length", b"%d" % len(exchange.answer)))
    await _send(connection, stream, h11.Response(status_code=exchange.status, headers=headers))
    if exchange.request.method != b"HEAD":
        await _send(connection, stream, h11.Data(data=bytes(exchange.answer)))
    await _send(connection, stream, h11.EndOfMessage())


async def _send(connection: h11.Connection, stream: anyio.abc.SocketStream, event: h11.Event) -> None:
    if data := connection.send(event):
        await stream.send(data)
