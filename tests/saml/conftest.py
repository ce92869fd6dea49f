"""What the tests of the SAML library share: an identity provider, a verifier that expects what it says, the corpora."""

import importlib.util
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from actas import saml

HERE = Path(__file__).parent
CORPORA = HERE.parents[2] / "shared" / "corpora"


def _load(name):
    spec = importlib.util.spec_from_file_location(f"saml_{name}", HERE / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


idp_module = sys.modules.get("saml_idp") or _load("idp")
RSA = rsa.generate_private_key(65537, 2048)
OTHER = rsa.generate_private_key(65537, 2048)
SP = rsa.generate_private_key(65537, 2048)
EC = {256: ec.SECP256R1(), 384: ec.SECP384R1(), 521: ec.SECP521R1()}


@pytest.fixture(scope="session")
def made():
    """The module that makes documents."""
    return idp_module


@pytest.fixture(scope="session")
def idp():
    return idp_module.Idp(RSA, idp_module.certificate(RSA))


@pytest.fixture(scope="session")
def attacker():
    return idp_module.Idp(OTHER, idp_module.certificate(OTHER))


@pytest.fixture(scope="session")
def curves():
    keys = {bits: ec.generate_private_key(curve) for bits, curve in EC.items()}
    return {bits: idp_module.Idp(key, idp_module.certificate(key)) for bits, key in keys.items()}


@pytest.fixture(scope="session")
def sp_key():
    return SP


@pytest.fixture(scope="session")
def trust(idp):
    return saml.Trust(idp_module.ISSUER, (idp.cert,))


@pytest.fixture(scope="session")
def verify(trust):
    """Verify what the provider made, expecting what it says unless told otherwise."""

    def run(response, **changes):
        asked = {
            "audience": idp_module.AUDIENCE,
            "recipient": idp_module.ACS,
            "now": idp_module.NOW,
            "in_response_to": "_q1",
            "trust": trust,
        } | changes
        return saml.verify(response, asked.pop("trust"), **asked)

    return run


@pytest.fixture(scope="session")
def corpus():
    """Find a corpus, or skip saying so."""

    def find(name):
        folder = CORPORA / name
        if not folder.is_dir():
            pytest.skip(f"the corpus {name} is not on this machine")
        return folder

    return find
