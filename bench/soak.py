"""Ten minutes of mixed load on a real `actas serve`: nothing grows, nothing goes wrong, nothing is left behind.

    python bench/soak.py        SOAK_SECONDS=60 for a short one; SOAK_KILLS=0 leaves the kills out

Calls that hit, refusals, bad tokens, function errors, crashes, timeouts, hang-ups, bodies of megabytes, and a change
of the settings every few seconds, all at once. Memory, descriptors, processes, shared memory, mounts and control
groups are sampled all the while. Then SIGTERM, a look at what is left, `actas audit verify`, and fifty kills of a
gateway under load. Anything amiss makes the exit code 1; what was seen is in bench/results/soak.json.
"""

import contextlib
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from dataclasses import asdict, dataclass, fields
from datetime import timedelta
from pathlib import Path

import aiohttp
import anyio

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE / "gateway")]

import load  # noqa: E402
import machine  # noqa: E402

from actas import jose  # noqa: E402
from actas.model import clock  # noqa: E402

SECONDS = int(os.environ.get("SOAK_SECONDS", "600"))
KILLS = int(os.environ.get("SOAK_KILLS", "50"))
SAMPLE_EVERY, RELOAD_EVERY, TELL_EVERY = 3.0, 7.0, 30.0
WARM_UP = 0.3
"""The part of the time after which nothing may grow."""
CALLERS, PEOPLE = 16, 40
ISSUER = "https://soak.example/"
SEED = 29
ACTAS = Path(sys.executable).with_name("actas")
CODE = """
import os, sys, time

def handler(event, context):
    match event.get("do"):
        case "fail":
            raise ValueError("as asked")
        case "crash":
            os._exit(3)
        case "sleep":
            time.sleep(30)
        case "print":
            print("a line of the log " * 20)
    return {"got": len(event.get("blob", "")), "did": event.get("do")}
"""


@dataclass(frozen=True, slots=True)
class Sample:
    """What the gateway holds at one moment."""

    rss_mb: float
    descriptors: int
    threads: int
    processes: int
    """Those below the gateway, functions and all."""
    shared_memory: int
    mounts: int
    groups: int


BOUNDS = Sample(rss_mb=8, descriptors=6, threads=3, processes=6, shared_memory=0, mounts=0, groups=6)
"""How much the straight line through the samples after the warm-up may rise in all; functions come and go."""


def sample(pid: int) -> Sample:
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return Sample(
        rss_mb=int(status["VmRSS"].split()[0]) / 1024,
        descriptors=_entries(Path(f"/proc/{pid}/fd")),
        threads=int(status["Threads"]),
        processes=len(load.family(pid)) - 1,
        shared_memory=_entries(Path("/dev/shm")),
        mounts=len(Path(f"/proc/{pid}/mounts").read_text().splitlines()),
        groups=len(groups(pid)),
    )


def _entries(folder: Path) -> int:
    return sum(1 for _ in folder.iterdir())


def groups(pid: int) -> list[Path]:
    found: list[Path] = []
    for folder, names, _ in os.walk("/sys/fs/cgroup"):
        found += [Path(folder, name) for name in names if name.startswith(f"actas-{pid}-")]
        names[:] = [name for name in names if not name.startswith("actas-")]
    return found


def settings(port: int, version: int) -> dict[str, object]:
    """Give the settings; each *version* has another rule, so that rules are compiled anew."""
    finance = {"provider": "corp", "groups": ["finance"]}
    rules = [
        {"id": "finance", "who": finance, "may": ["work", "slow"], "as": "worker"},
        {"id": f"version-{version}", "who": {"provider": "corp", "groups": [f"none-{version}"]}, "may": ["work"]},
        {"id": "contractors", "who": {"provider": "corp", "groups": ["contractors"]}, "may_not": ["*"]},
    ]
    limits = {"rate": {"network": 0, "subject": 0, "issuer": 0}, "processes": 16, "processes_per_subject": 3}
    return {
        "gateway": {
            "listen": f"127.0.0.1:{port}",
            "control_listen": f"127.0.0.1:{port + 1}",
            "limits": limits,
            "grace": "5s",
        },
        "providers": {
            "corp": {
                "preset": "oidc",
                "issuer": ISSUER,
                "audience": "actas",
                "keys": {"file": "jwks.json"},
                "groups": {"claim": "groups", "absent": "empty"},
            }
        },
        "functions": {
            "work": {"python": "work.py:handler", "idle": "20s", "timeout": "20s", "schedule": {"waiting": 1000}},
            "slow": {"python": "work.py:handler", "idle": "20s", "timeout": "1s", "schedule": {"waiting": 1000}},
        },
        "roles": {"worker": {"arn": "arn:aws:iam::111122223333:role/worker"}},
        "rules": rules,
    }


