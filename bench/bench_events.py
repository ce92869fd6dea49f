"""Identity events: through the inbox, through a local function, from webhook to start, from hearing to no access.

    python bench/bench_events.py [ROUNDS]

* *inbox*: webhooks of one event at 64 connections' worth of callers, and batches of 100 as a poll brings them, each
  durable (SQLite, WAL, synchronous FULL) before it is answered; beside a bare fsync of the same disk.
* *through*: a whole `actas serve`, signed webhooks over HTTP, each running a local Python function, until the last
  delivery is settled; every call with its decision, role session and trail. Once beside the webhooks, all in all, and
  once what was left when the last webhook was answered.
* *start*: one webhook at a time into a warm gateway: from before it is sent to the function's first line.
* *access*: a token that works; a webhook says that its owner was disabled; how long until the token is refused.
"""

import hashlib
import hmac
import json
import os
import secrets
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self

import aiohttp
import anyio
import httpx

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import machine  # noqa: E402

from actas import store  # noqa: E402
from actas.events.inbox import Inbox, Places, Told  # noqa: E402
from actas.events.meaning import Meaning  # noqa: E402
from actas.events.normal import IdentityEvent, Kind  # noqa: E402
from actas.model import clock  # noqa: E402
from actas.secrets.resting import Resting  # noqa: E402
from actas.settings.schema import Settings  # noqa: E402
from actas.settings.schema_events import Events, EventSource, On  # noqa: E402
from actas.store.outbox import Outbox  # noqa: E402
from actas.store.person_key import PersonKey  # noqa: E402
from actas.store.watermarks import Watermarks  # noqa: E402
from actas.testing.idp import Idp  # noqa: E402

RESULTS = HERE / "results" / "events.json"
ACTAS = Path(sys.executable).with_name("actas")
SECRET = "a-secret-of-the-bench-alone"
CALLERS, EVENTS, THROUGH, STARTS, ENDS, PEOPLE = 64, 4000, 3000, 100, 5, 500
CODE = """
import time
from datetime import datetime

def handler(event, context):
    now = time.time()
    at = event["data"].get("happened_at")
    if at:
        print(f"started {now - datetime.fromisoformat(at).timestamp():.6f}")
"""


def settings() -> Settings:
    source = EventSource(kind="webhook", provider="corp")
    return Settings(events=Events(sources={"hr": source}), on=(On(event="signed-in", run="greet"),))


def event(number: int) -> IdentityEvent:
    now = clock.now()
    return IdentityEvent(
        id=secrets.token_hex(16), source="hr", provider="corp", kind=Kind.SIGNED_IN, happened_at=now, heard_at=now,
        subject=f"person-{number % PEOPLE}", session=secrets.token_hex(16), client="app",
    )  # fmt: skip


