"""Call a local function, warm and cold, beside the runtime client's own round trip and a bare interpreter.

    python bench/bench_invoke.py [ROUNDS]

* *warm*: the same awslambdaric process behind the smallest server that can drive it, and behind the gateway's
  backend with its sandbox, freezing, logs and envelope. What the backend adds is the difference.
  *with a way out* is the same backend whose functions can reach the gateway, which must cost a call nothing.
* *out*: what a request of a function to a door of the gateway takes, there and back, as the function sees it.
* *cold*: a new role session's first answer, sandbox included, beside ``python -c pass``; both Python and, where its
  client is installed, Node beside ``node -e 0``.

The rounds of all are interleaved, so that a busy machine slows them alike; medians and minima are told.
"""

import json
import os
import platform
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from datetime import timedelta
from functools import partial
from importlib.metadata import version
from pathlib import Path

import anyio

from actas import jose
from actas.invoke.backends.local import LocalBackends
from actas.invoke.envelope import Minter
from actas.invoke.local.node import find_node
from actas.model import clock
from actas.settings.schema import Function, Limits
from actas.settings.values import Size
from actas.testing.contracts.backend import delivery

RESULTS = Path(__file__).parent / "results" / "invoke.json"
CODE = "def handler(event, context):\n    return event\n"
OUT_CODE = """
import http.client, os, time
wire = http.client.HTTPConnection(os.environ["ACTAS_ENDPOINT"].removeprefix("http://"))

def handler(event, context):
    told = []
    for _ in range(event["times"]):
        begun = time.perf_counter()
        wire.request("POST", "/call/other", b"{}", {"Authorization": "Bearer " + "a" * 1000})
        wire.getresponse().read()
        told.append(time.perf_counter() - begun)
    return told
"""
NODE_CODE = "export const handler = async (event) => event;\n"
CALLS = 50
EVENT = b'{"order": 7, "lines": [{"sku": "a-1", "count": 2}, {"sku": "b-2", "count": 1}]}'


class BareServer:
    """The smallest thing that the runtime client takes for Lambda: one socket, no parsing, no limits."""

    def __init__(self, folder: str) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        environment = {"PATH": os.environ["PATH"], "AWS_LAMBDA_RUNTIME_API": address}
        command = [sys.executable, "-m", "awslambdaric", "f.handler"]
        self.process = subprocess.Popen(command, cwd=folder, env=environment)
        self._peer, _ = self._listener.accept()
        self._peer.recv(65536)

    def call(self) -> None:
        """Answer the waiting poll, take the result, and wait for the next poll."""
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n" % len(EVENT)
        head += b"Lambda-Runtime-Aws-Request-Id: r\r\nLambda-Runtime-Deadline-Ms: 9999999999999\r\n"
        self._peer.sendall(head + b"Lambda-Runtime-Invoked-Function-Arn: a\r\n\r\n" + EVENT)
        self._until(b"POST")
        self._peer.sendall(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")
        self._until(b"GET ")

    def _until(self, start: bytes) -> None:
        found = b""
        while not found.startswith(start) or (start == b"POST" and not found.endswith(b"}")):
            found += self._peer.recv(65536)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self._peer.close()
        self._listener.close()


def spent(work) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def bare(*command: str) -> float:
    return spent(partial(subprocess.run, command, check=True, stdout=subprocess.DEVNULL))


class Caller:
    """Calls the backend as the gateway does: with sessions and a signed envelope."""

    def __init__(self) -> None:
        self._key = jose.Key.generate("ES256", kid="bench")
        self._mint = Minter(issuer="https://actas.example", newest=lambda: self._key)
        self._count = 0

    def delivery(self, subject: str):
        self._count += 1
        made = delivery(EVENT, number=self._count, subject=subject, lasts=timedelta(hours=1))
        return replace(made, envelope=partial(self._mint, made.call, made.grant))

    async def time(self, backend, subject: str) -> float:
        ready = self.delivery(subject)
        begun = time.perf_counter()
        answer = await backend.invoke(ready)
        assert answer.function_error is None, answer.payload
        return time.perf_counter() - begun


async def door(_scope, receive, send) -> None:
    """Answer as soon as the body is there."""
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"{}", "more_body": False})


async def warm(rounds: int, backends: dict, out, caller: Caller, folder: str) -> dict[str, list[float]]:
    server = BareServer(folder)
    told: dict[str, list[float]] = {"runtime client alone": [], **{name: [] for name in backends}, "out": []}
    for backend in backends.values():
        await caller.time(backend, "warm")
    for _ in range(rounds):
        told["runtime client alone"] += [spent(server.call) for _ in range(CALLS)]
        for name, backend in backends.items():
            told[name] += [await caller.time(backend, "warm") for _ in range(CALLS)]
        made = replace(caller.delivery("warm").call, payload=b'{"times": %d}' % CALLS)
        told["out"] += json.loads((await out.invoke(replace(caller.delivery("warm"), call=made))).payload)
    server.close()
    return told


