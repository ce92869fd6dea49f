"""Key roll-over, and how the provider misbehaves when it is told to."""

from datetime import timedelta

import anyio
import httpx
import pytest

from actas import jose
from actas.errors import ActasError
from actas.model import clock
from actas.testing.errors import DidNotStart, NotOnLoopback, UnknownName
from actas.testing.idp import Idp


@pytest.fixture
def idp():
    return Idp(algorithm="ES256")


def verified(idp, token, **more):
    keys = jose.KeySet.from_json(idp.jwks())
    return jose.verify_jwt(
        token,
        keys,
        **({"issuer": idp.issuer, "audience": "actas", "now": clock.now(), "algorithms": ("ES256",)} | more),
    )


def test_after_a_rotation_old_and_new_tokens_verify(idp):
    old = idp.token(person="ana")

    idp.rotate()

    assert jose.peek(old)["kid"] != jose.peek(idp.token(person="ana"))["kid"]
    assert verified(idp, old)["sub"] == verified(idp, idp.token(person="ana"))["sub"]


def test_keys_that_are_dropped_verify_no_more(idp):
    old = idp.token(person="ana")
    idp.rotate()

    idp.drop_old_keys()

    with pytest.raises(jose.JoseError):
        verified(idp, old)


def test_a_late_key_signs_before_it_is_published(idp):
    idp.faults.late_keys = True
    idp.rotate()
    token = idp.token(person="ana")

    with pytest.raises(jose.JoseError):
        verified(idp, token)
    idp.publish()

    assert verified(idp, token)["iss"] == idp.issuer


@pytest.mark.parametrize(
    ("fault", "value", "error"),
    [
        ("foreign_key", True, jose.BadSignature),
        ("algorithm", "none", jose.JoseError),
        ("algorithm", "RS256", jose.JoseError),
        ("token_issuer", "https://other.example", jose.WrongIssuer),
        ("skew", timedelta(minutes=-10), jose.TokenExpired),
        ("skew", timedelta(minutes=10), jose.IssuedInFuture),
    ],
)
def test_what_the_provider_does_wrong_is_refused_until_it_behaves_again(idp, fault, value, error):
    setattr(idp.faults, fault, value)
    with pytest.raises(error):
        verified(idp, idp.token(person="ana"))

    idp.faults.clear()

    assert verified(idp, idp.token(person="ana"))["iss"] == idp.issuer


def test_a_type_can_be_wrong(idp):
    idp.faults.typ = "logout+jwt"

    with pytest.raises(jose.WrongType):
        verified(idp, idp.token(person="ana"), typ="at+jwt")


def test_groups_can_be_too_many_for_a_person_who_has_few(idp):
    plain = verified(idp, idp.token(person="ana"))
    idp.faults.overage = True

    assert "groups" in plain
    assert "groups" not in verified(idp, idp.token(person="ana"))


def test_claims_can_be_changed_and_left_out(idp):
    token = idp.token(person="ana", drop=("jti",), exp=clock.now() + timedelta(days=1), header={"typ": None})

    claims = verified(idp, token)
    assert "jti" not in claims
    assert claims["exp"] - claims["iat"] > 86_000
    assert "typ" not in jose.peek(token)


def test_okta_gives_no_token_at_all_beyond_a_hundred_groups(make_actas_idp, talk_to):
    talk = talk_to(make_actas_idp(shape="okta", algorithm="ES256"))
    page = talk.ask()

    code = dict(
        httpx.QueryParams(talk.answer(page, person="emi", password=talk.password("emi")).next_request.url.query)
    )

    assert "error" in talk.trade(code["code"]).json()


@pytest.mark.parametrize(
    ("fault", "value", "seen"),
    [
        ("discovery_issuer", "https://other.example", b"https://other.example"),
        ("discovery_body", b"<html>", b"<html>"),
    ],
)
def test_discovery_can_be_wrong(make_actas_idp, fault, value, seen):
    idp = make_actas_idp(algorithm="ES256")
    setattr(idp.faults, fault, value)

    found = httpx.get(f"{idp.issuer}/.well-known/openid-configuration")

    assert seen in found.content


