"""Nothing that was acknowledged is lost, whenever the process is killed; a job that kills is set apart alone."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

LOOP = Path(__file__).parents[2] / "bench" / "outbox_kills.py"


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_a_process_that_is_killed_loses_nothing_it_acknowledged(request, tmp_path, database):
    url = [] if database == "sqlite" else ["--url", request.getfixturevalue("fresh_postgresql")]

    ran = subprocess.run(
        [sys.executable, LOOP, "--state", tmp_path, "--kills", "3", "--seed", "7", *url],
        capture_output=True, check=False, timeout=100,
    )  # fmt: skip

    assert ran.returncode == 0, ran.stderr.decode() + ran.stdout.decode()
    found = json.loads(ran.stdout)
    assert found["acknowledged"] > 0
    assert found["lost"] == found["out_of_order"] == 0
    assert found["poison"] == len(found["dead"])
    assert set(found["dead"]) <= {"the process that worked on it died 5 times"}
