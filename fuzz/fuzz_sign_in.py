"""Feed hostile bytes to both ends of a sign-in: what comes back to `actas login`, and what the testing provider reads.

Run: ``.venv/bin/python fuzz/fuzz_sign_in.py -max_total_time=60 [CORPUS]``; libFuzzer's arguments hold.
The first byte chooses the reader, the rest is what it reads.
"""

import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["actas"]):
    from actas.cli import login_loopback, signins_store
    from actas.cli.login_device import DeviceAnswer
    from actas.cli.login_errors import LoginError
    from actas.cli.login_pkce import Attempt, code_from
    from actas.cli.login_pkce import parameters as read_answer
    from actas.cli.login_provider import Metadata, check
    from actas.cli.login_tokens import TokenAnswer
    from actas.cli.login_web import decode
    from actas.testing.errors import TestingError
    from actas.testing.idp import authorize, device, made_up_clients, parameters, tokens
    from actas.testing.idp.facts import Shape
    from actas.testing.idp.grants import Shelves
    from actas.testing.idp.people import by_id
    from actas.testing.idp.provider import Provider
    from actas.testing.idp.shapes import SHAPES

NOW = datetime(2026, 3, 14, 9, tzinfo=UTC)
ISSUER = "https://idp.example"
ATTEMPT = Attempt(redirect="http://127.0.0.1:1/callback", state="our-state", nonce="n", verifier="v" * 43)
FOUND = Metadata(issuer=ISSUER, jwks_uri=f"{ISSUER}/keys", authorization_response_iss_parameter_supported=True)
CLIENTS = by_id(made_up_clients())
PROVIDER = Provider(algorithm="ES256")
SHAPE: Shape = SHAPES["oidc"]


def answer(data: bytes) -> None:
    """Read what a browser brings back."""
    target = login_loopback.target_of(data, "127.0.0.1:1")
    told = read_answer((target or data.decode("latin-1")).partition("?")[2])
    code = code_from(told, FOUND, ATTEMPT)
    assert (told["state"], told["iss"]) == (ATTEMPT.state, ISSUER)
    assert code


def documents(data: bytes) -> None:
    """Read what a provider answers."""
    for shape in (TokenAnswer, DeviceAnswer):
        try:
            decode(ISSUER, data, shape)
        except LoginError:
            continue
    check(decode(ISSUER, data, Metadata), ISSUER)


def kept(data: bytes) -> None:
    """Read a sign-in's file."""
    decode(ISSUER, data, signins_store.Kept)


def authorization(data: bytes) -> None:
    """Read an authorization request."""
    said = parameters.read(data)
    client, redirect = authorize.trusted(said, CLIENTS)
    asked = authorize.read(said, client, redirect)
    assert set(asked.scopes) <= set(client.scopes)
    assert authorize.is_registered(asked.redirect, client)


def token_request(data: bytes) -> None:
    """Read a token request; nobody guesses a secret, a code or a refresh token."""
    header, _, form = data.partition(b"\n")
    shown = header.decode("latin-1") or None
    said = parameters.read(form)
    tokens.exchange(said, shown, shape=SHAPE, clients=CLIENTS, shelves=Shelves(), minter=PROVIDER, now=NOW)
    raise AssertionError("a token was given to a stranger")


def typed(data: bytes) -> None:
    """Read a code that a person typed."""
    assert set(device.plain(data.decode("utf-8", "replace"))) <= set(device.LETTERS)


READERS = (answer, documents, kept, authorization, token_request, typed)
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
SEEDS = [
    b"\x00GET /callback?code=c&state=our-state&iss=https%3A%2F%2Fidp.example HTTP/1.1\r\nHost: 127.0.0.1:1",
    b'\x01{"issuer":"https://idp.example","jwks_uri":"https://idp.example/keys"}',
    b'\x01{"access_token":"t","token_type":"Bearer","expires_in":300}',
    b'\x02{"about":{"name":"ana","provider":"corp"},"tokens":null}',
    b"\x03response_type=code&client_id=cli&redirect_uri=http%3A%2F%2F127.0.0.1%3A5%2Fcallback&scope=openid"
    b"&code_challenge_method=S256&code_challenge=" + CHALLENGE.encode(),
    b"\x04Basic cm9ib3Q6eA==\ngrant_type=client_credentials&scope=functions.invoke",
    b"\x04\ngrant_type=refresh_token&client_id=cli&refresh_token=x",
    b"\x05bcdf-ghjk",
]


def test_one_input(data: bytes) -> None:
    """Let one reader read; only the errors of both rooms may come out."""
    if not data:
        return
    try:
        READERS[data[0] % len(READERS)](data[1:])
    except (LoginError, TestingError):
        return


def main() -> None:
    """Seed a corpus of our own and go."""
    with tempfile.TemporaryDirectory() as seeds:
        for number, seed in enumerate(SEEDS):
            (Path(seeds) / str(number)).write_bytes(seed)
        atheris.Setup([*sys.argv, seeds], test_one_input)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
