"""Wait on loopback for the browser to come back (RFC 8252, section 7.3): one address, one answer, nothing else."""

import contextlib
import html
import secrets
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any

import anyio
from anyio.abc import SocketAttribute, SocketStream
from anyio.streams.stapled import MultiListener

from actas.cli.login_errors import CannotListen, NobodyCame, WrongResponse
from actas.cli.login_pkce import Attempt, is_ours, parameters

HOST = "127.0.0.1"
PATH = "/callback"
_LARGEST_HEAD = 32 * 1024
_PATIENCE = 10.0
"""Seconds that one connection may take to ask."""


@dataclass(slots=True, kw_only=True)
class Loopback:
    """A listener that takes the one answer to one attempt."""

    listener: MultiListener[SocketStream]
    port: int
    told: Mapping[str, str] = field(default_factory=dict)
    came: anyio.Event = field(default_factory=anyio.Event)

    @property
    def redirect(self) -> str:
        """The address the browser comes back to."""
        return f"http://{HOST}:{self.port}{PATH}"

    async def answer(
        self, attempt: Attempt, *, limit: float, meanwhile: Callable[[], Coroutine[Any, Any, None]]
    ) -> Mapping[str, str]:
        """Wait for the answer to *attempt*, doing *meanwhile*; whatever else comes does not end the wait."""
        try:
            with anyio.fail_after(limit):
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(self._listen, attempt)
                    tasks.start_soon(meanwhile)
                    await self.came.wait()
                    tasks.cancel_scope.cancel()
        except TimeoutError as late:
            raise NobodyCame(seconds=limit) from late
        return self.told

    async def _listen(self, attempt: Attempt) -> None:
        async def serve(stream: SocketStream) -> None:
            with anyio.move_on_after(_PATIENCE), contextlib.suppress(anyio.BrokenResourceError, anyio.EndOfStream):
                async with stream:
                    await self._serve(stream, attempt)

        await self.listener.serve(serve)

    async def _serve(self, stream: SocketStream, attempt: Attempt) -> None:
        told = self._ours(await _head(stream), attempt)
        if told is None or self.came.is_set():
            await stream.send(_page(400, "This is not a sign-in", "Nothing was waiting for it."))
            return
        if "error" in told:
            page = _page(200, "Not signed in", "The provider said no. Go back to the terminal.")
        else:
            page = _page(200, "Signed in", "You can close this page and go back to the terminal.")
        await stream.send(page)
        self.told = told
        self.came.set()

    def _ours(self, head: bytes, attempt: Attempt) -> Mapping[str, str] | None:
        """Read the request; None for one that is not the browser coming back from our sign-in."""
        target = target_of(head, f"{HOST}:{self.port}")
        path, _, query = (target or "").partition("?")
        if path != PATH:
            return None
        try:
            told = parameters(query)
        except WrongResponse:
            return None
        return told if is_ours(told, attempt) else None


def target_of(head: bytes, host: str) -> str | None:
    """Give the target of a plain GET for our own host; a name that was rebound to this machine is not ours."""
    lines = head.decode("latin-1").split("\r\n")
    parts = lines[0].split(" ")
    hosts = [line.partition(":")[2].strip() for line in lines[1:] if line.lower().startswith("host:")]
    if len(parts) != 3 or parts[0] != "GET" or hosts != [host] or not parts[1].isascii():
        return None
    return parts[1]


async def _head(stream: SocketStream) -> bytes:
    head = b""
    while b"\r\n\r\n" not in head and len(head) <= _LARGEST_HEAD:
        head += await stream.receive()
    return head.partition(b"\r\n\r\n")[0] if len(head) <= _LARGEST_HEAD else b""


_FRAME = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} - Actas</title>
<style nonce="{nonce}">
:root {{ color-scheme: light dark; font: 100%/1.5 system-ui, sans-serif; }}
main {{ max-width: 26rem; margin: 4rem auto; padding: 0 1rem; }}
</style>
</head>
<body><main><h1>{title}</h1><p>{text}</p></main></body>
</html>
"""
_REASONS = {200: "OK", 400: "Bad Request"}


def _page(status: int, title: str, text: str) -> bytes:
    nonce = secrets.token_urlsafe(16)
    body = _FRAME.format(title=html.escape(title), text=html.escape(text), nonce=nonce).encode()
    policy = f"default-src 'none'; style-src 'nonce-{nonce}'; frame-ancestors 'none'; base-uri 'none'"
    headers = (
        f"HTTP/1.1 {status} {_REASONS[status]}",
        "Content-Type: text/html; charset=utf-8",
        f"Content-Length: {len(body)}",
        f"Content-Security-Policy: {policy}; form-action 'none'",
        "Referrer-Policy: no-referrer",
        "X-Content-Type-Options: nosniff",
        "Cache-Control: no-store",
        "Connection: close",
    )
    return "\r\n".join(headers).encode() + b"\r\n\r\n" + body


@contextlib.asynccontextmanager
async def loopback(port: int = 0) -> AsyncIterator[Loopback]:
    """Listen on loopback, by default on any free port."""
    try:
        listener = await anyio.create_tcp_listener(local_host=HOST, local_port=port)
    except OSError as wrong:
        raise CannotListen(port=port, why=wrong.strerror or "it is taken") from wrong
    async with listener:
        taken = int(listener.extra(SocketAttribute.local_port))  # noqa: S610 - no database here
        yield Loopback(listener=listener, port=taken)
