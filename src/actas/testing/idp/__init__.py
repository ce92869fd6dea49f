"""A small real OpenID provider for tests and demonstrations, on loopback, in the shape of any preset.

::

    with Idp(shape="keycloak") as idp:
        token = idp.token(person="ana", client="cli")

It speaks discovery, key sets, authorization code with PKCE behind a sign-in page, client credentials, refresh with
rotation, the device grant, revocation and userinfo; it rolls its keys over and misbehaves when told to.
"""

from typing import Any, Self

import anyio
from starlette.types import ASGIApp

from actas.testing.idp import app
from actas.testing.idp.facts import Shape
from actas.testing.idp.faults import Faults
from actas.testing.idp.people import DEVICE_CODE, LOOPBACK_REDIRECT, Client, Person, made_up_clients, made_up_people
from actas.testing.idp.provider import UNSERVED, Provider
from actas.testing.idp.serving import PATIENCE, InThread, reserve, serve
from actas.testing.idp.shapes import SHAPES

__all__ = [
    "DEVICE_CODE",
    "LOOPBACK_REDIRECT",
    "SHAPES",
    "UNSERVED",
    "Client",
    "Faults",
    "Idp",
    "Person",
    "Provider",
    "Shape",
    "made_up_clients",
    "made_up_people",
]


class Idp(Provider):
    """A provider that can listen. What it takes is told at `Provider`; it listens where *host* and *port* say."""

    def __init__(self, *, host: str = "127.0.0.1", port: int = 0, **more: Any) -> None:
        super().__init__(**more)
        self._host, self._port = host, port
        self._kept: Any = None
        self._thread: InThread | None = None
        self._is_up = anyio.Event()
        self.app: ASGIApp = app.build(self)
        """The provider as an ASGI application, for a server of your own."""

    def start(self) -> Self:
        """Listen in a thread of its own."""
        self.take_port()
        self.resume()
        return self

    def stop(self) -> None:
        """Listen no more and give the port back."""
        self.pause()
        if self._kept is not None:
            self._kept.close()
            self._kept = None

    def pause(self) -> None:
        """Be out of reach: connections are refused until `resume`. The port stays ours."""
        if self._thread is not None:
            self._thread.stop()
            self._thread = None

    def resume(self) -> None:
        """Be in reach again."""
        if self._thread is None:
            thread = InThread(self.app, self._host, self._port)
            thread.start()
            self._thread = thread

    async def serve(self) -> None:
        """Listen on the running event loop until cancelled, for programs that have one."""
        self.take_port()
        try:
            await serve(self.app, self._host, self._port, ready=self._is_up.set)
        finally:
            self.stop()

    async def ready(self) -> None:
        """Wait until `serve` takes connections."""
        with anyio.fail_after(PATIENCE):
            await self._is_up.wait()

    def take_port(self) -> None:
        """Take the port, so that the address is known before anybody listens."""
        if self._kept is None:
            self._kept = reserve(self._host, self._port)
            self._port = self._kept.getsockname()[1]
            shown = f"[{self._host}]" if ":" in self._host else self._host
            self._base_url = self._base_url or f"http://{shown}:{self._port}"

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_error: object) -> None:
        self.stop()
