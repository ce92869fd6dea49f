"""A role that is taken elsewhere needs an issuer that others can read: https, no port, not this machine."""

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
