"""Listen on loopback: h11 reads and writes HTTP/1.1, anyio carries the bytes, and nothing outlives its block."""

import asyncio
import contextlib
import ipaddress
import socket
import threading
from collections.abc import Callable
from functools import partial

import anyio
import anyio.abc
import h11
from starlette.types import ASGIApp

from actas.testing.errors import DidNotStart, NotOnLoopback
from actas.testing.idp.conversation import converse

PATIENCE = 10.0
"""Seconds until a listener that does not come up is given up."""


def reserve(host: str, port: int) -> socket.socket:
    """Take a loopback port and keep it from others; 0 asks for any that is free.

    The socket is bound and does not listen, so that the port stays ours while nobody answers there.
    """
    if not ipaddress.ip_address(host).is_loopback:
        raise NotOnLoopback(host=host)
    kept = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        kept.bind((host, port))
    except OSError as wrong:
        kept.close()
        raise DidNotStart(port=port, why=wrong.strerror or "it cannot be bound") from wrong
    return kept


async def serve(app: ASGIApp, host: str, port: int, *, ready: Callable[[], object]) -> None:
    """Serve *app* until cancelled; say when connections are taken."""
    try:
        listener = await anyio.create_tcp_listener(local_host=host, local_port=port)
    except OSError as wrong:
        raise DidNotStart(port=port, why=wrong.strerror or "it cannot be listened on") from wrong
    async with listener:
        ready()
        await listener.serve(partial(_connected, app))


async def _connected(app: ASGIApp, stream: anyio.abc.SocketStream) -> None:
    gone = (anyio.BrokenResourceError, anyio.ClosedResourceError, TimeoutError, h11.LocalProtocolError)
    async with stream:
        with contextlib.suppress(*gone):
            await converse(app, stream)


class InThread:
    """A server in a thread of its own, until it is stopped."""

    def __init__(self, app: ASGIApp, host: str, port: int) -> None:
        self._app, self._host, self._port = app, host, port
        self._settled = threading.Event()
        self._wrong: DidNotStart | None = None
        self._stop: Callable[[], object] = lambda: None
        self._thread = threading.Thread(target=self._run, name=f"actas-test-idp-{port}", daemon=True)

    def start(self) -> None:
        """Listen; return when connections are taken."""
        self._thread.start()
        if not self._settled.wait(PATIENCE):
            raise DidNotStart(port=self._port, why="it did not come up in time")
        if self._wrong is not None:
            raise self._wrong

    def stop(self) -> None:
        """Break off what is under way and end the thread."""
        self._stop()
        self._thread.join(PATIENCE)

    def _run(self) -> None:
        try:
            anyio.run(self._serve)
        except DidNotStart as wrong:
            self._wrong = wrong
        finally:
            self._settled.set()

    async def _serve(self) -> None:
        loop = asyncio.get_running_loop()
        with anyio.CancelScope() as scope:
            self._stop = partial(_cancel, loop, scope)
            await serve(self._app, self._host, self._port, ready=self._settled.set)


def _cancel(loop: asyncio.AbstractEventLoop, scope: anyio.CancelScope) -> None:
    with contextlib.suppress(RuntimeError):  # the loop has ended by itself
        loop.call_soon_threadsafe(scope.cancel)
