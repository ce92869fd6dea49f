"""What the tests of sources share: recorded payloads, the public collections, and how many of each there were."""

import gzip
import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

HERE = Path(__file__).parent
CORPORA = HERE.parents[3] / "shared" / "corpora"
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
COUNTS = Counter()


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
def now():
    return NOW


@pytest.fixture(scope="session")
def count():
    """Count what was read of each collection; the last lines of the run say so."""

    def add(collection, kind):
        COUNTS[f"{collection}: {kind}"] += 1

    return add


def pytest_terminal_summary(terminalreporter):
    if COUNTS:
        terminalreporter.section("events read")
        for name, number in sorted(COUNTS.items()):
            terminalreporter.line(f"{name}: {number}")


@pytest.fixture(scope="session")
def recorded_keycloak():
    return {one["did"]: one for one in json.loads((HERE / "recorded" / "keycloak.json").read_text())}


@pytest.fixture(scope="session")
def panther():
    """Give the logs of a provider in the collection of audit events."""
    file = CORPORA / "idp-audit-events-panther" / "events.jsonl.gz"
    if not file.exists():
        pytest.skip("the collection idp-audit-events-panther is not beside this repository")
    with gzip.open(file) as lines:
        rows = [json.loads(line) for line in lines]
    return lambda kind: [row["log"] for row in rows if row.get("log_type") == kind]


@pytest.fixture(scope="session")
def ssf_examples():
    file = CORPORA / "ssf-caep-examples" / "examples.json"
    if not file.exists():
        pytest.skip("the collection ssf-caep-examples is not beside this repository")
    return json.loads(file.read_text())
