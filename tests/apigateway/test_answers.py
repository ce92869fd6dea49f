"""What a function returns becomes what AWS's front doors answer with."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actas import apigateway

REST_502 = (502, b'{"message": "Internal server error"}')
HTTP_500 = (500, b'{"message":"Internal Server Error"}')
JSON = ("Content-Type", "application/json")


def answered(returned, **more):
    payload = returned if isinstance(returned, bytes) else json.dumps(returned).encode()
    return apigateway.answer(payload, **more)


REST = [
    ("a whole answer", {"statusCode": 201, "headers": {"A": "b"}, "body": "made"}, 201, (("A", "b"), JSON), b"made"),
    ("nothing but a status", {"statusCode": 204}, 204, (JSON,), b""),
    ("an empty object", {}, 200, (JSON,), b""),
    ("headers alone", {"headers": {"A": "b"}}, 200, (("A", "b"), JSON), b""),
    ("its own content type", {"headers": {"content-type": "text/html"}}, 200, (("content-type", "text/html"),), b""),
    ("a status as text", {"statusCode": "404"}, 404, (JSON,), b""),
    ("a status as a decimal", {"statusCode": 404.0}, 404, (JSON,), b""),
    ("a status of null", {"statusCode": None}, 200, (JSON,), b""),
    ("a number as body", {"body": 7}, 200, (JSON,), b"7"),
    ("a truth as body", {"body": True}, 200, (JSON,), b"true"),
    ("a null body", {"body": None}, 200, (JSON,), b""),
    ("null headers", {"headers": None, "multiValueHeaders": None}, 200, (JSON,), b""),
    ("a null header", {"headers": {"A": None}}, 200, (JSON,), b""),
    (
        "headers of other types",
        {"headers": {"N": 52, "F": 1.5, "T": True, "X": False}},
        200,
        (("N", "52"), ("F", "1.5"), ("T", "true"), ("X", "false"), JSON),
        b"",
    ),
    (
        "multi-value headers first",
        {"headers": {"A": "3"}, "multiValueHeaders": {"A": ["1", "2"]}},
        200,
        (("A", "1"), ("A", "2"), ("A", "3"), JSON),
        b"",
    ),
    (
        "a pair in both is said once",
        {"headers": {"a": "1", "B": "2"}, "multiValueHeaders": {"A": ["1"]}},
        200,
        (("A", "1"), ("B", "2"), JSON),
        b"",
    ),
    (
        "several cookies",
        {"multiValueHeaders": {"Set-Cookie": ["a=1", "b=2"]}},
        200,
        (("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), JSON),
        b"",
    ),
    (
        "what a REST API renames",
        {"headers": {"WWW-Authenticate": "Basic", "Date": "x", "Content-Length": 3, "Transfer-Encoding": "chunked"}},
        200,
        (
            ("x-amzn-Remapped-WWW-Authenticate", "Basic"),
            ("x-amzn-Remapped-Date", "x"),
            ("x-amzn-Remapped-Content-Length", "3"),
            JSON,
        ),
        b"",
    ),
    ("base64 without a media type stays text", {"body": "aGk=", "isBase64Encoded": True}, 200, (JSON,), b"aGk="),
    ("a body for a status that has none", {"statusCode": 304, "body": "x"}, 304, (JSON,), b""),
    ("UTF-8", {"body": "é"}, 200, (JSON,), "é".encode()),
]


@pytest.mark.parametrize(("returned", "status", "headers", "body"), [c[1:] for c in REST], ids=[c[0] for c in REST])
def test_a_rest_api_answers(returned, status, headers, body):
    answer = answered(returned, version="1.0")

    assert (answer.status, answer.headers, answer.body) == (status, headers, body)


MALFORMED = [
    ("a text", "hello"),
    ("a list", [1]),
    ("a number", 1),
    ("null", None),
    ("no JSON", b"{'a': 1}"),
    ("nothing at all", b""),
    ("half an object", b'{"statusCode": 200'),
    ("NaN, as Python writes it", b'{"statusCode": NaN}'),
    ("bytes that are no UTF-8", b'{"body": "\xff"}'),
    ("a function's error", {"errorMessage": "no", "errorType": "ValueError", "stackTrace": []}),
    ("an unknown member", {"statusCode": 200, "cookies": ["a=1"]}),
    ("an object as body", {"body": {"a": 1}}),
    ("a list as body", {"body": []}),
    ("a status that is none", {"statusCode": "ok"}),
    ("a status of 0", {"statusCode": 0}),
    ("a status of 600", {"statusCode": 600}),
    ("an informational status", {"statusCode": 101}),
    ("a true status", {"statusCode": True}),
    ("a fraction as status", {"statusCode": 200.5}),
    ("a number of thousands of digits", b'{"statusCode": ' + b"9" * 5000 + b"}"),
    ("headers that are a list", {"headers": []}),
    ("a list among single headers", {"headers": {"A": ["b"]}}),
    ("a text among multi-value headers", {"multiValueHeaders": {"A": "b"}}),
    ("a header of thousands of digits", b'{"headers": {"A": ' + b"9" * 5000 + b"}}"),
    ("a header of hundreds of digits", b'{"headers": {"A": ' + b"9" * 400 + b"}}"),
    ("a header name with a space", {"headers": {"A b": "c"}}),
    ("an empty header name", {"headers": {"": "c"}}),
    ("a line break in a header", {"headers": {"A": "b\r\nSet-Cookie: c=d"}}),
    ("a line break in a header's name", {"headers": {"A\nB": "c"}}),
    ("a NUL in a header", {"headers": {"A": "b\x00"}}),
    ("a flag that is none", {"isBase64Encoded": 1}),
]


@pytest.mark.parametrize("returned", [c[1] for c in MALFORMED], ids=[c[0] for c in MALFORMED])
def test_a_rest_api_answers_502_to_what_is_malformed(returned):
    answer = answered(returned, version="1.0")

    assert (answer.status, answer.body) == REST_502
    assert answer.headers == (JSON, ("x-amzn-ErrorType", "InternalServerErrorException"))


MEDIA = [
    ("the same type", ("image/png",), "image/png", b"hi"),
    ("the same type in another case", ("Image/PNG",), "image/png", b"hi"),
    ("the first of several accepted", ("image/png",), "image/png,*/*;q=0.8", b"hi"),
    ("not the second of several accepted", ("image/png",), "text/html,image/png", b"aGk="),
    ("a type with parameters", ("image/png",), "image/png;q=0.5", b"hi"),
    ("a family", ("image/*",), "image/webp", b"hi"),
    ("not another family", ("image/*",), "text/html", b"aGk="),
    ("everything", ("*/*",), "text/html", b"hi"),
    ("everything, and nothing accepted", ("*/*",), None, b"hi"),
    ("a type, and nothing accepted", ("image/png",), None, b"aGk="),
    ("a type, and anything accepted", ("image/png",), "*/*", b"aGk="),
    ("no type", (), "image/png", b"aGk="),
]


@pytest.mark.parametrize(("types", "accept", "body"), [c[1:] for c in MEDIA], ids=[c[0] for c in MEDIA])
def test_a_rest_api_decodes_where_the_first_accepted_type_is_binary(types, accept, body):
    answer = answered({"body": "aGk=", "isBase64Encoded": True}, version="1.0", binary_media_types=types, accept=accept)

    assert answer.body == body


def test_a_rest_api_does_not_decode_what_does_not_say_it_is_base64():
    assert answered({"body": "aGk="}, version="1.0", binary_media_types=("*/*",)).body == b"aGk="


def test_a_rest_api_answers_502_to_base64_that_is_none():
    answer = answered({"body": "a*", "isBase64Encoded": True}, version="1.0", binary_media_types=("*/*",))

    assert (answer.status, answer.body) == REST_502


TEXT = ("Content-Type", "text/plain; charset=utf-8")
HTTP = [
    ("a whole answer", {"statusCode": 201, "headers": {"A": "b"}, "body": "made"}, 201, (("A", "b"), TEXT), b"made"),
    (
        "cookies",
        {"statusCode": 200, "headers": {"content-type": "text/html"}, "cookies": ["a=1; Path=/", "b=2"]},
        200,
        (("content-type", "text/html"), ("Set-Cookie", "a=1; Path=/"), ("Set-Cookie", "b=2")),
        b"",
    ),
    ("base64", {"statusCode": 200, "body": "aGk=", "isBase64Encoded": True}, 200, (TEXT,), b"hi"),
    ("a status as text", {"statusCode": "404"}, 404, (TEXT,), b""),
    ("unknown members", {"statusCode": 200, "other": 1, "multiValueHeaders": {"A": ["b"]}}, 200, (TEXT,), b""),
    (
        "framing is the server's",
        {"statusCode": 200, "headers": {"Content-Length": 9, "Connection": "x"}},
        200,
        (TEXT,),
        b"",
    ),
    (
        "WWW-Authenticate keeps its name",
        {"statusCode": 401, "headers": {"WWW-Authenticate": "Bearer"}},
        401,
        (("WWW-Authenticate", "Bearer"), TEXT),
        b"",
    ),
    ("a text", "hello", 200, (JSON,), b"hello"),
    ("an object without a status", b'{ "message":  "hi" }', 200, (JSON,), b'{ "message":  "hi" }'),
    ("a body without a status is data", {"body": "hi"}, 200, (JSON,), b'{"body": "hi"}'),
    ("a number", 7, 200, (JSON,), b"7"),
    ("a list", [1, 2], 200, (JSON,), b"[1, 2]"),
    ("a truth", True, 200, (JSON,), b"true"),
    ("null", None, 200, (JSON,), b"null"),
    ("no JSON", b'{"name": "Ana", "age":', 200, (JSON,), b'{"name": "Ana", "age":'),
    ("nothing at all", b"", 200, (JSON,), b""),
]


@pytest.mark.parametrize(("returned", "status", "headers", "body"), [c[1:] for c in HTTP], ids=[c[0] for c in HTTP])
def test_an_http_api_answers(returned, status, headers, body):
    answer = answered(returned, version="2.0")

    assert (answer.status, answer.headers, answer.body) == (status, headers, body)


HTTP_MALFORMED = [
    ("a status that is none", {"statusCode": "ok"}),
    ("a status of 0", {"statusCode": 0}),
    ("a null status", {"statusCode": None}),
    ("an object as body", {"statusCode": 200, "body": {}}),
    ("a list among headers", {"statusCode": 200, "headers": {"A": ["b"]}}),
    ("cookies that are a text", {"statusCode": 200, "cookies": "a=1"}),
    ("a cookie that is an object", {"statusCode": 200, "cookies": [{}]}),
    ("a line break in a cookie", {"statusCode": 200, "cookies": ["a=1\r\nX: y"]}),
    ("base64 that is none", {"statusCode": 200, "body": "*", "isBase64Encoded": True}),
]


@pytest.mark.parametrize("returned", [c[1] for c in HTTP_MALFORMED], ids=[c[0] for c in HTTP_MALFORMED])
def test_an_http_api_answers_500_to_what_is_malformed(returned):
    answer = answered(returned, version="2.0")

    assert (answer.status, answer.body, answer.headers) == (*HTTP_500, (JSON,))


def test_a_function_url_leaves_a_text_in_its_quotes():
    assert answered("hello", version="function-url").body == b'"hello"'


def test_a_function_url_answers_502_to_what_is_malformed():
    answer = answered({"statusCode": 1}, version="function-url")

    assert (answer.status, answer.body) == (502, b"Internal Server Error")


def test_a_load_balancer_answers_with_the_reason_it_was_given():
    answer = answered(
        {
            "statusCode": 404,
            "statusDescription": "404 Gone Fishing",
            "multiValueHeaders": {"Set-Cookie": ["a=1", "b=2"]},
            "body": "aGk=",
            "isBase64Encoded": True,
        },
        version="alb",
    )

    assert (answer.status, answer.reason, answer.body) == (404, "Gone Fishing", b"hi")
    assert answer.headers == (
        ("Set-Cookie", "a=1"),
        ("Set-Cookie", "b=2"),
        ("Content-Type", "application/octet-stream"),
    )


def test_a_load_balancer_keeps_the_content_type_it_was_given():
    answer = answered({"statusCode": 200, "headers": {"content-type": "text/html"}}, version="alb")

    assert answer.headers == (("content-type", "text/html"),)


@pytest.mark.parametrize("description", [None, "OK", "200 OK\r\nX: y", "201 Created", 200])
def test_a_load_balancer_leaves_out_a_reason_that_does_not_fit(description):
    assert answered({"statusCode": 200, "statusDescription": description}, version="alb").reason is None


@pytest.mark.parametrize("returned", [{}, {"body": "hi"}, "hello", None, b"", {"statusCode": 99}])
def test_a_load_balancer_answers_502_to_what_has_no_status(returned):
    answer = answered(returned, version="alb")

    assert (answer.status, answer.reason) == (502, "Bad Gateway")
    assert answer.body.startswith(b"<html>")


@pytest.mark.parametrize(("version", "status"), [("1.0", 502), ("2.0", 500), ("function-url", 502), ("alb", 502)])
def test_a_function_that_failed_never_answers_for_itself(version, status):
    answer = answered({"statusCode": 200, "body": "hi"}, version=version, function_error="Unhandled")

    assert answer.status == status


def test_an_unknown_version_is_refused():
    with pytest.raises(apigateway.UnknownVersion):
        answered({}, version="3.0")


@pytest.mark.parametrize("version", ["1.0", "2.0", "function-url", "alb"])
@pytest.mark.parametrize("payload", [b"[" * 100_000, b'{"a":' * 100_000, b'{"statusCode":200,"body":' + b"[" * 100_000])
def test_no_depth_of_nesting_is_an_exception(version, payload):
    assert answered(payload, version=version).status in (200, 500, 502)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda inner: st.lists(inner, max_size=3)
)
MEMBERS = st.dictionaries(
    st.sampled_from(["statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded", "cookies", "x"]),
    JSON_VALUES | st.dictionaries(st.text(max_size=5), JSON_VALUES, max_size=3),
)


@given(
    st.binary() | MEMBERS.map(lambda found: json.dumps(found).encode()),
    st.sampled_from(["1.0", "2.0", "function-url", "alb"]),
)
def test_whatever_a_function_returns_is_an_answer_that_keeps_its_frame(payload, version):
    answer = answered(payload, version=version, binary_media_types=("*/*",))

    assert 200 <= answer.status <= 599
    for name, value in answer.headers:
        assert name.isascii()
        assert not set("\r\n\x00") & set(name + value)
        assert name.lower() not in {"content-length", "transfer-encoding", "connection"}
