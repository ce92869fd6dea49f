"""One server to be measured: a bare hello, or the gateway with a backend that does nothing.

usage: server.py {hello|bare|full|local} FOLDER PORT
"""

import sys
from pathlib import Path

import anyio

from actas.http.server import serving
from actas.model.outcome import Answered
from actas.wiring import run as running

ANSWER = b'{"done":true}'


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
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": ANSWER})


async def _hello(port: int) -> None:
    async with serving(hello, f"127.0.0.1:{port}", grace=1):
        await anyio.sleep_forever()


def _without_isolation(mode: str):
    furnished = running.Furnished

    class Bench(furnished):
        def __init__(self, loaded, settings, parts, before=None):
            super().__init__(loaded, settings, parts, before)
            if mode in {"bare", "full"}:
                self.reached["report"] = Nothing()
            if mode == "bare":
                object.__setattr__(self.house, "audit", NoTrail(parts.audit))

    running.Furnished = Bench


def main() -> None:
    mode, folder, port = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    options = {"use_uvloop": True}
    if mode == "hello":
        anyio.run(_hello, port, backend_options=options)
        return
    _without_isolation(mode)
    anyio.run(running.run, folder / "actas.yaml", backend_options=options)


main()
