"""One server to be measured: a bare hello, one that verifies each token, or the gateway.

usage: server.py hello|reading|verify|bare|full|whole FOLDER PORT

``bare`` and ``full`` run a backend that does nothing, the first without a trail; ``whole`` is the gateway as it is.
"""

import sys
from functools import partial
from pathlib import Path

import anyio

from actas import jose
from actas.cli.serving import settle
from actas.http.server import serving
from actas.model import clock
from actas.model.outcome import Answered
from actas.wiring import run as running

ANSWER = b'{"done":true}'
HEAD = [(b"content-type", b"application/json"), (b"content-length", b"13")]


class Nothing:
    """Runs nothing: what is left is the way there and back."""

    async def invoke(self, _delivery):
        return Answered(payload=ANSWER)

    async def close(self):
        pass


class NoTrail:
    """Keeps nothing; only for telling what the trail costs."""

    def __init__(self, audit):
        self._audit = audit

    def __getattr__(self, name):
        return getattr(self._audit, name)

    async def decided(self, _record):
        pass

    def ended(self, _record):
        pass


async def hello(_scope, _receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": HEAD})
    await send({"type": "http.response.body", "body": ANSWER})


async def reading(scope, receive, send):
    """Read the request's body first, as whoever takes events must."""
    await receive()
    await hello(scope, receive, send)


async def verifying(keys, issuer, audience, scope, receive, send):  # noqa: PLR0917 - three bound, three ASGI's
    """Verify each time and look for one group: what a function behind no gateway would do by itself."""
    token = dict(scope["headers"])[b"authorization"][7:].decode()
    claims = jose.verify_jwt(
        token, keys, issuer=issuer, audience=audience, now=clock.now(), algorithms=("RS256",), typ=None
    )
    assert "/finance" in claims["groups"]
    await hello(scope, receive, send)


async def _settled(_running) -> None:
    """Do what `actas serve` does when it is ready: the gateway is measured as it is served."""
    settle()


async def _serve(app, port: int) -> None:
    async with serving(app, f"127.0.0.1:{port}", grace=1):
        await anyio.sleep_forever()


def _furnish(mode: str) -> None:
    furnished = running.Furnished

    class Bench(furnished):
        def __init__(self, loaded, settings, parts, before=None):
            super().__init__(loaded, settings, parts, before)
            self.reached["report"] = Nothing()
            if mode == "bare":
                object.__setattr__(self.house, "audit", NoTrail(parts.audit))

    running.Furnished = Bench


def main() -> None:
    mode, folder, port = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    options = {"use_uvloop": True}
    if mode == "hello":
        anyio.run(_serve, hello, port, backend_options=options)
    elif mode == "reading":
        anyio.run(_serve, reading, port, backend_options=options)
    elif mode == "verify":
        keys = jose.KeySet.from_json((folder / "jwks.json").read_bytes())
        app = partial(verifying, keys, "https://bench.example/", "actas")
        anyio.run(_serve, app, port, backend_options=options)
    else:
        if mode != "whole":
            _furnish(mode)
        anyio.run(partial(running.run, on_ready=_settled), folder / "actas.yaml", backend_options=options)


main()
