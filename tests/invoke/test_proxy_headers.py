"""Which header fields pass between caller and HTTP backend, and which never do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actas.invoke.proxy_headers import normalised, to_backend, to_caller

HELD_BACK = [
    "Authorization",
    "authorization",
    "Proxy-Authorization",
    "Cookie",
    "DPoP",
    "Actas-Caller",
    "Actas_Caller",
    "ACTAS_CALL_ID",
    "Actas-Role",
    "X-Forwarded-For",
    "X-Forwarded-User",
    "X_Forwarded_User",
    "x_forwarded-uri",
    "X-Forwarded-Method",
    "X-Forwarded-Host",
    "Forwarded",
    "X-Real-IP",
    "X_Real_IP",
    "X-Original-URL",
    "X-Rewrite-URL",
    "X-HTTP-Method-Override",
    "X-Amz-Security-Token",
    "X_Amz_Date",
    "X-Amzn-Trace-Id",
    "Remote-User",
    "REMOTE_USER",
    "X-Remote-User",
    "X-Auth-Request-Email",
    "X-Authenticated-User",
    "X-WebAuth-User",
    "X-Goog-IAP-JWT-Assertion",
    "X-MS-CLIENT-PRINCIPAL",
    "Cf-Access-Jwt-Assertion",
    "SSL-Client-Cert",
    "Proxy",
    "Host",
    "Content-Length",
    "Transfer-Encoding",
    "Connection",
    "Keep-Alive",
    "TE",
    "Trailer",
    "Upgrade",
    "Expect",
    "HTTP2-Settings",
]


@pytest.mark.parametrize("name", HELD_BACK)
def test_client_sets_identity_headers_and_they_do_not_pass(name):
    assert to_backend(((name, "mallory"),), []) == []


PASSED = ["Accept", "Content-Type", "User-Agent", "X-Request-Id", "If-None-Match", "traceparent", "Origin", "X_Custom"]


@pytest.mark.parametrize("name", PASSED)
def test_other_headers_pass_as_they_came(name):
    assert to_backend(((name, "x"),), []) == [(name, "x")]


def test_order_and_repeats_are_kept_and_ours_come_last():
    headers = (("B", "1"), ("A", "2"), ("b", "3"))

    passed = to_backend(headers, [("Actas-Caller", "signed")])

    assert passed == [("B", "1"), ("A", "2"), ("B", "3"), ("Actas-Caller", "signed")]


def test_what_the_caller_meant_for_this_connection_stays_here():
    headers = (("Connection", "close, X-Private , x_other"), ("X-Private", "1"), ("X-Other", "2"), ("X-Public", "3"))

    assert to_backend(headers, []) == [("X-Public", "3")]


def test_what_the_backend_meant_for_this_connection_stays_here():
    headers = ((b"Connection", b"X-Private"), (b"X-Private", b"1"), (b"Keep-Alive", b"5"), (b"Set-Cookie", b"a=1"))

    assert to_caller(headers) == (("Set-Cookie", "a=1"),)


@pytest.mark.parametrize("name", [b"Actas-Call-Id", b"actas_call_id", b"ACTAS-CALLER"])
def test_a_backend_cannot_speak_for_the_gateway(name):
    assert to_caller(((name, b"x"),)) == ()


def test_octets_of_any_kind_come_through():
    assert to_caller(((b"X-Name", b"caf\xe9"),)) == (("X-Name", "caf\xe9"),)


def test_a_length_beside_chunks_says_nothing():
    assert to_caller(((b"Content-Length", b"3"), (b"Transfer-Encoding", b"chunked"))) == ()
    assert to_caller(((b"Content-Length", b"3"),)) == (("Content-Length", "3"),)


@given(st.lists(st.tuples(st.sampled_from([*HELD_BACK, *PASSED]) | st.text(max_size=5), st.text(max_size=5))))
def test_no_spelling_of_a_name_of_ours_ever_passes(headers):
    for name, _ in to_backend(tuple(headers), []):
        assert not normalised(name).startswith(("actas-", "x-forwarded-", "x-amz-"))
        assert normalised(name) not in {"authorization", "cookie", "host", "transfer-encoding", "content-length"}