def write_settings(folder: Path, port: int, version: int) -> None:
    draft = folder / "actas.yaml.new"
    draft.write_text(json.dumps(settings(port, version)))
    draft.replace(folder / "actas.yaml")


def tokens(folder: Path) -> dict[str, list[str]]:
    """Make the key set and tokens: of people who may, of one who may not, and bad ones."""
    key, other = (jose.Key.generate("RS256", kid="soak") for _ in range(2))
    (folder / "jwks.json").write_text(json.dumps({"keys": [{**key.to_json(), "alg": "RS256", "use": "sig"}]}))
    now = clock.now()

    def token(subject: str, group: str, by: jose.Key = key, lasts: timedelta = timedelta(hours=3)) -> str:
        times = {"iat": int((now - timedelta(hours=1)).timestamp()), "exp": int((now + lasts).timestamp())}
        who = {"iss": ISSUER, "sub": subject, "aud": "actas", "jti": f"{subject}-{lasts}", "groups": [group]}
        return jose.sign({**who, **times}, by, algorithm="RS256", header={"typ": "at+jwt"})

    people = [token(f"person-{number}", "finance") for number in range(PEOPLE)]
    expired = token("person-0", "finance", lasts=timedelta(minutes=-10))
    return {
        "good": people,
        "refused": [token("contractor", "contractors"), token("nobody", "none")],
        "bad": [token("person-0", "finance", by=other), expired, people[0][:-8] + "AAAAAAAA", "no.token.atall", "x"],
    }


class Load:
    """Calls of every kind, and what came of them."""

    def __init__(self, port: int, shown: dict[str, list[str]], ends: float) -> None:
        self.port, self.shown, self.ends = port, shown, ends
        self.seen: Counter[str] = Counter()
        self.unexpected: Counter[str] = Counter()
        self.dice = random.Random(SEED)
        self.kinds = (
            *(["hit"] * 40),
            *(["printing"] * 5),
            *(["refused"] * 12),
            *(["bad token"] * 12),
            *(["no token"] * 4),
            *(["not found"] * 4),
            *(["function error"] * 8),
            *(["big body"] * 3),
            *(["too big"] * 2),
            *(["half a body"] * 4),
            *(["hang-up"] * 4),
            "crash",
            "timeout",
        )

    async def caller(self, session: aiohttp.ClientSession) -> None:
        while time.monotonic() < self.ends:
            kind = self.dice.choice(self.kinds)
            try:
                with anyio.fail_after(40):
                    status, wanted = await self.one(session, kind)
            except (TimeoutError, aiohttp.ClientError, OSError) as wrong:
                status, wanted = type(wrong).__name__, (200,)
            self.seen[f"{kind}: {status}"] += 1
            if status not in wanted and status != 429:
                self.unexpected[f"{kind}: {status}"] += 1

    async def one(  # noqa: C901, PLR0912 - one case a kind
        self, session: aiohttp.ClientSession, kind: str
    ) -> tuple[object, tuple[object, ...]]:
        """Make one call; give how it was answered, and how it may be."""
        good = self.dice.choice(self.shown["good"])
        match kind:
            case "hit":
                return await self.post(session, good, {"do": "nothing"}), (200,)
            case "printing":
                return await self.post(session, good, {"do": "print"}), (200,)
            case "refused":
                return await self.post(session, self.dice.choice(self.shown["refused"]), {}), (403,)
            case "bad token":
                return await self.post(session, self.dice.choice(self.shown["bad"]), {}), (401,)
            case "no token":
                return await self.post(session, None, {}), (401,)
            case "not found":
                return await self.post(session, good, {}, path="/nowhere"), (404,)
            case "function error":
                return await self.post(session, good, {"do": "fail"}, error=True), (200,)
            case "crash":
                return await self.post(session, good, {"do": "crash"}, error=True), (200,)
            case "timeout":
                return await self.post(session, good, {"do": "sleep"}, path="/call/slow", error=True), (200, 504)
            case "big body":
                return await self.post(session, good, {"blob": "b" * self.dice.randrange(100_000, 4_000_000)}), (200,)
            case "too big":
                return await self.post(session, good, {"blob": "b" * 6_500_000}), (413, "reset")
            case "half a body":
                return await self.hang_up(good, b'{"do": ', 500), ("gone",)
            case _:
                return await self.hang_up(good, b'{"do": "print"}', 15), ("gone",)

    async def post(
        self,
        session: aiohttp.ClientSession,
        token: str | None,
        event: dict,
        *,
        path: str = "/call/work",
        error: bool = False,
    ) -> object:
        head = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        if len(event.get("blob", "")) > 6_000_000:
            head["Connection"] = "close"  # it ends with the refusal; nobody else may get it from the pool
        try:
            async with session.post(f"http://127.0.0.1:{self.port}{path}", json=event, headers=head) as answer:
                await answer.read()
        except aiohttp.ClientOSError:
            if "blob" in event:  # the answer came, and the connection went, before the body was sent whole
                return "reset"
            raise
        if error and answer.status == 200 and "X-Amz-Function-Error" not in answer.headers:
            return "200 without an error"
        return answer.status

    async def hang_up(self, token: str, body: bytes, length: int) -> str:
        stream = await anyio.connect_tcp("127.0.0.1", self.port)
        head = f"POST /call/work HTTP/1.1\r\nHost: soak.example\r\nAuthorization: Bearer {token}\r\n"
        async with stream:
            await stream.send(f"{head}Content-Length: {length}\r\n\r\n".encode() + body)
            await anyio.sleep(self.dice.random() / 20)
        return "gone"


