"""What the validator says beyond grammar: against the service reference, and as advice."""

import json

import pytest

from actas import iam

ALLOW = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::bucket/*"}
TRUST = {
    "Effect": "Allow",
    "Action": "sts:AssumeRoleWithWebIdentity",
    "Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/id.example.com"},
}
PUBLIC = ALLOW | {"Principal": "*"}


def found(*statements, kind=iam.Kind.IDENTITY, version="2012-10-17"):
    document = json.dumps({"Version": version, "Statement": list(statements)}, indent=1)
    return {(finding.code, finding.path) for finding in iam.validate(document, kind=kind)}


def when(operator, key, *values):
    return {"Condition": {operator: {key: list(values)}}}


CASES = [
    ("an action that does not exist", ALLOW | {"Action": "s3:GetObjet"}, "unknown-action", "Action"),
    ("a service that does not exist", ALLOW | {"Action": ["lamda:Get*"]}, "unknown-service", "Action[0]"),
    ("a pattern that no action matches", ALLOW | {"Action": "s3:*Foo"}, "action-matches-nothing", "Action"),
    (
        "a bucket for an action on objects",
        ALLOW | {"Resource": "arn:aws:s3:::bucket"},
        "resource-type-mismatch",
        "Action",
    ),
    ("an action on no resource", ALLOW | {"Action": "s3:ListAllMyBuckets"}, "action-needs-star", "Action"),
    (
        "a resource that no action is about",
        ALLOW | {"Resource": ["arn:aws:s3:::b/*", "arn:aws:sqs:*:*:q"]},
        "resource-without-action",
        "Resource[1]",
    ),
    (
        "a global condition key that does not exist",
        ALLOW | when("StringEquals", "aws:SourceIpp", "a"),
        "unknown-condition-key",
        "Condition.StringEquals.aws:SourceIpp",
    ),
    (
        "a key that the action does not have",
        ALLOW | when("StringEquals", "s3:prefix", "a"),
        "condition-key-unsupported",
        "Condition.StringEquals.s3:prefix",
    ),
    (
        "several values compared as one",
        ALLOW | when("StringEquals", "aws:TagKeys", "a"),
        "missing-set-operator",
        "Condition.StringEquals.aws:TagKeys",
    ),
    (
        "an operator of another type",
        ALLOW | when("NumericEquals", "aws:SourceIp", "3"),
        "operator-type-mismatch",
        "Condition.NumericEquals.aws:SourceIp",
    ),
    (
        "a wildcard under an exact operator",
        ALLOW | when("StringEquals", "aws:PrincipalOrgID", "o-*"),
        "wildcard-without-like",
        "Condition.StringEquals.aws:PrincipalOrgID",
    ),
    (
        "ForAllValues that allows when the key is absent",
        ALLOW | when("ForAllValues:StringEquals", "aws:TagKeys", "a"),
        "allow-for-all-values",
        "Condition.ForAllValues:StringEquals.aws:TagKeys",
    ),
    (
        "a negation that allows when the key is absent",
        ALLOW | when("StringNotEquals", "aws:SourceVpce", "vpce-1"),
        "allow-when-absent",
        "Condition.StringNotEquals.aws:SourceVpce",
    ),
    ("everything on everything", ALLOW | {"Action": "*", "Resource": "*"}, "allow-everything", ""),
    (
        "a way to become anybody",
        ALLOW | {"Action": "iam:PutUser*", "Resource": "*"},
        "privilege-escalation",
        "Action",
    ),
    (
        "passing any role",
        ALLOW | {"Action": "iam:PassRole", "Resource": "*"},
        "pass-role-on-star",
        "Resource",
    ),
    (
        "allowing all but some actions",
        {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"},
        "allow-with-not-action",
        "NotAction",
    ),
    (
        "allowing all but some resources",
        {"Effect": "Allow", "Action": "s3:*", "NotResource": "arn:aws:s3:::b/*"},
        "allow-with-not-resource",
        "NotResource",
    ),
    (
        "an action listed twice",
        ALLOW | {"Action": ["s3:Get*", "s3:GetObject"]},
        "redundant-action",
        "Action[1]",
    ),
    (
        "a resource listed twice",
        ALLOW | {"Resource": ["arn:aws:s3:::b/a", "arn:aws:s3:::b/*"]},
        "redundant-resource",
        "Resource[0]",
    ),
    (
        "a number that is none",
        ALLOW | when("NumericLessThan", "s3:signatureAge", "soon"),
        "value-not-of-type",
        "Condition.NumericLessThan.s3:signatureAge[0]",
    ),
    (
        "an address that is none",
        ALLOW | when("IpAddress", "aws:SourceIp", "192.0.2.300"),
        "value-not-of-type",
        "Condition.IpAddress.aws:SourceIp[0]",
    ),
    (
        "an ARN that is none",
        ALLOW | when("ArnLike", "aws:PrincipalArn", "arn:aws:*"),
        "value-not-of-type",
        "Condition.ArnLike.aws:PrincipalArn[0]",
    ),
    (
        "one condition key in two spellings",
        ALLOW | {"Condition": {"StringEquals": {"aws:userid": "a", "aws:UserId": "b"}}},
        "duplicate-condition-key",
        "Condition.StringEquals.aws:UserId",
    ),
    (
        "a private address as the source",
        ALLOW | when("IpAddress", "aws:SourceIp", "192.168.7.0/24"),
        "private-source-ip",
        "Condition.IpAddress.aws:SourceIp",
    ),
    (
        "a null in a list",
        ALLOW | {"Resource": ["arn:aws:s3:::b/*", None]},
        "null-in-list",
        "Resource[1]",
    ),
]


@pytest.mark.parametrize(("statement", "code", "place"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_it_is_said_of(statement, code, place):
    path = f"Statement[0].{place}" if place else "Statement[0]"

    assert (code, path) in found(statement)


GUARDED = {"Condition": {"ForAllValues:StringEquals": {"aws:TagKeys": ["a"]}, "Null": {"aws:TagKeys": "false"}}}
SILENT = [
    ("an action and its resource", ALLOW),
    ("a guarded ForAllValues", ALLOW | GUARDED),
    ("one role passed", {"Effect": "Allow", "Action": "iam:PassRole", "Resource": "arn:aws:iam::111122223333:role/x"}),
    ("a key of the gateway's own", ALLOW | when("ForAnyValue:StringEquals", "actas:groups", "finance")),
    ("a public address as the source", ALLOW | when("IpAddress", "aws:SourceIp", "192.0.2.0/24")),
    ("a variable where an ARN belongs", ALLOW | when("ArnLike", "aws:PrincipalArn", "${aws:SourceArn}")),
    ("a tag key of any name", ALLOW | when("StringEquals", "aws:PrincipalTag/team", "finance")),
    ("a key with a placeholder", ALLOW | when("StringEquals", "s3:ExistingObjectTag/team", "finance")),
]


@pytest.mark.parametrize("statement", [c[1] for c in SILENT], ids=[c[0] for c in SILENT])
def test_nothing_is_said_of(statement):
    assert found(statement) == set()


NARROWING = [
    ("StringEquals", "aws:PrincipalOrgID", "o-1", True),
    ("StringLike", "aws:PrincipalOrgID", "*", False),
    ("StringLike", "aws:SourceAccount", "????????????", False),
    ("StringNotEquals", "aws:PrincipalOrgID", "o-1", False),
    ("StringEqualsIfExists", "aws:PrincipalOrgID", "o-1", False),
    ("ArnLike", "aws:SourceArn", "arn:aws:sns:*:111122223333:*", True),
    ("ArnLike", "aws:SourceArn", "arn:aws:*:*:*:*", False),
    ("IpAddress", "aws:SourceIp", "203.0.113.0/24", True),
    ("IpAddress", "aws:SourceIp", "203.0.0.0/8", True),
    ("IpAddress", "aws:SourceIp", "202.0.0.0/7", False),
    ("IpAddress", "aws:SourceIp", "0.0.0.0/0", False),
    ("IpAddress", "aws:SourceIp", "2001:db8::/32", True),
    ("IpAddress", "aws:SourceIp", "::/0", False),
    ("StringEquals", "aws:UserAgent", "x", False),
]


@pytest.mark.parametrize(("operator", "key", "value", "narrows"), NARROWING)
def test_a_public_principal_is_named_unless_a_condition_narrows_it(operator, key, value, narrows):
    public = {code for code, _ in found(PUBLIC | when(operator, key, value), kind=iam.Kind.RESOURCE)}

    assert ("public-principal" in public) is not narrows


def test_a_public_principal_without_a_condition_is_named_where_it_stands():
    assert ("public-principal", "Statement[0].Principal") in found(PUBLIC, kind=iam.Kind.RESOURCE)


PASSING = [
    ("Action", "iam:PassRole", "Resource", "*", "Resource"),
    ("Action", "iam:Pass*", "Resource", "arn:aws:iam::111122223333:role/*", "Resource"),
    ("Action", "iam:PassRole", "Resource", "arn:aws:iam::111122223333:role/one", None),
    ("Action", "iam:PassRole", "NotResource", "arn:aws:iam::111122223333:role/one", "NotResource"),
    ("Action", "iam:PassRole", "NotResource", "*", None),
    ("NotAction", "s3:*", "Resource", "*", "Resource"),
    ("NotAction", "iam:*", "Resource", "*", None),
    ("Action", "*", "Resource", "*", "Resource"),
]


@pytest.mark.parametrize(("actions", "action", "resources", "resource", "where"), PASSING)
def test_passing_any_role_is_named_however_it_is_said(actions, action, resources, resource, where):
    said = found({"Effect": "Allow", actions: action, resources: resource})

    places = {path for code, path in said if code == "pass-role-on-star"}
    assert places == (set() if where is None else {f"Statement[0].{where}"})


def test_a_trust_in_a_provider_has_to_say_whose_identities():
    told = TRUST | when("StringEquals", "id.example.com:sub", "ana")

    assert {code for code, _ in found(TRUST, kind=iam.Kind.TRUST)} == {"federation-without-subject"}
    assert found(told, kind=iam.Kind.TRUST) == set()


def test_a_federated_identity_does_not_assume_a_role_plainly():
    told = TRUST | when("StringEquals", "id.example.com:sub", "ana") | {"Action": "sts:AssumeRole"}

    assert found(told, kind=iam.Kind.TRUST) == {("action-principal-mismatch", "Statement[0].Action")}


def test_an_allow_that_a_deny_voids_is_named():
    deny = {"Effect": "Deny", "Action": "s3:*", "Resource": "*"}

    assert ("shadowed-statement", "Statement[0]") in found(ALLOW, deny)
    assert found(ALLOW, deny | when("Bool", "aws:SecureTransport", "false")) == set()


def test_of_two_equal_statements_the_later_one_is_redundant():
    assert found(ALLOW, ALLOW) == {("redundant-statement", "Statement[1]")}


def test_a_variable_in_an_old_policy_is_text():
    document = {"Statement": ALLOW | {"Resource": "arn:aws:s3:::b/${aws:username}"}}

    codes = {finding.code for finding in iam.validate(document, stored=True)}

    assert codes == {"old-version", "variable-without-version"}


def test_each_depth_says_less_than_the_next():
    statement = {"Effect": "Allow", "Action": "s3:Nothing", "Resource": "*", "Sid": "not a sid"}
    document = {"Version": "2012-10-17", "Statement": [statement, {"Effect": "Allow", "Action": "*", "Resource": "*"}]}

    depths = [{f.code for f in iam.validate(document, depth=depth)} for depth in ("grammar", "catalogue", "advice")]

    assert depths[0] == {"sid-characters"}
    assert depths[1] == depths[0] | {"unknown-action"}
    assert depths[2] > depths[1]


def test_a_finding_says_where_and_what_to_do():
    document = (
        '{"Version": "2012-10-17",\n "Statement": [{"Effect": "Allow",\n  "Action": "s3:GetObjet", "Resource": "*"}]}'
    )

    (finding,) = iam.validate(document)

    assert (finding.line, finding.column, finding.severity) == (3, 13, "warning")
    assert finding.fix == "Write s3:GetObject, if that is what is meant."
