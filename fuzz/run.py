"""Run every fuzz target for a while, one after the other, and keep what came of it.

    python fuzz/run.py [--seconds 60] [--seed 1] [--only PART-OF-A-NAME]

A target that crashes, hangs or runs out of memory leaves its input in fuzz/found/TARGET/ and makes the exit code 1;
`python fuzz/TARGET.py fuzz/found/TARGET/crash-…` plays it again. The seed makes a run the same again as far as
libFuzzer's clock allows. The numbers are in bench/results/fuzz.json.
"""

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

from actas.model import clock

HERE = Path(__file__).parent
FOUND = HERE / "found"
RESULTS = HERE.parent / "bench" / "results" / "fuzz.json"
GRACE = 120
"""Seconds that a target may take beyond its time, for its imports and its last input."""
_SHOWN = re.compile(r"#(\d+)\s+\S+\s+cov: (\d+).*?corp: (\d+)")
_DONE = re.compile(r"Done (\d+) runs? in")


@dataclass(slots=True)
class Target:
    """What came of one target."""

    name: str
    runs: int = 0
    seconds: float = 0.0
    coverage: int = 0
    corpus: int = 0
    exit_code: int | None = None
    found: tuple[str, ...] = ()

    @property
    def is_clean(self) -> bool:
        return self.exit_code == 0 and not self.found


def run(path: Path, seconds: int, seed: int) -> Target:
    """Fuzz one target, showing how it goes."""
    target = Target(name=path.stem.removeprefix("fuzz_"))
    folder = FOUND / path.stem
    folder.mkdir(parents=True, exist_ok=True)
    before = set(folder.iterdir())
    limits = [
        f"-max_total_time={seconds}",
        f"-seed={seed}",
        "-timeout=30",
        "-report_slow_units=30",
        "-rss_limit_mb=2048",
    ]
    command = [sys.executable, str(path), *limits, f"-artifact_prefix={folder}/"]
    begun = told = time.monotonic()
    last: list[str] = []
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as job:
        assert job.stdout is not None
        for line in job.stdout:
            last = [*last[-40:], line]
            _read(line, target)
            if (now := time.monotonic()) - told > 10:
                told = now
                print(f"  {now - begun:4.0f} s  {target.runs:>10,} runs  coverage {target.coverage}", flush=True)
            if now - begun > seconds + GRACE:
                job.kill()
        target.exit_code = job.wait()
    target.seconds = round(time.monotonic() - begun, 1)
    target.found = tuple(sorted(one.name for one in set(folder.iterdir()) - before))
    if not target.found and not before:
        folder.rmdir()
    if not target.is_clean:
        print("".join(last))
    return target


def _read(line: str, target: Target) -> None:
    if shown := _SHOWN.match(line):
        target.runs, target.coverage, target.corpus = (int(one) for one in shown.groups())
    if done := _DONE.search(line):
        target.runs = int(done[1])


def main() -> int:
    """Run, tell and keep."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--seconds", type=int, default=60, help="for each target")
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--only", default="", help="the targets that have this in their name")
    chosen = asked.parse_args()
    paths = [path for path in sorted(HERE.glob("fuzz_*.py")) if chosen.only in path.stem]
    if not paths:
        raise SystemExit(f"no target has {chosen.only} in its name")
    targets = []
    for number, path in enumerate(paths, 1):
        print(f"{number}/{len(paths)}  {path.stem}, {chosen.seconds} s", flush=True)
        targets.append(run(path, chosen.seconds, chosen.seed))
    print(f"\n{'target':<22}{'runs':>12}{'runs/s':>10}{'coverage':>10}  found")
    for one in targets:
        rate = one.runs / one.seconds if one.seconds else 0
        found = ", ".join(one.found) or ("nothing" if one.is_clean else f"exit code {one.exit_code}")
        print(f"{one.name:<22}{one.runs:>12,}{rate:>10,.0f}{one.coverage:>10}  {found}")
    if not chosen.only:
        _keep(targets, chosen.seconds, chosen.seed)
    return 0 if all(one.is_clean for one in targets) else 1


def _keep(targets: list[Target], seconds: int, seed: int) -> None:
    result = {
        "date": clock.now().date().isoformat(),
        "machine": {"cpus": os.cpu_count(), "arch": platform.machine(), "python": platform.python_version()},
        "versions": {"atheris": version("atheris")},
        "seconds_each": seconds,
        "seed": seed,
        "runs": sum(one.runs for one in targets),
        "crashes": sum(len(one.found) for one in targets),
        "targets": {one.name: {**asdict(one), "clean": one.is_clean} for one in targets},
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    sys.exit(main())
