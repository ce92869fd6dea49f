"""A session is asked anew at each use: rules, trust, fence, and every policy that goes with it (design.md, 8.3)."""

import json
from datetime import timedelta

import msgspec
import pytest

from actas.assume.policies import work_policy
from actas.decide.ruleset import RuleSet
from actas.iam.values import Context
from actas.model.decision import Allow
from actas.model.facts import Missing
from actas.model.held import Held

MAY = {"id": "may", "who": {"provider": "corp", "groups": ["finance"]}, "may": ["report"], "as": "reader"}
ALSO = {"id": "also", "who": {"provider": "corp"}, "may": ["billing"], "as": "reader"}
PROVIDER = "arn:aws:iam::111122223333:oidc-provider/sso.example/realms/corp"
REPORT = "arn:aws:lambda:us-east-1:000000000000:function:report"


def allowing(*actions, resource="*", **condition):
    one = {"Effect": "Allow", "Action": list(actions), "Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [{**one, **condition}]})


def trust(**condition):
    one = {"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity", "Principal": {"Federated": PROVIDER}}
    return json.dumps({"Version": "2012-10-17", "Statement": [{**one, **condition}]})


@pytest.fixture
def make(settings):
    def rules(*said, policy=None, trusts=None):
        roles = {
            "reader": {"arn": "arn:aws:iam::111122223333:role/reader", **({"trust": "trust.json"} if trusts else {})},
            "writer": {"arn": "arn:aws:iam::111122223333:role/writer"},
        }
        texts = {} if policy is None else {"reader": policy}
        return RuleSet(settings(*said, roles=roles), texts, {"reader": trusts} if trusts else {})

    return rules


@pytest.fixture
def held(ask, noon):
    def from_grant(rules, **changes):
        decision = rules.decide(ask())
        assert isinstance(decision, Allow), decision
        grant = decision.grant
        assert grant.role is not None
        return Held(
            **{
                "purpose": "work",
                "access_key_id": "ASIAQAAAAAAAGU7TLX7B",
                "secret_access_key": "a secret",
                "issued_at": noon,
                "expires_at": noon + timedelta(minutes=15),
                "provider": "corp",
                "issuer": "https://sso.example/realms/corp",
                "subject": "p-ana",
                "actors": (),
                "kind": "human",
                "authenticated_at": noon - timedelta(minutes=10),
                "mfa": True,
                "evidence_expires_at": noon + timedelta(hours=1),
                "role": grant.role.name,
                "role_arn": grant.role.arn,
                "rules": grant.rules,
                "facts": grant.facts,
                "functions": grant.fence,
                "policy": work_policy(grant.fence, grant.role.policy),
                "took": grant.took,
                "took_as": grant.took_as,
                **changes,
            }
        )

    return from_grant


@pytest.fixture
def codes(ask, but):
    """Ask about a use by somebody of whom only the session is known."""
    stranger = but(groups=Missing.UNKNOWN, roles=Missing.UNKNOWN, scopes=Missing.UNKNOWN, client=Missing.UNKNOWN)

    def tell(rules, held, function="report", **more):
        decision = rules.again(ask(function, identity=stranger, **more), held)
        return [] if isinstance(decision, Allow) else [reason.code for reason in decision.reasons]

    return tell


def test_a_session_is_good_for_what_granted_it(make, held, codes):
    assert codes(make(MAY), held(make(MAY))) == []


def test_the_grant_inherits_fence_end_facts_and_role(make, held, ask, but):
    session = held(make(MAY))
    grant = make(MAY).again(ask(), session).grant

    assert (grant.parent, grant.fence, grant.facts) == (session, session.functions, session.facts)
    assert (grant.expires_at, grant.role.name) == (session.expires_at, "reader")


def test_a_function_of_another_rule_is_out_of_reach(make, held, codes):
    rules = make(MAY, ALSO)

    assert codes(rules, held(rules), "billing") == ["outside-fence"]


def test_a_function_beyond_the_fence_is_out_of_reach_though_the_rule_names_it(make, held, codes):
    rules = make({**MAY, "may": ["report", "billing"]})

    assert codes(rules, held(rules), "billing") == []
    assert codes(rules, held(rules, functions=(f"{REPORT}:$LATEST",)), "billing") == ["outside-fence"]


def test_no_session_does_what_administrators_do(make, held, codes):
    rules = make({**MAY, "may": ["report", "admin:*"]})

    assert codes(rules, held(rules), "admin:sessions.revoke") == ["no-such-function"]
    assert codes(rules, held(rules), "admin:denials.decode") == []


def test_another_role_than_the_sessions_is_not_had_with_it(make, held, codes):
    rules = make({**MAY, "as": ["reader", "writer"]})

    assert codes(rules, held(rules), requested_role="reader") == []
    assert codes(rules, held(rules), requested_role="writer") == ["role-not-offered"]


def test_a_function_that_is_not_there_is_not_called(make, held, codes):
    assert codes(make(MAY), held(make(MAY)), "nothing") == ["no-such-function"]


POLICIES = [
    ("allowing the function with its qualifier", allowing("lambda:InvokeFunction", resource=f"{REPORT}:$LATEST"), []),
    ("allowing the function without one", allowing("lambda:InvokeFunction", resource=REPORT), []),
    ("allowing everything", allowing("*"), []),
    ("allowing something else", allowing("s3:GetObject"), ["session-policy"]),
    ("allowing another function", allowing("lambda:*", resource=REPORT + "s"), ["session-policy"]),
    (
        "allowing it where a condition is met",
        allowing("lambda:*", Condition={"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}),
        [],
    ),
    (
        "allowing it where a condition is not met",
        allowing("lambda:*", Condition={"IpAddress": {"aws:SourceIp": "198.51.100.0/24"}}),
        ["session-policy"],
    ),
    (
        "allowing it by what cannot be known here",
        allowing("lambda:*", Condition={"StringNotEquals": {"aws:SourceVpc": "vpc-1"}}),
        ["session-policy"],
    ),
    (
        "allowing it by a tag",
        allowing("lambda:*", Condition={"StringEquals": {"aws:PrincipalTag/team": "blue"}}),
        [],
    ),
    (
        "denying it without its qualifier",
        json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {"Effect": "Allow", "Action": "*", "Resource": "*"},
                    {"Effect": "Deny", "Action": "lambda:InvokeFunction", "Resource": REPORT},
                ],
            }
        ),
        ["session-policy"],
    ),
]


