"""SAML providers that are real, each started by the tests."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from visitor import Visitor


@pytest.fixture
def visitor():
    with Visitor() as one:
        yield one


@pytest.fixture(scope="session")
def simplesamlphp(tmp_path_factory):
    from simplesamlphp import SimpleSamlPhp

    with SimpleSamlPhp(tmp_path_factory.mktemp("simplesamlphp")) as running:
        yield running


@pytest.fixture(scope="session")
def samlp(tmp_path_factory):
    from samlp import Samlp

    with Samlp(tmp_path_factory.mktemp("samlp")) as running:
        yield running


@pytest.fixture(scope="session")
def pysaml2(tmp_path_factory):
    from pysaml2_idp import Pysaml2

    with Pysaml2(tmp_path_factory.mktemp("pysaml2")) as running:
        yield running


@pytest.fixture(scope="session")
def lemonldap(tmp_path_factory):
    from lemonldap import LemonLdap

    with LemonLdap(tmp_path_factory.mktemp("lemonldap")) as running:
        yield running


@pytest.fixture(scope="session")
def crewjam(tmp_path_factory):
    from crewjam_idp import Crewjam

    with Crewjam(tmp_path_factory.mktemp("crewjam")) as running:
        yield running
