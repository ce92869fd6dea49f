"""Listen: one Granian server for each origin, in this process and on its event loop.

What Granian leaves open is closed here: a port that somebody listens on already is refused instead of shared, and
the header section's time is limited.
"""

import resource
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server

from actas.http.errors import HttpError


class PortTaken(HttpError):
    """Somebody listens there already."""

    code = "http.port-taken"
    hint = "End the other server, or set gateway.listen and gateway.control_listen to free ports."
    status = 503

    def __init__(self, *, address: str, why: str) -> None:
        """State which address."""
        super().__init__(f"cannot listen on {address}: {why}")


App = Callable[[Any, Any, Any], Awaitable[None]]


PATIENCE = 10.0


def split(address: str) -> tuple[str, int]:
    """Split ``127.0.0.1:8700`` or ``[::1]:8700``."""
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


@asynccontextmanager
async def serving(app: App, address: str, *, grace: float, patience: float = PATIENCE) -> AsyncIterator[str]:
    """Serve *app* at *address* while the block runs; give the address it really has (port 0 takes a free one).

    Leaving the block takes no new connections and waits *grace* seconds at most for those in flight. A connection
    is closed that sends no whole head within *patience* seconds, also one that is kept alive and idle.
    """
    host, port = split(address)
    port = _free(host, port)
    server = Server(
        app,
        address=host,
        port=port,
        interface=Interfaces.ASGINL,
        http=HTTPModes.http1,
        websockets=False,
        backlog=1024,
        backpressure=_connections(),
        log_enabled=False,
        http1_settings=HTTP1Settings(header_read_timeout=round(patience * 1000), keep_alive=True),
    )
    ended = anyio.Event()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_run, server, ended)
        await _listening(host, port)
        try:
            yield f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        finally:
            with anyio.CancelScope(shield=True), anyio.move_on_after(grace):
                server.stop()  # type: ignore[no-untyped-call]
                await ended.wait()
            tasks.cancel_scope.cancel()


async def _run(server: Server, ended: anyio.Event) -> None:
    try:
        await server.serve()
    finally:
        ended.set()


def _connections() -> int:
    """Say how many connections may be open at once.

    Granian takes no more until one is closed, also where all are idle (its ``backpressure``): as many as there are
    descriptors for, so that idle ones never keep others out. Requests are counted by the doors.
    """
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 65_536 if soft == resource.RLIM_INFINITY else max(256, min(65_536, soft // 2))


def _free(host: str, port: int) -> int:
    """Make sure that nobody listens there: Granian would share the port in silence (SO_REUSEPORT)."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as wrong:
            raise PortTaken(address=f"{host}:{port}", why=wrong.strerror or "the address is refused") from wrong
        return int(probe.getsockname()[1])


async def _listening(host: str, port: int) -> None:
    """Wait until the server takes connections."""
    with anyio.fail_after(10):
        while True:
            try:
                stream = await anyio.connect_tcp(host, port)
            except OSError:
                await anyio.sleep(0.005)
                continue
            await stream.aclose()
            return
