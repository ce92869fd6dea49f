"""Real functions verify the envelope of a real delivery: direct calls, routes, and after a rotation of keys."""

import json
from dataclasses import replace
from datetime import timedelta
from functools import partial

import msgspec
import pytest

from actas import jose
from actas.invoke.envelope import Minter
from actas.model import clock
from actas.model.call import Route
from actas.model.facts import Known
from actas.testing.contracts.backend import delivery

pytestmark = pytest.mark.anyio

CODE = """
from actas.lambda_ import LambdaError, caller
count = 0
def handler(event, context):
    global count
    count += 1
    try:
        who = caller(event, context)
    except LambdaError as wrong:
        return {"statusCode": 401, "body": wrong.code}
    headers = {"X-Groups": " ".join(sorted(who.groups.value)), "X-Count": count}
    return {"statusCode": 200, "body": who.subject, "headers": headers}
"""
ORDER = Route(
    template="POST /orders/{id}",
    method="POST",
    path="/orders/7",
    raw_path="/orders/7",
    query="full=1",
    headers=(("content-type", "application/json"), ("authorization", "Bearer x")),
)


class Signed:
    """A gateway's signing key and what it mints with it."""

    def __init__(self):
        self.rotate()

    def rotate(self):
        self.key = jose.Key.generate("ES256", kid=f"key-{clock.now():%f}")

    def jwks(self):
        return json.dumps({"keys": [self.key.to_json()]})

    def delivery(self, payload, route=None, *, number=1):
        made = delivery(payload, number=number, lasts=timedelta(minutes=5))
        grant = replace(made.grant, identity=replace(made.grant.identity, groups=Known(frozenset({"finance"}))))
        call = replace(made.call, route=route)
        minter = Minter(issuer="https://actas.example", newest=lambda: self.key)
        return replace(made, call=call, grant=grant, envelope=partial(minter, call, grant))


@pytest.fixture
def signed():
    return Signed()


@pytest.fixture
def function(bench, signed):
    bench.open(public_keys=signed.jwks, issuer="https://actas.example")
    return bench.function(CODE)


async def test_a_function_that_is_called_directly_knows_its_caller(function, signed):
    answer = await function.invoke(signed.delivery(b'{"order": 7.0}'))

    assert msgspec.json.decode(answer.payload)["body"] == "ana"


@pytest.mark.parametrize("version", ["1.0", "2.0"])
async def test_a_function_behind_a_route_knows_its_caller_and_answers_in_http(bench, signed, version):
    bench.open(public_keys=signed.jwks, issuer="https://actas.example")
    function = bench.function(CODE, format=version)

    answer = await function.invoke(signed.delivery(b'{"order": 7}', ORDER))

    assert (answer.status, answer.payload, answer.function_error) == (200, b"ana", None)
    assert {name.lower(): value for name, value in answer.headers}["x-groups"] == "finance"


async def test_a_function_that_fails_behind_a_route_is_an_http_error_and_still_a_failure(bench, signed):
    function = bench.function("def handler(event, context):\n    raise ValueError('secret details')\n")

    answer = await function.invoke(signed.delivery(b"", ORDER))

    assert (answer.status, answer.function_error) == (500, "Unhandled")
    assert b"secret" not in answer.payload


async def test_after_a_rotation_functions_know_the_new_key(function, signed):
    first = await function.invoke(signed.delivery(b"{}", number=1))
    signed.rotate()
    second = await function.invoke(signed.delivery(b"{}", number=2))

    answers = [msgspec.json.decode(answer.payload) for answer in (first, second)]
    assert [answer["body"] for answer in answers] == ["ana", "ana"]
    assert [answer["headers"]["X-Count"] for answer in answers] == [1, 1]


async def test_a_large_event_is_digested_too(bench, signed):
    bench.open(public_keys=signed.jwks, issuer="https://actas.example")
    function = bench.function(CODE, seconds=30)

    answer = await function.invoke(signed.delivery(msgspec.json.encode([1.5] * 50_000)))

    assert msgspec.json.decode(answer.payload)["body"] == "ana"


async def test_an_envelope_of_somebody_else_is_not_believed(function, signed):
    made = signed.delivery(b"{}")
    signed_by_another = Signed().delivery(b"{}").envelope

    answer = await function.invoke(replace(made, envelope=signed_by_another))

    assert msgspec.json.decode(answer.payload)["body"] == "lambda.envelope-refused"
