"""Kill -9 under load loses no decided call.

``ACTAS_KILLS`` says how often (5 where it is not set; ``make soak`` says 50); with it set, what came of it is
written to ``bench/results/audit_kills.json``.
"""

import json
import os
import platform
import random
import subprocess
import sys
import threading
from pathlib import Path

import anyio
import pytest

from actas.audit import Audit, read, segments
from actas.audit.records import Started
from actas.model.record import Decided, Ended
from actas.settings.schema import Audit as Settings

PROGRAM = Path(__file__).with_name("killed_gateway.py")
RESULTS = Path(__file__).parents[2] / "bench" / "results" / "audit_kills.json"
KILLS = int(os.environ.get("ACTAS_KILLS", "5"))


def run_and_kill(state, first, after):
    """Let a gateway acknowledge *after* calls, then kill it; give the calls it acknowledged."""
    gateway = subprocess.Popen([sys.executable, PROGRAM, state, str(first)], stdout=subprocess.PIPE)
    guard = threading.Timer(60, gateway.kill)
    guard.start()
    try:
        acknowledged = [gateway.stdout.readline() for _ in range(after)]
        gateway.kill()
        acknowledged += gateway.stdout.read().splitlines(keepends=True)
    finally:
        guard.cancel()
        gateway.kill()
        gateway.wait()
        gateway.stdout.close()
    return [line.decode().strip() for line in acknowledged if line.endswith(b"\n")]


@pytest.mark.timeout(60 + 10 * KILLS)
def test_kill_9_under_load_loses_no_decided_call(tmp_path):
    dice = random.Random(29)
    state, acknowledged = tmp_path / "state", []
    folder = state / "audit"

    for number in range(KILLS):
        found = run_and_kill(state, number * 10_000_000, dice.randint(1, 3000))
        assert found, "the gateway ended before it acknowledged a call"
        acknowledged += found

    anyio.run(reopened, state)
    entries = [one.entry for one in read.since(folder)]
    decided = {entry.call for entry in entries if isinstance(entry, Decided)}
    ended = [entry for entry in entries if isinstance(entry, Ended)]
    cuts = sum(1 for entry in entries if isinstance(entry, Started) and entry.cut_bytes)
    lost = set(acknowledged) - decided
    report = read.verify_folder(folder)
    if "ACTAS_KILLS" in os.environ:
        write_down(acknowledged, decided, ended, cuts, lost, report)
    assert lost == set()
    assert report.findings == ()
    assert sorted(entry.call for entry in ended) == sorted(decided)
    assert any(entry.outcome == "unknown" for entry in ended)
    assert len(segments.listed(folder)) > 1


async def reopened(state):
    audit = Audit(Settings(), state)
    await audit.open()
    await audit.close()


def write_down(acknowledged, decided, ended, cuts, lost, report):
    result = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "kills": KILLS,
        "acknowledged": len(acknowledged),
        "decided": len(decided),
        "lost": len(lost),
        "closed_as_unknown": sum(entry.outcome == "unknown" for entry in ended),
        "torn_lines_cut": cuts,
        "records": report.records,
        "holds": report.holds,
    }
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(result, indent=1) + "\n")
