"""A request becomes the event that a function behind AWS's front doors would get."""

from base64 import b64decode
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actas import apigateway
from actas.apigateway import HttpRequest

NOW = datetime(2026, 3, 14, 9, 5, 3, 250_000, tzinfo=UTC)


def made(request, **more):
    return apigateway.event(request, **{"request_id": "r-1", "now": NOW, **more})


def test_version_2_of_an_order():
    request = HttpRequest(
        "POST",
        "/orders/caf%C3%A9",
        query_string="a=1&a=2&b=x%20y+z&c",
        headers=(
            ("Host", "functions.example"),
            ("X-Many", "one"),
            ("x-many", "two"),
            ("Cookie", "a=1; b=2"),
            ("Cookie", "c=3"),
            ("User-Agent", "curl"),
            ("Content-Type", "application/json; charset=utf-8"),
        ),
        body=b'{"x": 1}',
        source_ip="192.0.2.7",
    )

    event = made(
        request,
        version="2.0",
        route="POST /orders/{id}",
        authorizer={"jwt": {"claims": {"sub": "ana"}, "scopes": None}},
        account_id="111122223333",
        api_id="abc",
        domain_name="abc.functions.example",
        stage_variables={"colour": "blue"},
    )

    assert event == {
        "version": "2.0",
        "routeKey": "POST /orders/{id}",
        "rawPath": "/orders/café",
        "rawQueryString": "a=1&a=2&b=x%20y+z&c",
        "cookies": ["a=1", "b=2", "c=3"],
        "headers": {
            "host": "functions.example",
            "x-many": "one,two",
            "user-agent": "curl",
            "content-type": "application/json; charset=utf-8",
        },
        "queryStringParameters": {"a": "1,2", "b": "x y z", "c": ""},
        "requestContext": {
            "accountId": "111122223333",
            "apiId": "abc",
            "authorizer": {"jwt": {"claims": {"sub": "ana"}, "scopes": None}},
            "domainName": "abc.functions.example",
            "domainPrefix": "abc",
            "http": {
                "method": "POST",
                "path": "/orders/café",
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.7",
                "userAgent": "curl",
            },
            "requestId": "r-1",
            "routeKey": "POST /orders/{id}",
            "stage": "$default",
            "time": "14/Mar/2026:09:05:03 +0000",
            "timeEpoch": 1773479103250,
        },
        "pathParameters": {"id": "café"},
        "stageVariables": {"colour": "blue"},
        "body": '{"x": 1}',
        "isBase64Encoded": False,
    }


def test_version_2_leaves_out_what_there_is_not():
    event = made(HttpRequest("GET", "/"))

    assert set(event) == {
        "version",
        "routeKey",
        "rawPath",
        "rawQueryString",
        "headers",
        "requestContext",
        "isBase64Encoded",
    }
    assert "authorizer" not in event["requestContext"]


def test_version_1_of_an_order():
    request = HttpRequest(
        "GET",
        "/orders/a%20b",
        query_string="q=1&q=2",
        headers=(("X-Many", "one"), ("x-many", "two"), ("Accept", "*/*"), ("User-Agent", "curl")),
        source_ip="192.0.2.7",
    )

    event = made(
        request,
        version="1.0",
        route="GET /orders/{id}",
        stage="live",
        authorizer={"principalId": "ana", "team": "blue"},
    )

    assert event == {
        "version": "1.0",
        "resource": "/orders/{id}",
        "path": "/orders/a%20b",
        "httpMethod": "GET",
        "headers": {"X-Many": "two", "Accept": "*/*", "User-Agent": "curl"},
        "multiValueHeaders": {"X-Many": ["one", "two"], "Accept": ["*/*"], "User-Agent": ["curl"]},
        "queryStringParameters": {"q": "2"},
        "multiValueQueryStringParameters": {"q": ["1", "2"]},
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "local",
            "authorizer": {"principalId": "ana", "team": "blue"},
            "domainName": "localhost",
            "domainPrefix": "localhost",
            "extendedRequestId": "r-1",
            "httpMethod": "GET",
            "identity": {
                "accessKey": None,
                "accountId": None,
                "caller": None,
                "cognitoAuthenticationProvider": None,
                "cognitoAuthenticationType": None,
                "cognitoIdentityId": None,
                "cognitoIdentityPoolId": None,
                "principalOrgId": None,
                "sourceIp": "192.0.2.7",
                "user": None,
                "userAgent": "curl",
                "userArn": None,
            },
            "path": "/live/orders/a%20b",
            "protocol": "HTTP/1.1",
            "requestId": "r-1",
            "requestTime": "14/Mar/2026:09:05:03 +0000",
            "requestTimeEpoch": 1773479103250,
            "resourceId": "GET /orders/{id}",
            "resourcePath": "/orders/{id}",
            "stage": "live",
        },
        "pathParameters": {"id": "a b"},
        "stageVariables": None,
        "body": None,
        "isBase64Encoded": False,
    }


