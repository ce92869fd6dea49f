"""An authorizer's answer is a clear yes, or it is a no or an error."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actas import apigateway
from actas.apigateway import InvalidAuthorizerAnswer
from actas.apigateway.policies import glob

ROUTE = "arn:aws:execute-api:eu-west-1:111122223333:abc/live/GET/orders/7"
OTHER = "arn:aws:execute-api:eu-west-1:111122223333:abc/live/POST/orders"


def verdict(returned, **more):
    payload = returned if isinstance(returned, bytes) else json.dumps(returned).encode()
    return apigateway.authorizer_answer(payload, **more)


def statement(effect="Allow", resource=ROUTE, action="execute-api:Invoke", **more):
    return {"Effect": effect, "Resource": resource, "Action": action} | more


def policy(*statements, principal="ana", **more):
    return {
        "principalId": principal,
        "policyDocument": {"Version": "2012-10-17", "Statement": list(statements)},
    } | more


@pytest.mark.parametrize(("said", "effect"), [(True, "Allow"), (False, "Deny")])
def test_a_simple_answer_is_a_yes_or_a_no(said, effect):
    found = verdict({"isAuthorized": said, "context": {"a": [1, {"b": None}]}}, version="2.0")

    assert (found.effect, found.principal, found.policy) == (effect, None, None)
    assert found.context == {"a": [1, {"b": None}]}


INVALID_SIMPLE = [
    ("a text for a truth", {"isAuthorized": "true"}),
    ("a number for a truth", {"isAuthorized": 1}),
    ("null for a truth", {"isAuthorized": None}),
    ("a context that is a list", {"isAuthorized": True, "context": []}),
    ("both kinds at once", policy(statement(), isAuthorized=False)),
    ("an empty object", {}),
    ("a list", []),
    ("a bare truth", True),
    ("no JSON", b"yes"),
    ("nothing", b""),
    ("bytes that are no UTF-8", b'{"isAuthorized": true, "a": "\xff"}'),
    ("a nest", b"[" * 100_000),
]


@pytest.mark.parametrize("returned", [c[1] for c in INVALID_SIMPLE], ids=[c[0] for c in INVALID_SIMPLE])
def test_an_answer_that_is_no_verdict_is_an_error(returned):
    with pytest.raises(InvalidAuthorizerAnswer):
        verdict(returned, version="2.0")


def test_a_simple_answer_is_none_in_version_1():
    with pytest.raises(InvalidAuthorizerAnswer, match="principalId"):
        verdict({"isAuthorized": True}, version="1.0")


POLICIES = [
    ("an allowed route", [statement()], "Allow"),
    ("another route", [statement(resource=OTHER)], "Deny"),
    ("no statement that speaks of it", [statement(action="lambda:InvokeFunction")], "Deny"),
    ("a star for the rest", [statement(resource="arn:aws:execute-api:*:*:abc/live/GET/*")], "Allow"),
    ("a star for everything", [statement(resource="*", action="*")], "Allow"),
    ("a question mark", [statement(resource=ROUTE[:-1] + "?")], "Allow"),
    ("a question mark for nothing", [statement(resource=ROUTE + "?")], "Deny"),
    ("an action in another case", [statement(action="Execute-API:invoke")], "Allow"),
    ("a resource in another case", [statement(resource=ROUTE.upper())], "Deny"),
    ("a list of resources", [statement(resource=[OTHER, ROUTE])], "Allow"),
    ("a list of actions", [statement(action=["s3:GetObject", "execute-api:*"])], "Allow"),
    ("a denial outweighs", [statement(), statement("Deny", "*")], "Deny"),
    ("a denial of another route", [statement(), statement("Deny", OTHER)], "Allow"),
    ("a permission with a condition", [statement(Condition={"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}})], "Deny"),
    ("an empty condition", [statement(Condition={})], "Allow"),
    (
        "a denial with a condition",
        [statement(), statement("Deny", "*", Condition={"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}})],
        "Deny",
    ),
    ("all but another route", [{"Effect": "Allow", "Action": "*", "NotResource": OTHER}], "Allow"),
    ("all but this route", [{"Effect": "Allow", "Action": "*", "NotResource": ROUTE}], "Deny"),
    ("all but this action", [{"Effect": "Allow", "NotAction": "execute-api:*", "Resource": "*"}], "Deny"),
    (
        "a denial of all but this action",
        [statement(), {"Effect": "Deny", "NotAction": "execute-api:*", "Resource": "*"}],
        "Allow",
    ),
]


@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize(("statements", "effect"), [c[1:] for c in POLICIES], ids=[c[0] for c in POLICIES])
def test_a_policy_decides_on_the_route(statements, effect, version):
    found = verdict(policy(*statements), version=version, resource=ROUTE)

    assert (found.effect, found.principal) == (effect, "ana")
    assert found.policy["Statement"] == statements


def test_one_statement_needs_no_list():
    returned = {"principalId": "ana", "policyDocument": {"Statement": statement()}}

    assert verdict(returned, version="1.0", resource=ROUTE).effect == "Allow"


@pytest.mark.parametrize(("effects", "effect"), [(["Allow"], "Allow"), (["Deny"], "Deny"), (["Allow", "Deny"], "Deny")])
def test_without_a_resource_the_statements_alone_decide(effects, effect):
    returned = policy(*(statement(one, OTHER) for one in effects))

    assert verdict(returned, version="1.0").effect == effect


def test_in_version_1_context_arrives_as_text():
    returned = policy(statement(), context={"s": "x", "n": 1, "f": 1.5, "t": True, "no": None}, usageIdentifierKey="k")

    found = verdict(returned, version="1.0", resource=ROUTE)

    assert found.context == {"s": "x", "n": "1", "f": "1.5", "t": "true"}
    assert found.usage_identifier_key == "k"


def test_in_version_2_context_arrives_as_it_is():
    found = verdict(policy(statement(), context={"n": 1, "l": [1]}), version="2.0", resource=ROUTE)

    assert found.context == {"n": 1, "l": [1]}


INVALID = [
    ("no principal", {"policyDocument": {"Statement": [statement()]}}),
    ("an empty principal", policy(statement(), principal="")),
    ("a number as principal", policy(statement(), principal=7)),
    ("no policy", {"principalId": "ana"}),
    ("a policy as text", {"principalId": "ana", "policyDocument": "{}"}),
    ("a policy without statements", {"principalId": "ana", "policyDocument": {}}),
    ("an empty list of statements", policy()),
    ("a statement that is a text", policy("Allow")),
    ("a statement without an effect", policy({"Action": "*", "Resource": "*"})),
    ("an effect in another case", policy(statement("allow"))),
    ("an effect that is a list", policy(statement(["Allow"]))),
    ("a statement without an action", policy({"Effect": "Allow", "Resource": "*"})),
    ("a statement without a resource", policy({"Effect": "Allow", "Action": "*"})),
    ("an action and its contrary", policy(statement(NotAction="*"))),
    ("an action that is a number", policy(statement(action=1))),
    ("an empty list of resources", policy(statement(resource=[]))),
    ("a resource that is null", policy(statement(resource=None))),
    ("a resource that is too long", policy(statement(resource="a" * 513))),
    ("a context with an object in it", policy(statement(), context={"a": {}})),
    ("a context with a list in it", policy(statement(), context={"a": []})),
    ("a context with the reserved name", policy(statement(), context={"claims": "x"})),
    ("a usage key that is a number", policy(statement(), usageIdentifierKey=1)),
    ("a second statement that is wrong", policy(statement(), {})),
    ("more than is read", b" " * 262_145),
]


@pytest.mark.parametrize("returned", [c[1] for c in INVALID], ids=[c[0] for c in INVALID])
def test_a_policy_answer_that_is_not_whole_is_an_error(returned):
    with pytest.raises(InvalidAuthorizerAnswer):
        verdict(returned, version="1.0", resource=ROUTE)


def test_a_resource_of_512_characters_is_read():
    assert verdict(policy(statement(resource="*" * 512)), version="1.0", resource=ROUTE).effect == "Allow"


def test_an_authorizer_that_throws_unauthorized_is_a_401():
    with pytest.raises(apigateway.AuthorizerUnauthorized) as refused:
        verdict({"errorMessage": "Unauthorized", "errorType": "Error"}, version="1.0")

    assert refused.value.status == 401


def test_an_authorizer_that_throws_anything_else_is_a_500():
    with pytest.raises(InvalidAuthorizerAnswer) as refused:
        verdict({"errorMessage": "unauthorized"}, version="1.0")

    assert refused.value.status == 500


def test_an_unknown_version_is_refused():
    with pytest.raises(apigateway.UnknownVersion):
        verdict({"isAuthorized": True}, version="alb")


def slow(pattern, text):
    """Match as the book says it, for patterns too short to hurt."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return slow(pattern[1:], text) or (bool(text) and slow(pattern, text[1:]))
    return bool(text) and pattern[0] in ("?", text[0]) and slow(pattern[1:], text[1:])


@given(st.text("ab*?", max_size=8), st.text("ab", max_size=8))
def test_a_glob_matches_as_the_book_says(pattern, text):
    assert glob(pattern, text) is slow(pattern, text)


@given(st.binary(), st.sampled_from(["1.0", "2.0"]))
def test_whatever_an_authorizer_returns_only_our_errors_come_out(payload, version):
    try:
        found = apigateway.authorizer_answer(payload, version=version, resource=ROUTE)
    except apigateway.ApiGatewayError:
        return

    assert found.effect in ("Allow", "Deny")
