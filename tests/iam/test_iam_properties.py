"""Changes of a policy that must not change an answer, and changes that may change it in one direction only."""

import contextlib
import random
from datetime import UTC, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actas import iam
from actas.iam.operators import OPERATORS as OPERATORS_OF_AWS

CALLER = "arn:aws:sts::111122223333:assumed-role/reader/ana"
ACTIONS = ["s3:GetObject", "s3:PutObject", "s3:Get*", "s3:*", "*", "ec2:RunInstances"]
RESOURCES = ["*", "arn:aws:s3:::bucket/*", "arn:aws:s3:::bucket/a", "arn:aws:s3:::*/${team:name}"]
KEYS = ["team:name", "team:level", "aws:PrincipalArn"]
OPERATORS = ["StringEquals", "StringNotLike", "ForAnyValue:StringLike", "NumericLessThanIfExists", "Null"]
SEEDS = range(150)


def any_statement(dice):
    statement = {
        "Effect": dice.choice(["Allow", "Allow", "Deny"]),
        "Action": dice.sample(ACTIONS, 2),
        "Resource": dice.sample(RESOURCES, 2),
    }
    if dice.random() < 0.7:
        statement["Condition"] = {
            name: {key: dice.sample(["a", "b*", "7", "true"], 2) for key in dice.sample(KEYS, 2)}
            for name in dice.sample(OPERATORS, 2)
        }
    return statement


def any_case(seed):
    dice = random.Random(seed)
    statements = [any_statement(dice) for _ in range(dice.randint(1, 5))]
    values = ["a", "bc", "7", "true", ["a", "b"], iam.UNKNOWN]
    context = {key: dice.choice(values) for key in dice.sample(KEYS[:2], dice.randint(0, 2))}
    request = iam.Request(
        principal=CALLER,
        action=dice.choice(["s3:GetObject", "s3:PutObject"]),
        resource=dice.choice(["arn:aws:s3:::bucket/a", "arn:aws:s3:::other/a"]),
        context=context,
    )
    return dice, statements, request


def effect(statements, request):
    policy = iam.Policy.parse({"Version": "2012-10-17", "Statement": statements})
    return iam.evaluate(request, iam.PolicySet(identity=(policy,))).effect


def shuffled(dice, items):
    return dice.sample(items, len(items))


def shuffled_keys(dice, value):
    if isinstance(value, dict):
        return {key: shuffled_keys(dice, value[key]) for key in shuffled(dice, list(value))}
    return shuffled(dice, value) if isinstance(value, list) else value


@pytest.mark.parametrize("seed", SEEDS)
def test_order_and_letter_case_never_change_an_answer(seed):
    dice, statements, request = any_case(seed)
    recased = [one | {"Action": [action.swapcase() for action in one["Action"]]} for one in statements]

    answers = {effect(some, request) for some in (statements, shuffled_keys(dice, statements), recased)}

    assert len(answers) == 1


@pytest.mark.parametrize("seed", SEEDS)
def test_splitting_never_changes_an_answer(seed):
    _, statements, request = any_case(seed)
    by_action = [one | {"Action": action} for one in statements for action in one["Action"]]
    by_resource = [one | {"Resource": resource} for one in statements for resource in one["Resource"]]
    apart = tuple(iam.Policy.parse({"Version": "2012-10-17", "Statement": one}) for one in statements)

    answers = {effect(some, request) for some in (statements, by_action, by_resource)}

    assert answers == {iam.evaluate(request, iam.PolicySet(identity=apart)).effect}


@pytest.mark.parametrize("seed", SEEDS)
def test_an_allow_more_never_denies_and_a_deny_more_never_allows(seed):
    dice, statements, request = any_case(seed)
    more = any_statement(dice)
    before = effect(statements, request)

    with_allow = effect([*statements, more | {"Effect": "Allow"}], request)
    with_deny = effect([*statements, more | {"Effect": "Deny"}], request)

    assert with_allow == before or (before, with_allow) == ("ImplicitlyDenied", "Allowed")
    assert with_deny in (before, "ExplicitlyDenied")


@pytest.mark.parametrize("seed", SEEDS)
def test_a_layer_more_never_allows(seed):
    dice, statements, request = any_case(seed)
    layer = (iam.Policy.parse({"Version": "2012-10-17", "Statement": [any_statement(dice)]}),)
    identity = (iam.Policy.parse({"Version": "2012-10-17", "Statement": statements}),)
    before = iam.evaluate(request, iam.PolicySet(identity=identity))

    for more in ({"boundary": layer}, {"session": layer}, {"scps": (layer,)}):
        assert before.allowed or not iam.evaluate(request, iam.PolicySet(identity=identity, **more)).allowed


VALUES = st.recursive(
    st.one_of(
        st.text(max_size=20),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.decimals(),
        st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=9))])),
        st.just(iam.UNKNOWN),
        st.none(),
    ),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=4,
)
ANY_OPERATOR = st.builds(
    lambda prefix, name, suffix: prefix + name + ("" if name == "Null" else suffix),
    st.sampled_from(["", "ForAllValues:", "ForAnyValue:"]),
    st.sampled_from(sorted(OPERATORS_OF_AWS)),
    st.sampled_from(["", "IfExists"]),
)
WANTED = st.text(max_size=12) | st.sampled_from(["${k}", "${k, 'a'}", "arn:aws:s3:::${k}", "1e5", "::/0", "2026-01-01"])
CALLERS = st.text(max_size=20) | st.sampled_from([CALLER, "arn:aws:sts::1:assumed-role/", "arn:::::", "a.b", "*"])


@settings(max_examples=400, deadline=None)
@given(ANY_OPERATOR, st.lists(WANTED, max_size=3), VALUES, CALLERS, st.text(max_size=15), st.text(max_size=15))
def test_whatever_is_asked_only_our_errors_go_out(operator, wanted, found, caller, action, resource):
    conditions = {"Condition": {operator: {"k": wanted}}}
    allow = {"Effect": "Allow", "Action": "*", "Resource": ["arn:aws:s3:::${k}", "*"]} | conditions
    deny = {"Effect": "Deny", "Action": "a:*", "NotResource": "arn:aws:s*:?:*${k}"} | conditions

    with contextlib.suppress(iam.IamError):
        policy = iam.Policy.parse({"Version": "2012-10-17", "Statement": [allow, deny]})
        request = iam.Request(principal=caller, action=action, resource=resource, context={"k": found})
        policies = iam.PolicySet(identity=(policy,))
        decision = iam.evaluate(request, policies)
        assert decision.explain()
        assert decision.to_json()["effect"] == iam.compile(policies)(request).effect