def test_version_1_says_null_where_there_is_nothing():
    event = made(HttpRequest("GET", "/"), version="1.0", route="GET /")

    nothing = {
        "headers",
        "multiValueHeaders",
        "queryStringParameters",
        "multiValueQueryStringParameters",
        "pathParameters",
        "stageVariables",
        "body",
    }
    assert {name for name, value in event.items() if value is None} == nothing


def test_a_function_url_keeps_the_path_encoded_and_knows_no_route():
    event = made(HttpRequest("GET", "/a%20b/c"), version="function-url", account_id="111122223333")

    assert event["rawPath"] == event["requestContext"]["http"]["path"] == "/a%20b/c"
    assert event["requestContext"]["accountId"] == "anonymous"
    assert event["requestContext"]["authentication"] is None
    assert {"pathParameters", "stageVariables", "cookies", "body"}.isdisjoint(event)


def test_a_function_url_with_a_caller_names_the_account():
    event = made(
        HttpRequest("GET", "/"), version="function-url", account_id="111122223333", authorizer={"iam": {"userId": "A"}}
    )

    assert event["requestContext"]["accountId"] == "111122223333"
    assert event["requestContext"]["authorizer"] == {"iam": {"userId": "A"}}


def test_a_load_balancer_decodes_no_query_and_keeps_the_last_value():
    request = HttpRequest(
        "GET", "/a%20b", query_string="q=a%20b&q=c%2B", headers=(("Cookie", "a=1"), ("cookie", "b=2"))
    )

    event = made(request, version="alb", target_group_arn="arn:aws:elasticloadbalancing:eu-west-1:1:targetgroup/t/1")

    assert event == {
        "requestContext": {"elb": {"targetGroupArn": "arn:aws:elasticloadbalancing:eu-west-1:1:targetgroup/t/1"}},
        "httpMethod": "GET",
        "path": "/a%20b",
        "queryStringParameters": {"q": "c%2B"},
        "headers": {"cookie": "b=2"},
        "body": "",
        "isBase64Encoded": False,
    }


def test_a_load_balancer_with_multi_value_headers_keeps_them_all():
    request = HttpRequest("GET", "/", query_string="q=1&q=2", headers=(("Cookie", "a=1"), ("cookie", "b=2")))

    event = made(request, version="alb", multi_value_headers=True)

    assert event["multiValueHeaders"] == {"cookie": ["a=1", "b=2"]}
    assert event["multiValueQueryStringParameters"] == {"q": ["1", "2"]}
    assert {"headers", "queryStringParameters"}.isdisjoint(event)


