"""One path is decided upon and sent: what two servers could read in two ways is refused, at routes and at calls."""

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

REFUSED = [
    ("an encoded slash", "a%2Fb"),
    ("an encoded slash in small letters", "a%2fb"),
    ("an encoded backslash", "a%5Cb"),
    ("a backslash", "a\\b"),
    ("an encoded NUL", "a%00"),
    ("an encoded line break", "a%0Ab"),
    ("an encoded dot", "%2E%2E/b"),
    ("dots", "../b"),
    ("a dot", "./b"),
    ("dots at the end", "a/.."),
    ("an empty segment", "a//b"),
    ("a parameter", "a;b=c/d"),
    ("an encoded parameter", "a%3Bb"),
    ("double encoding", "a%252Fb"),
    ("a broken escape", "a%2"),
    ("bytes that are no UTF-8", "a%FF"),
    ("an overlong slash", "a%C0%AFb"),
]


def line(method, path, token, service=None):
    return (
        f"{method} {path} HTTP/1.1\r\nHost: a.example\r\nAuthorization: Bearer {token}\r\nContent-Length: 0\r\n\r\n"
    ).encode("latin-1")


@pytest.mark.parametrize("path", [one[1] for one in REFUSED], ids=[one[0] for one in REFUSED])
@pytest.mark.parametrize(
    ("method", "begin"), [("GET", "/web/"), ("POST", "/call/"), ("GET", "/")], ids=["on a route", "on a call", "at all"]
)
def test_a_path_that_could_be_read_in_two_ways_is_refused(method, begin, path, gateway, service, tokens):
    with gateway.wire() as wire:
        answer = wire.say(line(method, begin + path, tokens["ana"])).answer()

    assert answer.status == 400
    assert answer.json()["code"] == "model.path-refused"
    assert path not in answer.body.decode()
    assert service.heads == []


SENT = [
    ("plain", "/web/a/b", "/web/a/b"),
    ("a space", "/web/a%20b", "/web/a%20b"),
    ("a letter that needed no encoding", "/web/%61", "/web/a"),
    ("small hexadecimal digits", "/web/%c3%a9", "/web/%C3%A9"),
    ("raw UTF-8", "/web/\xc3\xa9", "/web/%C3%A9"),
    ("a slash at the end", "/web/a/", "/web/a/"),
    ("a colon and an at sign", "/web/a:b@c", "/web/a:b@c"),
    ("a plus, which is no space", "/web/a+b", "/web/a%2Bb"),
    ("a query as it came", "/web/a?x=%2F..%2F&y=a+b", "/web/a?x=%2F..%2F&y=a+b"),
]


@pytest.mark.parametrize(("path", "sent"), [one[1:] for one in SENT], ids=[one[0] for one in SENT])
def test_the_path_that_is_sent_has_one_spelling(path, sent, gateway, service, tokens):
    with gateway.wire() as wire:
        answer = wire.say(line("GET", path, tokens["ana"])).answer()

    assert answer.status == 200
    assert service.target == sent


def test_a_query_decides_nothing(gateway, service, tokens):
    answer = gateway.ask("GET", "/orders/7?/orders/new=/healthz#", tokens["ana"])

    assert gateway.trail(answer.headers["actas-call-id"])[0]["route"] == "GET /orders/{id}"


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/orders/new", "GET /orders/new"),
        ("/orders/7", "GET /orders/{id}"),
        ("/orders/%6Eew", "GET /orders/new"),
        ("/orders/7/x", "GET /{any+}"),
        ("/web/orders/new", "ANY /web/{rest+}"),
    ],
)
def test_the_route_that_is_decided_on_is_the_closest(path, route, gateway, service, tokens):
    answer = gateway.ask("GET", path, tokens["ana"])

    assert gateway.trail(answer.headers["actas-call-id"])[0]["route"] == route


@hypothesis_settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    pieces=st.lists(
        st.sampled_from(["a", "/", "%2f", "..", "%2e", ".", ";", "\\", "%5c", "%25", "%", "\xe9", "?", "call"])
    )
)
def test_whatever_path_is_sent_is_one_that_would_be_decided_on_again(pieces, gateway, service, tokens):
    service.reset()
    with gateway.wire() as wire:
        answer = wire.say(line("GET", "/web/" + "".join(pieces), tokens["ana"])).answer()

    assert answer.status in (200, 400, 404)
    if service.heads:
        assert service.target.startswith("/web/")
        path = service.target.partition("?")[0]
        assert not any(one in path.lower() for one in ("//", "%2f", "%5c", "\\", ";", "/../", "/./"))
        assert not path.endswith(("/..", "/."))