async def cold(rounds: int, backends: dict, caller: Caller) -> dict[str, list[float]]:
    told: dict[str, list[float]] = {}
    node = shutil.which("node")
    for number in range(rounds):
        told.setdefault("bare python", []).append(bare(sys.executable, "-c", "pass"))
        if "node" in backends:
            told.setdefault("bare node", []).append(bare(node, "-e", "0"))
        for name, backend in backends.items():
            told.setdefault(f"backend, {name}", []).append(await caller.time(backend, f"{name}-{number}"))
            await anyio.sleep(0.1 if "kept" in name else 0.02)
    return told


def write(folder: str) -> str:
    Path(folder).chmod(0o755)
    Path(folder, "f.py").write_text(CODE)
    Path(folder, "out").mkdir()
    Path(folder, "out", "out.py").write_text(OUT_CODE)
    Path(folder, "f.mjs").write_text(NODE_CODE)
    return folder


async def measure(rounds: int) -> dict:
    with tempfile.TemporaryDirectory() as made:
        folder = write(made)
        shared = LocalBackends(limits=Limits(processes=20), log=lambda *_: None)
        machine = await shared.open()
        no_spares = LocalBackends(limits=Limits(processes=20), log=lambda *_: None, spares=False)
        outward = LocalBackends(limits=Limits(processes=20), log=lambda *_: None, spares=False)
        outward.doors.public = outward.doors.control = door
        backends = {
            "python, one kept ready": shared.backend("f", Function(python="f.py:handler"), Path(folder)),
            "python": no_spares.backend("g", Function(python="f.py:handler"), Path(folder)),
            "python, with a way out": outward.backend("h", Function(python="f.py:handler"), Path(folder)),
        }
        out = outward.backend("o", Function(python="out/out.py:handler"), Path(folder))
        if find_node(Path.cwd()):
            settings = Function(node="f.mjs:handler", memory=Size(1 << 28))
            backends["node"] = no_spares.backend("n", settings, Path(folder))
        caller = Caller()
        for name, backend in backends.items():  # the fork server starts with the first
            await caller.time(backend, f"{name}-first")
        ways = {"backend": backends["python"], "backend with a way out": backends["python, with a way out"]}
        times = await warm(rounds, ways, out, caller, folder) | await cold(rounds, backends, caller)
        for one in (shared, no_spares, outward):
            await one.close()
    return {"isolation": machine.state, "times_us": {name: figures(found) for name, found in times.items()}}


def figures(times: list[float]) -> dict[str, float]:
    ordered = sorted(times)
    return {
        "count": len(ordered),
        "best": round(ordered[0] * 1e6, 1),
        "median": round(statistics.median(ordered) * 1e6, 1),
        "p95": round(ordered[int(len(ordered) * 0.95)] * 1e6, 1),
    }


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    found = anyio.run(measure, rounds, backend_options={"use_uvloop": True})
    times = found["times_us"]
    alone = times["runtime client alone"]
    ratios = {
        "warm, added by the backend, median us": round(times["backend"]["median"] - alone["median"], 1),
        "warm, added by the backend, best us": round(times["backend"]["best"] - alone["best"], 1),
    }
    for how in ("median", "best"):
        ratio = times["backend with a way out"][how] / times["backend"][how]
        ratios[f"warm, with a way out to without, {how}"] = round(ratio, 3)
    for name in ("python", "python, with a way out", "python, one kept ready"):
        for how in ("median", "best"):
            ratio = times[f"backend, {name}"][how] / times["bare python"][how]
            ratios[f"cold {name}, times a bare interpreter, {how}"] = round(ratio, 2)
    if "bare node" in times:
        ratio = times["backend, node"]["median"] / times["bare node"]["median"]
        ratios["cold node, times a bare node, median"] = round(ratio, 2)
    told = {
        "date": f"{clock.now():%Y-%m-%d}",
        "machine": {"cpus": os.cpu_count(), "arch": platform.machine(), "python": platform.python_version()},
        "versions": {name: version(name) for name in ("awslambdaric", "uvloop")},
        "load": round(os.getloadavg()[0], 1),
        "rounds": rounds,
        **found,
        "ratios": ratios,
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(told, indent=2) + "\n")
    print(found["isolation"])
    for name, row in times.items():
        print(f"{name:32} best {row['best']:>9} us   median {row['median']:>9} us   p95 {row['p95']:>9} us")
    for name, value in ratios.items():
        print(f"{name:66} {value}")


if __name__ == "__main__":
    main()