@pytest.mark.parametrize(("policy", "wanted"), [row[1:] for row in POLICIES], ids=[row[0] for row in POLICIES])
def test_the_roles_own_policy_counts(make, held, codes, policy, wanted):
    rules = make(MAY, policy=policy)

    assert codes(rules, held(rules, tags=(("team", "blue"),))) == wanted


@pytest.mark.parametrize(("policy", "wanted"), [row[1:] for row in POLICIES], ids=[row[0] for row in POLICIES])
def test_a_policy_that_was_passed_narrows(make, held, codes, policy, wanted):
    rules = make(MAY)

    assert codes(rules, held(rules, narrowed=((policy,),), tags=(("team", "blue"),))) == wanted


def test_of_one_step_any_policy_is_enough_and_of_each_step_one_must_be(make, held, codes):
    rules = make(MAY)
    good, bad = allowing("lambda:*"), allowing("s3:*")

    assert codes(rules, held(rules, narrowed=((bad, good),))) == []
    assert codes(rules, held(rules, narrowed=((good,), (bad,)))) == ["session-policy"]


def test_a_session_without_a_policy_of_its_own_is_good_for_nothing(make, held, codes):
    rules = make(MAY)

    assert codes(rules, held(rules, policy=None)) == ["session-policy"]


TRUSTS = [
    ("whom it names", {}, []),
    ("a subject", {"Condition": {"StringEquals": {"sso.example/realms/corp:sub": "7f0c"}}}, []),
    ("a subject by a pattern", {"Condition": {"StringLike": {"sso.example/realms/corp:sub": "7f*"}}}, []),
    ("a group, as the rules see it", {"Condition": {"ForAnyValue:StringEquals": {"actas:groups": "/staff"}}}, []),
    ("a recent sign-in", {"Condition": {"NumericLessThan": {"actas:auth-age": "3600"}}}, []),
    ("a network", {"Condition": {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}}, []),
    ("a time", {"Condition": {"DateLessThan": {"aws:CurrentTime": "2026-11-23T12:10:00Z"}}}, []),
]


