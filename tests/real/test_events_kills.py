"""A gateway that is killed while events come loses none of those it acknowledged."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.real, pytest.mark.timeout(600)]
LOOP = Path(__file__).parents[2] / "bench" / "events_kills.py"


def test_every_acknowledged_event_runs_its_function_however_often_the_gateway_is_killed():
    ran = subprocess.run(
        [sys.executable, LOOP, "--kills", "5", "--seed", "11", "--quiet"], capture_output=True, check=False, timeout=500
    )

    assert ran.returncode == 0, ran.stdout.decode() + ran.stderr.decode()
    found = json.loads(ran.stdout)
    assert found["acknowledged"] > 0
    assert found["lost"] == found["acknowledged_and_not_run"] == found["deliveries_left"] == found["dead_letters"] == 0
