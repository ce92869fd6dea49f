"""A network of its own for a gateway: a namespace and a pair of virtual cables, which can be cut."""

import contextlib
import os
import secrets
import shutil
import socket
import subprocess
import threading
from typing import Self


def absent() -> str | None:
    """Say why there can be none here, having tried."""
    if os.geteuid():
        return "a network namespace is made by root, and the tests run as somebody else"
    if shutil.which("ip") is None:
        return "a network namespace is made by ip, and there is none on this machine (Debian: iproute2)"
    try:
        with Network():
            return None
    except subprocess.CalledProcessError as wrong:
        return f"this machine makes no network namespaces with cables (ip ended with {wrong.returncode})"


class Network:
    """Two hosts with nothing between them but a cable: `here` on this side, `there` inside the namespace."""

    def __init__(self) -> None:
        name = secrets.token_hex(3)
        self.name, self._ours, self._theirs = f"actas-{name}", f"ac{name}a", f"ac{name}b"
        number = int(name[:4], 16)
        subnet = f"10.{200 + number % 50}.{number // 256}"  # others may run the same test on this machine
        self.here, self.there = f"{subnet}.1", f"{subnet}.2"
        self.cuts = 0

    @property
    def within(self) -> tuple[str, ...]:
        """What a command begins with that runs inside."""
        return ("ip", "netns", "exec", self.name)

    def __enter__(self) -> Self:
        try:
            _ip("netns", "add", self.name)
            _ip("link", "add", self._ours, "type", "veth", "peer", "name", self._theirs, "netns", self.name)
            for place, device, address in ((), self._ours, self.here), (("-n", self.name), self._theirs, self.there):
                _ip(*place, "address", "add", f"{address}/24", "dev", device)
                _ip(*place, "link", "set", device, "up")
            _ip("-n", self.name, "link", "set", "lo", "up")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_error: object) -> None:
        for command in (("link", "del", self._ours), ("netns", "del", self.name)):
            with contextlib.suppress(subprocess.CalledProcessError):
                _ip(*command)

    def cut(self, how: str) -> None:
        """Cut the cable: *unplugged*, which hosts notice, or *silent*, where what is sent is never heard of again."""
        if how == "unplugged":
            _ip("link", "set", self._ours, "down")
        else:
            nobody = "02:00:00:00:00:01"
            _ip("neigh", "replace", self.there, "lladdr", nobody, "dev", self._ours, "nud", "permanent")
            _ip("-n", self.name, "neigh", "replace", self.here, "lladdr", nobody, "dev", self._theirs,
                "nud", "permanent")  # fmt: skip
        self.cuts += 1

    def mend(self) -> None:
        """Put it together again."""
        _ip("link", "set", self._ours, "up")
        for place, address, device in ((), self.there, self._ours), (("-n", self.name), self.here, self._theirs):
            with contextlib.suppress(subprocess.CalledProcessError):
                _ip(*place, "neigh", "del", address, "dev", device)


class Relay:
    """Hands connections at an address of the cable on to a port of loopback, where the provider listens."""

    def __init__(self, host: str, port: int) -> None:
        self._port = port
        self._listener = socket.create_server((host, 0), backlog=64)
        self.url = f"http://{host}:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
                far = socket.create_connection(("127.0.0.1", self._port), timeout=20)
            except OSError:
                if self._listener.fileno() == -1:
                    return
                continue
            far.settimeout(None)
            for source, sink in (near, far), (far, near):
                threading.Thread(target=_hand_on, args=(source, sink), daemon=True).start()


def _hand_on(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError), source:
        while part := source.recv(65536):
            sink.sendall(part)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_RDWR)  # which ends the other way, too, that closes it


def _ip(*command: str) -> None:
    subprocess.run(["ip", *command], check=True, timeout=30, capture_output=True)
