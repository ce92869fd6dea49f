"""What other clouds must be told: what is printed is a policy that lets our token in, and nobody else."""

import json

import pytest

from actas import iam
from actas.cli import run

SETTINGS = """
gateway: {public_url: "http://127.0.0.1:8700", control_url: "https://actas.example", isolation: weak}
providers:
  corp: {preset: oidc, issuer: "https://sso.example/realms/corp", audience: actas, groups: {absent: empty}}
  ping: {preset: pingfederate-saml, entity_id: "https://ping.example", metadata: "https://ping.example/metadata",
         audience: "urn:amazon:webservices", passed_on: "https://signin.aws.amazon.com/saml"}
functions:
  report: {python: report.py:handler}
roles:
  plain: {arn: "arn:aws:iam::111122223333:role/plain"}
  reader: {arn: "arn:aws:iam::111122223333:role/reader", broker: aws-web-identity}
  loose: {arn: "arn:aws:iam::111122223333:role/loose", broker: aws-web-identity, caller_token: true}
  partner: {arn: "arn:aws:iam::444455556666:role/partner", broker: aws-assume-role, external_id: partner-1,
            base: {role: "arn:aws:iam::111122223333:role/base"}}
  saml: {arn: "arn:aws:iam::111122223333:role/saml", broker: aws-saml,
         saml_provider: "arn:aws:iam::111122223333:saml-provider/ping"}
  azure: {arn: "arn:aws:iam::000000000000:role/azure", broker: azure-workload,
          azure: {tenant: t, client: c, scope: "https://storage.azure.com/.default"}}
  google:
    arn: arn:aws:iam::000000000000:role/google
    broker: google-wif
    google:
      audience: //iam.googleapis.com/projects/1234/locations/global/workloadIdentityPools/actas/providers/actas
      service_account: reader@example-project.iam.gserviceaccount.com
rules:
  - {id: all, who: {provider: corp, subjects: [ana]}, may: [report], as: [plain, reader, loose, partner, saml]}
"""


@pytest.fixture
def told(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "actas.yaml").write_text(SETTINGS)
    (tmp_path / "report.py").write_text("def handler(event, context):\n    return 1\n")

    def tell(name):
        code = run(["roles", "trust", name])
        said = capsys.readouterr()
        return code, said.out, said.err

    return tell


def lets_in(policy, issuer, aud, action="sts:AssumeRoleWithWebIdentity"):
    where = issuer.removeprefix("https://")
    layers = iam.PolicySet(resource=(iam.Policy.parse(policy, kind=iam.Kind.TRUST),))
    request = iam.Request(
        principal=f"arn:aws:iam::111122223333:oidc-provider/{where}",
        action=action,
        resource="arn:aws:iam::111122223333:role/reader",
        context={f"{where}:aud": aud},
    )
    return iam.evaluate(request, layers).allowed


def test_the_role_lets_our_issuer_in_and_nobody_else(told):
    code, text, _ = told("reader")

    assert code == 0
    assert iam.validate(text, kind=iam.Kind.TRUST) == ()
    assert lets_in(text, "https://actas.example", "sts.amazonaws.com")
    assert lets_in(text, "https://actas.example", "sts.amazonaws.com", "sts:TagSession")
    assert lets_in(text, "https://actas.example", "sts.amazonaws.com", "sts:SetSourceIdentity")
    assert not lets_in(text, "https://actas.example", "other")
    assert not lets_in(text, "https://sso.example/realms/corp", "sts.amazonaws.com")


def test_a_role_for_the_callers_own_token_lets_their_provider_in(told):
    _, text, _ = told("loose")

    assert lets_in(text, "https://sso.example/realms/corp", "actas")
    assert not lets_in(text, "https://actas.example", "sts.amazonaws.com")


def test_a_role_and_its_base_are_both_told(told):
    _, text, _ = told("partner")
    partner, base = (json.loads(part[part.index("{") :]) for part in text.split("# arn:")[1:])

    assert partner["Statement"][0]["Condition"] == {"StringEquals": {"sts:ExternalId": "partner-1"}}
    assert partner["Statement"][0]["Principal"] == {"AWS": "arn:aws:iam::111122223333:role/base"}
    assert base["Statement"][0]["Condition"]["StringEquals"]["actas.example:sub"] == "actas-gateway"


def test_a_saml_role_names_the_provider(told):
    _, text, _ = told("saml")

    assert iam.validate(text, kind=iam.Kind.TRUST) == ()
    assert json.loads(text)["Statement"][0]["Principal"] == {
        "Federated": "arn:aws:iam::111122223333:saml-provider/ping"
    }


def test_azure_is_told_issuer_subject_and_audience(told):
    _, text, _ = told("azure")
    credential = json.loads(text[text.index("{") :])

    assert (credential["issuer"], credential["subject"]) == ("https://actas.example", "actas:role:azure")
    assert credential["audiences"] == ["api://AzureADTokenExchange"]


def test_google_is_told_by_two_commands(told):
    _, text, _ = told("google")

    assert "--issuer-uri=https://actas.example" in text
    assert "reader@example-project.iam.gserviceaccount.com" in text
    assert "workloadIdentityPools/actas/attribute.role/google" in text


def test_a_local_role_needs_nobody(told):
    code, text, _ = told("plain")

    assert (code, text[0]) == (0, "#")


def test_a_role_that_is_not_there_is_asked_for_wrongly(told):
    code, _, err = told("nobody")

    assert code == 2
    assert "cli.no-such-role" in err
