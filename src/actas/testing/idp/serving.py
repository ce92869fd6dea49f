"""Listen on loopback: a provider in a thread of its own, on a port that nobody else has."""

import asyncio
import ipaddress
import socket
import threading
from typing import Any

import anyio
from granian.constants import HTTPModes, Interfaces
from granian.server.embed import Server
from starlette.types import ASGIApp

from actas.testing.errors import DidNotStart, NotOnLoopback

PATIENCE = 10.0
"""Seconds until a listener that does not answer is given up."""


def reserve(host: str, port: int) -> socket.socket:
    """Take a loopback port and keep it from others; 0 asks for any that is free.

    The listener binds it a second time (SO_REUSEPORT), so the port stays ours from now until this socket closes.
    """
    if not ipaddress.ip_address(host).is_loopback:
        raise NotOnLoopback(host=host)
    _refuse_taken(host, port)
    kept = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        kept.bind((host, port))
    except OSError as wrong:
        kept.close()
        raise DidNotStart(port=port, why=wrong.strerror or "it cannot be bound") from wrong
    return kept


def _refuse_taken(host: str, port: int) -> None:
    """See to it that no other server, which may also allow sharing, has the port already."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.settimeout(1)
        if port and probe.connect_ex((host, port)) == 0:
            raise DidNotStart(port=port, why="another server answers there")


def listener(app: ASGIApp, host: str, port: int) -> Server:
    """Make the server for one application."""
    return Server(
        app,
        address=host,
        port=port,
        interface=Interfaces.ASGINL,
        http=HTTPModes.http1,
        websockets=False,
        log_enabled=False,
    )


async def until_cancelled(server: Server) -> None:
    """Run the server on this event loop; when cancelled, let it finish what is under way."""

    async def run() -> None:
        with anyio.CancelScope(shield=True):
            await server.serve()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(run)
        try:
            await anyio.sleep_forever()
        finally:
            server.stop()  # type: ignore[no-untyped-call]  # granian leaves it without types


class InThread:
    """A server in a thread, until it is stopped."""

    def __init__(self, app: ASGIApp, host: str, port: int) -> None:
        self._app, self._host, self._port = app, host, port
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._server: Any = None
        self._thread = threading.Thread(target=self._run, name=f"actas-test-idp-{port}", daemon=True)

    def start(self) -> None:
        """Listen; return when connections are taken."""
        self._thread.start()
        if not self._ready.wait(PATIENCE):
            raise DidNotStart(port=self._port, why="it did not come up in time")

    def stop(self) -> None:
        """Finish what is under way and end the thread."""
        if self._loop is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._server.stop)
        self._thread.join(PATIENCE)

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._server = listener(self._app, self._host, self._port)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._announce)
            await self._server.serve()

    async def _announce(self) -> None:
        if await answers(self._host, self._port):
            self._ready.set()


async def answers(host: str, port: int) -> bool:
    """Wait until something takes connections there; False if nothing did in time."""
    with anyio.move_on_after(PATIENCE):
        while True:
            try:
                stream = await anyio.connect_tcp(host, port)
            except OSError:
                await anyio.sleep(0.005)
            else:
                await stream.aclose()
                return True
    return False
