"""From `actas serve` to ready, what imports cost, and memory after 100,000 different tokens.

    python bench/bench_start.py [RUNS]

*Start* is the time from starting the process to the first 200 from /readyz, polled every 5 ms: once with the state of
an earlier run, which is every start but the first, and once with none. *Imports* are processor time in a process of
their own, less a bare interpreter's. *Memory* is the resident set of a gateway (backend that does nothing, trail and
all) after 10,000, 50,000 and 100,000 tokens that it never saw before.
"""

import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE / "gateway")]

import load  # noqa: E402
import machine  # noqa: E402
import material  # noqa: E402

TOKENS = 100_000
STAGES = (10_000, 50_000, 100_000)
MODULES = ("actas.jose", "actas.iam", "actas.lambda_", "actas.cli", "actas.wiring.run")
GOAL_READY_S, GOAL_RISE = 1.0, 1.1
PYTHON_SELF = "import resource, sys; u = resource.getrusage(resource.RUSAGE_SELF); print(u.ru_utime + u.ru_stime)"


def ready_after(folder: Path, port: int) -> float:
    """Start the gateway and say how many seconds it took to be ready."""
    actas = Path(sys.executable).with_name("actas")
    log = (folder / "serve.log").open("w")
    begun = time.perf_counter()
    with log, subprocess.Popen([actas, "serve", "actas.yaml"], cwd=folder, stdout=log, stderr=log) as process:
        try:
            while process.poll() is None:
                with (
                    suppress(OSError),
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=10) as answer,
                ):
                    if answer.status == 200:
                        return time.perf_counter() - begun
                time.sleep(0.005)
            raise SystemExit(f"actas serve did not start:\n{(folder / 'serve.log').read_text()[-2000:]}")
        finally:
            process.terminate()
            process.wait(30)


def starts(folder: Path, runs: int) -> dict[str, dict[str, float]]:
    port = load.pair()
    material.settings(folder / "start", port)
    taken: dict[str, list[float]] = {"with state": [], "without state": []}
    ready_after(folder / "start", port)
    for number in range(runs):
        taken["with state"].append(ready_after(folder / "start", port))
        shutil.rmtree(folder / "start" / ".actas")
        taken["without state"].append(ready_after(folder / "start", port))
        print(f"start {number + 1}/{runs}: {taken['with state'][-1]:.2f} s", flush=True)
    return {
        name: {"median_s": machine.median(times, 3), "least_s": round(min(times), 3)} for name, times in taken.items()
    }


def imports(runs: int) -> dict[str, float]:
    """Say what each module costs to import, in milliseconds of processor time."""
    taken: dict[str, list[float]] = {name: [] for name in ("", *MODULES)}
    for _ in range(runs):
        for name, times in taken.items():
            code = f"import {name}; {PYTHON_SELF}" if name else PYTHON_SELF
            done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
            times.append(float(done.stdout) * 1000)
    bare = machine.median(taken[""])
    return {"a bare interpreter": bare} | {name: round(machine.median(taken[name]) - bare, 1) for name in MODULES}


def rss_mb(pid: int) -> float:
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return round(int(status["VmRSS"].split()[0]) / 1024, 1)


def memory(folder: Path) -> dict[str, float]:
    """Load a gateway with token after token and say what it holds."""
    load.wrk()
    print(f"signing {TOKENS:,} tokens", flush=True)
    material.make(folder, tokens=TOKENS, algorithm="ES256")
    port = load.pair()
    material.settings(folder / "memory", port)
    server = load.Server(
        load.python(HERE / "gateway" / "server.py", "full", folder / "memory", port), port, folder / "log"
    )
    try:
        server.wait()
        load.call(port, folder)
        held, seen = {"at the start": rss_mb(server.process.pid)}, 0
        told = 0
        for stage in STAGES:
            while seen < stage:
                options = {"DISTINCT": str(TOKENS), "FIRST": str(seen % TOKENS)}
                seen += load.drive(server, folder / "wrk.lua", 3, **options).requests
                if seen - told >= STAGES[0]:
                    told = seen
                    print(f"{min(seen, TOKENS):>8,} tokens  {rss_mb(server.process.pid):.1f} MB", flush=True)
            held[f"{stage:,} tokens"] = rss_mb(server.process.pid)
    finally:
        server.end()
    return held


def main(runs: int = 9) -> None:
    """Measure, print and keep."""
    with tempfile.TemporaryDirectory(prefix="bench-start-") as made:
        folder = Path(made)
        folder.chmod(0o755)
        held = memory(folder)
        ready = starts(folder, runs)
    cost = imports(runs)
    rise = round(held["100,000 tokens"] / held["50,000 tokens"], 3)
    first = ready["with state"]["median_s"]
    goals = {
        "start to ready, s": {"value": first, "goal": GOAL_READY_S, "met": first <= GOAL_READY_S},
        "memory after 100,000 tokens / after 50,000": {"value": rise, "goal": GOAL_RISE, "met": rise <= GOAL_RISE},
    }
    for name, one in ready.items():
        print(f"ready {name}: median {one['median_s']} s, least {one['least_s']} s")
    for name, value in cost.items():
        print(f"{name:<22}{value:>8.1f} ms")
    for name, value in held.items():
        print(f"{name:<22}{value:>8.1f} MB")
    kept = {**machine.told(), "runs": runs, "ready": ready, "imports_cpu_ms": cost, "rss_mb": held, "goals": goals}
    machine.keep("start", kept)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
