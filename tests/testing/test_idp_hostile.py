"""Whatever bytes come in, the provider answers in the words of the standards."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actas.testing.errors import OAuthRefused, Untrusted
from actas.testing.idp import Client, authorize, device, made_up_clients, parameters
from actas.testing.idp.people import by_id

CLIENTS = by_id(made_up_clients())
NATIVE = Client(id="native", redirects=("http://127.0.0.1/callback",))
NAMES = ("client_id", "redirect_uri", "scope", "state", "code_challenge", "code_challenge_method", "response_type")
QUIET = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@given(st.binary(max_size=300))
def test_parameters_are_read_or_refused(encoded):
    try:
        found = parameters.read(encoded)
    except OAuthRefused:
        return
    assert all(isinstance(value, str) and value for value in found.values())


@given(st.dictionaries(st.sampled_from(NAMES), st.text(max_size=60)))
def test_an_authorization_request_is_read_or_refused(said):
    try:
        client, redirect = authorize.trusted(said, CLIENTS)
        authorize.read(said, client, redirect)
    except (OAuthRefused, Untrusted):
        return
    raise AssertionError("nobody guesses a client, its redirect and a challenge")


@given(st.text(max_size=80))
def test_no_text_is_a_registered_redirect_but_loopback_ones(text):
    assert not authorize.is_registered(text, NATIVE) or text.startswith("http://127.0.0.1")


@given(st.from_regex(r"http://127\.0\.0\.1:[0-9]{1,6}/callback", fullmatch=True))
def test_every_registered_loopback_redirect_is_on_a_real_port(redirect):
    port = redirect.split(":")[2].partition("/")[0]

    assert authorize.is_registered(redirect, NATIVE) is (0 < int(port) < 65_536 and not port.startswith("0"))


@given(st.text(max_size=40))
def test_a_typed_code_is_read_as_letters(text):
    assert set(device.plain(text)) <= set("BCDFGHJKLMNPQRSTVWXZ")


def test_codes_are_typed_as_they_are_shown():
    code = device.user_code()

    assert device.plain(code) == code.replace("-", "")
    assert len(device.plain(code)) == 8


@QUIET
@given(body=st.binary(max_size=200), authorization=st.none() | st.binary(min_size=1, max_size=40))
def test_the_token_endpoint_answers_anything_with_an_error_of_the_standard(talk, body, authorization):
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    if authorization is not None:
        headers["Authorization"] = f"Basic {authorization.hex()}"  # what it decodes to is next to random

    answer = talk.web.post(talk.found["token_endpoint"], content=body, headers=headers)

    assert answer.status_code in {400, 401}
    assert json.loads(answer.content)["error"].replace("_", "").isalpha()


@pytest.mark.parametrize("credentials", [b"\xff\xfe", b"=", b"YQ", b"YQ==", b"/w==", b"Og==", b"a b"])
def test_credentials_that_cannot_be_read_are_no_credentials(talk, credentials):
    headers = {"Authorization": b"Basic " + credentials}

    answer = talk.token({"grant_type": "client_credentials"}, headers=headers)

    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


@pytest.mark.parametrize("member", ["authorization_endpoint", "end_session_endpoint"])
@QUIET
@given(query=st.binary(max_size=120))
def test_what_browsers_open_answers_anything_with_a_page(talk, member, query):
    safe = "".join(f"%{byte:02x}" if byte < 33 or byte > 126 or byte in b"#%" else chr(byte) for byte in query)

    assert talk.web.get(f"{talk.found[member]}?{safe}").status_code in {200, 303, 400}
