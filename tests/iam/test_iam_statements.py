"""Which actions and resources a statement is about, and that matching stays linear."""

import pytest

from actas import iam
from actas.iam.wildcards import glob, tokens_of

USER = "arn:aws:iam::111122223333:user/ana"


def allowed(statement, action="s3:GetObject", resource="arn:aws:s3:::bucket/a", **context):
    body = {"Effect": "Allow"} | statement
    if "Action" not in body and "NotAction" not in body:
        body["Action"] = "*"
    if "Resource" not in body and "NotResource" not in body:
        body["Resource"] = "*"
    policies = iam.PolicySet(identity=(iam.Policy.parse({"Version": "2012-10-17", "Statement": body}),))
    account = resource.split(":")[4] if resource.count(":") > 4 else ""
    caller = USER.replace("111122223333", account) if account.isdigit() else USER
    request = iam.Request(principal=caller, action=action, resource=resource, context=context)
    decided = iam.evaluate(request, policies).allowed
    assert iam.compile(policies)(request).allowed is decided
    return decided


ACTIONS = [
    ("s3:GetObject", "s3:GetObject", True),
    ("S3:getobject", "s3:GetObject", True),
    ("s3:GetObject", "S3:GETOBJECT", True),
    ("*", "s3:GetObject", True),
    ("s3:*", "s3:GetObject", True),
    ("s3:get*", "s3:GetObject", True),
    ("s3:Get?bject", "s3:GetObject", True),
    ("s3:*Object", "s3:GetObject", True),
    ("s3:*Obj*", "s3:GetObject", True),
    ("s3:GetObjec", "s3:GetObject", False),
    ("s3:GetObject?", "s3:GetObject", False),
    ("s3:GetObject*", "s3:GetObject", True),
    ("s3:*", "s3-outposts:GetObject", False),
]


@pytest.mark.parametrize(("pattern", "action", "expected"), ACTIONS)
def test_an_action_matches(pattern, action, expected):
    assert allowed({"Action": pattern}, action) is expected
    assert allowed({"NotAction": pattern}, action) is not expected


RESOURCES = [
    ("*", "arn:aws:s3:::bucket/a", True),
    ("*", "*", True),
    ("arn:aws:s3:::*", "*", False),
    ("arn:aws:s3:::bucket/a", "arn:aws:s3:::bucket/a", True),
    ("arn:aws:s3:::bucket/A", "arn:aws:s3:::bucket/a", False),
    ("arn:aws:s3:::bucket/*", "arn:aws:s3:::bucket/a/b", True),
    ("arn:aws:s3:::bucket/*", "arn:aws:s3:::bucket/", True),
    ("arn:aws:s3:::bucket/*", "arn:aws:s3:::bucket", False),
    ("arn:aws:s3:::bucket*", "arn:aws:s3:::bucket2/a", True),
    ("arn:aws:s3:::bucket/?", "arn:aws:s3:::bucket/a", True),
    ("arn:aws:s3:::bucket/?", "arn:aws:s3:::bucket/ab", False),
    ("arn:aws:s3:::*/secret", "arn:aws:s3:::bucket/x/secret", True),
    ("arn:aws:lambda:*:*:function:f", "arn:aws:lambda:eu-west-1:111122223333:function:f", True),
    ("arn:aws:lambda:eu-*:*:function:f", "arn:aws:lambda:us-east-1:111122223333:function:f", False),
    ("arn:aws:lambda:*:111122223333:function:f", "arn:aws:lambda:eu-west-1:444455556666:function:f", False),
    ("arn:aws:lambda:*:function:f", "arn:aws:lambda:eu-west-1:111122223333:function:f", True),
    ("arn:aws:lambda:*:function:g", "arn:aws:lambda:eu-west-1:111122223333:function:f", False),
    ("arn:aws:lambda:eu-*:function:f", "arn:aws:lambda:eu-west-1:111122223333:function:f", True),
    ("arn:aws:lambda:e*1:function:f", "arn:aws:lambda:eu-west-1:111122223333:function:f", False),
    ("arn:aws:lambda:e*1:*:function:f", "arn:aws:lambda:eu-west-1:111122223333:function:f", True),
    ("arn:aws:lambda:eu?west?1:*:function:f", "arn:aws:lambda:eu-west-1:111122223333:function:f", True),
    ("arn:aws:lambda:eu-west-1?111122223333:function:f", "arn:aws:lambda:eu-west-1:111122223333:function:f", False),
    ("arn:aws:lambda:?u-west-1:*:function:f?", "arn:aws:lambda:eu-west-1:111122223333:function:f:", True),
    ("arn:aws:lambda:*:*:function:f*", "arn:aws:lambda:eu-west-1:111122223333:function:f:prod", True),
    ("arn:aws:lambda:*:*:*", "arn:aws:lambda:eu-west-1:111122223333:function:f:prod", True),
    ("arn:aws:lambda", "arn:aws:lambda:eu-west-1:111122223333:function:f", True),
    ("arn:aws:sqs", "arn:aws:lambda:eu-west-1:111122223333:function:f", False),
    ("arn:aws:lambda:eu-west-1", "arn:aws:lambda:eu-west-1:111122223333:function:f", True),
    ("arn:aws:lambda:eu-west-1", "arn:aws:lambda:eu-west-2:111122223333:function:f", False),
    ("arn:*:s3:::bucket", "arn:aws-cn:s3:::bucket", True),
    ("arn:actas:function:report", "arn:actas:function:report", True),
    ("arn:actas:function:report", "arn:actas:function:report:x", False),
    ("arn:actas:function:re*", "arn:actas:function:report", True),
    ("arn:actas:route:orders:GET/orders/{id}", "arn:actas:route:orders:GET/orders/{id}", True),
]