async def inbox(folder: Path) -> dict[str, float]:
    """Take events in, one by one from many callers, and in batches from one."""
    opened = await store.open(folder)
    seals, key = Resting(folder / "resting.json", clock.now), PersonKey(b"k" * 32)
    outbox = Outbox(opened, clock.now, seals=seals)
    marks = Watermarks(key, clock.now)
    places = Places(outbox=outbox, marks=marks, key=key, seals=seals, clock=clock.now)
    box = Inbox(places, Meaning(settings()))
    try:
        await box.take(Told(source="hr", events=(event(0),)))
        begun = time.perf_counter()
        async with anyio.create_task_group() as tasks:
            for _ in range(CALLERS):
                tasks.start_soon(push, box, EVENTS // CALLERS)
        single = EVENTS / (time.perf_counter() - begun)
        begun = time.perf_counter()
        for number in range(0, EVENTS, 100):
            await box.take(Told(source="hr", events=tuple(event(number + one) for one in range(100))))
        return {"webhooks_per_s": single, "polled_per_s": EVENTS / (time.perf_counter() - begun)}
    finally:
        await opened.close()


async def push(box: Inbox, count: int) -> None:
    for number in range(count):
        await box.take(Told(source="hr", events=(event(number),)))


def syncs(folder: Path) -> float:
    """Tell how often a second this disk makes eight kilobytes durable."""
    handle = os.open(folder / "sync", os.O_WRONLY | os.O_CREAT)
    begun = time.perf_counter()
    for _ in range(100):
        os.pwrite(handle, b"x" * 8192, 0)
        os.fdatasync(handle)
    os.close(handle)
    return 100 / (time.perf_counter() - begun)


class Serving:
    """A whole gateway, in a process of its own."""

    def __init__(self, folder: Path, idp: Idp, code: str = CODE) -> None:
        self.folder = folder
        (folder / "code").mkdir()
        (folder / "code" / "greet.py").write_text(code)
        self.public, self.control = (f"127.0.0.1:{port}" for port in free_ports())
        (folder / "actas.yaml").write_text(json.dumps(self.file(idp)))
        self.start()

    def start(self) -> None:
        """Start it; again, where it was killed."""
        environment = {**os.environ, "HR": SECRET}
        command = [str(ACTAS), "serve", "--settings", str(self.folder / "actas.yaml")]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, cwd=self.folder, env=environment, stdout=log, stderr=log)

    def file(self, idp: Idp) -> dict:
        kinds = {"in": "signed-in", "off": "user-disabled", "tick": "other"}
        fields = {"subject": "who", "kinds": kinds}
        source = {
            "kind": "webhook", "provider": "corp", "secret": {"env": "HR"}, "signature": {"header": "X-Sig"},
            "fields": fields,
        }  # fmt: skip
        return {
            "gateway": {
                "listen": self.public, "control_listen": self.control, "public_url": f"http://{self.public}",
                "control_url": f"http://{self.control}", "limits": {"rate": {"network": 0, "subject": 0}},
            },
            "providers": {"corp": {"preset": "keycloak", "issuer": idp.issuer, "audience": "actas", "private": True}},
            "functions": {"greet": {"python": "code/greet.py:handler", "schedule": {"at_once": 8, "waiting": 1000}}},
            "roles": {"runner": {"arn": "arn:aws:iam::111122223333:role/runner"}},
            "events": {"sources": {"hr": source}, "at_once": 16, "backlog": 100000},
            "on": [
                {"event": "signed-in", "run": "greet", "as": "runner", "payload": []},
                {"event": "other", "run": "greet", "as": "runner", "payload": ["happened_at"]},
            ],
            "rules": [
                {"id": "events", "who": {"provider": "hr", "kind": "service"}, "may": ["greet"], "as": "runner"},
                {"id": "people", "who": {"provider": "corp"}, "may": ["greet"]},
            ],
        }  # fmt: skip

    def __enter__(self) -> Self:
        for _ in range(300):
            time.sleep(0.1)
            try:
                told = httpx.get(f"http://{self.control}/readyz", trust_env=False).json()
            except httpx.HTTPError:
                continue
            if told.get("events"):
                return self
        raise SystemExit((self.folder / "log").read_text())

    def __exit__(self, *_error: object) -> None:
        self.process.terminate()
        self.process.wait(60)

    def signed(
        self, kind: str, who: str, at: datetime | None = None, *, name: str | None = None
    ) -> tuple[bytes, dict[str, str]]:
        at, name = at or clock.now(), name or secrets.token_hex(16)
        body = json.dumps({"id": name, "type": kind, "time": at.isoformat(), "who": who}).encode()
        signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        return body, {"X-Sig": signature, "Content-Type": "application/json"}

    def open_deliveries(self) -> int:
        with sqlite3.connect(f"file:{self.folder}/.actas/state.db?mode=ro", uri=True, timeout=10) as connection:
            return connection.execute("select count(*) from outbox where queue = 'events' and state = 0").fetchone()[0]


def processor_seconds(root: int) -> float:
    """Tell how long a process and all below it have computed; on a busy machine that says more than the clock."""
    found: dict[int, tuple[int, int]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:  # it has ended
                continue
            found[int(folder.name)] = int(fields[1]), sum(int(one) for one in fields[11:15])
    total, below = 0, [root]
    while below:
        one = below.pop()
        total += found.get(one, (0, 0))[1]
        below += [name for name, (parent, _) in found.items() if parent == one]
    return total / os.sysconf("SC_CLK_TCK")


def free_ports() -> list[int]:
    import socket

    kept = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    ports = [one.getsockname()[1] for one in kept]
    for one in kept:
        one.close()
    return ports


async def through(one: Serving) -> dict[str, float]:
    """Push signed webhooks as fast as they are taken, and wait until the last function has run."""
    url = f"http://{one.public}/events/hr"
    computed = processor_seconds(one.process.pid)
    begun = time.perf_counter()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=CALLERS)) as session:

        async def send(numbers: range) -> None:
            for number in numbers:
                body, headers = one.signed("in", f"person-{number % PEOPLE}")
                async with session.post(url, data=body, headers=headers) as answer:
                    assert answer.status == 204, await answer.text()

        async with anyio.create_task_group() as tasks:
            for first in range(CALLERS):
                tasks.start_soon(send, range(first, THROUGH, CALLERS))
    left = one.open_deliveries()
    heard = time.perf_counter()
    while await anyio.to_thread.run_sync(one.open_deliveries):  # noqa: ASYNC110 - the database tells nobody
        await anyio.sleep(0.02)
    done = time.perf_counter()
    computed = processor_seconds(one.process.pid) - computed
    return {
        "webhooks_per_s": THROUGH / (heard - begun),
        "functions_beside_webhooks_per_s": THROUGH / (done - begun),
        "functions_per_s": left / (done - heard),
        "processor_ms": computed / THROUGH * 1000,
    }


