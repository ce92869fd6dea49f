"""The gateway's side of the fork server: start it, ask it for sandboxes, end it."""

import asyncio
import contextlib
import os
import socket
import subprocess
import sys

import anyio

_START_WITHIN = 10.0
_END_WITHIN = 5.0
_COMMAND = "import sys; from actas.invoke.local.forkserver import main; main(int(sys.argv[1]))"


class ForkServer:
    """One warm interpreter that forks; started when it is first needed or before, and anew should it ever die."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._starting = anyio.Lock()
        self._closed = False

    @property
    def pid(self) -> int | None:
        """The fork server's process; None where it does not run."""
        return self._process.pid if self._process else None

    async def start(self) -> None:
        """Be ready for the first function; where that cannot be, the first function is told why."""
        with contextlib.suppress(OSError):
            await self._running()

    async def fork(self, gateway: socket.socket, log: int) -> None:
        """Fork one process that speaks to the gateway by *gateway* and writes its logs to *log*."""
        control = await self._running()
        try:
            socket.send_fds(control, [b"fork"], [gateway.fileno(), log])
        except OSError:
            await self._end()
            control = await self._running()
            socket.send_fds(control, [b"fork"], [gateway.fileno(), log])

    async def close(self) -> None:
        """End the server for good."""
        self._closed = True
        async with self._starting:
            await self._end()

    async def _end(self) -> None:
        process, control, self._process, self._control = self._process, self._control, None, None
        if control:
            control.close()
        if process:
            with anyio.CancelScope(shield=True):
                await _reap(process)

    async def _running(self) -> socket.socket:
        async with self._starting:
            if self._closed:
                raise ChildProcessError(0, "the fork server is closed")
            if self._control is None:
                self._control = await self._start()
            return self._control

    async def _start(self) -> socket.socket:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            os.set_inheritable(theirs.fileno(), True)
            # -I: neither the environment nor the folder we stand in may choose what it imports
            command = [sys.executable, "-I", "-X", "utf8", "-c", _COMMAND, str(theirs.fileno())]
            process = subprocess.Popen(  # noqa: ASYNC220, S603 - returns at once; a fixed command
                command,
                env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
                cwd="/",
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        ours.setblocking(False)
        try:
            with anyio.fail_after(_START_WITHIN):
                _check(await asyncio.get_running_loop().sock_recv(ours, 16))
        except BaseException:
            ours.close()
            process.kill()
            with anyio.CancelScope(shield=True):
                await _reap(process)
            raise
        self._process = process
        return ours


def _check(said: bytes) -> None:
    if said != b"ready":
        raise ChildProcessError(0, "the fork server ended before it was ready")


async def _reap(process: subprocess.Popen[bytes]) -> None:
    """Wait for *process*, which ends when its socket closes; end it where it does not."""
    watched = os.pidfd_open(process.pid)
    try:
        with anyio.move_on_after(_END_WITHIN) as late:
            await anyio.wait_readable(watched)
        if late.cancelled_caught:
            process.kill()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_END_WITHIN)
    finally:
        os.close(watched)
    process.poll()