def test_discovery_can_lead_elsewhere(make_actas_idp):
    idp = make_actas_idp(algorithm="ES256")
    idp.faults.discovery_redirect = "http://192.0.2.1/"

    assert httpx.get(f"{idp.issuer}/.well-known/openid-configuration").status_code == 302


def test_the_key_set_can_be_garbage(make_actas_idp, talk_to):
    talk = talk_to(make_actas_idp(algorithm="ES256"))
    talk.idp.faults.keys_body = b"{"

    assert talk.web.get(talk.found["jwks_uri"]).content == b"{"


def test_every_answer_can_be_broken(make_actas_idp, talk_to):
    talk = talk_to(make_actas_idp(algorithm="ES256"))
    talk.idp.faults.status = 503

    assert talk.web.get(talk.found["jwks_uri"]).status_code == 503


def test_a_paused_provider_is_out_of_reach_and_comes_back_at_the_same_address(make_actas_idp):
    idp = make_actas_idp(algorithm="ES256")
    address = f"{idp.issuer}/.well-known/openid-configuration"

    idp.pause()
    with pytest.raises(httpx.ConnectError):
        httpx.get(address)
    idp.resume()

    assert httpx.get(address).json()["issuer"] == idp.issuer


@pytest.mark.parametrize(("fault", "value"), [("state", "other"), ("response_issuer", "https://other.example")])
def test_an_authorization_response_can_be_wrong(make_actas_idp, talk_to, carried, fault, value):
    talk = talk_to(make_actas_idp(algorithm="ES256"))
    setattr(talk.idp.faults, fault, value)

    assert value in carried(talk.answer(talk.ask())).values()


def test_the_issuer_can_be_left_out_of_the_response_and_of_the_promise(make_actas_idp, talk_to, carried):
    idp = make_actas_idp(algorithm="ES256")
    idp.faults.response_issuer = ""
    talk = talk_to(idp)

    assert "iss" not in carried(talk.answer(talk.ask()))
    assert talk.found["authorization_response_iss_parameter_supported"] is False


def test_only_loopback_is_listened_on():
    with pytest.raises(NotOnLoopback):
        Idp(host="0.0.0.0", algorithm="ES256").start()


def test_a_port_that_somebody_has_is_refused(make_actas_idp):
    first = make_actas_idp(algorithm="ES256")

    with pytest.raises(DidNotStart):
        Idp(port=int(first.base_url.rsplit(":", 1)[1]), algorithm="ES256").start()


@pytest.mark.parametrize("wrong", [{"person": "nobody"}, {"client": "nobody"}, {"shape": "nobody"}])
def test_a_name_that_is_not_known_is_answered_with_those_that_are(idp, wrong):
    with pytest.raises(UnknownName, match="there are") as raised:
        idp.token(**wrong)

    assert isinstance(raised.value, ActasError)


def test_a_stopped_provider_gives_its_port_back(make_actas_idp):
    idp = make_actas_idp(algorithm="ES256")
    port = int(idp.base_url.rsplit(":", 1)[1])
    idp.stop()

    again = make_actas_idp(port=port, algorithm="ES256")

    assert again.base_url == idp.base_url


def test_a_slow_provider_keeps_its_callers_waiting_and_still_stops(make_actas_idp):
    idp = make_actas_idp(algorithm="ES256")
    idp.faults.delay = 600

    with pytest.raises(httpx.ReadTimeout):
        httpx.get(f"{idp.issuer}/keys", timeout=0.1)
    idp.stop()

    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{idp.issuer}/keys")


@pytest.mark.anyio
async def test_a_program_with_an_event_loop_serves_the_provider_until_it_cancels():
    idp = Idp(algorithm="ES256")
    idp.take_port()
    async with anyio.create_task_group() as tasks, httpx.AsyncClient() as web:
        tasks.start_soon(idp.serve)
        await idp.ready()

        found = await web.get(f"{idp.issuer}/keys")
        tasks.cancel_scope.cancel()
    assert found.json() == idp.jwks()
    with pytest.raises(OSError, match="failed"):
        await anyio.connect_tcp("127.0.0.1", int(idp.base_url.rsplit(":", 1)[1]))
