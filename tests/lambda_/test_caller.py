"""What a function learns of its caller, and what it refuses to believe."""

import json
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest

from actas import jose
from actas.invoke import route_events
from actas.invoke.envelope import LASTS, EnvelopeTooLarge
from actas.lambda_ import (
    Acting,
    EnvelopeRefused,
    EventChanged,
    EventUnverifiable,
    NoEnvelope,
    NoKeys,
    caller,
    verify,
)
from actas.lambda_.claims import LARGEST
from actas.model.call import Route
from actas.model.facts import Known, Missing
from actas.model.identity import Actor, Kind

ARN = "arn:aws:lambda:us-east-1:000000000000:function:subject"


def test_the_function_learns_who_called_as_whom_and_for_whom(scene):
    who = caller(scene.event(), scene.context(scene.mint()), keys=scene.keys, now=scene.now)

    assert (who.subject, who.issuer, who.provider) == ("ana", "https://sso.example", "corp")
    assert who.kind == Known(Kind.HUMAN.value)
    assert who.groups == Known(frozenset({"finance", "staff"}))
    assert (who.roles, who.scopes, who.tenant) == (Missing.OVERFLOWED, Missing.UNKNOWN, Missing.ABSENT)
    assert (who.client, who.mfa) == (Known("portal"), Known(True))
    assert who.actors == (Acting(issuer="https://sso.example", subject="assistant", client="agent-7"),)
    assert (who.role, who.role_arn) == ("reader", "arn:aws:iam::000000000000:role/reader")
    assert (who.call, who.root, who.depth) == (scene.call.id, scene.call.id, 0)
    assert who.expires_at == scene.now + LASTS


def test_who_acts_is_told_from_the_current_actor_to_the_first(scene):
    chain = tuple(Actor(issuer="https://sso.example", subject=name) for name in ("third", "second", "first"))
    scene.change(actors=chain)

    who = caller(scene.event(), scene.context(scene.mint()), keys=scene.keys, now=scene.now)

    assert [actor.subject for actor in who.actors] == ["third", "second", "first"]


def test_an_event_that_is_written_in_another_way_is_the_same_event(scene):
    scene.call = replace(scene.call, payload=b'{ "b": 1.0,"a" : "\\u00e4" }')

    assert caller({"a": "ä", "b": 1.0}, scene.context(scene.mint()), keys=scene.keys, now=scene.now)
    sent = b'{"a":"\xc3\xa4","b":1}'
    assert verify(scene.mint(), audience=scene.grant.function_arn, event=sent, keys=scene.keys, now=scene.now)


def test_another_event_is_refused(scene):
    token = scene.mint()

    for event in ({"order": 8}, {"order": "7"}, {}, None, {"order": 7, "more": 1}):
        with pytest.raises(EventChanged):
            caller(event, scene.context(token), keys=scene.keys, now=scene.now)


def test_an_event_without_a_canonical_form_is_verified_by_its_bytes_or_not_at_all(scene):
    document = b'{"half": "\\ud800"}'
    token = scene.mint(document)

    with pytest.raises(EventUnverifiable):
        caller(json.loads(document), scene.context(token), keys=scene.keys, now=scene.now)
    with pytest.raises(EventChanged):
        verify(token, audience=scene.grant.function_arn, event=document + b" ", keys=scene.keys, now=scene.now)
    assert verify(token, audience=scene.grant.function_arn, event=document, keys=scene.keys, now=scene.now)


def test_a_call_that_passed_the_gateway_by_has_no_caller(scene):
    for context in (scene.context(), SimpleNamespace(), None, SimpleNamespace(client_context=None)):
        with pytest.raises(NoEnvelope):
            caller(scene.event(), context, keys=scene.keys, now=scene.now)


@pytest.mark.parametrize(
    "event",
    [
        {"requestContext": None},
        {"requestContext": {"authorizer": None}},
        {"requestContext": {"authorizer": {"lambda": None}}},
        {"requestContext": {"authorizer": {"lambda": {"actas": 7}}}},
        {"requestContext": {"authorizer": {"jwt": {"claims": {}}}}},
        {"requestContext": []},
        [],
        "text",
        None,
        7,
    ],
    ids=repr,
)
def test_an_event_without_an_envelope_is_nobodys(scene, event):
    with pytest.raises(NoEnvelope):
        caller(event, scene.context(), keys=scene.keys, now=scene.now)


