"""A path takes a route, and its variables come out of it decoded once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actas.apigateway import MalformedRoute
from actas.apigateway.routes import match, parse

MATCHES = [
    ("a literal", "GET /orders", "GET", "/orders", {}),
    ("the root", "GET /", "GET", "/", {}),
    ("a variable", "GET /orders/{id}", "GET", "/orders/7", {"id": "7"}),
    ("two variables", "GET /{a}/x/{b}", "GET", "/1/x/2", {"a": "1", "b": "2"}),
    ("any method", "ANY /orders", "DELETE", "/orders", {}),
    ("a greedy variable over one segment", "GET /{proxy+}", "GET", "/a", {"proxy": "a"}),
    ("a greedy variable over many", "GET /x/{proxy+}", "GET", "/x/a/b/c", {"proxy": "a/b/c"}),
    ("the default route", "$default", "PATCH", "/what/ever", {}),
    ("a slash at the end counts for nothing", "GET /orders", "GET", "/orders/", {}),
    ("percent encoding is read once", "GET /{id}", "GET", "/a%2520b", {"id": "a%20b"}),
    ("a plus stays a plus", "GET /{id}", "GET", "/a+b", {"id": "a+b"}),
    ("UTF-8 is decoded", "GET /{id}", "GET", "/%C3%A9", {"id": "é"}),
    ("an encoded slash does not part segments", "GET /{id}", "GET", "/a%2Fb", {"id": "a/b"}),
    ("a greedy variable is decoded", "GET /{proxy+}", "GET", "/a%20b/c", {"proxy": "a b/c"}),
    ("a literal may come encoded", "GET /café", "GET", "/caf%C3%A9", {}),
    ("octets that are no UTF-8 become marks", "GET /{id}", "GET", "/%ff", {"id": "\ufffd"}),
]


@pytest.mark.parametrize(("key", "method", "path", "parameters"), [c[1:] for c in MATCHES], ids=[c[0] for c in MATCHES])
def test_a_request_takes_a_route(key, method, path, parameters):
    assert match(parse(key), method, path) == parameters


MISSES = [
    ("another method", "GET /orders", "POST", "/orders"),
    ("another literal", "GET /orders", "GET", "/invoices"),
    ("another case", "GET /orders", "GET", "/Orders"),
    ("a segment too many", "GET /orders/{id}", "GET", "/orders/7/lines"),
    ("a segment too few", "GET /orders/{id}", "GET", "/orders"),
    ("an empty variable", "GET /orders/{id}/x", "GET", "/orders//x"),
    ("a greedy variable over nothing", "GET /x/{proxy+}", "GET", "/x"),
    ("a greedy variable over the root", "GET /{proxy+}", "GET", "/"),
    ("the root is not a path", "GET /", "GET", "/orders"),
]


@pytest.mark.parametrize(("key", "method", "path"), [c[1:] for c in MISSES], ids=[c[0] for c in MISSES])
def test_a_request_does_not_take_a_route(key, method, path):
    assert match(parse(key), method, path) is None


@pytest.mark.parametrize(
    "key",
    [
        "",
        "GET",
        "GET orders",
        "get /orders",
        "GET /{a+}/b",
        "GET /{a}/{a}",
        "GET /x{a}",
        "GET /{a}{b}",
        "GET /{}",
        "GET /a//b",
        "$other",
    ],
)
def test_a_malformed_route_is_refused(key):
    with pytest.raises(MalformedRoute):
        parse(key)


@given(st.text(), st.text())
def test_any_path_and_any_route_are_a_match_or_none_or_malformed(key, path):
    try:
        route = parse(key)
    except MalformedRoute:
        return

    assert match(route, "GET", path) is None or isinstance(match(route, "GET", path), dict)
