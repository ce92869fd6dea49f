"""The gateway's hold on one sandbox: its listener, its processes, and the end of both."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import struct
from collections.abc import Callable, Iterable
from typing import Any, Final

import anyio

from actas.invoke.local.spawner import ForkServer

_BUILT_WITHIN: Final = 10.0
_GRACE: Final = 0.3
"""How long a function that is told to end may take before it is made to."""
_GONE_WITHIN: Final = 10.0


class SandboxBroken(Exception):
    """A sandbox could not be built; says which step failed."""


class Sandbox:
    """One sandbox from its fork to its end."""

    def __init__(self, on_exit: Callable[[int | None], None]) -> None:
        """Remember whom to tell of the end: *on_exit* gets the runtime's wait status, None where it is not known."""
        self._loop = asyncio.get_running_loop()
        self._on_exit = on_exit
        self._built: asyncio.Future[None] = self._loop.create_future()
        self._stands: asyncio.Future[None] = self._loop.create_future()
        self._socket: socket.socket | None = None
        self._status: int | None = None
        self._kill_timer: asyncio.TimerHandle | None = None
        self.runtime: int | None = None
        """A pidfd of the function's process; `init` likewise of the process whose end ends all."""
        self.init: int | None = None
        self.listeners: list[socket.socket] = []
        """The runtime API's, and where the function may call out, those of its relay."""
        self.gone = anyio.Event()
        self.stopped_with: list[int] = []

    async def build(self, forks: ForkServer, plan: dict[str, Any], log: int) -> None:
        """Have the sandbox built, until its processes are there: they may be limited while the last wall is made."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        self._socket = ours
        self._loop.add_reader(ours.fileno(), self._hear)
        try:
            with theirs:
                await forks.fork(theirs, log)
            if self._socket is None:
                raise SandboxBroken("it was given up while it was built")
            ours.send(json.dumps(plan).encode())
            with anyio.fail_after(_BUILT_WITHIN):
                await self._built
        except TimeoutError as late:
            raise SandboxBroken("it was not ready in time") from late
        except OSError as wrong:
            raise SandboxBroken(wrong.strerror or "the fork server could not be used") from wrong

    async def stands(self) -> None:
        """Wait until every wall is there; the runtime then waits in them for `start`."""
        try:
            with anyio.fail_after(_BUILT_WITHIN):
                await self._stands
        except TimeoutError as late:
            raise SandboxBroken("its walls were not there in time") from late

    def start(self, environment: dict[str, str]) -> None:
        """Hand the runtime its environment, which it waits for; `stands` comes first."""
        assert self._stands.done()
        if self._socket:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it has ended; who watches it takes note
                self._socket.send(json.dumps(environment).encode())

    def end(self) -> None:
        """Ask the function to end, and make it end soon after."""
        if self.runtime is not None and self._kill_timer is None:
            self._kill_timer = self._loop.call_later(_GRACE, self.kill)
            self._signal(self.runtime, signal.SIGTERM)
            self._signal(self.runtime, signal.SIGCONT)
        else:
            self.kill()

    def kill(self) -> None:
        """End everything in the sandbox now."""
        if self.init is not None:
            self._signal(self.init, signal.SIGKILL)
        elif self._socket:
            self._socket.shutdown(socket.SHUT_RDWR)  # it hears that we hung up, and ends itself
            self._loop.call_soon(self._hear)
        elif not self.gone.is_set():
            self._loop.call_soon(self._finish)  # nothing was ever started

    async def wait_gone(self) -> None:
        """Wait until no process of the sandbox is left."""
        with anyio.move_on_after(_GONE_WITHIN):
            await self.gone.wait()

    def process_id(self) -> int | None:
        """Give the function's process as this machine numbers it."""
        return _number_of(self.runtime)

    def init_id(self) -> int | None:
        """Give the sandbox's first process as this machine numbers it."""
        return _number_of(self.init)

    @staticmethod
    def _signal(process: int, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(process, number)

    def _hear(self) -> None:
        """Take the sandbox's messages; the last is its hanging up."""
        while self._socket:
            try:
                message, descriptors, _flags, _address = socket.recv_fds(self._socket, 4096, 3)
            except BlockingIOError:
                return
            except OSError:
                message, descriptors = b"", []
            match message[:1]:
                case b"L":
                    self.listeners = [_listener(descriptor) for descriptor in descriptors]
                case b"P":
                    self.runtime, self.init = descriptors
                    _settle(self._built)
                case b"W":
                    _settle(self._stands)
                case b"X":
                    (self._status,) = struct.unpack("=i", message[1:])
                case b"E":
                    self._fail(message[1:].decode("utf-8", "replace"))
                case _:
                    self._hung_up()

    def _fail(self, why: str) -> None:
        """Tell whoever waits for it, unless it is built already."""
        for waited in (self._built, self._stands):
            if not waited.done():
                waited.set_exception(SandboxBroken(why))

    def _hung_up(self) -> None:
        assert self._socket
        self._loop.remove_reader(self._socket.fileno())
        self._socket.close()
        self._socket = None
        self._fail("it ended while it was built")
        if self.init is None:
            self._finish()
        else:  # pid 1 is gone for good when everything in its namespace is
            self._loop.add_reader(self.init, self._finish)

    def _finish(self) -> None:
        if self.init is not None:
            self._loop.remove_reader(self.init)
        if self.gone.is_set():
            return
        for descriptor in (self.init, self.runtime, *self.stopped_with):
            if descriptor is not None:
                os.close(descriptor)
        self.init = self.runtime = None
        self.stopped_with.clear()
        for listener in self.listeners:
            listener.close()
        if self._kill_timer:
            self._kill_timer.cancel()
        for waited in (self._built, self._stands):
            if not waited.cancelled() and waited.done():
                waited.exception()  # seen, or nobody waits for it any more
        self.gone.set()
        self._on_exit(self._status)


async def all_gone(sandboxes: Iterable[Sandbox]) -> None:
    """Wait until no process of any of *sandboxes* is left; for all of them together no longer than for one."""
    async with anyio.create_task_group() as tasks:
        for sandbox in sandboxes:
            tasks.start_soon(sandbox.wait_gone)


def _settle(waited: asyncio.Future[None]) -> None:
    if not waited.done():
        waited.set_result(None)


def _listener(descriptor: int) -> socket.socket:
    listener = socket.socket(fileno=descriptor)
    listener.setblocking(False)
    return listener


def _number_of(process: int | None) -> int | None:
    """Read a pidfd's process id, which the kernel puts as the reader sees it."""
    if process is None:
        return None
    with open(f"/proc/self/fdinfo/{process}", encoding="ascii") as facts:  # noqa: PTH123 - a hot start; pathlib costs as much again
        for line in facts:
            if line.startswith("Pid:"):
                number = int(line[4:])
                return number if number > 0 else None
    return None
