"""A role that is taken elsewhere: an issuer that others can read, a policy that fits."""

import pytest

FILE = """\
gateway: {{public_url: "https://functions.example", control_url: "{issuer}"}}
providers:
  corp: {{preset: keycloak, issuer: "https://sso.example/realms/corp", audience: actas, groups: {{absent: empty}}}}
functions:
  report: {{http: "https://report.example"}}
roles:
  reader: {{arn: "arn:aws:iam::111122223333:role/reader", {role}}}
rules:
  - {{id: reads, who: {{provider: corp, subjects: [ana]}}, may: [report], as: reader}}
"""
ISSUERS = [
    ("https://actas.example", False),
    ("https://actas.example:8443", True),
    ("http://actas.example", True),
    ("https://localhost", True),
]
ROLES = [
    ("broker: aws-web-identity", True),
    ("broker: aws-assume-role, base: {role: 'arn:aws:iam::111122223333:role/base'}", True),
    ("broker: aws-assume-role, base: {chain: true}", False),
    ("broker: aws-web-identity, caller_token: true", False),
    ("broker: local", False),
]


@pytest.mark.parametrize(("issuer", "hidden"), ISSUERS)
@pytest.mark.parametrize(("role", "needs"), ROLES)
def test_it_is_warned_of_where_somebody_must_trust_it(desk, issuer, hidden, role, needs):
    found = desk.check(FILE.format(issuer=issuer, role=role)).mistakes

    assert any(one.code == "settings.issuer-not-public" for one in found) == (hidden and needs)


POLICIES = [(1700, "aws-web-identity", False), (1800, "aws-web-identity", True), (1800, "local", False)]


@pytest.mark.parametrize(("size", "broker", "told"), POLICIES)
def test_a_policy_that_sts_would_not_take_is_told_before_the_first_call(desk, size, broker, told):
    statement = '{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::%s/*"}'
    text = '{"Version": "2012-10-17", "Statement": [%s]}' % (statement % ("x" * (size - 115)))
    (desk.folder / "policy.json").write_text(text)
    found = desk.check(FILE.format(issuer="https://actas.example", role=f"broker: {broker}, policy: policy.json"))

    assert any(one.code == "settings.policy-too-long" for one in found.mistakes) == told