@pytest.mark.parametrize(
    ("arn", "version", "believed"),
    [
        (f"{ARN}:$LATEST", "$LATEST", True),
        (ARN, "$LATEST", True),
        (f"{ARN}:PROD", "3", False),
        (f"{ARN.replace('subject', 'other')}:$LATEST", "$LATEST", False),
        ("", "", False),
    ],
)
def test_an_envelope_is_for_one_function_and_qualifier(scene, arn, version, believed):
    context = scene.context(scene.mint(), arn=arn, version=version)

    if believed:
        assert caller(scene.event(), context, keys=scene.keys, now=scene.now)
    else:
        with pytest.raises(EnvelopeRefused):
            caller(scene.event(), context, keys=scene.keys, now=scene.now)


def test_an_envelope_for_a_version_is_read_by_that_version_invoked_without_a_qualifier(scene):
    scene.grant = replace(scene.grant, function_arn=f"{ARN}:3")

    assert caller(scene.event(), scene.context(scene.mint(), arn=ARN, version="3"), keys=scene.keys, now=scene.now)
    with pytest.raises(EnvelopeRefused):
        caller(scene.event(), scene.context(scene.mint(), arn=ARN, version="4"), keys=scene.keys, now=scene.now)


@pytest.mark.parametrize(("late", "believed"), [(59, True), (61, False)])
def test_an_envelope_ends_and_a_minute_of_skew_is_allowed(scene, late, believed):
    token, then = scene.mint(), scene.now + LASTS + timedelta(seconds=late)

    if believed:
        assert caller(scene.event(), scene.context(token), keys=scene.keys, now=then)
    else:
        with pytest.raises(EnvelopeRefused, match="expired"):
            caller(scene.event(), scene.context(token), keys=scene.keys, now=then)


def test_an_envelope_ends_with_the_callers_evidence(scene):
    scene.grant = replace(scene.grant, expires_at=scene.now + timedelta(seconds=30))

    who = caller(scene.event(), scene.context(scene.mint()), keys=scene.keys, now=scene.now)

    assert who.expires_at == scene.now + timedelta(seconds=30)


def test_an_envelope_of_another_key_is_refused(scene):
    scene.key = jose.Key.generate("ES256", kid="first")

    with pytest.raises(EnvelopeRefused):
        caller(scene.event(), scene.context(scene.mint()), keys=scene.keys, now=scene.now)


def test_a_token_of_another_type_by_the_same_key_is_no_envelope(scene):
    payload = jose.verify_jws(scene.mint(), scene.keys, algorithms=("ES256",)).payload

    for header in ({}, {"typ": "JWT"}, {"typ": "at+jwt"}):
        token = jose.sign(payload, scene.key, algorithm="ES256", header=header)
        with pytest.raises(EnvelopeRefused):
            caller(scene.event(), scene.context(token), keys=scene.keys, now=scene.now)


def test_an_envelope_that_lacks_its_claims_is_refused(scene):
    claims = {"iss": "x", "aud": scene.grant.function_arn, "exp": 4_000_000_000, "sub": "ana"}
    token = jose.sign(claims, scene.key, algorithm="ES256", header={"typ": "actas-envelope+jwt"})

    with pytest.raises(EnvelopeRefused, match="claims"):
        caller(scene.event(), scene.context(token), keys=scene.keys, now=scene.now)


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "é" * 20, "." * 3000])
def test_what_is_no_token_is_refused(scene, token):
    with pytest.raises(EnvelopeRefused):
        caller(scene.event(), scene.context(token), keys=scene.keys, now=scene.now)


def test_the_issuer_counts_where_it_is_named(scene, monkeypatch):
    token = scene.mint()
    assert caller(scene.event(), scene.context(token), keys=scene.keys, issuer="https://actas.example", now=scene.now)

    with pytest.raises(EnvelopeRefused):
        caller(scene.event(), scene.context(token), keys=scene.keys, issuer="https://other.example", now=scene.now)
    monkeypatch.setenv("ACTAS_ISSUER", "https://other.example")
    with pytest.raises(EnvelopeRefused):
        caller(scene.event(), scene.context(token), keys=scene.keys, now=scene.now)


def test_keys_come_from_the_environment(scene, monkeypatch):
    monkeypatch.setenv("ACTAS_JWKS", json.dumps({"keys": [scene.key.to_json()]}))

    assert caller(scene.event(), scene.context(scene.mint()), now=scene.now)


