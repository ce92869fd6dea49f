"""What the tests of the trail share: a clock that stands still, records of calls, a sink in a fresh folder."""

import contextlib
import os
import subprocess
from datetime import UTC, datetime

import pytest

from actas.audit.checkpoints import Keys
from actas.audit.sinks.jsonl import Jsonl
from actas.model.record import Decided, Ended

NOW = datetime(2026, 3, 14, 9, 26, 53, 589793, tzinfo=UTC)


@pytest.fixture
def now():
    return NOW


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture(scope="session")
def decided():
    def make(number, **more):
        said = {
            "call": f"{number:026d}",
            "at": NOW,
            "received_at": NOW,
            "identified_us": 12,
            "decided_us": 20,
            "door": "http",
            "provider": "corp",
            "subject": "p" + "a" * 26,
            "actors": (),
            "kind": "human",
            "evidence": "bearer",
            "evidence_id": "f" * 43,
            "function": "report",
            "qualifier": "$LATEST",
            "route": None,
            "verdict": "allow",
            "role": "finance-reader",
            "rules": ("finance-reads-reports",),
            "reasons": ("group-member",),
            "generation": "0123456789abcdef",
        }
        return Decided(**(said | more))

    return make


@pytest.fixture(scope="session")
def ended():
    def make(number, **more):
        return Ended(**({"call": f"{number:026d}", "at": NOW, "outcome": "answered", "took_us": 300} | more))

    return make


@pytest.fixture
def keys(tmp_path):
    ring = Keys(tmp_path / "keys" / "audit.json")
    ring.rotate(NOW)
    return ring


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "audit"


@pytest.fixture
def sink(folder, keys):
    made = []

    def make(*, segment=1024 * 1024, reserve=0, where=folder, **more):
        one = Jsonl(where, segment=segment, reserve=reserve, signer=keys, **more)
        made.append(one)
        return one

    yield make
    for one in made:
        one.close()


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 128 KiB; only root can make one."""
    place = tmp_path / "disk"
    place.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=128k,mode=700", "tmpfs", place], check=False, capture_output=True
    )
    if made.returncode:
        pytest.skip("mounting a small disk needs root")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


@pytest.fixture
def fill():
    """Fill a disk to its last byte; give the file that does."""

    def made(disk):
        ballast = disk / "ballast"
        handle = os.open(ballast, os.O_WRONLY | os.O_CREAT)
        with contextlib.suppress(OSError):
            while os.write(handle, b"x" * 512):
                pass
        os.close(handle)
        return ballast

    return made
