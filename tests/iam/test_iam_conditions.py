"""Each condition operator: what it matches, what it does without the key, and what it makes of a wrong type."""

import contextlib
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from actas import iam

KEY = "team:key"
MISSING = object()
WEEK = datetime(2026, 3, 14, 23, tzinfo=UTC)


def holds(operator, wanted, found, *, version="2012-10-17", **context):
    """Whether a condition holds: an Allow with it allows."""
    statement = {"Effect": "Allow", "Action": "a:b", "Resource": "*", "Condition": {operator: {KEY: wanted}}}
    policy = iam.Policy.parse({"Version": version, "Statement": statement}, stored=True)
    if found is not MISSING:
        context[KEY] = found
    request = iam.Request(principal="arn:aws:iam::111122223333:user/ana", action="a:b", context=context)
    policies = iam.PolicySet(identity=(policy,))
    decided = iam.evaluate(request, policies).allowed
    assert iam.compile(policies)(request).allowed is decided
    return decided


TABLE = [
    # operator, wanted, found, holds
    ("StringEquals", "a", "a", True),
    ("StringEquals", "a", "A", False),
    ("StringEquals", ["a", "b"], "b", True),
    ("StringEquals", "a*", "ab", False),
    ("StringEquals", "true", True, True),
    ("StringEquals", "7", 7, True),
    ("StringEquals", "", "", True),
    ("StringEquals", [], "a", False),
    ("StringEquals", 7, "7", True),
    ("StringEquals", True, "true", True),
    ("StringNotEquals", "a", "b", True),
    ("StringNotEquals", "a", "a", False),
    ("StringNotEquals", ["a", "b"], "b", False),
    ("StringNotEquals", ["a", "b"], "c", True),
    ("StringNotEquals", [], "a", True),
    ("StringEqualsIgnoreCase", "Finance", "fINANCE", True),
    ("StringEqualsIgnoreCase", "Finance", "financ", False),
    ("StringNotEqualsIgnoreCase", "Finance", "fINANCE", False),
    ("StringNotEqualsIgnoreCase", "Finance", "legal", True),
    ("StringLike", "a*", "a", True),
    ("StringLike", "a*c", "abbc", True),
    ("StringLike", "a?c", "ac", False),
    ("StringLike", "a?c", "abc", True),
    ("StringLike", "A*", "ab", False),
    ("StringLike", "*", "", True),
    ("StringLike", "a*b*c", "aXbYbZc", True),
    ("StringLike", "*/x/*", "a:b/x/", True),
    ("StringNotLike", "a*", "ab", False),
    ("StringNotLike", ["a*", "b*"], "cb", True),
    ("NumericEquals", "7", "7.0", True),
    ("NumericEquals", "7", 7, True),
    ("NumericEquals", "0.1", 0.1, True),
    ("NumericEquals", "0.1", Decimal("0.10"), True),
    ("NumericEquals", "9007199254740993", 9007199254740992, False),
    ("NumericEquals", "7", "seven", False),
    ("NumericEquals", "7", True, False),
    ("NumericEquals", "7", "7 ", False),
    ("NumericEquals", "\u0667", "\u0667", False),
    ("NumericNotEquals", "7", "8", True),
    ("NumericNotEquals", "7", "7", False),
    ("NumericNotEquals", "7", "seven", False),
    ("NumericNotEquals", ["7", "8"], "8", False),
    ("NumericLessThan", "7", "6.9", True),
    ("NumericLessThan", "7", "7", False),
    ("NumericLessThanEquals", "7", "7", True),
    ("NumericLessThanEquals", "-7", "-6", False),
    ("NumericGreaterThan", "7", "7", False),
    ("NumericGreaterThan", "7", "70", True),
    ("NumericGreaterThanEquals", "7", "7.00", True),
    ("DateEquals", "2026-03-14T23:00:00Z", WEEK, True),
    ("DateEquals", "2026-03-15T00:00:00+01:00", "2026-03-14T23:00:00Z", True),
    ("DateEquals", "1773529200", WEEK, True),
    ("DateEquals", "2026-03-14", "2026-03-14T00:00:00Z", True),
    ("DateNotEquals", "2026-03-14T23:00:00Z", WEEK, False),
    ("DateNotEquals", "2026-03-14T23:00:00Z", "yesterday", False),
    ("DateLessThan", "2026-03-14T23:00:00Z", WEEK, False),
    ("DateLessThan", "2026-03-14T23:00:00Z", WEEK - timedelta(microseconds=1), True),
    ("DateLessThanEquals", "2026-03-14T23:00:00Z", WEEK, True),
    ("DateGreaterThan", "2026-03-14T23:00:00Z", WEEK, False),
    ("DateGreaterThan", "2026-03-14T23:00:00Z", "2026-03-14T23:00:00.5Z", True),
    ("DateGreaterThanEquals", "1773529200", 1773529200, True),
    ("DateGreaterThan", "2026", "2026-01-02", True),
    ("Bool", "true", True, True),
    ("Bool", "true", "True", True),
    ("Bool", True, "true", True),
    ("Bool", "false", "true", False),
    ("Bool", ["true", "false"], "false", True),
    ("Bool", "true", "yes", False),
    ("Bool", "true", 1, False),
    ("BinaryEquals", "YQ==", "YQ==", True),
    ("BinaryEquals", "YQ==", "Yg==", False),
    ("BinaryEquals", "YQ==", "a", False),
    ("IpAddress", "10.0.0.0/8", "10.255.255.255", True),
    ("IpAddress", "10.0.0.0/8", "11.0.0.0", False),
    ("IpAddress", "192.0.2.7", "192.0.2.7", True),
    ("IpAddress", "192.0.2.7/32", "192.0.2.8", False),
    ("IpAddress", "192.0.2.9/24", "192.0.2.200", True),
    ("IpAddress", "0.0.0.0/0", "203.0.113.1", True),
    ("IpAddress", "2001:db8::/32", "2001:db8:ffff::1", True),
    ("IpAddress", "2001:DB8:0:0:0:0:0:1", "2001:db8::1", True),
    ("IpAddress", "2001:db8::/32", "2001:db9::", False),
    ("IpAddress", "0.0.0.0/0", "2001:db8::1", False),
    ("IpAddress", "::/0", "192.0.2.7", False),
    ("IpAddress", "10.0.0.0/8", "10.0.0.0/16", False),
    ("IpAddress", "10.0.0.0/8", "010.0.0.1", False),
    ("IpAddress", "10.0.0.0/33", "10.0.0.1", False),
    ("NotIpAddress", "10.0.0.0/8", "11.0.0.1", True),
    ("NotIpAddress", ["10.0.0.0/8", "11.0.0.0/8"], "11.0.0.1", False),
    ("NotIpAddress", "10.0.0.0/8", "2001:db8::1", True),
    ("NotIpAddress", "10.0.0.0/8", "nowhere", False),
    ("ArnLike", "arn:aws:s3:::b*", "arn:aws:s3:::bucket/a:b", True),
    ("ArnLike", "arn:aws:sns:*:111122223333:t", "arn:aws:sns:eu-west-1:111122223333:t", True),
    ("ArnLike", "arn:aws:sns:*:t", "arn:aws:sns:eu-west-1:111122223333:t", False),
    ("ArnLike", "arn:aws:*", "arn:aws:s3:::b", False),
    ("ArnLike", "arn:*:*:*:*:*", "arn:aws:s3:::b", True),
    ("ArnLike", "arn:aws:sns:e?-west-1:*:*", "arn:aws:sns:eu-west-1:1:t", True),
    ("ArnEquals", "arn:aws:s3:::b*", "arn:aws:s3:::bucket", True),
    ("ArnEquals", "arn:aws:s3:::b", "arn:aws:s3:::B", False),
    ("ArnNotEquals", "arn:aws:s3:::b*", "arn:aws:s3:::bucket", False),
    ("ArnNotEquals", "arn:aws:s3:::b*", "arn:aws:s3:::other", True),
    ("ArnNotLike", "arn:aws:s3:::b*", "bucket", False),
    ("ArnLike", "bucket", "bucket", False),
    ("Null", "true", "a", False),
    ("Null", "false", "a", True),
    ("Null", False, "a", True),
    ("Null", "false", ["a", "b"], True),
    ("Null", "false", [], False),
    ("Null", ["true", "false"], "a", True),
    ("Null", "no", "a", False),
    # several values in the request
    ("StringEquals", "a", ["a"], True),
    ("StringEquals", "a", ["a", "b"], False),
    ("StringNotEquals", "z", ["a", "b"], False),
    ("ForAllValues:StringEquals", ["a", "b"], ["a", "b"], True),
    ("ForAllValues:StringEquals", ["a", "b"], ["a", "c"], False),
    ("ForAllValues:StringEquals", ["a", "b"], "a", True),
    ("ForAllValues:StringEquals", "a", [], True),
    ("ForAllValues:StringEquals", "a", "", True),
    ("ForAllValues:StringLike", "a*", ["ab", "ac"], True),
    ("ForAllValues:StringNotEquals", ["a", "b"], ["c", "d"], True),
    ("ForAllValues:StringNotEquals", ["a", "b"], ["c", "a"], False),
    ("ForAnyValue:StringEquals", ["a", "b"], ["c", "b"], True),
    ("ForAnyValue:StringEquals", ["a", "b"], ["c"], False),
    ("ForAnyValue:StringEquals", "a", "a", True),
    ("ForAnyValue:StringEquals", "a", [], False),
    ("ForAnyValue:StringNotEquals", ["a", "b"], ["a", "c"], True),
    ("ForAnyValue:StringNotEquals", ["a", "b"], ["a", "b"], False),
    ("ForAnyValue:NumericLessThan", "7", [9, 6], True),
    ("ForAnyValue:IpAddress", "10.0.0.0/8", ["192.0.2.1", "10.1.1.1"], True),
    ("ForAllValues:Bool", "true", [True, "true"], True),
    ("ForAnyValue:StringLikeIfExists", "a*", ["b"], False),
]


