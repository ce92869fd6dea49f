"""Run every command of the README's first screen as written; the first one that is missing or fails ends this."""

import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).parents[1]
READY = "http://127.0.0.1:8700/readyz"
EXPECTED = {"denied": 1}
DONE_BEFORE = {"make test"}


def commands() -> list[tuple[str, str]]:
    """Give the indented lines of the first screen that are commands, each with its comment."""
    screen = (ROOT / "README.md").read_text().split("\n## ")[0]
    found = re.findall(r"^    ((?:make|\.venv/bin/actas)\b[^#\n]*?)\s*#\s*(.*)$", screen, re.MULTILINE)
    assert len(found) >= 4, "the README's first screen has lost its commands"
    return found


def ready(process: subprocess.Popen[bytes]) -> None:
    ends = time.monotonic() + 180
    while time.monotonic() < ends:
        assert process.poll() is None, "make up ended by itself"
        try:
            with urllib.request.urlopen(READY, timeout=2) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise AssertionError("make up is not ready after three minutes")


def main() -> int:
    listed = commands()
    assert listed[0][0] == "make up", "make up comes first"
    up = subprocess.Popen(["make", "up"], cwd=ROOT, stdin=subprocess.DEVNULL, start_new_session=True)
    passed = failed = 0
    try:
        ready(up)
        passed += 1
        for command, comment in listed[1:]:
            if command in DONE_BEFORE:
                print(f"-- {command}: run before")
                continue
            wanted = EXPECTED.get(comment.split(",")[0], 0)
            done = subprocess.run(command, cwd=ROOT, shell=True, check=False, timeout=120)
            print(f"-- {command}: exit {done.returncode}, wanted {wanted}")
            passed, failed = passed + (done.returncode == wanted), failed + (done.returncode != wanted)
    finally:
        os.killpg(up.pid, signal.SIGINT)
        up.wait(60)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
