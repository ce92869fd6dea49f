"""Real systems, started by the tests on loopback and free ports, ended by id; absent ones say why they are."""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from parts import PARTS


def pytest_collection_modifyitems(items):
    for item in items:
        item.add_marker(pytest.mark.real)


@pytest.fixture(scope="session")
def keycloak():
    from keycloak.server import Keycloak

    if (why := PARTS["keycloak"]()) is not None:
        pytest.skip(why)
    with Keycloak() as running:
        yield running


@pytest.fixture(autouse=True)
def _loopback_is_not_proxied(monkeypatch):
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