async def run_load(folder: Path, port: int, pid: int, shown: dict[str, list[str]]) -> tuple[Load, list[Sample], int]:
    samples: list[Sample] = []
    reloads = 0
    begun = time.monotonic()
    all_ = Load(port, shown, begun + SECONDS)

    async def watch() -> None:
        told = begun
        while time.monotonic() < all_.ends:
            await anyio.sleep(SAMPLE_EVERY)
            samples.append(sample(pid))
            if time.monotonic() - told >= TELL_EVERY:
                told = time.monotonic()
                held = "  ".join(f"{name} {value:.0f}" for name, value in asdict(samples[-1]).items())
                print(f"{told - begun:4.0f} s  {sum(all_.seen.values()):>8,} calls  {held}", flush=True)

    async def change() -> None:
        nonlocal reloads
        while time.monotonic() < all_.ends:
            await anyio.sleep(RELOAD_EVERY)
            reloads += 1
            write_settings(folder, port, reloads)

    connector = aiohttp.TCPConnector(limit=CALLERS, keepalive_timeout=5)
    async with aiohttp.ClientSession(connector=connector) as session, anyio.create_task_group() as tasks:
        tasks.start_soon(watch)
        tasks.start_soon(change)
        for _ in range(CALLERS):
            tasks.start_soon(all_.caller, session)
    return all_, samples, reloads


def rise(values: list[float]) -> float:
    """Say how much the straight line through *values* rises from its first to its last."""
    slope, _ = statistics.linear_regression(range(len(values)), values)
    return slope * (len(values) - 1)


def growth(samples: list[Sample]) -> dict[str, dict[str, object]]:
    """Set what rose after the warm-up beside what may."""
    late = samples[int(len(samples) * WARM_UP) :]
    table: dict[str, dict[str, object]] = {}
    for one in fields(Sample):
        values = [float(getattr(each, one.name)) for each in late]
        bound, rose = float(getattr(BOUNDS, one.name)), round(rise(values), 2)
        table[one.name] = {
            "median": round(statistics.median(values), 1),
            "most": round(max(values), 1),
            "rose": rose,
            "may_rise": bound,
            "holds": rose <= bound + 0.5,
        }
    return table


def wait_ready(port: int, process: subprocess.Popen, log: Path) -> None:
    ends = time.monotonic() + 60
    while time.monotonic() < ends and process.poll() is None:
        with (
            contextlib.suppress(OSError),
            urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer,
        ):
            if answer.status == 200:
                return
        time.sleep(0.05)
    process.kill()
    raise SystemExit(f"the gateway did not start:\n{log.read_text()[-3000:]}")


