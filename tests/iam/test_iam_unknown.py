"""A value that nobody could find out is never in the caller's favour."""

import itertools

import pytest

from actas import iam

U = iam.UNKNOWN
CALLER = "arn:aws:sts::111122223333:assumed-role/reader/ana"
TRUE, FALSE, UNKNOWN = (
    ("Allowed", "ExplicitlyDenied"),
    ("ImplicitlyDenied", "Allowed"),
    ("ImplicitlyDenied", "ExplicitlyDenied"),
)
"""What an Allow, and beside an Allow a Deny, come to with a condition that is so."""


def effects(conditions, context, resource="*"):
    """The effect of an Allow with the condition, and of a Deny with it beside an Allow without."""
    allow = {"Effect": "Allow", "Action": "a:b", "Resource": "*"}
    tried = {"Action": "a:b", "Resource": resource, "Condition": conditions}
    answers = []
    for statements in ([tried | {"Effect": "Allow"}], [allow, tried | {"Effect": "Deny"}]):
        policies = iam.PolicySet(identity=(iam.Policy.parse({"Version": "2012-10-17", "Statement": statements}),))
        request = iam.Request(principal=CALLER, action="a:b", resource="arn:aws:x:::y", context=context)
        decision, quick = iam.evaluate(request, policies), iam.compile(policies)(request)
        assert quick.effect == decision.effect
        assert quick.matched == decision.matched
        answers.append(decision.effect)
    return tuple(answers)


CASES = [
    ("an unknown value", {"StringEquals": {"k": "a"}}, {"k": U}, UNKNOWN),
    ("under a negated operator", {"StringNotEquals": {"k": "a"}}, {"k": U}, UNKNOWN),
    ("under IfExists, for it may be there", {"StringEqualsIfExists": {"k": "a"}}, {"k": U}, UNKNOWN),
    ("under a wildcard, for it may be absent", {"StringLike": {"k": "*"}}, {"k": U}, UNKNOWN),
    ("of a number", {"NumericLessThan": {"k": "7"}}, {"k": U}, UNKNOWN),
    ("of an address", {"IpAddress": {"k": "0.0.0.0/0"}}, {"k": U}, UNKNOWN),
    ("Null on it", {"Null": {"k": "true"}}, {"k": U}, UNKNOWN),
    ("Null false on it", {"Null": {"k": "false"}}, {"k": U}, UNKNOWN),
    ("Null on a list of unknown values", {"Null": {"k": "false"}}, {"k": [U, U]}, UNKNOWN),
    ("Null on a list with a known value", {"Null": {"k": "false"}}, {"k": ["a", U]}, TRUE),
    ("ForAnyValue with a value that matches", {"ForAnyValue:StringEquals": {"k": "a"}}, {"k": ["a", U]}, TRUE),
    ("ForAnyValue without", {"ForAnyValue:StringEquals": {"k": "a"}}, {"k": ["b", U]}, UNKNOWN),
    ("ForAnyValue on it", {"ForAnyValue:StringEquals": {"k": "a"}}, {"k": U}, UNKNOWN),
    ("ForAllValues with a value that fails", {"ForAllValues:StringEquals": {"k": "a"}}, {"k": ["b", U]}, FALSE),
    ("ForAllValues without", {"ForAllValues:StringEquals": {"k": "a"}}, {"k": ["a", U]}, UNKNOWN),
    ("ForAllValues on it", {"ForAllValues:StringEquals": {"k": "a"}}, {"k": U}, UNKNOWN),
    ("a single operator on a list", {"StringEquals": {"k": "a"}}, {"k": ["a", U]}, UNKNOWN),
    ("another condition that fails", {"StringEquals": {"k": "a", "l": "b"}}, {"k": U, "l": "c"}, FALSE),
    ("another condition that holds", {"StringEquals": {"k": "a", "l": "b"}}, {"k": U, "l": "b"}, UNKNOWN),
    ("a variable", {"StringEquals": {"l": "${k}"}}, {"k": U, "l": "b"}, UNKNOWN),
    ("a variable beside a value that matches", {"StringEquals": {"l": ["${k}", "b"]}}, {"k": U, "l": "b"}, TRUE),
    ("a variable, negated", {"StringNotEquals": {"l": ["${k}", "c"]}}, {"k": U, "l": "b"}, UNKNOWN),
    (
        "a variable, negated, and a value that is equal",
        {"StringNotEquals": {"l": ["${k}", "b"]}},
        {"k": U, "l": "b"},
        FALSE,
    ),
    ("a variable with a default", {"StringEquals": {"l": "${k, 'b'}"}}, {"k": U, "l": "b"}, UNKNOWN),
    ("a variable beside one without value", {"StringEquals": {"l": "${k}${none}"}}, {"k": U, "l": "b"}, FALSE),
    ("a variable where the key is absent", {"StringEquals": {"l": "${k}"}}, {"k": U}, FALSE),
]


@pytest.mark.parametrize(("conditions", "context", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_unknown(conditions, context, expected):
    assert effects(conditions, context) == expected


def test_an_unknown_variable_makes_a_resource_unknown():
    assert effects({}, {"k": U}, "arn:aws:x:::${k}") == UNKNOWN
    assert effects({}, {"k": U}, "arn:aws:x:::${none}${k}") == FALSE
    assert effects({}, {"k": U}, ["arn:aws:x:::${k}", "arn:aws:x:::y"]) == TRUE


def test_a_resource_that_no_value_could_make_match_is_not_unknown():
    assert effects({}, {"k": U}, "arn:aws:x:::z/${k}") == FALSE
    assert effects({}, {"k": U}, "arn:aws:x:::${k}z") == FALSE
    assert effects({}, {"k": U}, "arn:aws:x:::${k}y") == UNKNOWN


def test_a_deny_that_is_unknown_says_so():
    conditions = {"Bool": {"actas:mfa": "false"}}
    statements = [
        {"Effect": "Allow", "Action": "a:b", "Resource": "*"},
        {"Effect": "Deny", "Action": "a:b", "Resource": "*", "Condition": conditions},
    ]
    policies = iam.PolicySet(identity=(iam.Policy.parse({"Version": "2012-10-17", "Statement": statements}),))

    decision = iam.evaluate(iam.Request(principal=CALLER, action="a:b", context={"actas:mfa": U}), policies)

    assert [ref.unknown for ref in decision.matched] == [False, True]
    assert "because nothing shows that it does not" in decision.explain()


VALUES = ["a", "b", ["a"], ["a", "b"], ["c"]]
TESTS = list(
    itertools.product(["", "ForAllValues:", "ForAnyValue:"], ["StringEquals", "StringNotEquals"], ["", "IfExists"])
)


@pytest.mark.parametrize(("prefix", "name", "suffix"), TESTS)
def test_unknown_is_never_better_than_any_value_it_could_stand_for(prefix, name, suffix):
    conditions = {f"{prefix}{name}{suffix}": {"k": ["a", "x"]}}
    allow, deny = effects(conditions, {"k": U})

    known = [effects(conditions, context) for context in ({}, *({"k": value} for value in VALUES))]

    assert allow == "ImplicitlyDenied" or all(one == "Allowed" for one, _ in known)
    assert deny == "ExplicitlyDenied" or all(other == "Allowed" for _, other in known)