@pytest.mark.parametrize(("operator", "wanted", "found", "expected"), TABLE)
def test_condition(operator, wanted, found, expected):
    assert holds(operator, wanted, found) is expected


NEGATED = {"StringNotEquals", "StringNotEqualsIgnoreCase", "StringNotLike", "NumericNotEquals", "DateNotEquals"}
NEGATED |= {"NotIpAddress", "ArnNotEquals", "ArnNotLike"}
POSITIVE = {
    "StringEquals",
    "StringEqualsIgnoreCase",
    "StringLike",
    "Bool",
    "BinaryEquals",
    "IpAddress",
    "ArnEquals",
    "ArnLike",
}
ORDERS = ("Equals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals")
POSITIVE |= {f"{family}{order}" for family in ("Numeric", "Date") for order in ORDERS}


@pytest.mark.parametrize("operator", sorted(POSITIVE))
def test_without_the_key_a_positive_operator_does_not_hold_unless_if_exists(operator):
    assert not holds(operator, "1", MISSING)
    assert holds(f"{operator}IfExists", "1", MISSING)


@pytest.mark.parametrize("operator", sorted(NEGATED))
def test_without_the_key_a_negated_operator_holds(operator):
    assert holds(operator, "1", MISSING)
    assert holds(f"{operator}IfExists", "1", MISSING)


