"""A PostgreSQL of a test's own, made of the programs on this machine, that can be killed with -9 and started again."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Self

from keycloak.server import free_ports

QUIET = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


def programs() -> Path | None:
    """Find the folder of initdb and postgres."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: -int(path.parent.name))
    if path := shutil.which("initdb"):
        found.append(Path(path).resolve().parent)
    return next((path for path in found if (path / "initdb").exists() and (path / "postgres").exists()), None)


def absent() -> str | None:
    return None if programs() else "there is no PostgreSQL on this machine (Debian: postgresql)"


def somebody() -> dict[str, object]:
    """Say as whom it runs: PostgreSQL refuses root."""
    if os.geteuid():
        return {}
    user = next(entry for entry in pwd.getpwall() if entry.pw_name in {"postgres", "nobody"})
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


class PostgreSQL:
    """One cluster, on loopback, with every default that makes commits durable."""

    def __init__(self, template: Path | None = None) -> None:
        (self.port,) = free_ports(1)
        self.folder = Path(tempfile.mkdtemp(prefix="apg"))  # the path of a socket holds 107 bytes
        self.data = self.folder / "d"
        self.bin = programs()
        self.kills = 0
        self._template = template
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"postgresql://actas@127.0.0.1:{self.port}/postgres"

    def __enter__(self) -> Self:
        who = somebody()
        try:
            if self._template is not None:
                shutil.copytree(self._template, self.data)
            if who:
                for one in (self.folder, *self.folder.rglob("*")):
                    os.chown(one, who["user"], who["group"])
            if self._template is None:
                init = ["-D", self.data, "-U", "actas", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"]
                subprocess.run([self.bin / "initdb", *init], check=True, timeout=60, cwd=self.folder, **QUIET, **who)
            self.data.chmod(0o700)
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self) -> None:
        """Start it; again, where it was killed."""
        options = {"listen_addresses": "127.0.0.1", "unix_socket_directories": self.folder, "max_connections": 150}
        command = [self.bin / "postgres", "-D", self.data, "-p", str(self.port)]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]
        log = (self.folder / "log").open("ab")
        self._process = subprocess.Popen(
            command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            **somebody(),
        )  # fmt: skip
        log.close()
        ready = [self.bin / "pg_isready", "-q", "-h", self.folder, "-p", str(self.port), "-d", "postgres"]
        ends = time.monotonic() + 60
        while subprocess.run(ready, check=False, timeout=10, **QUIET).returncode:
            assert self._process.poll() is None, (self.folder / "log").read_text()[-3000:]
            assert time.monotonic() < ends, (self.folder / "log").read_text()[-3000:]
            time.sleep(0.05)

    def kill(self) -> None:
        """End it with -9: the server and each process that serves a connection, before any can say goodbye."""
        assert self._process is not None
        below = [int(one) for one in _children(self._process.pid)]
        self._process.kill()
        for one in below:
            try:
                os.kill(one, signal.SIGKILL)
            except ProcessLookupError:  # it saw that its server is gone
                continue
        self._process.wait(30)
        self.kills += 1

    def stop(self) -> None:
        """End it as an administrator would."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()

    def make(self, name: str) -> None:
        """Make a database, empty."""
        ask = ["-q", "-h", self.folder, "-p", str(self.port), "-U", "actas", "-d", "postgres", "-c"]
        subprocess.run([self.bin / "psql", *ask, f'create database "{name}"'], check=True, timeout=60, **QUIET)


def _children(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:  # a kernel that does not tell
        found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
        return found.stdout.split()
