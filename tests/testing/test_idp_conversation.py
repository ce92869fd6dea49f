"""What the testing provider's listener takes over a raw socket, and what it does not."""

import socket
from urllib.parse import urlsplit

import pytest


@pytest.fixture
def say(shared_idp):
    """Say bytes over a socket of its own; give what comes back until the other side closes."""
    parts = urlsplit(shared_idp.base_url)

    def talk(*said):
        with socket.create_connection((parts.hostname, parts.port), timeout=10) as line:
            for one in said:
                line.sendall(one.replace(b"HERE", parts.netloc.encode()))
            heard = b""
            while data := line.recv(65_536):
                heard += data
        return heard

    return talk


def test_two_requests_on_one_connection_get_two_answers(say):
    one = b"GET /keys HTTP/1.1\r\nHost: HERE\r\n\r\n"
    last = b"GET /keys HTTP/1.1\r\nHost: HERE\r\nConnection: close\r\n\r\n"

    heard = say(one, last)

    assert heard.count(b"HTTP/1.1 200") == heard.count(b'{"keys"') == 2


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (b"garbage\r\n\r\n", 400),
        (b"GET /keys HTTP/1.1\r\n\r\n", 400),
        (b"GET /keys HTTP/1.1\r\nHost: HERE\r\nHost: HERE\r\n\r\n", 400),
        (b"GET /keys HTTP/1.1\r\nHost: HERE\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        (b"GET /keys HTTP/1.1\r\nHost: HERE\r\nbad header\r\n\r\n", 400),
        (b"GET /keys HTTP/1.1\r\nHost: HERE\r\nX: " + b"x" * 70_000, 431),
        (b"POST /token HTTP/1.1\r\nHost: HERE\r\nContent-Length: 70000\r\n\r\n" + b"x" * 70_000, 413),
    ],
)
def test_what_is_not_http_or_too_long_is_refused_and_the_connection_closed(say, said, status):
    assert say(said).startswith(b"HTTP/1.1 %d" % status)


def test_the_listener_goes_on_after_a_bad_request(say, talk):
    say(b"garbage\r\n\r\n")

    assert talk.web.get(talk.found["jwks_uri"]).status_code == 200


def test_a_body_in_chunks_is_read_whole(say):
    body = b"11\r\ngrant_type=x&clie\r\n9\r\nnt_id=cli\r\n0\r\n\r\n"
    head = (
        b"POST /token HTTP/1.1\r\nHost: HERE\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n"
        b"Content-Type: application/x-www-form-urlencoded\r\n\r\n"
    )

    assert b"unsupported_grant_type" in say(head, body)


def test_a_client_that_waits_to_be_asked_for_its_body_is_asked(shared_idp):
    parts = urlsplit(shared_idp.base_url)
    head = f"POST /token HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n"

    with socket.create_connection((parts.hostname, parts.port), timeout=10) as line:
        line.sendall(head.encode())

        assert line.recv(100).startswith(b"HTTP/1.1 100")


def test_head_gets_the_head_alone(say):
    heard = say(b"HEAD /keys HTTP/1.1\r\nHost: HERE\r\nConnection: close\r\n\r\n")

    assert heard.startswith(b"HTTP/1.1 200")
    assert heard.endswith(b"\r\n\r\n")


@pytest.mark.parametrize("path", [b"/nothing", b"/%ff", b"//keys", b"/../keys", b"http://evil.example/keys", b"*"])
def test_a_path_that_is_not_there_is_not_found(say, path):
    assert b"HTTP/1.1 404" in say(b"GET " + path + b" HTTP/1.1\r\nHost: HERE\r\nConnection: close\r\n\r\n")
