"""Every broker of the settings is made, and of what the settings say."""

from types import SimpleNamespace

import pytest
import yaml

from actas import jose
from actas.assume.brokers.aws_assume_role import AwsAssumeRoleBroker
from actas.assume.brokers.aws_saml import AwsSamlBroker
from actas.assume.brokers.aws_web_identity import AwsWebIdentityBroker
from actas.assume.brokers.azure_workload import AzureWorkloadBroker
from actas.assume.brokers.google_wif import GoogleWifBroker
from actas.assume.brokers.local import LocalBroker
from actas.assume.exchange import Exchange
from actas.assume.passed_on import PassedOn
from actas.model import clock
from actas.secrets.signing import Signing
from actas.settings.errors import BrokenSettings
from actas.testing.saml_idp import SamlIdp
from actas.wiring.brokers import brokers
from actas.wiring.load import load
from actas.wiring.parts import Parts

ARN = "arn:aws:iam::111122223333:role/"
POOL = "//iam.googleapis.com/projects/1234/locations/global/workloadIdentityPools/actas/providers/actas"
ACCOUNT = "reader@example-project.iam.gserviceaccount.com"
PING = {
    "preset": "saml", "metadata": "ping.xml", "audience": "urn:amazon:webservices",
    "passed_on": "https://signin.aws.amazon.com/saml",
}  # fmt: skip
ROLES = {
    "local": {},
    "web": {"broker": "aws-web-identity", "tags": {"unit": "board"}},
    "loose": {"broker": "aws-web-identity", "caller_token": True},
    "saml": {"broker": "aws-saml", "saml_provider": "arn:aws:iam::111122223333:saml-provider/ping"},
    "keys": {
        "broker": "aws-assume-role",
        "external_id": {"file": "outside"},
        "base": {"access_key_id": {"env": "BASE_ID"}, "secret_access_key": {"file": "key"}},
    },
    "own": {"broker": "aws-assume-role", "base": {"role": f"{ARN}base"}, "external_id": "partner-1"},
    "chain": {"broker": "aws-assume-role", "base": {"chain": True}},
    "profile": {"broker": "aws-assume-role", "base": {"profile": "ops"}},
    "azure": {"broker": "azure-workload", "azure": {"tenant": "t", "client": "c", "scope": "s"}},
    "google": {"broker": "google-wif", "google": {"audience": POOL, "service_account": ACCOUNT}},
}
KINDS = {
    "local": LocalBroker, "web": AwsWebIdentityBroker, "loose": AwsWebIdentityBroker, "saml": AwsSamlBroker,
    "keys": AwsAssumeRoleBroker, "own": AwsAssumeRoleBroker, "chain": AwsAssumeRoleBroker,
    "profile": AwsAssumeRoleBroker, "azure": AzureWorkloadBroker, "google": GoogleWifBroker,
}  # fmt: skip


@pytest.fixture
def loaded(tmp_path, monkeypatch):
    monkeypatch.setenv("BASE_ID", "AKIABASE")
    for name in ("key", "outside"):
        (tmp_path / name).write_text("hunter2\n")
        (tmp_path / name).chmod(0o600)
    (tmp_path / "ping.xml").write_bytes(SamlIdp(entity_id="https://ping.example/").metadata())
    settings = {
        "gateway": {"control_url": "https://actas.example", "public_url": "https://functions.example"},
        "providers": {"corp": {"preset": "oidc", "issuer": "https://sso.example", "audience": "actas"}, "ping": PING},
        "functions": {"report": {"http": "https://report.example"}},
        "roles": {name: {"arn": f"{ARN}{name}", **role} for name, role in ROLES.items()},
        "rules": [{"id": "all", "who": {"provider": "corp"}, "may": ["report"], "as": list(ROLES)}],
    }
    file = tmp_path / "actas.yaml"
    file.write_text(yaml.safe_dump(settings))
    return load(file)


@pytest.fixture
def parts(tmp_path):
    signing, rsa = Signing(tmp_path / "signing.json"), Signing(tmp_path / "rsa.json", "RS256")
    signing.rotate(clock.now())
    made = SimpleNamespace(
        sealing=None, audit=None, marks=None, signing=signing, rsa=rsa, exchange=Exchange(), passed_on=PassedOn()
    )  # what brokers ask of the parts when they are made
    made.rsa_voucher = lambda issuer: Parts.rsa_voucher(made, issuer)
    made.jwks = lambda: Parts.jwks(made)
    return made


def test_each_role_has_the_broker_that_it_names(loaded, parts):
    made = brokers(loaded, loaded.usable(), parts)

    assert {name: type(made[name]) for name in ROLES} == KINDS
    assert isinstance(made[None], LocalBroker)


def test_brokers_made_anew_of_the_same_settings_share_what_is_remembered(loaded, parts):
    one, other = (brokers(loaded, loaded.usable(), parts) for _ in range(2))

    assert {name: one[name].shape for name in one} == {name: other[name].shape for name in other}
    assert len({made.shape for made in one.values()}) == len(ROLES)
    assert not any("hunter2" in made.shape or "partner" in made.shape for made in one.values())


def test_rsa_keys_are_made_and_published_once_a_role_needs_them(loaded, parts):
    assert {key["alg"] for key in parts.jwks()["keys"]} == {"ES256"}
    brokers(loaded, loaded.usable(), parts)
    (found,) = [key for key in parts.jwks()["keys"] if key["alg"] == "RS256"]

    brokers(loaded, loaded.usable(), parts)
    assert len(parts.jwks()["keys"]) == 2
    assert "d" not in found
    voucher = parts.rsa_voucher("https://actas.example")
    token = voucher.token(subject="actas:role:azure", audience="a", now=clock.now())
    keys = jose.KeySet.from_json(parts.jwks())
    jose.verify_jwt(token, keys, issuer="https://actas.example", audience="a", now=clock.now(), algorithms=("RS256",))


def test_a_secret_that_is_not_there_is_told_before_anything_starts(loaded, monkeypatch):
    monkeypatch.delenv("BASE_ID")
    found = load(loaded.path)

    assert [one.code for one in found.mistakes if one.severity == "error"] == ["settings.secret-missing"]
    with pytest.raises(BrokenSettings):
        found.usable()
