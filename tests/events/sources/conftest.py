"""What the tests of sources share: recorded payloads, the public collections, and how many of each there were."""

import gzip
import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import anyio
import pytest

from actas import jose
from actas.events.interface import Making, Pushed
from actas.events.sources import make
from actas.identify.fetch import Fetcher
from actas.model.secret import Secret
from actas.settings.schema import KeySource, Provider
from actas.settings.schema_events import EventSource

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


SECRET = "correct-horse-battery-staple"
ISSUER = "https://sso.example/realms/corp"


@pytest.fixture(scope="session")
def key():
    return jose.Key.generate("ES256", kid="one")


@pytest.fixture(scope="session")
def provider(key):
    inline = {"keys": [key.to_json()]}
    return Provider(
        preset="keycloak", issuer=ISSUER, audience="actas", tenant="t", private=True, keys=KeySource(inline=inline)
    )


@pytest.fixture
def built(tmp_path, provider):
    """Make a source of the settings given, for the provider given, that fetches by what is given."""

    def build(kind, *, clock=lambda: NOW, fetch=None, of=provider, **more):
        making = Making(
            name="told",
            folder=tmp_path,
            secret=lambda reference: Secret(SECRET if reference.env == "S" else (reference.env or "")),
            clock=clock,
            fetch=fetch or Fetcher(base=tmp_path),
            public_url="https://functions.example",
        )
        return make(EventSource(kind=kind, provider="corp", **more), of, making)

    return build


def push(body, *, method="POST", query="", at=NOW, **headers):
    """Write a request to the source's address."""
    named = tuple((name.replace("_", "-").lower(), value) for name, value in headers.items())
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Pushed(method=method, query=query, headers=named, body=body, received_at=at)


@pytest.fixture(scope="session")
def pushed():
    return push


@pytest.fixture
def receive():
    """Give a request to a source at the moment it came, and give what the source says."""

    def run(source, request):
        return anyio.run(lambda: source.receive(request, now=request.received_at))

    return run
