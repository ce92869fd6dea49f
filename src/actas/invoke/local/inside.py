"""What happens between the fork and the function's first line: a process shuts itself into its sandbox.

Three processes follow each other, because a process cannot enter a new pid namespace itself:

* the *builder* makes the namespaces and the listeners, forks the init, and ends;
* the *init*, pid 1 of its namespace, builds the view of the file system, forks the runtime, closes off what is
  not in the view, gives up every privilege, and then waits: for the runtime's end, which it reports, or for the
  gateway's, which ends everything;
* the *runtime* gives up every privilege and loads the runtime client; when the walls stand, it gets its environment,
  credentials included, directly from the gateway, and becomes the function.

Each message to the gateway is a letter, with facts or descriptors behind it: ``L`` the listeners, ``P`` descriptors
of the runtime's and the init's process, ``W`` that the walls stand, ``X`` the runtime's exit status, ``E`` what went
wrong.
"""

import fcntl
import json
import os
import select
import signal
import socket
import struct
from typing import Any, NoReturn

from actas.invoke.local import runtime, syscalls, walls

_LARGEST_MESSAGE = 1 << 20
_SIOCSIFFLAGS = 0x8914
_UP_AND_RUNNING = 0x1 | 0x40
_BACKLOG = 64
PORT = 9001
"""Where the runtime API listens inside a network namespace: each function has that port to itself. The relay's
listeners have the ports behind it."""


def build(gateway_fd: int, log_fd: int) -> NoReturn:
    """Turn this freshly forked process into a sandbox with a function in it; end with it."""
    gateway = socket.socket(fileno=gateway_fd)
    step = "read the plan"
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        plan = json.loads(gateway.recv(_LARGEST_MESSAGE))
        step = "enter namespaces"
        if plan["namespaces"]:
            walls.enter_namespaces()
        step = "listen"
        port = _listen(gateway, plan["ways_out"], own_network=plan["namespaces"])
        step = "start"
        os.setsid()
        if plan["namespaces"] and os.fork() != 0:
            os._exit(0)
        step = "build the view"
        if plan["namespaces"]:
            walls.build_view(plan)
        step = "close off"
        _be_init(gateway, log_fd, plan, port)
    except BaseException as wrong:  # noqa: BLE001 - whatever it is, this process must not go on into the server's loop
        with_reason = f"E{step}: {wrong}" if isinstance(wrong, OSError) else f"E{step}: {type(wrong).__name__}"
        try:
            gateway.send(with_reason.encode())
        finally:
            os._exit(1)


def _listen(gateway: socket.socket, ways_out: int, *, own_network: bool) -> int:
    """Open the runtime API's listener, and the relay's, where only this function is; hand them to the gateway."""
    listeners = [socket.socket() for _ in range(1 + ways_out)]
    if own_network:
        fcntl.ioctl(listeners[0], _SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", _UP_AND_RUNNING))
    for number, listener in enumerate(listeners):
        listener.bind(("127.0.0.1", PORT + number if own_network else 0))
        listener.listen(_BACKLOG if number else 4)
    port: int = listeners[0].getsockname()[1]
    socket.send_fds(gateway, [b"L"], [listener.fileno() for listener in listeners])
    for listener in listeners:
        listener.close()
    return port


def _be_init(gateway: socket.socket, log_fd: int, plan: dict[str, Any], port: int) -> NoReturn:
    syscalls.prctl(syscalls.PR_SET_CHILD_SUBREAPER, 1)
    woken, wake = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(woken)
        os.close(wake)
        runtime.become(gateway, log_fd, plan, port)
    os.close(log_fd)
    signal.set_wakeup_fd(_unblocked(wake))
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    processes = [os.pidfd_open(child), os.pidfd_open(os.getpid())]
    socket.send_fds(gateway, [b"P"], processes)
    for descriptor in processes:
        os.close(descriptor)
    if plan["namespaces"]:
        # Meanwhile the runtime loads its client and the gateway limits it: the kernel takes its time over both. It
        # gets no environment before this is done.
        walls.close_off()
    walls.give_up(plan)
    gateway.send(b"W")
    status = _wait(gateway, child, woken)
    if not plan["namespaces"]:
        _end_descendants()
    if status is not None:
        gateway.send(b"X" + struct.pack("=i", status))
    os._exit(0)


def _unblocked(descriptor: int) -> int:
    os.set_blocking(descriptor, False)
    return descriptor


def _wait(gateway: socket.socket, child: int, woken: int) -> int | None:
    """Reap until *child* ends and give its status; None where the gateway hung up first."""
    poll = select.poll()
    poll.register(gateway, select.POLLRDHUP)
    poll.register(woken, select.POLLIN)
    while True:
        while True:
            try:
                ended, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return None
            if ended == child:
                return status
            if ended == 0:
                break
        for descriptor, _event in poll.poll():
            if descriptor != woken:
                return None
            os.read(woken, 512)


def _end_descendants() -> None:
    """Kill whatever the function left running, where no pid namespace does that for us."""
    while children := _children():
        for child in children:
            os.kill(child, signal.SIGKILL)
        for child in children:
            os.waitpid(child, 0)  # its own children become ours, for we are a subreaper


def _children() -> list[int]:
    with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as listed:  # noqa: PTH123 - pathlib is not loaded here
        return [int(number) for number in listed.read().split()]