BODIES = [
    ("2.0 takes JSON as text", "2.0", "application/json", b"{}", "{}", False),
    ("2.0 takes any text as text", "2.0", "text/csv", b"a,b", "a,b", False),
    ("2.0 takes XML as text", "2.0", "application/xml", b"<a/>", "<a/>", False),
    ("2.0 takes JavaScript as text", "2.0", "application/javascript", b"1", "1", False),
    ("2.0 encodes a form", "2.0", "application/x-www-form-urlencoded", b"a=1", "YT0x", True),
    ("2.0 encodes what has no type", "2.0", "", b"a=1", "YT0x", True),
    ("2.0 encodes an image", "2.0", "image/png", b"\x89PNG", "iVBORw==", True),
    ("2.0 encodes a vendor's JSON", "2.0", "application/problem+json", b"{}", "e30=", True),
    ("2.0 encodes text that is no UTF-8", "2.0", "text/plain", b"\xff", "/w==", True),
    ("a function URL does as 2.0", "function-url", "image/png", b"\x89PNG", "iVBORw==", True),
    ("a load balancer does as 2.0", "alb", "image/png", b"\x89PNG", "iVBORw==", True),
    ("a load balancer takes JSON as text", "alb", "application/json", b"{}", "{}", False),
    ("1.0 takes everything as text", "1.0", "image/svg+xml", b"<svg/>", "<svg/>", False),
    ("1.0 encodes a binary media type", "1.0", "image/png", b"\x89PNG", "iVBORw==", True),
    ("1.0 encodes text that is no UTF-8", "1.0", "text/plain", b"\xff", "/w==", True),
]


@pytest.mark.parametrize(
    ("version", "content_type", "body", "text", "encoded"), [c[1:] for c in BODIES], ids=[c[0] for c in BODIES]
)
def test_a_body_travels_as_text_or_as_base64(version, content_type, body, text, encoded):
    headers = (("Content-Type", content_type),) if content_type else ()

    event = made(
        HttpRequest("POST", "/", headers=headers, body=body), version=version, binary_media_types=("image/png",)
    )

    assert (event["body"], event["isBase64Encoded"]) == (text, encoded)


def test_a_load_balancer_encodes_what_is_compressed():
    headers = (("Content-Type", "text/plain"), ("Content-Encoding", "identity"))

    event = made(HttpRequest("POST", "/", headers=headers, body=b"abc"), version="alb")

    assert (b64decode(event["body"]), event["isBase64Encoded"]) == (b"abc", True)


@pytest.mark.parametrize(
    ("version", "found"),
    [
        ("1.0", lambda event: event["requestContext"]["identity"]["clientCert"]),
        ("2.0", lambda event: event["requestContext"]["authentication"]["clientCert"]),
    ],
)
def test_a_client_certificate_stands_where_aws_puts_it(version, found):
    event = made(HttpRequest("GET", "/"), version=version, client_cert={"subjectDN": "CN=ana.example"})

    assert found(event) == {"subjectDN": "CN=ana.example"}


@pytest.mark.parametrize("path", ["/live/orders/7", "/orders/7"])
def test_a_named_stage_in_front_of_the_path_is_no_part_of_the_route(path):
    event = made(HttpRequest("GET", path), version="1.0", route="GET /orders/{id}", stage="live")

    assert event["pathParameters"] == {"id": "7"}
    assert event["path"] == "/orders/7"
    assert event["requestContext"]["path"] == "/live/orders/7"


def test_a_stage_alone_is_the_root():
    event = made(HttpRequest("GET", "/live"), version="1.0", route="GET /", stage="live")

    assert event["path"] == "/"


def test_an_unknown_version_is_refused():
    with pytest.raises(apigateway.UnknownVersion):
        made(HttpRequest("GET", "/"), version="3.0")


def test_a_time_without_a_zone_is_refused():
    with pytest.raises(apigateway.NaiveTime):
        made(HttpRequest("GET", "/"), now=NOW.replace(tzinfo=None))


def test_a_route_that_the_request_does_not_take_is_refused():
    with pytest.raises(apigateway.RouteDoesNotMatch):
        made(HttpRequest("GET", "/orders"), route="GET /orders/{id}")


@given(
    st.text(st.characters(codec="utf-8")),
    st.text(st.characters(codec="utf-8")),
    st.lists(st.tuples(st.text(max_size=8), st.text(max_size=8)), max_size=4).map(tuple),
    st.binary(max_size=20),
    st.sampled_from(["1.0", "2.0", "function-url", "alb"]),
)
def test_any_request_becomes_an_event_and_no_body_is_lost(path, query, headers, body, version):
    event = made(HttpRequest("GET", path, query, headers, body), version=version)

    text = event.get("body") or ""
    assert (b64decode(text) if event["isBase64Encoded"] else text.encode()) == body
