"""A role's trust policy: what the rules give, it may take back, and never more."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from actas.decide.explain import explain
from actas.decide.ruleset import RuleSet
from actas.decide.trust import TABLE
from actas.model.decision import Allow, Deny
from actas.model.facts import Known, Missing
from actas.model.identity import Actor, Kind
from actas.settings.schema import Settings

ROOT = Path(__file__).parents[2]
ACCOUNT = "111122223333"
CORP = f"arn:aws:iam::{ACCOUNT}:oidc-provider/sso.example/realms/corp"
GATEWAY = f"arn:aws:iam::{ACCOUNT}:oidc-provider/actas.example"
MAY = {"id": "may", "who": {"provider": "corp"}, "may": ["report"], "as": ["reader", "writer"]}


def statement(principal=CORP, *, effect="Allow", action="sts:AssumeRoleWithWebIdentity", **condition):
    one = {"Effect": effect, "Principal": {"Federated": principal}, "Action": action}
    return one | ({"Condition": condition} if condition else {})


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


@pytest.fixture
def trusting():
    def make(*rules, reader=None, writer=None, broker="local", **more):
        trusts = {name: text for name, text in (("reader", reader), ("writer", writer)) if text is not None}
        roles = {
            name: {"arn": f"arn:aws:iam::{ACCOUNT}:role/{name}"}
            | ({"trust": f"{name}.json", "broker": broker} if name in trusts else {})
            for name in ("reader", "writer")
        }
        data = {
            "gateway": {"public_url": "https://functions.example", "control_url": "https://actas.example"},
            "providers": {"corp": {"preset": "oidc", "issuer": "https://sso.example/realms/corp", "audience": "actas"}},
            "functions": {"report": {"python": "report.py:handler"}},
            "roles": roles,
            "rules": list(rules or [MAY]),
            **more,
        }
        settings = msgspec.convert(data, Settings, dec_hook=lambda cls, text: cls.read(text))
        return RuleSet(settings, None, {name: text for name, text in trusts.items() if text})

    return make


def role(decision):
    return decision.grant.role.name if isinstance(decision, Allow) and decision.grant.role else None


def codes(decision):
    return [reason.code for reason in decision.reasons]


def test_a_role_without_a_trust_policy_is_taken_as_the_rules_say(trusting, ask):
    assert role(trusting().decide(ask())) == "reader"


def test_a_trust_policy_that_names_the_callers_provider_lets_it_in(trusting, ask):
    assert role(trusting(reader=document(statement())).decide(ask())) == "reader"


def test_a_trust_policy_that_names_the_gateway_lets_everybody_in_whom_the_rules_let_in(trusting, ask):
    named = statement(GATEWAY, StringEquals={"actas.example:aud": "sts.amazonaws.com"})

    assert role(trusting(reader=document(named)).decide(ask())) == "reader"


OTHERS = {
    "another realm": f"arn:aws:iam::{ACCOUNT}:oidc-provider/sso.example/realms/other",
    "another account": "arn:aws:iam::444455556666:oidc-provider/sso.example/realms/corp",
    "a slash more": CORP + "/",
}


@pytest.mark.parametrize("principal", OTHERS.values(), ids=OTHERS)
def test_a_trust_policy_that_names_somebody_else_does_not(trusting, ask, principal):
    decision = trusting(reader=document(statement(principal)), writer=document(statement(principal))).decide(ask())

    assert type(decision) is Deny
    assert codes(decision) == ["role-not-trusted", "role-not-trusted"]


def test_a_role_that_does_not_trust_the_caller_is_not_offered(trusting, ask):
    rules = trusting(reader=document(statement(OTHERS["another realm"])))

    assert role(rules.decide(ask())) == "writer"
    assert codes(rules.decide(ask(requested_role="reader"))) == ["role-not-trusted"]
    assert role(rules.decide(ask(requested_role="writer"))) == "writer"


def test_a_trust_policy_gives_nobody_what_the_rules_do_not(trusting, ask, but):
    rules = trusting(reader=document(statement()))

    assert codes(rules.decide(ask(identity=but(provider="other")))) == ["no-rule-allows"]


def test_a_trust_policy_that_could_not_be_read_trusts_nobody(trusting, ask):
    assert codes(trusting(reader="").decide(ask(requested_role="reader"))) == ["role-not-trusted"]


def test_a_deny_for_either_name_of_the_caller_refuses(trusting, ask):
    both = statement([CORP, GATEWAY])

    for name in (CORP, GATEWAY):
        rules = trusting(reader=document(both, statement(name, effect="Deny")))
        assert codes(rules.decide(ask(requested_role="reader"))) == ["role-not-trusted"]
    assert role(trusting(reader=document(both)).decide(ask(requested_role="reader"))) == "reader"


NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
CONDITIONS = [
    ("the subject", {"StringEquals": {"sso.example/realms/corp:sub": "7f0c"}}, {"subject": "7f0d"}),
    ("the client", {"StringEquals": {"sso.example/realms/corp:aud": "cli"}}, {"client": Known("web")}),
    ("a group", {"ForAnyValue:StringEquals": {"actas:groups": "finance"}}, {"groups": Known(frozenset())}),
    ("a group that cannot be told", {"ForAnyValue:StringEquals": {"actas:groups": "finance"}},
     {"groups": Missing.OVERFLOWED}),
    ("a second factor", {"Bool": {"actas:mfa": "true"}}, {"mfa": Known(value=False)}),
    ("a second factor, in AWS's word", {"Bool": {"aws:MultiFactorAuthPresent": "true"}}, {"mfa": Missing.ABSENT}),
    ("the kind, as a tag", {"StringEquals": {"aws:RequestTag/kind": "human"}}, {"kind": Known(Kind.SERVICE)}),
    ("nobody acting", {"Null": {"aws:RequestTag/actor": "true"}},
     {"actors": (Actor(issuer="https://sso.example/realms/corp", subject="bot"),)}),
    ("the names of the tags", {"ForAllValues:StringEquals": {"aws:TagKeys": ["provider", "kind"]}},
     {"actors": (Actor(issuer="https://sso.example/realms/corp", subject="bot"),)}),
    ("a fresh sign-in", {"NumericLessThan": {"actas:auth-age": "900"}},
     {"authenticated_at": Known(NOON - timedelta(hours=1))}),
]  # fmt: skip


@pytest.mark.parametrize(("condition", "change"), [row[1:] for row in CONDITIONS], ids=[row[0] for row in CONDITIONS])
def test_a_condition_lets_in_who_meets_it_and_nobody_else(trusting, ask, but, condition, change):
    rules = trusting(reader=document(statement(**condition)))

    assert role(rules.decide(ask(requested_role="reader"))) == "reader"
    assert codes(rules.decide(ask(requested_role="reader", identity=but(**change)))) == ["role-not-trusted"]


MOMENTS = [
    ("the time", {"DateLessThan": {"aws:CurrentTime": "2026-11-23T12:00:01Z"}}, 0, 1),
    ("the time as a number", {"NumericLessThan": {"aws:EpochTime": str(int(NOON.timestamp()) + 1)}}, 0, 1),
    ("the minute in a zone that no rule looks at", {"NumericLessThan": {"actas:minute/asia/tokyo": "1261"}}, 0, 60),
    ("the weekday", {"StringEquals": {"actas:weekday/utc": "mon"}}, 0, 86_400),
]


@pytest.mark.parametrize(("condition", "good", "late"), [row[1:] for row in MOMENTS], ids=[row[0] for row in MOMENTS])
def test_an_answer_is_not_remembered_past_the_moment_that_a_trust_policy_names(trusting, ask, condition, good, late):
    rules = trusting(reader=document(statement(**condition)))

    for seconds, wanted in ((good, "reader"), (late, None), (good, "reader")):
        found = rules.decide(ask(requested_role="reader", at=NOON + timedelta(seconds=seconds)))
        assert role(found) == wanted


def test_an_answer_is_not_remembered_for_another_address(trusting, ask):
    rules = trusting(reader=document(statement(IpAddress={"aws:SourceIp": "192.0.2.0/28"})))

    for address, wanted in (("192.0.2.7", "reader"), ("192.0.2.17", None), (Missing.UNKNOWN, None)):
        assert role(rules.decide(ask(requested_role="reader", address=address))) == wanted


UNKNOWN = {
    "an Allow on a key that the gateway cannot know": [statement(StringLike={"sts:RoleSessionName": "*"})],
    "an Allow on a key that must be absent": [statement(Null={"aws:SourceVpc": "true"})],
    "an Allow on a negated key": [statement(StringNotEquals={"aws:SourceVpc": "vpc-1"})],
    "a Deny on such a key": [
        statement(),
        statement(effect="Deny", StringNotEqualsIfExists={"aws:SourceVpc": "vpc-1"}),
    ],
    "an Allow on a zone that there is not": [statement(NumericGreaterThan={"actas:minute/mars/olympus": "0"})],
}


@pytest.mark.parametrize("statements", UNKNOWN.values(), ids=UNKNOWN)
def test_a_key_that_the_gateway_cannot_know_is_never_in_the_callers_favour(trusting, ask, statements):
    found = trusting(reader=document(*statements)).decide(ask(requested_role="reader"))

    assert codes(found) == ["role-not-trusted"]


def test_without_a_client_the_one_audience_counts(trusting, ask, but):
    rules = trusting(reader=document(statement(StringEquals={"sso.example/realms/corp:aud": "actas"})))

    assert role(rules.decide(ask(requested_role="reader", identity=but(client=Missing.ABSENT)))) == "reader"
    assert role(rules.decide(ask(requested_role="reader"))) is None


def test_a_role_in_aws_needs_tags_and_source_identity_allowed_too(trusting, ask):
    actions = ["sts:AssumeRoleWithWebIdentity", "sts:TagSession", "sts:SetSourceIdentity"]
    for some in (actions[:1], actions[:2], [actions[0], actions[2]]):
        rules = trusting(reader=document(statement(GATEWAY, action=some)), broker="aws-web-identity")
        assert codes(rules.decide(ask(requested_role="reader"))) == ["role-not-trusted"]
    rules = trusting(reader=document(statement(GATEWAY, action=actions)), broker="aws-web-identity")

    assert role(rules.decide(ask(requested_role="reader"))) == "reader"


def test_a_changed_trust_policy_ends_the_sessions_of_its_rules(trusting):
    one, other = (
        trusting(reader=document(statement(StringEquals={"actas:subject": name}))) for name in ("7f0c", "81aa")
    )

    assert one.rules[0].ref != other.rules[0].ref
    assert one.generation != other.generation


def test_under_observation_nobody_is_refused_and_no_role_is_given(trusting, ask):
    rules = trusting(reader=document(statement(OTHERS["another realm"])), mode="observe")

    found = rules.decide(ask(requested_role="reader"))

    assert type(found) is Allow
    assert found.grant.role is None
    assert [reason.code for reason in found.observed] == ["role-not-trusted"]


HELPS = [
    ("nobody like the caller is named", [statement(OTHERS["another realm"])],
     f"the trust policy of reader must allow sts:AssumeRoleWithWebIdentity to {CORP} or {GATEWAY}"),
    ("a condition is false", [statement(StringEquals={"actas:tenant": "north"})],
     ("the trust policy of reader would allow it, but StringEquals on actas:tenant does not hold: "
     "the request has corp, wanted is north")),
    ("a Deny applies", [statement(), statement(effect="Deny")],
     "a Deny statement of the trust policy of reader must not apply any more"),
]  # fmt: skip


@pytest.mark.parametrize(("statements", "help_"), [row[1:] for row in HELPS], ids=[row[0] for row in HELPS])
def test_the_explanation_says_what_would_turn_it(trusting, ask, statements, help_):
    one = {**MAY, "as": "reader"}

    assert explain(trusting(one, reader=document(*statements)), ask()).helps == (help_,)


def test_the_table_on_the_page_is_the_codes():
    rows = re.findall(
        r"^\| `([^`]+)` \| (.+?) \| (.+?) \| (.+?) \| (.+?) \|$",
        (ROOT / "docs/rules/trust.md").read_text(),
        re.MULTILINE,
    )

    assert rows == [(key.name, key.type, key.source, key.unknown, key.enforced_by) for key in TABLE]


conditions = st.sampled_from(
    [
        {},
        {"ForAnyValue:StringEquals": {"actas:groups": "finance"}},
        {"Bool": {"actas:mfa": "true"}},
        {"IpAddress": {"aws:SourceIp": "192.0.2.0/28"}},
        {"NumericLessThan": {"actas:minute/europe/berlin": "800"}},
        {"DateGreaterThan": {"aws:CurrentTime": "2026-11-23T12:00:30Z"}},
        {"NumericLessThan": {"actas:auth-age": "900"}},
        {"StringNotEquals": {"sts:RoleSessionName": "x"}},
    ]
)
statements = st.builds(
    lambda principal, effect, condition: statement(principal, effect=effect, **condition),
    st.sampled_from([CORP, GATEWAY, OTHERS["another realm"], "*"]),
    st.sampled_from(["Allow", "Allow", "Deny"]),
    conditions,
)
documents = st.none() | st.lists(statements, min_size=1, max_size=3).map(lambda found: document(*found))
changes = st.fixed_dictionaries(
    {
        "groups": st.sampled_from([Missing.UNKNOWN, Known(frozenset()), Known(frozenset({"finance"}))]),
        "mfa": st.sampled_from([Missing.UNKNOWN, Known(value=True), Known(value=False)]),
    }
)
moments = st.tuples(
    st.integers(-90, 90).map(lambda seconds: NOON + timedelta(seconds=10 * seconds)),
    st.sampled_from([Missing.UNKNOWN, Known(ip_address("192.0.2.7")), Known(ip_address("192.0.2.77"))]),
    st.sampled_from([None, "reader", "writer"]),
)


@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(reader=documents, writer=documents, people=st.lists(changes, min_size=1, max_size=2), data=st.data())
def test_a_trust_policy_never_widens_and_what_is_remembered_never_changes_it(
    trusting, ask, ana, reader, writer, people, data
):
    rules, without = trusting(reader=reader, writer=writer), trusting()
    callers = [replace(ana, **change) for change in people]

    for at, address, wanted in data.draw(st.lists(moments, min_size=2, max_size=8)):
        asked = ask(identity=data.draw(st.sampled_from(callers)), at=at, address=address, requested_role=wanted)
        found = rules.decide(asked)
        assert found == trusting(reader=reader, writer=writer).decide(asked)
        if isinstance(found, Allow):
            named = replace_role(asked, role(found))
            assert role(without.decide(named)) == role(found)


def replace_role(question, name):
    return type(question)(
        identity=question.identity,
        function=question.function,
        at=question.at,
        address=question.address,
        requested_role=name,
    )
