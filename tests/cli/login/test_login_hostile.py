"""Whatever comes back, from the browser or from a provider, only our errors go out."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actas.cli import login_loopback
from actas.cli.login_errors import LoginError, ProviderNotUsable, ProviderRefused, WrongResponse
from actas.cli.login_pkce import Attempt, challenge_of, code_from, is_ours, parameters
from actas.cli.login_provider import Metadata, check
from actas.cli.login_web import is_on_this_machine, is_safe

ISSUER = "https://idp.example"
ATTEMPT = Attempt(redirect="http://127.0.0.1:1/callback", state="our-state", nonce="n", verifier="v" * 43)
QUIET = Metadata(issuer=ISSUER, jwks_uri=f"{ISSUER}/keys")
NAMED = msgspec.structs.replace(QUIET, authorization_response_iss_parameter_supported=True)


def test_the_challenge_is_that_of_the_standard():
    """RFC 7636, appendix B."""
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"

    assert challenge_of(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


@pytest.mark.parametrize(
    ("told", "found", "error"),
    [
        ({"state": "our-state", "code": "c", "iss": ISSUER}, NAMED, None),
        ({"state": "our-state", "code": "c"}, QUIET, None),
        ({"state": "our-state", "code": "c", "iss": ISSUER}, QUIET, None),
        ({"state": "our-state", "code": "c"}, NAMED, WrongResponse),
        ({"state": "our-state", "code": "c", "iss": f"{ISSUER}/"}, QUIET, WrongResponse),
        ({"state": "other", "code": "c", "iss": ISSUER}, NAMED, WrongResponse),
        ({"code": "c", "iss": ISSUER}, NAMED, WrongResponse),
        ({"state": "our-state", "iss": ISSUER}, NAMED, WrongResponse),
        ({"state": "our-state", "code": "", "iss": ISSUER}, NAMED, WrongResponse),
        ({"state": "our-state", "error": "access_denied", "iss": ISSUER}, NAMED, ProviderRefused),
        ({"state": "our-state", "error": "access_denied"}, NAMED, WrongResponse),
        ({"state": "our-state", "error": "a\nb", "code": "c", "iss": ISSUER}, NAMED, ProviderRefused),
    ],
)
def test_an_answer_is_ours_and_of_the_provider_that_was_asked(told, found, error):
    if error is None:
        assert code_from(told, found, ATTEMPT) == "c"
        return
    with pytest.raises(error) as raised:
        code_from(told, found, ATTEMPT)
    assert "\n" not in raised.value.message


@given(st.text(max_size=200))
def test_a_query_is_read_or_refused(query):
    try:
        told = parameters(query)
        code_from(told, NAMED, ATTEMPT)
    except LoginError:
        return
    raise AssertionError("nobody guesses the state")


@given(st.dictionaries(st.sampled_from(["state", "code", "iss"]), st.text(max_size=20)))
def test_only_our_own_state_is_ours(told):
    assert is_ours(told, ATTEMPT) is (told.get("state") == "our-state")


@given(st.binary(max_size=300))
def test_a_request_is_a_plain_get_for_our_own_host_or_nothing(head):
    target = login_loopback.target_of(head, "127.0.0.1:80")

    assert target is None or (head.startswith(b"GET ") and b"127.0.0.1:80" in head)


@pytest.mark.parametrize(
    ("head", "target"),
    [
        (b"GET /callback?a=b HTTP/1.1\r\nHost: 127.0.0.1:80", "/callback?a=b"),
        (b"GET /callback HTTP/1.1\r\nHost: 127.0.0.1:81", None),
        (b"GET /callback HTTP/1.1", None),
        (b"GET /callback HTTP/1.1\r\nHost: 127.0.0.1:80\r\nHost: evil.example", None),
        (b"HEAD /callback HTTP/1.1\r\nHost: 127.0.0.1:80", None),
        (b"GET /callback\r\nHost: 127.0.0.1:80", None),
        (b"GET  /callback HTTP/1.1\r\nHost: 127.0.0.1:80", None),
        (b"", None),
    ],
)
def test_a_request_for_another_host_has_no_target(head, target):
    assert login_loopback.target_of(head, "127.0.0.1:80") == target


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://idp.example/token", True),
        ("http://127.0.0.1:8702/token", True),
        ("http://localhost:8702/token", True),
        ("http://[::1]:8702/token", True),
        ("http://idp.example/token", False),
        ("http://127.0.0.1@evil.example/token", False),
        ("https://user@idp.example/token", False),
        ("http://127.0.0.1.evil.example/", False),
        ("http://localhost.evil.example/", False),
        ("https://", False),
        ("https://idp.example:99999/", False),
        ("file:///etc/passwd", False),
        ("//idp.example/token", False),
        ("", False),
        ("https://[::1/", False),
    ],
)
def test_what_is_sent_is_seen_by_its_receiver_alone(url, safe):
    assert is_safe(url) is safe


@given(st.text(max_size=60))
def test_any_text_is_an_address_or_not(text):
    assert isinstance(is_safe(text) or is_on_this_machine(text), bool)


@pytest.mark.parametrize(
    ("changes", "is_taken"),
    [
        ({}, True),
        ({"code_challenge_methods_supported": ("S256",)}, True),
        ({"code_challenge_methods_supported": ("plain",)}, False),
        ({"code_challenge_methods_supported": ()}, False),
        ({"issuer": f"{ISSUER}/"}, False),
        ({"issuer": "https://IDP.example"}, False),
        ({"token_endpoint": "http://idp.example/token"}, False),
        ({"jwks_uri": "http://192.0.2.1/keys"}, False),
        ({"revocation_endpoint": "ftp://idp.example/"}, False),
    ],
)
def test_a_description_is_the_issuers_own_and_safe(changes, is_taken):
    found = msgspec.structs.replace(QUIET, **changes)

    if is_taken:
        check(found, ISSUER)
        return
    with pytest.raises(ProviderNotUsable):
        check(found, ISSUER)