def starts(one: Serving) -> list[float]:
    """Push one webhook at a time; the function's log tells how long ago it was sent when it started."""
    with httpx.Client(trust_env=False) as client:
        for number in range(STARTS):
            body, headers = one.signed("tick", f"person-{number}")
            assert client.post(f"http://{one.public}/events/hr", content=body, headers=headers).status_code == 204
            time.sleep(0.02)
    time.sleep(1.5)
    lines = [line for path in (one.folder / ".actas" / "logs").rglob("*") if path.is_file()
             for line in path.read_text().splitlines()]  # fmt: skip
    return [float(line.rpartition("started ")[2]) * 1000 for line in lines if "started " in line]


def ends(one: Serving, idp: Idp) -> list[float]:
    """Disable people by webhook while their tokens are called with all the time."""
    found = []
    with httpx.Client(trust_env=False) as client, httpx.Client(trust_env=False) as other:
        for _ in range(ENDS):
            token = idp.token(person="ana", audience="actas", lifetime=timedelta(hours=1))
            headers = {"Authorization": f"Bearer {token}"}
            call = f"http://{one.public}/call/greet"
            first = other.post(call, content=b'{"data": {}}', headers=headers)
            assert first.status_code == 200, first.text
            at = clock.now() + timedelta(seconds=1)  # a token of this very second is older than this
            body, signed = one.signed("off", subject_of(token), at)
            begun = time.perf_counter()
            sender = threading.Thread(target=client.post, args=(f"http://{one.public}/events/hr",),
                                      kwargs={"content": body, "headers": signed})  # fmt: skip
            sender.start()
            while other.post(call, content=b'{"data": {}}', headers=headers).status_code == 200:
                pass
            found.append((time.perf_counter() - begun) * 1000)
            sender.join()
            time.sleep(2.2)  # tokens count in whole seconds
    return found


def subject_of(token: str) -> str:
    import base64

    middle = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))["sub"]


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    found: list[dict[str, object]] = []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as name, Idp(shape="keycloak") as idp:
            folder = Path(name)
            folder.chmod(0o755)
            taken = anyio.run(inbox, folder / "inbox")
            disk = syncs(folder)
            print(taken, disk, flush=True)
            (folder / "served").mkdir(mode=0o755)
            with Serving(folder / "served", idp) as one:
                moved = anyio.run(through, one)
                print(moved, flush=True)
                late = starts(one)
                print(statistics.median(late), len(late), flush=True)
                dead = ends(one, idp)
        row = {"inbox": taken, "fdatasync_per_s": disk, "through": moved,
               "start_ms": {"p50": statistics.median(late), "p99": sorted(late)[int(len(late) * 0.99) - 1]},
               "dead_ms": {"p50": statistics.median(dead), "max": max(dead)}}  # fmt: skip
        print(json.dumps(row))
        found.append(row)
    told = {
        **machine.told("sqlalchemy", "aiosqlite", "granian"),
        "rounds": rounds,
        "inbox_webhooks_per_s": middle(found, "inbox", "webhooks_per_s"),
        "inbox_polled_per_s": middle(found, "inbox", "polled_per_s"),
        "fdatasync_per_s": machine.median(row["fdatasync_per_s"] for row in found),
        "through_webhooks_per_s": middle(found, "through", "webhooks_per_s"),
        "through_functions_beside_webhooks_per_s": middle(found, "through", "functions_beside_webhooks_per_s"),
        "through_functions_per_s": middle(found, "through", "functions_per_s"),
        "through_processor_ms": middle(found, "through", "processor_ms"),
        "start_ms_p50": middle(found, "start_ms", "p50"),
        "start_ms_p99": middle(found, "start_ms", "p99"),
        "dead_ms_p50": middle(found, "dead_ms", "p50"),
        "dead_ms_max": max(row["dead_ms"]["max"] for row in found),
        "counts": {"events": EVENTS, "through": THROUGH, "starts": STARTS, "ends": ENDS, "callers": CALLERS},
    }
    RESULTS.write_text(json.dumps(told, indent=2) + "\n")
    for name, value in told.items():
        print(f"{name:<26} {value}")


def middle(found: list[dict], *path: str) -> float:
    return machine.median(row[path[0]][path[1]] for row in found)


if __name__ == "__main__":
    main()
