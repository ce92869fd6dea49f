"""What a gateway computes while nobody calls it, beside a bare Granian: milliseconds of processor time a second.

    python bench/bench_idle.py [SECONDS] [ROUNDS]

A whole `actas serve` with a provider, a local function and a source of events, once before anything happened and once
after a webhook ran the function; in the second row the function's process is warm, and its own time counts too. The
processes are asked what they used (utime and stime of all of them), so what else the machine does matters little.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import bench_events as events  # noqa: E402
import machine  # noqa: E402

from actas.testing.idp import Idp  # noqa: E402

SETTLES = 5.0
"""Seconds for imports, first looks and spare processes after a start."""
BARE = """
async def app(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"hello"})
"""


@contextmanager
def bare(folder: Path) -> Iterator[int]:
    """Serve one page by Granian, in one process as the gateway does."""
    (folder / "bare.py").write_text(BARE)
    port = events.free_ports()[0]
    server = f"""
import asyncio, sys
sys.path.insert(0, {str(folder)!r})
from granian.constants import Interfaces
from granian.server.embed import Server
from bare import app
asyncio.run(Server(app, address="127.0.0.1", port={port}, interface=Interfaces.ASGI, log_enabled=False).serve())
"""
    process = subprocess.Popen([sys.executable, "-c", server])
    try:
        for _ in range(100):
            try:
                httpx.get(f"http://127.0.0.1:{port}/", trust_env=False)
                break
            except httpx.HTTPError:
                time.sleep(0.1)
        yield process.pid
    finally:
        process.terminate()
        process.wait(60)


def used(process: int, seconds: float) -> float:
    """Tell how many milliseconds a second a process and all below it compute while nothing happens."""
    time.sleep(SETTLES)
    begun, before = time.monotonic(), events.processor_seconds(process)
    time.sleep(seconds)
    return (events.processor_seconds(process) - before) / (time.monotonic() - begun) * 1000


def run_the_function(one: events.Serving) -> None:
    """Tell of one event, and wait until its function has run."""
    body, headers = one.signed("in", "person")
    assert httpx.post(f"http://{one.public}/events/hr", content=body, headers=headers, trust_env=False).is_success
    while one.open_deliveries():
        time.sleep(0.1)


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 20.0
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    found: dict[str, list[float]] = {"actas, before any call": [], "actas, a function is warm": [], "bare Granian": []}
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as name, Idp(shape="keycloak") as idp:
            folder = Path(name)
            folder.chmod(0o755)
            (folder / "served").mkdir(mode=0o755)
            with events.Serving(folder / "served", idp) as one:
                found["actas, before any call"].append(used(one.process.pid, seconds))
                run_the_function(one)
                found["actas, a function is warm"].append(used(one.process.pid, seconds))
            with bare(folder) as process:
                found["bare Granian"].append(used(process, seconds))
        print({name: [round(value, 1) for value in values] for name, values in found.items()}, flush=True)
    told = {
        **machine.told("granian", "sqlalchemy", "aiosqlite"),
        "seconds": seconds,
        "rounds": rounds,
        "processor_ms_a_second": {name: machine.median(values) for name, values in found.items()},
    }
    machine.keep("idle", told)
    print(json.dumps(told["processor_ms_a_second"], indent=2))


if __name__ == "__main__":
    main()
