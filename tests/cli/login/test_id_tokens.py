"""An ID token is believed as OpenID Connect Core 1.0, section 3.1.3.7, has it, and no other way."""

import json
from datetime import UTC, datetime

import pytest

from actas import jose
from actas.cli.login_errors import WrongIdToken
from actas.cli.login_tokens import _verified

NOW = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
ISSUER, CLIENT = "https://idp.example", "actas-cli"
KEY = jose.Key.generate("ES256", kid="one")
PUBLISHED = json.dumps({"keys": [KEY.to_json()]}).encode()
GOOD = {"iss": ISSUER, "aud": CLIENT, "sub": "ana", "iat": NOW.timestamp(), "exp": NOW.timestamp() + 300}


def believed(claims, *, key=KEY, published=PUBLISHED):
    whole = {name: value for name, value in (GOOD | claims).items() if value is not None}
    return _verified(jose.sign(whole, key, algorithm="ES256"), published, ISSUER, CLIENT, NOW)


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"aud": [CLIENT]},
        {"azp": CLIENT},
        {"aud": [CLIENT, "account"], "azp": CLIENT},
        {"aud": ["account", CLIENT], "azp": CLIENT},
    ],
    ids=["for us", "a list of us", "made for us", "for others too, made for us", "for others first, made for us"],
)
def test_a_token_is_believed_that_is(claims):
    assert believed(claims)["sub"] == "ana"


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "other"},
        {"aud": None},
        {"aud": []},
        {"aud": [CLIENT, "account"]},
        {"aud": [CLIENT, "account"], "azp": "account"},
        {"azp": "other"},
        {"azp": 7},
        {"iss": ISSUER + "/"},
        {"iss": None},
        {"exp": None},
        {"exp": NOW.timestamp() - 61},
        {"iat": NOW.timestamp() + 61},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
    ],
    ids=[
        "for another", "for nobody", "for an empty list", "for others too, and does not say for whom it was made",
        "for others too, made for another", "made for another", "made for a number", "of an issuer but a slash",
        "of nobody", "without end", "over", "of the future", "about nobody", "about an empty name", "about a number",
    ],
)  # fmt: skip
def test_a_token_is_refused_that_is(claims):
    with pytest.raises(WrongIdToken):
        believed(claims)


def test_a_token_is_refused_that_another_key_signed_or_a_symmetric_one():
    with pytest.raises(WrongIdToken):
        believed({}, key=jose.Key.generate("ES256", kid="one"))
    shared = jose.Key.generate("HS256", kid="one")
    published = json.dumps({"keys": [shared.to_json(private=True)]}).encode()
    with pytest.raises(WrongIdToken):
        _verified(jose.sign(GOOD, shared, algorithm="HS256"), published, ISSUER, CLIENT, NOW)
