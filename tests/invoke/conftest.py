"""Local functions written into a folder, and callers with sessions to call them."""
# ruff: noqa: ASYNC110 - other processes' states can only be looked at again and again

import itertools
import os
import signal
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import anyio
import msgspec
import pytest

from actas.invoke.backends.local import LocalBackends
from actas.invoke.local.machine import probe
from actas.model import clock
from actas.model.session import NO_ROLE
from actas.settings.schema import Function, Limits
from actas.settings.values import Span
from actas.testing.contracts.backend import delivery


@pytest.fixture
def anyio_backend():
    """Run on the loop that the gateway runs on."""
    return ("asyncio", {"use_uvloop": True})


@pytest.fixture
def machine():
    found = probe()
    assert found.namespaces or not _may_unshare(), f"namespaces are allowed here, yet not had: {found.why}"
    if not found.namespaces:
        pytest.skip(f"this machine allows no namespaces ({found.why}); functions cannot be shut in here")
    return found


def _may_unshare():
    """Ask the kernel itself, in another way than the product does."""
    child = os.fork()
    if child == 0:
        import ctypes

        os._exit(0 if ctypes.CDLL(None).unshare(0x10000000 | 0x00020000 | 0x20000000 | 0x40000000) == 0 else 1)
    return os.waitpid(child, 0)[1] == 0


class Bench:
    """Makes functions and calls them."""

    def __init__(self, folder, machine):
        self.folder, self.machine = folder, machine
        self.logs = []
        self.shared = None
        self._numbers = itertools.count(1)
        self._log = lambda call, function, line: self.logs.append((call, function, line))

    def write(self, text, name="f.py"):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def open(self, *, limits=None, **more):
        settings = {"machine": self.machine, "spares": False, **more}
        self.shared = LocalBackends(limits=limits or Limits(processes_per_subject=64), log=self._log, **settings)
        return self.shared

    def function(self, text, *, name="f", environment=None, seconds=None, **settings):
        """Write a function and give its backend; without a text the file is left as it is."""
        if text is not None:
            self.write(text, f"{name}.py")
        if seconds is not None:
            settings["timeout"] = Span(timedelta(seconds=seconds))
        shared = self.shared or self.open()
        return shared.backend(name, Function(python=f"{name}.py:handler", **settings), self.folder, environment)

    async def call(self, backend, event=None, *, payload=None, session=True, **who):
        """Call and give the answer; `lines` then has what the call logged."""
        body = msgspec.json.encode(event if event is not None else {}) if payload is None else payload
        made = delivery(body, number=next(self._numbers), **who)
        self.last = made if session else replace(made, sessions=NO_ROLE)
        return await backend.invoke(self.last)

    async def value(self, backend, event=None, **who):
        """Call and give the decoded answer of a call that went well."""
        answer = await self.call(backend, event, **who)
        assert answer.function_error is None, answer.payload
        return msgspec.json.decode(answer.payload)

    async def error(self, backend, event=None, **who):
        answer = await self.call(backend, event, **who)
        assert answer.function_error == "Unhandled", answer.payload
        return msgspec.json.decode(answer.payload)

    async def running(self, count=1):
        """Wait until *count* calls were delivered and run."""
        with anyio.fail_after(20):
            while sum(bool(one._job and not one._job.done.done()) for one in self.shared.pool._all) < count:
                await anyio.sleep(0.005)

    def lines(self, call=None):
        call = call or self.last.call.id
        return [line.decode("utf-8", "replace") for of, _function, line in self.logs if of == call]

    @property
    def now(self):
        return clock.now()


@pytest.fixture
async def bench(tmp_path, machine, anyio_backend):
    folder = tmp_path / "functions"
    folder.mkdir()
    made = Bench(folder, machine)
    yield made
    if made.shared:
        await made.shared.close()


@pytest.fixture
def processes():
    """Tell which processes there are below one, by /proc."""

    def below(parent):
        found = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with suppress(OSError):
                    found[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
        chosen, size = {parent}, 0
        while len(chosen) != size:
            size = len(chosen)
            chosen |= {child for child, of in found.items() if of in chosen}
        return chosen - {parent}

    return below


def state_of(process):
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]


@pytest.fixture
def end():
    def end(process):
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)

    return end