def stop(process: subprocess.Popen, before: Sample | None) -> dict[str, object]:
    """End the gateway as an operator would, and look for what it left."""
    family = load.family(process.pid)
    starts = {pid: load.started(pid) for pid in family}
    begun = time.monotonic()
    process.send_signal(signal.SIGTERM)
    try:
        code: int | None = process.wait(60)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        code = None
    took = time.monotonic() - begun
    time.sleep(0.5)
    left = [pid for pid in family if pid != process.pid and load.started(pid) == starts[pid] is not None]
    found = {"exit_code": code, "seconds": round(took, 2), "processes": len(left), "groups": len(groups(process.pid))}
    if before is not None:
        found["mounts"] = len(Path("/proc/self/mounts").read_text().splitlines()) - before.mounts
    found["holds"] = code == 0 and not any(found[name] for name in ("processes", "groups", "mounts") if name in found)
    return found


def verify(folder: Path) -> dict[str, object]:
    command = [ACTAS, "audit", "verify", "--json", str(folder / ".actas" / "audit")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    told = json.loads(done.stdout) if done.stdout.startswith("{") else {"says": (done.stdout + done.stderr)[-500:]}
    kept = {name: told[name] for name in ("records", "checkpoints", "findings", "gaps", "says") if name in told}
    return {"holds": done.returncode == 0, **kept}


def kills() -> dict[str, object]:
    """Kill a gateway fifty times under load: no decided call may be lost."""
    test = HERE.parent / "tests" / "audit" / "test_killed.py"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", str(test)],
        env={**os.environ, "ACTAS_KILLS": str(KILLS)},
        cwd=HERE.parent,
        check=False,
    )
    return {"kills": KILLS, "holds": done.returncode == 0}


def soak(folder: Path) -> dict[str, object]:
    folder.chmod(0o755)
    (folder / "work.py").write_text(CODE)
    shown, port = tokens(folder), load.pair()
    write_settings(folder, port, 0)
    log = folder / "serve.log"
    mounts = len(Path("/proc/self/mounts").read_text().splitlines())
    with log.open("w") as out:
        process = subprocess.Popen([ACTAS, "serve", "actas.yaml"], cwd=folder, stdout=out, stderr=out)
    try:
        wait_ready(port, process, log)
        before = sample(process.pid)
        made, samples, reloads = anyio.run(run_load, folder, port, process.pid, shown)
    except BaseException:
        process.kill()
        process.wait()
        print(log.read_text()[-3000:])
        raise
    left = stop(process, Sample(**{**asdict(before), "mounts": mounts}))
    errors = [line for line in log.read_text().splitlines() if "unexpectedly" in line or "Traceback" in line]
    return {
        "seconds": SECONDS,
        "seed": SEED,
        "calls": sum(made.seen.values()),
        "reloads": reloads,
        "samples": len(samples),
        "growth": growth(samples),
        "answers": dict(sorted(made.seen.items())),
        "unexpected": dict(made.unexpected),
        "logged_as_unexpected": len(errors),
        "after_sigterm": left,
        "audit": verify(folder),
    }


def amiss(result: dict) -> list[str]:
    """Say what does not hold."""
    found = [f"{name} rose by {one['rose']}" for name, one in result["growth"].items() if not one["holds"]]
    found += [f"{count} x {kind}" for kind, count in result["unexpected"].items()]
    if result["logged_as_unexpected"]:
        found.append(f"{result['logged_as_unexpected']} errors that nobody foresaw are in the log")
    found += [f"{name} does not hold" for name in ("after_sigterm", "audit", "kills") if not result[name]["holds"]]
    return found


def main() -> int:
    """Soak, kill, tell, keep."""
    print(f"{SECONDS} seconds of mixed load", flush=True)
    with tempfile.TemporaryDirectory(prefix="soak-") as made:
        result = soak(Path(made))
    print(f"{KILLS} kills under load", flush=True)
    result["kills"] = kills() if KILLS else {"kills": 0, "holds": True}
    wrong = amiss(result)
    machine.keep("soak", {**machine.told("granian", "uvloop", "awslambdaric"), **result, "amiss": wrong})
    print(json.dumps(result, indent=2))
    print("\n".join(wrong) if wrong else "nothing grew, nothing went wrong, nothing was left")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
