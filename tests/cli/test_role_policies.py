"""Policies of roles, from the settings file to the command's answer."""

import json

import pytest

from actas.cli import run

SETTINGS = """
gateway: {public_url: "http://127.0.0.1:8700", control_url: "http://127.0.0.1:8701", isolation: weak}
providers:
  corp: {preset: oidc, issuer: "https://sso.example/realms/corp", audience: actas, groups: {absent: empty}}
functions:
  report: {python: report.py:handler}
roles:
  reader: {arn: "arn:aws:iam::111122223333:role/reader", policy: policy.json, trust: trust.json}
rules:
  - id: staff-reads
    who: {provider: corp}
    may: [report]
    as: reader
"""
POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/sso.example/realms/corp"},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {"StringEquals": {"sso.example/realms/corp:sub": "ana"}},
        }
    ],
}


@pytest.fixture
def gateway(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "actas.yaml").write_text(SETTINGS)
    (tmp_path / "report.py").write_text("def handler(event, context):\n    return event\n")

    def written(policy=POLICY, trust=TRUST):
        (tmp_path / "policy.json").write_text(json.dumps(policy, indent=2))
        (tmp_path / "trust.json").write_text(json.dumps(trust, indent=2))

    return written


def found(capsys, name):
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line]
    return [row for row in rows if row["file"] == name]


def test_good_policies_have_no_word_said_about_them(gateway, capsys):
    gateway()

    assert run(["check", "--json"]) == 0
    assert found(capsys, "policy.json") == found(capsys, "trust.json") == []


def test_a_warning_about_a_policy_is_shown_and_stops_nothing(gateway, capsys):
    gateway(policy=json.loads(json.dumps(POLICY).replace("GetObject", "GetObjct")))

    assert run(["check", "--json"]) == 0
    (row,) = found(capsys, "policy.json")
    assert (row["code"], row["severity"], row["key"]) == ("settings.policy", "warning", "Statement[0].Action")
    assert row["line"] > 1
    assert run(["check"]) == 0
    assert "policy.json:" in capsys.readouterr().out


def test_an_error_in_a_trust_policy_stops_everything(gateway, capsys):
    gateway(trust=POLICY)

    assert run(["check", "--json"]) == 2
    assert {row["severity"] for row in found(capsys, "trust.json")} == {"error"}


@pytest.mark.parametrize(("subject", "code"), [("ana", 0), ("ben", 1)])
def test_a_trust_policy_decides_who_takes_the_role(gateway, capsys, tmp_path, subject, code):
    gateway()
    claims = {"iss": "https://sso.example/realms/corp", "sub": subject, "aud": "actas", "iat": 1_700_000_000}
    (tmp_path / "claims.json").write_text(json.dumps(claims | {"exp": 4_000_000_000}))

    assert run(["explain", "report", "--claims", "claims.json"]) == code
    printed = capsys.readouterr().out
    assert ("[role-not-trusted]" in printed) == bool(code)
    assert ("the trust policy of reader would allow it, but StringEquals on" in printed) == bool(code)


NEIGHBOUR = TRUST["Statement"][0]["Principal"]["Federated"].replace("corp", "other")
ODD = [
    ("a key that the gateway cannot see", ("sso.example/realms/corp:sub", "aws:SourceVpc"), "settings.trust-blind",
     "the trust policy of reader looks at aws:sourcevpc, which this gateway cannot see"),
    ("somebody else's issuer", (TRUST["Statement"][0]["Principal"]["Federated"], NEIGHBOUR), "settings.trust-nobody",
     "the trust policy of reader names neither this gateway nor the issuer of a provider"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "code", "message"), [row[1:] for row in ODD], ids=[row[0] for row in ODD])
def test_a_trust_policy_that_can_let_nobody_in_is_warned_of(gateway, capsys, change, code, message):
    gateway(trust=json.loads(json.dumps(TRUST).replace(*change)))

    assert run(["check", "--json"]) == 0
    (row,) = [one for one in found(capsys, "actas.yaml") if one["key"] == "roles.reader.trust"]
    assert (row["code"], row["severity"], row["message"]) == (code, "warning", message)


GOOD = ["*", "arn:aws:iam::111122223333:oidc-provider/127.0.0.1:8701"]


@pytest.mark.parametrize("principal", GOOD)
def test_a_trust_policy_that_names_the_gateway_or_everyone_is_not(gateway, capsys, principal):
    changed = json.dumps(TRUST).replace(TRUST["Statement"][0]["Principal"]["Federated"], principal)
    gateway(trust=json.loads(changed))

    run(["check", "--json"])

    assert not [one for one in found(capsys, "actas.yaml") if one["key"] == "roles.reader.trust"]


def test_good_settings_have_nothing_said_about_the_trust_policy(gateway, capsys):
    gateway()

    run(["check", "--json"])

    assert not [one for one in found(capsys, "actas.yaml") if one["key"] == "roles.reader.trust"]