@pytest.mark.parametrize("operator", sorted(NEGATED | POSITIVE))
def test_without_the_key_for_all_values_holds_and_for_any_value_does_not(operator):
    assert holds(f"ForAllValues:{operator}", "1", MISSING)
    assert not holds(f"ForAnyValue:{operator}", "1", MISSING)
    assert holds(f"ForAnyValue:{operator}IfExists", "1", MISSING)


def test_null_asks_whether_the_key_is_there():
    assert holds("Null", "true", MISSING)
    assert not holds("Null", "false", MISSING)


def test_a_deny_with_a_negated_operator_fires_without_the_key():
    deny = {"Effect": "Deny", "Action": "a:b", "Resource": "*"}
    deny |= {"Condition": {"StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-1"}}}
    allow = {"Effect": "Allow", "Action": "a:b", "Resource": "*"}
    policy = iam.Policy.parse({"Version": "2012-10-17", "Statement": [allow, deny]})
    request = iam.Request(principal="arn:aws:iam::111122223333:user/ana", action="a:b")

    assert iam.evaluate(request, iam.PolicySet(identity=(policy,))).effect == "ExplicitlyDenied"


@pytest.mark.parametrize("name", ["Team:Key", "TEAM:KEY", "team:key"])
def test_letter_case_of_a_key_does_not_count(name):
    assert holds("StringEquals", "a", MISSING, **{name: "a"})


def test_letter_case_of_a_tag_key_does_not_count():
    statement = {"Effect": "Allow", "Action": "a:b", "Resource": "*"}
    statement |= {"Condition": {"StringEquals": {"aws:PrincipalTag/Team": "${aws:RequestTag/TEAM}"}}}
    policy = iam.Policy.parse({"Version": "2012-10-17", "Statement": statement})
    context = {"aws:principaltag/team": "x", "aws:requesttag/Team": "x"}
    request = iam.Request(principal="arn:aws:iam::111122223333:user/ana", action="a:b", context=context)

    assert iam.evaluate(request, iam.PolicySet(identity=(policy,))).allowed