@pytest.mark.parametrize(("more", "wanted"), [row[1:] for row in TRUSTS], ids=[row[0] for row in TRUSTS])
def test_a_trust_policy_is_asked_again_without_the_names_it_tests(make, held, codes, more, wanted):
    rules = make(MAY, trusts=trust(**more))
    session = held(rules)

    assert codes(rules, session) == wanted
    assert "7f0c" not in str(msgspec.to_builtins(session.facts))
    assert "/staff" not in str(msgspec.to_builtins(session.facts))


LATER = [
    ("the time is over", {"Condition": {"DateLessThan": {"aws:CurrentTime": "2026-11-23T12:10:00Z"}}}, {"minutes": 10}),
    ("the sign-in is old", {"Condition": {"NumericLessThan": {"actas:auth-age": "3600"}}}, {"minutes": 50}),
]


@pytest.mark.parametrize(("more", "later"), [row[1:] for row in LATER], ids=[row[0] for row in LATER])
def test_what_a_trust_policy_says_of_the_moment_counts_at_each_use(make, held, codes, noon, more, later):
    rules = make(MAY, trusts=trust(**more))
    session = held(rules)

    assert codes(rules, session, at=noon + timedelta(**later) - timedelta(seconds=1)) == []
    assert codes(rules, session, at=noon + timedelta(**later)) == ["role-not-trusted"]


def test_what_a_trust_policy_says_of_the_place_counts_at_each_use(make, held, codes):
    rules = make(MAY, trusts=trust(Condition={"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}))

    assert codes(rules, held(rules), address="198.51.100.9") == ["role-not-trusted"]
    assert codes(rules, held(rules), address=Missing.UNKNOWN) == ["role-not-trusted"]


def test_a_session_from_before_there_was_a_trust_policy_is_not_trusted(make, held, codes):
    assert codes(make(MAY, trusts=trust()), held(make(MAY))) == ["rule-gone"]
    assert codes(make(MAY, trusts=trust()), replace_took(held(make(MAY, trusts=trust())))) == ["role-not-trusted"]


def replace_took(session):
    return msgspec.structs.replace(session, took=(), took_as=())


def test_a_condition_on_the_caller_and_the_place_at_once_is_never_in_the_callers_favour(make, ask, but):
    mixed = trust(Condition={"StringEquals": {"aws:SourceIp": "${sso.example/realms/corp:sub}"}})
    rules = make(MAY, trusts=mixed)

    known = {"actas:trust/0": True, "aws:sourceip": "192.0.2.7"}
    again = rules.trusts["reader"].again
    moment = Context(known)

    assert dict(again.kept(ask().identity, moment)) == {"actas:trust/0": "null"}
    assert isinstance(rules.decide(ask(identity=but(subject="192.0.2.7"), address="192.0.2.7")), Allow)


def test_two_sessions_of_one_rule_set_are_told_apart_by_their_facts(make, held, codes, but):
    rules = make(MAY)
    session = held(rules)
    other = msgspec.structs.replace(
        session, facts=tuple((key, "[]" if key == "actas:groups" else value) for key, value in session.facts)
    )

    assert codes(rules, session) == []
    assert codes(rules, other) == ["no-rule-allows"]
