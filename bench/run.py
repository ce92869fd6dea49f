"""Run every benchmark, one after the other, and write the tables of bench/README.md anew.

    python bench/run.py [--only NAME ...] [--tables]

``--only gateway decide`` runs bench_gateway.py and bench_decide.py; ``--tables`` runs nothing and writes the tables
from the results that are there. A benchmark that fails is told at the end and makes the exit code 1; its last result
stays.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import tables  # noqa: E402

README = HERE / "README.md"
BEGIN, END = "<!-- tables: begin -->", "<!-- tables: end -->"


def results() -> dict[str, dict]:
    return {path.stem: json.loads(path.read_text()) for path in sorted((HERE / "results").glob("*.json"))}


def write_tables() -> None:
    """Put the tables between the marks; what stands around them is written by hand."""
    before, found, rest = README.read_text().partition(BEGIN)
    _, ended, after = rest.partition(END)
    if not found or not ended:
        raise SystemExit(f"{README.name} has no marks {BEGIN} and {END}")
    README.write_text(f"{before}{BEGIN}\n\n{tables.text(results())}\n\n{END}{after}")


def main() -> int:
    """Run, write, tell."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--only", nargs="+", default=[], metavar="NAME")
    asked.add_argument("--tables", action="store_true", help="run nothing")
    chosen = asked.parse_args()
    paths = {path.stem.removeprefix("bench_"): path for path in sorted(HERE.glob("bench_*.py"))}
    if unknown := set(chosen.only) - set(paths):
        raise SystemExit(f"there is no benchmark {', '.join(sorted(unknown))}; there are {', '.join(paths)}")
    wanted = [] if chosen.tables else [name for name in paths if not chosen.only or name in chosen.only]
    failed = []
    for number, name in enumerate(wanted, 1):
        print(f"\n{number}/{len(wanted)}  {name}", flush=True)
        begun = time.monotonic()
        if subprocess.run([sys.executable, str(paths[name])], check=False).returncode:
            failed.append(name)
        print(f"{name}: {time.monotonic() - begun:.0f} s", flush=True)
    write_tables()
    missed = [goal for goal in tables.goals(results()) if not goal.met]
    print("\n".join(f"missed: {goal.what}: {goal.value}, goal {goal.goal}" for goal in missed))
    if failed:
        print(f"failed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
