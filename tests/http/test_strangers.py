"""Whoever we do not know gets one answer for everything, leaves no trail, and costs no function."""

import json
from datetime import timedelta

import pytest

from actas.model import clock
from actas.testing.idp import Idp

PLAIN = 'Bearer realm="actas"'
INVALID = PLAIN + ', error="invalid_token"'
MALFORMED = PLAIN + ', error="invalid_request"'

UNKNOWN = [
    ("no Authorization at all", None, 401, PLAIN),
    ("another scheme", "Basic YW5hOnB3", 401, PLAIN),
    ("a token that is none", "Bearer abc", 401, INVALID),
    ("a bearer of nothing", "Bearer", 400, MALFORMED),
    ("two tokens", "Bearer abc def", 400, MALFORMED),
]


@pytest.mark.parametrize(
    ("shown", "status", "challenge"), [one[1:] for one in UNKNOWN], ids=[one[0] for one in UNKNOWN]
)
@pytest.mark.parametrize(
    ("method", "path", "control"),
    [("POST", "/call/web", False), ("GET", "/orders/7", False), ("GET", "/metrics", True)],
    ids=["a call", "a route", "an admin page"],
)
def test_the_challenge_is_that_of_rfc_6750(shown, status, challenge, method, path, control, gateway, service):
    headers = {} if shown is None else {"Authorization": shown}

    answer = gateway.ask(method, path, control=control, headers=headers)

    assert answer.status_code == status
    assert answer.headers["www-authenticate"] == challenge
    assert service.heads == []


@pytest.fixture(scope="module")
def wrong(idp, tokens):
    """Tokens that are wrong in one way each."""
    now = clock.now()
    ana = tokens["ana"]
    return {
        "expired": idp.token(person="ana", exp=now - timedelta(hours=1)),
        "not valid yet": idp.token(person="ana", nbf=now + timedelta(hours=1)),
        "for another audience": idp.token(person="ana", aud="other"),
        "an ID token": idp.token(person="ana", use="id"),
        "of an unknown issuer": Idp(algorithm="ES256").token(person="ana"),
        "of another issuer's name": idp.token(person="ana", iss=idp.issuer + "/"),
        "with a signature of somebody else's": ana.rsplit(".", 1)[0]
        + "."
        + Idp(algorithm="ES256").token(person="ana").rsplit(".", 1)[1],
        "unsigned": ana.rsplit(".", 1)[0] + ".",
        "without a subject": idp.token(person="ana", drop=("sub",)),
        "no token": "abc.def.ghi",
    }


def test_every_stranger_gets_the_same_body(wrong, gateway, service):
    answers = {name: gateway.call("web", token) for name, token in wrong.items()}

    told = set()
    for answer in answers.values():
        body = answer.json()
        call = body.pop("call")
        assert call == answer.headers["actas-call-id"]
        told.add((answer.status_code, json.dumps(body), answer.headers["www-authenticate"]))
    assert told == {
        (401, json.dumps({"type": "about:blank", "title": "Who is calling is not known", "status": 401}), INVALID)
    }
    assert service.heads == []
    assert gateway.call("web", None).json().keys() == {"type", "title", "status", "call"}


def test_strangers_are_counted_and_not_trailed(wrong, gateway):
    before = gateway.records()

    names = [gateway.call("web", token).headers["actas-call-id"] for token in wrong.values()]

    trailed = {one.get("call") for one in gateway.records()[len(before) :]}
    assert not trailed & set(names)


def test_a_provider_whose_keys_cannot_be_had_is_not_told_to_strangers(running, settings, tokens, idp):
    down = Idp(algorithm="ES256")
    down.take_port()
    made = settings()
    made["providers"]["down"] = {"preset": "oidc", "issuer": down.issuer, "audience": "actas", "private": True}

    with running(made) as one:
        answer = one.call("web", down.token(person="ana"))
        known = one.call("web", tokens["ana"])
    down.stop()

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "identify" not in answer.text
    assert down.issuer not in answer.text
    assert known.status_code == 200