@pytest.mark.parametrize(("pattern", "resource", "expected"), RESOURCES)
def test_a_resource_matches(pattern, resource, expected):
    assert allowed({"Resource": pattern}, resource=resource) is expected
    assert allowed({"NotResource": pattern}, resource=resource) is not expected


@pytest.mark.parametrize(
    ("pattern", "context", "expected"),
    [
        ("arn:aws:s3:::bucket/${team:name}", {"team:name": "a"}, True),
        ("arn:aws:s3:::bucket/${team:name}", {"team:name": "*"}, False),
        ("arn:aws:s3:::bucket/${team:name}", {}, False),
        ("arn:aws:s3:::bucket/${team:name, 'a'}", {}, True),
        ("arn:aws:s3:::bucket/${team:name}*", {"team:name": ""}, True),
        ("arn:aws:s3:::${team:name}/*", {"team:name": "bucket"}, True),
        ("arn:aws:s3:::${team:name}", {"team:name": "bucket/a"}, True),
        ("arn:aws:s3:::bucket/${*}", {}, False),
        ("arn:aws:s3:::bucket/${aws:username}", {"aws:username": "a"}, True),
        ("arn:aws:${team:name}:::bucket/a", {"team:name": "s3"}, False),
    ],
)
def test_a_variable_in_a_resource(pattern, context, expected):
    assert allowed({"Resource": pattern}, **context) is expected


LEFT_OUT = [
    ("a value elsewhere leaves the resource in", {"team:name": "b"}, "Allowed", "ExplicitlyDenied"),
    ("a value here leaves it out", {"team:name": "a"}, "ImplicitlyDenied", "ImplicitlyDenied"),
    ("no value is in nobody's favour", {}, "ImplicitlyDenied", "ExplicitlyDenied"),
    ("several values are no value", {"team:name": ["b", "c"]}, "ImplicitlyDenied", "ExplicitlyDenied"),
    ("an unknown value can be none", {"team:name": iam.UNKNOWN}, "ImplicitlyDenied", "ExplicitlyDenied"),
]


@pytest.mark.parametrize(("context", "allow", "deny"), [c[1:] for c in LEFT_OUT], ids=[c[0] for c in LEFT_OUT])
def test_a_variable_in_not_resource(context, allow, deny):
    assert effects("arn:aws:s3:::bucket/${team:name}", context) == (allow, deny)


def test_a_variable_with_a_default_in_not_resource():
    assert effects("arn:aws:s3:::bucket/${team:name, 'b'}", {}) == ("Allowed", "ExplicitlyDenied")
    assert effects("arn:aws:s3:::bucket/${team:name, 'a'}", {}) == ("ImplicitlyDenied", "ImplicitlyDenied")


def test_a_variable_in_not_resource_without_a_value_is_nothing_to_resources_that_it_could_never_name():
    assert effects("arn:aws:s3:::other/${team:name}", {}) == ("Allowed", "ExplicitlyDenied")
    assert effects("arn:aws:s3:::other/${team:name}", {"team:name": iam.UNKNOWN}) == ("Allowed", "ExplicitlyDenied")


def effects(pattern, context):
    """What an Allow and what a Deny with this NotResource say of arn:aws:s3:::bucket/a."""
    return tuple(
        decided({"Effect": effect, "Action": "*", "NotResource": pattern}, context) for effect in ("Allow", "Deny")
    )


def decided(statement, context):
    policies = iam.PolicySet(identity=(iam.Policy.parse({"Version": "2012-10-17", "Statement": statement}),))
    request = iam.Request(principal=USER, action="s3:GetObject", resource="arn:aws:s3:::bucket/a", context=context)
    effect = iam.evaluate(request, policies).effect
    assert iam.compile(policies)(request).effect == effect
    return effect


HOSTILE = [
    ("*a" * 60 + "*", "a" * 8000, True),
    ("*a" * 60 + "b", "a" * 8000, False),
    ("*" * 4000, "x" * 8000, True),
    ("?" * 2000 + "*" + "?" * 2000, "x" * 8000, True),
    ("*" + "a?" * 1000 + "b*", "aa" * 4000, False),
    ("*?a*?a*?a*?a*?a*?a*?b", "a" * 8000, False),
]


@pytest.mark.parametrize(("pattern", "text", "expected"), HOSTILE, ids=[p[0][:12] for p in HOSTILE])
def test_a_hostile_pattern_comes_to_an_end(pattern, text, expected):
    # Matching that goes back on its steps would take longer here than any test may.
    assert glob(tokens_of(pattern))(text) is expected


def test_many_statements_are_told_apart():
    statements = [
        {"Sid": f"S{n}", "Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": f"arn:actas:function:f{n}"}
        for n in range(500)
    ]
    statements.append({"Sid": "No", "Effect": "Deny", "Action": "lambda:*", "Resource": "arn:actas:function:f7"})
    policy = iam.Policy.parse({"Version": "2012-10-17", "Statement": statements}, name="rules")
    decide = iam.compile(iam.PolicySet(identity=(policy,)))

    def asked(name):
        return decide(
            iam.Request(principal=USER, action="lambda:InvokeFunction", resource=f"arn:actas:function:{name}")
        )

    assert [(ref.policy, ref.sid) for ref in asked("f8").matched] == [("rules", "S8")]
    assert asked("f7").effect == "ExplicitlyDenied"
    assert [ref.sid for ref in asked("f7").matched] == ["S7", "No"]
    assert asked("f500").effect == "ImplicitlyDenied"