VARIABLES = [
    ("StringEquals", "${team:other}", "x", {"team:other": "x"}, True),
    ("StringEquals", "${TEAM:Other}", "x", {"team:other": "x"}, True),
    ("StringEquals", "a${team:other}b", "axb", {"team:other": "x"}, True),
    ("StringLike", "${team:other}*", "xyz", {"team:other": "x"}, True),
    ("StringLike", "${team:other}", "anything", {"team:other": "*"}, False),
    ("StringLike", "${team:other}", "*", {"team:other": "*"}, True),
    ("StringLike", "${team:other}", "ab", {"team:other": "a?"}, False),
    ("StringEquals", "${team:other}", "x", {"team:other": "${team:third}", "team:third": "x"}, False),
    ("StringEquals", "${team:other}", "${team:third}", {"team:other": "${team:third}", "team:third": "x"}, True),
    ("StringEquals", "${team:none}", "", {}, False),
    ("StringEquals", "${team:none}", "${team:none}", {}, False),
    ("StringNotEquals", "${team:none}", "x", {}, True),
    ("StringEquals", ["${team:none}", "x"], "x", {}, True),
    ("StringEquals", "${team:none, 'x'}", "x", {}, True),
    ("StringEquals", "${team:none,'x'}", "x", {}, True),
    ("StringEquals", "${team:other, 'x'}", "y", {"team:other": "y"}, True),
    ("StringLike", "${team:none, '*'}", "anything", {}, False),
    ("StringEquals", "${*}", "*", {}, True),
    ("StringLike", "${*}", "a", {}, False),
    ("StringLike", "a${?}", "ab", {}, False),
    ("StringLike", "a${?}", "a?", {}, True),
    ("StringEquals", "${$}{team:other}", "${team:other}", {"team:other": "x"}, True),
    ("StringEquals", "${team:other", "${team:other", {"team:other": "x"}, True),
    ("StringEquals", "${team:other}", "x", {"team:other": ["x"]}, True),
    ("StringEquals", "${team:other}", "x", {"team:other": ["x", "y"]}, False),
    ("ArnLike", "arn:aws:s3:::${team:other}/*", "arn:aws:s3:::x/y", {"team:other": "x"}, True),
    ("ArnEquals", "${team:other}", "arn:aws:s3:::x", {"team:other": "arn:aws:s3:::x"}, True),
    ("ArnEquals", "${team:other}", "arn:aws:s3:::x", {"team:other": "arn:aws:s3:::*"}, False),
    ("NumericEquals", "${team:other}", "7", {"team:other": "7"}, False),
    ("Bool", "${team:other}", "true", {"team:other": "true"}, False),
    ("IpAddress", "${team:other}", "192.0.2.1", {"team:other": "192.0.2.1"}, False),
]


@pytest.mark.parametrize(("operator", "wanted", "found", "context", "expected"), VARIABLES)
def test_variable(operator, wanted, found, context, expected):
    assert holds(operator, wanted, found, **context) is expected


def test_in_an_old_policy_a_variable_is_text():
    assert not holds("StringEquals", "${team:other}", "x", version="2008-10-17", **{"team:other": "x"})
    assert holds("StringEquals", "${team:other}", "${team:other}", version="2008-10-17", **{"team:other": "x"})
    assert holds("StringLike", "${*}", "${anything}", version="2008-10-17")


def test_different_keys_and_operators_must_all_hold():
    conditions = {"StringEquals": {"team:a": "1", "team:b": "2"}, "Bool": {"team:c": "true"}}
    statement = {"Effect": "Allow", "Action": "a:b", "Resource": "*", "Condition": conditions}
    policies = iam.PolicySet(identity=(iam.Policy.parse({"Version": "2012-10-17", "Statement": statement}),))
    good = {"team:a": "1", "team:b": "2", "team:c": True}

    def allowed(context):
        request = iam.Request(principal="arn:aws:iam::111122223333:user/ana", action="a:b", context=context)
        return iam.evaluate(request, policies).allowed

    assert allowed(good)
    assert not any(allowed({key: value for key, value in good.items() if key != left}) for left in good)


@pytest.mark.parametrize(
    ("value", "taken"), [("1E+1024", True), ("1E+1025", False), ("1E-1024", True), ("1E-1025", False)]
)
def test_a_decimal_that_would_take_pages_to_write_is_no_context_value(value, taken):
    context = {"x:number": Decimal(value)}

    with contextlib.nullcontext() if taken else pytest.raises(iam.InvalidRequest):
        assert len(iam.Request(principal="111122223333", action="a:b", context=context).facts) == 1
