"""Real systems, started by the tests on loopback and free ports, ended by id; absent ones say why they are.

A test says which parts it needs: ``@pytest.mark.part("node")``, or by asking for a fixture that is one. Where a part is
absent, its tests skip with one sentence. A test that skips although all its parts are here fails the run. The last
lines say of each part how many tests ran.
"""

import os
import subprocess
import sys
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from parts import CLIENT_FOR_NODE, PARTS, ROOT  # noqa: E402 - found by the line above

FIXTURES = {
    "simplesamlphp": "simplesamlphp",
    "samlp": "node",
    "crewjam": "crewjam",
    "pysaml2": "pysaml2",
    "lemonldap": "lemonldap",
    "keycloak": "keycloak",
    "keycloak_with_webhooks": "keycloak-webhooks",
    "durable_keycloak": "keycloak-on-postgresql",
    "killable_postgresql": "postgresql",
    "moto": "moto",
    "oidc_provider": "node",
}
NEEDED: dict[str, tuple[str, ...]] = {}
TOLD = {"ran": Counter(), "failed": Counter(), "skipped": Counter()}
WRONGLY: list[str] = []


@cache
def absent(part):
    return PARTS[part]()


def pytest_configure(config):
    config.addinivalue_line("markers", "part(name): needs this real part; skips with one sentence where it is absent")
    config.pluginmanager.register(Count(), "real-parts")


def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.name == "test_node.py":
            item.add_marker(pytest.mark.part("node-functions"))
        elif not item.path.is_relative_to(HERE):
            continue
        item.add_marker(pytest.mark.real)
        marked = [mark.args[0] for mark in item.iter_markers("part")]
        asked = [part for fixture, part in FIXTURES.items() if fixture in item.fixturenames]
        NEEDED[item.nodeid] = tuple(dict.fromkeys((*marked, *asked))) or ("actas alone",)


def pytest_runtest_setup(item):
    for part in NEEDED.get(item.nodeid, ()):
        if part in PARTS and (why := absent(part)) is not None:
            pytest.skip(why)


class Count:
    """Hears of every test: hooks of a conftest.py hear of those below its folder only."""

    def pytest_runtest_logreport(self, report):
        needed = NEEDED.get(report.nodeid, ())
        if report.skipped:
            TOLD["skipped"].update(needed)
            if needed and not any(part in PARTS and absent(part) for part in needed):
                WRONGLY.append(report.nodeid)
        elif report.failed:
            TOLD["failed"].update(needed)
        elif report.when == "call":
            TOLD["ran"].update(needed)


def pytest_sessionfinish(session, exitstatus):
    if WRONGLY and exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter):
    parts = [part for part in (*PARTS, "actas alone") if any(told[part] for told in TOLD.values())]
    if not parts:
        return
    terminalreporter.section("real parts")
    for part in parts:
        why = absent(part) if part in PARTS else None
        counts = f"ran {TOLD['ran'][part]}" + (f", {TOLD['failed'][part]} failed" if TOLD["failed"][part] else "")
        terminalreporter.line(f"{part}: {f'not here: {why}' if why else counts}")
    for name in WRONGLY:
        terminalreporter.line(f"SKIPPED ALTHOUGH ITS PARTS ARE HERE: {name}", red=True)


@pytest.fixture(scope="session")
def keycloak():
    from keycloak.server import Keycloak

    if (why := absent("keycloak")) is not None:
        pytest.skip(why)
    with Keycloak() as running:
        yield running


@pytest.fixture(scope="session")
def keycloak_with_webhooks():
    from keycloak.webhooks import WebhookKeycloak

    if (why := absent("keycloak-webhooks")) is not None:
        pytest.skip(why)
    with WebhookKeycloak() as running:
        yield running


@pytest.fixture(scope="module")
def durable_keycloak():
    from keycloak.durable import DurableKeycloak

    if (why := absent("keycloak-on-postgresql")) is not None:
        pytest.skip(why)
    with DurableKeycloak() as running:
        yield running


@pytest.fixture
def killable_postgresql():
    from postgresql import PostgreSQL

    if (why := absent("postgresql")) is not None:
        pytest.skip(why)
    with PostgreSQL() as running:
        yield running


@pytest.fixture(scope="session")
def oidc_provider():
    from oidc_provider.server import OidcProvider

    if (why := absent("node")) is not None:
        pytest.skip(why)
    with OidcProvider() as running:
        yield running


@pytest.fixture(scope="session")
def client_for_node():
    """Give the folder with the real runtime client for Node, built where it is not yet."""
    if named := os.environ.get("ACTAS_NODE_RIC"):
        return Path(named)
    subprocess.run([ROOT / "tools/node-ric.sh"], check=True, timeout=280, stdin=subprocess.DEVNULL)
    return CLIENT_FOR_NODE


@pytest.fixture(autouse=True)
def _loopback_is_not_proxied(monkeypatch):
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
