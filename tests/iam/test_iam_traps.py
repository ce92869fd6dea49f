"""The traps of policies, each by its name in the table of traps: what goes wrong elsewhere, and the same without it."""

import pytest

from actas import iam

ANA = "arn:aws:iam::111122223333:user/ana"
HOME = "arn:aws:s3:::homes/${aws:PrincipalTag/home}/*"


def decide(statement, context, resource="arn:aws:s3:::homes/ben/notes"):
    policies = iam.PolicySet(identity=(iam.Policy.parse({"Version": "2012-10-17", "Statement": statement}),))
    request = iam.Request(principal=ANA, action="s3:GetObject", resource=resource, context=context)
    effect = iam.evaluate(request, policies).effect
    assert iam.compile(policies)(request).effect == effect
    return effect


def allow(**more):
    return {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"} | more


INJECTED = [
    "*",
    "b*",
    "???",
    "be?",
    "${aws:username}",
    "${*}",
    "ben/*",
    "x, 'ben'",
    "ana} ${",
    "[b]en",
    ".*",
    "BEN",
    "ben\n",
]


@pytest.mark.parametrize("value", INJECTED)
@pytest.mark.parametrize(
    ("statement", "resource"),
    [
        (allow(Resource=HOME), "arn:aws:s3:::homes/ben/notes"),
        (allow(Condition={"StringLike": {"s3:prefix": "${aws:PrincipalTag/home}/*"}}), "arn:aws:s3:::homes"),
        (allow(Condition={"StringEquals": {"s3:home": "${aws:PrincipalTag/home}"}}), "arn:aws:s3:::homes"),
        (
            allow(Condition={"ArnLike": {"aws:SourceArn": "arn:aws:s3:::${aws:PrincipalTag/home}"}}),
            "arn:aws:s3:::homes",
        ),
    ],
    ids=["Resource", "StringLike", "StringEquals", "ArnLike"],
)
def test_policy_variable_wildcard_injection(value, statement, resource):
    around = {"s3:prefix": "ben/notes", "s3:home": "ben", "aws:SourceArn": "arn:aws:s3:::ben", "aws:username": "ben"}

    assert decide(statement, around | {"aws:PrincipalTag/home": value}, resource) == "ImplicitlyDenied"
    assert decide(statement, around | {"aws:PrincipalTag/home": "ben"}, resource) == "Allowed"


@pytest.mark.parametrize("absent", [{}, {"aws:TagKeys": []}, {"aws:TagKeys": ""}], ids=["no key", "no value", "a null"])
def test_for_all_values_and_allow_with_missing_key(absent):
    only = {"ForAllValues:StringEquals": {"aws:TagKeys": ["team"]}}
    guarded = only | {"Null": {"aws:TagKeys": "false"}}

    assert decide(allow(Condition=only), absent) == "Allowed"
    assert "allow-for-all-values" in codes(allow(Condition=only))
    assert "allow-for-all-values" not in codes(allow(Condition=guarded))
    assert decide(allow(Condition=guarded), {}) == "ImplicitlyDenied"
    assert decide(allow(Condition=guarded), {"aws:TagKeys": ["team"]}) == "Allowed"
    assert decide(allow(Condition=guarded), {"aws:TagKeys": ["team", "cost"]}) == "ImplicitlyDenied"


NEGATED = [
    ("StringNotEquals", "aws:SourceVpce", "vpce-1", "vpce-2"),
    ("StringNotLike", "aws:UserAgent", "curl/*", "aws-cli"),
    ("StringNotEqualsIgnoreCase", "aws:SourceIdentity", "BEN", "ana"),
    ("NotIpAddress", "aws:SourceIp", "192.0.2.0/24", "203.0.113.9"),
    ("ArnNotLike", "aws:SourceArn", "arn:aws:sns:*:*:*", "arn:aws:sqs:::q"),
    ("NumericNotEquals", "aws:MultiFactorAuthAge", "7", "8"),
    ("DateNotEquals", "aws:TokenIssueTime", "2026-03-14", "2026-03-15"),
]


@pytest.mark.parametrize(("operator", "key", "unwanted", "other"), NEGATED, ids=[row[0] for row in NEGATED])
def test_negative_operators_on_missing_keys(operator, key, unwanted, other):
    statement = allow(Condition={operator: {key: unwanted}})
    guarded = allow(Condition={operator: {key: unwanted}, "Null": {key: "false"}})

    assert [decide(statement, found) for found in ({}, {key: other})] == ["Allowed", "Allowed"]
    assert "allow-when-absent" in codes(statement)
    assert "allow-when-absent" not in codes(guarded)
    assert [decide(guarded, found) for found in ({}, {key: other})] == ["ImplicitlyDenied", "Allowed"]
    assert decide([allow(), statement | {"Effect": "Deny"}], {}) == "ExplicitlyDenied"


def codes(statement):
    return {finding.code for finding in iam.validate({"Version": "2012-10-17", "Statement": statement})}


def test_confused_deputy():
    def queue(**more):
        statement = allow(Principal={"Service": "sns.amazonaws.com"}, Action="sqs:SendMessage") | more
        return iam.Policy.parse({"Version": "2012-10-17", "Statement": statement}, kind=iam.Kind.RESOURCE)

    def sent(policy, source):
        asked = iam.Request(
            principal="sns.amazonaws.com",
            action="sqs:SendMessage",
            resource="arn:aws:sqs:eu-west-1:111122223333:orders",
            context={"aws:SourceAccount": source},
        )
        return iam.evaluate(asked, iam.PolicySet(resource=(policy,))).allowed

    ours = queue(Condition={"StringEquals": {"aws:SourceAccount": "111122223333"}})

    assert [sent(queue(), source) for source in ("111122223333", "444455556666")] == [True, True]
    assert [sent(ours, source) for source in ("111122223333", "444455556666")] == [True, False]
