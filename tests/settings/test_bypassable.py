"""Roles that a caller could take at STS himself: what may be said with them, and what may not (design.md, 8.2)."""

import pytest

FILE = """\
providers:
  corp: {{preset: keycloak, issuer: "https://sso.example/realms/corp", audience: actas, groups: {{absent: empty}}}}
functions:
  report: {{http: "https://report.example"}}
  billing: {{http: "https://billing.example"}}
roles:
  reader: {{arn: "arn:aws:iam::111122223333:role/reader", {role}}}
rules:
  - id: reads
    {rule}
    as: reader
{more}"""
LOOSE = {
    "the caller's token": "broker: aws-web-identity, caller_token: true",
    "the caller's assertion": "broker: aws-saml, saml_provider: 'arn:aws:iam::111122223333:saml-provider/ping'",
}
PLAIN = "who: {provider: corp, subjects: [ana]}\n    may: [report]"
FORBIDS = "  - {id: no, who: {provider: corp, groups: [contractors]}, may_not: [MAY]}\n"
RULES = [
    ("a rule about a subject", PLAIN, "", None),
    ("a rule about a client", "who: {provider: corp, clients: [app]}\n    may: [report]", "", None),
    ("hours", f"{PLAIN}\n    when: {{hours: '07:00-19:00', zone: UTC}}", "", "when"),
    ("a second factor", f"{PLAIN}\n    when: {{mfa: true}}", "", "when"),
    ("groups", "who: {provider: corp, groups: [a]}\n    may: [report]", "", "who.groups"),
    ("scopes", "who: {provider: corp, scopes: [a]}\n    may: [report]", "", "who.scopes"),
    ("actors", "who: {provider: corp, subjects: [a], actors: none}\n    may: [report]", "", "who.actors"),
    ("a no over the same function", PLAIN, FORBIDS.replace("MAY", "report"), "may_not over the same function"),
    ("a no over another function", PLAIN, FORBIDS.replace("MAY", "billing"), None),
]


def told(desk, role, rule, more):
    found = desk.check(FILE.format(role=role, rule=rule, more=more)).mistakes
    return [one.message for one in found if one.code == "settings.bypassable-rule"]


@pytest.mark.parametrize("role", LOOSE.values(), ids=LOOSE.keys())
@pytest.mark.parametrize(("rule", "more", "why"), [row[1:] for row in RULES], ids=[row[0] for row in RULES])
def test_what_aws_cannot_enforce_is_refused_with_a_bypassable_role(desk, role, rule, more, why):
    wanted = [] if why is None else [f"reads gives reader, which is bypassable, and AWS cannot enforce its {why}"]

    assert told(desk, role, rule, more) == wanted


@pytest.mark.parametrize(("rule", "more"), [row[1:3] for row in RULES], ids=[row[0] for row in RULES])
def test_the_same_rules_are_taken_with_a_role_that_trusts_the_gateway(desk, rule, more):
    assert told(desk, "broker: aws-web-identity", rule, more) == []
