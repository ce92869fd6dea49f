"""We are an issuer to AWS: it finds our keys by our name, and what we sign verifies with them."""

from datetime import timedelta

from actas import jose
from actas.model import clock


def test_our_keys_are_found_by_our_name(gateway):
    found = gateway.ask("GET", "/.well-known/openid-configuration", control=True).json()
    issuer = "http://127.0.0.1:8701"

    assert found["issuer"] == issuer
    assert found["jwks_uri"].startswith(f"{issuer}/")
    keys = jose.KeySet.from_json(gateway.ask("GET", found["jwks_uri"].removeprefix(issuer), control=True).content)
    now = clock.now()
    ends = int((now + timedelta(minutes=1)).timestamp())
    token = jose.sign({"iss": issuer, "aud": "x", "exp": ends}, gateway.parts.signing.newest(), algorithm="ES256")

    assert jose.verify_jwt(
        token, keys, issuer=issuer, audience="x", now=now, algorithms=found["id_token_signing_alg_values_supported"]
    )


def test_on_the_public_origin_we_are_no_issuer(gateway):
    assert gateway.ask("GET", "/.well-known/openid-configuration").status_code == 404