@pytest.mark.parametrize("keys", ["", "{", "[]", '{"keys": 7}'])
def test_keys_that_are_none_are_said_so(scene, monkeypatch, keys):
    monkeypatch.setenv("ACTAS_JWKS", keys)

    with pytest.raises(NoKeys):
        caller(scene.event(), scene.context(scene.mint()), now=scene.now)


def test_lists_that_do_not_fit_overflow_longest_first_and_are_never_cut(scene):
    groups = frozenset(f"department-{number:04d}" for number in range(300))
    roles = frozenset(f"role-{number:03d}" for number in range(40))
    scene.change(groups=Known(groups), roles=Known(roles), scopes=Known(frozenset({"a"})))
    token = scene.mint()

    who = caller(scene.event(), scene.context(token), keys=scene.keys, now=scene.now)

    assert len(token) <= LARGEST
    assert who.groups is Missing.OVERFLOWED
    assert who.roles == Known(roles)
    assert who.scopes == Known(frozenset({"a"}))


@pytest.mark.parametrize("count", range(90, 130, 3))
def test_whatever_the_lists_the_client_context_fits_into_what_lambda_takes(scene, count):
    import base64

    scene.change(groups=Known(frozenset(f"group-{number:05d}" for number in range(count))))

    context = json.dumps({"custom": {"actas": scene.mint()}}, separators=(",", ":"))

    assert len(base64.b64encode(context.encode())) <= 3583  # Lambda's limit


def test_a_chain_of_actors_that_does_not_fit_is_refused_not_cut(scene):
    scene.change(actors=tuple(Actor(issuer="https://sso.example", subject="x" * 200) for _ in range(12)))

    with pytest.raises(EnvelopeTooLarge):
        scene.mint()


ROUTE = Route(
    template="GET /orders/{id}",
    method="GET",
    path="/orders/7",
    raw_path="/orders/7",
    query="full=1",
    headers=(
        ("Accept", "*/*"),
        ("Authorization", "Bearer secret"),
        ("X_Forwarded_For", "192.0.2.9"),
        ("actas-caller", "x"),
    ),
)


def routed(scene, version):
    return route_events.event(
        scene.call,
        ROUTE,
        version=version,
        domain_name="functions.example",
        account_id="000000000000",
        envelope=lambda event, _now: scene.mint(event),
        now=scene.now,
    )


@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_a_routes_event_carries_its_envelope_where_an_authorizer_would_put_it(scene, version):
    document = routed(scene, version)
    event = json.loads(document)

    who = caller(event, scene.context(), keys=scene.keys, now=scene.now)

    assert who.subject == "ana"
    assert event["pathParameters"] == {"id": "7"}
    assert {name.lower() for name in event["headers"]} == {"accept"}
    assert b"Bearer" not in document


@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_nothing_in_a_routes_event_can_be_changed(scene, version):
    document = routed(scene, version)

    def change(event, how):
        how(event)
        with pytest.raises((EventChanged, NoEnvelope)):
            caller(event, scene.context(), keys=scene.keys, now=scene.now)

    def place(event):
        authorizer = event["requestContext"]["authorizer"]
        return authorizer.get("lambda", authorizer)

    change(json.loads(document), lambda event: event.update(more=True))
    change(json.loads(document), lambda event: event["requestContext"].update(stage="other"))
    change(json.loads(document), lambda event: event["pathParameters"].update(id="8"))
    change(json.loads(document), lambda event: place(event).update(principalId="ben"))
    change(json.loads(document), lambda event: event["requestContext"]["authorizer"].update(jwt={"claims": {}}))


def test_an_envelope_of_a_direct_call_does_not_vouch_for_an_authorizer(scene):
    """What a caller writes into the payload of a direct call stays the caller's own word."""
    token = scene.mint()
    forged = {"order": 7, "requestContext": {"authorizer": {"lambda": {"actas": "x"}}}}

    with pytest.raises(EventChanged):
        caller(forged, scene.context(token), keys=scene.keys, now=scene.now)


def test_nothing_of_a_person_is_printed(scene):
    who = caller(scene.event(), scene.context(scene.mint()), keys=scene.keys, now=scene.now)

    assert "ana" not in repr(who)
    assert "finance" not in repr(who)


def test_the_import_is_light():
    heavy = "lxml sqlalchemy botocore granian starlette httpx anyio cyclopts rich asyncio yaml"
    code = f"import sys; from actas.lambda_ import caller; print([m for m in {heavy.split()} if m in sys.modules])"

    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"
