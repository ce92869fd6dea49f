"""The shortest ways through the testing provider, in each shape that a demonstration uses."""

import pytest

from actas import jose
from actas.model.clock import now


def keys_of(talk):
    return jose.KeySet.from_json(talk.web.get(talk.found["jwks_uri"]).content)


@pytest.mark.parametrize("shape", ["oidc", "keycloak"])
def test_a_person_signs_in_and_the_tokens_verify(make_actas_idp, talk_to, shape):
    talk = talk_to(make_actas_idp(shape=shape))

    given = talk.trade(talk.code()).json()

    access = jose.verify_jwt(given["access_token"], keys_of(talk), issuer=talk.issuer, audience="actas", now=now())
    identity = jose.verify_jwt(given["id_token"], keys_of(talk), issuer=talk.issuer, audience="cli", now=now())
    assert access["sub"] == identity["sub"] == talk.idp.people["ana"].id
    assert identity["nonce"] == "a-nonce"


@pytest.mark.parametrize("shape", ["oidc", "keycloak"])
def test_a_program_gets_a_token_for_itself(make_actas_idp, talk_to, shape):
    talk = talk_to(make_actas_idp(shape=shape))
    secret = talk.idp.clients["robot"].secret.reveal()

    given = talk.token({"grant_type": "client_credentials"}, auth=("robot", secret)).json()

    claims = jose.verify_jwt(given["access_token"], keys_of(talk), issuer=talk.issuer, audience="actas", now=now())
    assert claims["client_id"] == "robot"
    assert "refresh_token" not in given


@pytest.mark.parametrize("shape", ["oidc", "keycloak"])
def test_a_token_made_without_a_conversation_verifies_like_any_other(make_actas_idp, talk_to, shape):
    idp = make_actas_idp(shape=shape)

    token = idp.token(person="ana", client="cli", department="books")

    claims = jose.verify_jwt(token, keys_of(talk_to(idp)), issuer=idp.issuer, audience="actas", now=now())
    assert claims["sub"] == idp.people["ana"].id
    assert claims["department"] == "books"


def test_discovery_names_the_issuer_it_was_asked_at(talk):
    assert talk.found["issuer"] == talk.issuer
    assert talk.found["code_challenge_methods_supported"] == ["S256"]
