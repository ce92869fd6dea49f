"""Signing, in headers and in the query, and what cannot be signed."""

from datetime import timedelta
from hashlib import sha256

import pytest

from actas import sigv4

ANA = sigv4.Credentials("AKIDANA", "secret")
TEMPORARY = sigv4.Credentials("ASIAANA", "secret", "to/ken=")
HOST = ("Host", "functions.example")
SCOPE = {"region": "eu-west-1", "service": "lambda"}


@pytest.fixture(params=[None, sigv4.SigningKeys()], ids=["key derived", "key kept"])
def sign(now, request):
    def signing(method="GET", url="https://functions.example/", headers=(HOST,), body=b"", credentials=ANA, **more):
        return sigv4.sign(
            method, url, headers, body, credentials, **{**SCOPE, "now": now, "keys": request.param, **more}
        )

    return signing


PATHS = [
    ("dots are removed", "/a/../b/./c", {}, "/b/c"),
    ("dots stay where they are to", "/a/../b/./c", {"normalize_path": False}, "/a/../b/./c"),
    ("empty segments are removed", "//a//b//", {}, "/a/b/"),
    ("empty segments stay where they are to", "//a//b//", {"normalize_path": False}, "//a//b//"),
    ("dots above the root are the root", "/..", {}, "/"),
    ("a dot in a name stays", "/a.b/.c", {}, "/a.b/.c"),
    ("escapes are encoded once more", "/a%20b", {}, "/a%2520b"),
    ("escapes stay for S3", "/a%20b!", {"double_encode": False}, "/a%20b!"),
    ("raw UTF-8 is encoded", "/é b", {}, "/%C3%A9%20b"),
    ("raw UTF-8 is encoded for S3 too", "/é b", {"double_encode": False}, "/%C3%A9%20b"),
    ("reserved characters are encoded", "/a:b@c+d,e", {}, "/a%3Ab%40c%2Bd%2Ce"),
    ("a tilde is not", "/~a", {}, "/~a"),
    ("nothing is the root", "", {}, "/"),
]


@pytest.mark.parametrize(("path", "more", "canonical"), [c[1:] for c in PATHS], ids=[c[0] for c in PATHS])
def test_a_path_is_written_in_one_way(sign, path, more, canonical):
    signed = sign(url=f"https://functions.example{path}", **more)

    assert signed.canonical_request.split("\n")[1] == canonical


QUERIES = [
    ("sorted by name, then value", "b=2&a=3&a=1", "a=1&a=3&b=2"),
    ("sorted by the name alone first", "a-b=1&a=2", "a=2&a-b=1"),
    ("a name without a value", "a", "a="),
    ("escapes in upper case", "a=%c3%a9", "a=%C3%A9"),
    ("what needs no escape has none", "a=%41%7E", "a=A~"),
    ("raw UTF-8 and spaces", "é=a b", "%C3%A9=a%20b"),
    ("a plus is a plus", "a=1+2", "a=1%2B2"),
    ("an equals sign in a value", "a=b=c", "a=b%3Dc"),
    ("slashes and colons", "a=b:c/d", "a=b%3Ac%2Fd"),
    ("empty parts are none", "a=1&&b=2&", "a=1&b=2"),
    ("an escape that is none", "a=%zz", "a=%25zz"),
]


@pytest.mark.parametrize(("query", "canonical"), [c[1:] for c in QUERIES], ids=[c[0] for c in QUERIES])
def test_a_query_is_written_in_one_way(sign, query, canonical):
    assert sign(url=f"https://functions.example/?{query}").canonical_request.split("\n")[2] == canonical


def test_a_target_alone_is_enough(sign):
    assert sign(url="/a?b=1").canonical_request == sign(url="https://functions.example/a?b=1").canonical_request


def test_a_query_may_follow_the_host(sign):
    assert sign(url="https://functions.example?b=1").canonical_request.split("\n")[1:3] == ["/", "b=1"]


def test_all_given_headers_are_signed_and_old_signatures_replaced(sign):
    headers = (HOST, ("User-Agent", "x"), ("authorization", "old"), ("x-amz-date", "old"), ("Expect", "1"))

    signed = sign(headers=headers)

    assert [name for name, _ in signed.headers] == ["Host", "User-Agent", "Expect", "X-Amz-Date", "Authorization"]
    assert "SignedHeaders=expect;host;user-agent;x-amz-date," in dict(signed.headers)["Authorization"]


def test_a_session_token_is_signed(sign):
    signed = sign(credentials=TEMPORARY, headers=(HOST, ("X-Amz-Security-Token", "old")))

    assert ("X-Amz-Security-Token", "to/ken=") in signed.headers
    assert "x-amz-security-token:to/ken=\n" in signed.canonical_request


def test_a_session_token_can_be_left_out_of_the_signature_and_is_sent(sign):
    signed = sign(credentials=TEMPORARY, omit_session_token=True)

    assert ("X-Amz-Security-Token", "to/ken=") in signed.headers
    assert "x-amz-security-token" not in signed.canonical_request


def test_the_bodys_hash_can_be_a_signed_header(sign):
    signed = sign(body=b"hi", sign_body_header=True)

    assert dict(signed.headers)["X-Amz-Content-SHA256"] == sha256(b"hi").hexdigest()
    assert "x-amz-content-sha256" in signed.canonical_request


def test_an_unsigned_body_says_so(sign):
    signed = sign(body=sigv4.UNSIGNED_PAYLOAD, sign_body_header=True)

    assert dict(signed.headers)["X-Amz-Content-SHA256"] == "UNSIGNED-PAYLOAD"
    assert signed.canonical_request.endswith("\nUNSIGNED-PAYLOAD")


def test_a_hash_that_the_caller_gives_is_the_one_that_is_signed(sign):
    signed = sign(body=b"hi", headers=(HOST, ("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD")))

    assert signed.canonical_request.endswith("\nUNSIGNED-PAYLOAD")


def test_a_presigned_url_holds_the_signature(sign):
    signed = sign(
        url="https://functions.example/a b?x=1",
        credentials=TEMPORARY,
        presign=True,
        expires=timedelta(minutes=5),
    )

    assert signed.url == (
        "https://functions.example/a b?x=1&X-Amz-Algorithm=AWS4-HMAC-SHA256"
        "&X-Amz-Credential=ASIAANA%2F20150830%2Feu-west-1%2Flambda%2Faws4_request&X-Amz-Date=20150830T123600Z"
        "&X-Amz-Expires=300&X-Amz-SignedHeaders=host&X-Amz-Security-Token=to%2Fken%3D"
        f"&X-Amz-Signature={signed.signature}"
    )
    assert signed.headers == (HOST,)


def test_a_presigned_url_may_carry_its_token_outside_the_signature(sign):
    signed = sign(credentials=TEMPORARY, presign=True, omit_session_token=True)

    assert signed.url.endswith("&X-Amz-Security-Token=to%2Fken%3D")
    assert "Security-Token" not in signed.canonical_request


REFUSED = [
    ("no host", {"headers": ()}, "Host"),
    ("two hosts", {"headers": (HOST, HOST)}, "Host"),
    ("an empty host", {"headers": (("Host", " "),)}, "Host"),
    ("a line break in a header", {"headers": (HOST, ("A", "b\r\nC: d"))}, "value of a header"),
    ("a NUL in a header", {"headers": (HOST, ("A", "b\x00"))}, "value of a header"),
    ("a header's name with a colon", {"headers": (HOST, ("A:", "b"))}, "name of a header"),
    ("a header's name with a line break", {"headers": (HOST, ("A\n", "b"))}, "name of a header"),
    ("too many headers", {"headers": (HOST, *((f"a{n}", "") for n in range(256)))}, "headers"),
    ("a slash in a region", {"region": "eu/west"}, "region"),
    ("no service", {"service": ""}, "service"),
    ("a method with a space", {"method": "GET /x"}, "method"),
    ("a URL without a host", {"url": "https:///x"}, "URL"),
    ("a URL that is none", {"url": "functions.example/x"}, "URL"),
    ("a URL that is too long", {"url": "/" * 65_537}, "URL"),
    ("half a character in a path", {"url": "/\ud800"}, "URL"),
    ("half a character in a query", {"url": "/?\ud800"}, "URL"),
    ("half a character in a header", {"headers": (HOST, ("A", "\ud800"))}, "request"),
    ("a presigned URL for ever", {"presign": True, "expires": timedelta(days=7, seconds=1)}, "life"),
    ("a presigned URL for no time", {"presign": True, "expires": timedelta(milliseconds=999)}, "life"),
    ("a presigned URL presigned again", {"presign": True, "url": "/?X-Amz-Date=1"}, "query"),
    ("two hashes of a body", {"headers": (HOST, *[("x-amz-content-sha256", "a")] * 2)}, "x-amz-content-sha256"),
]


@pytest.mark.parametrize(("more", "field"), [c[1:] for c in REFUSED], ids=[c[0] for c in REFUSED])
def test_what_cannot_be_signed_is_refused(sign, more, field):
    with pytest.raises(sigv4.MalformedRequest, match=field):
        sign(**more)


@pytest.mark.parametrize(
    ("key", "token", "field"),
    [
        ("A/B", None, "access key id"),
        ("", None, "access key id"),
        ("A", "b\nc", "session token"),
        ("A", "b c", "session token"),
        ("A", "\u00e9", "session token"),
    ],
)
def test_credentials_that_could_not_stand_in_a_header_are_refused(key, token, field):
    with pytest.raises(sigv4.MalformedRequest, match=field):
        sigv4.Credentials(key, "secret", token)


def test_a_kelvin_sign_is_no_k(sign):
    with pytest.raises(sigv4.MalformedRequest, match="name of a header"):
        sign(headers=(HOST, ("\u212a", "b")))


def test_a_time_without_a_zone_is_refused(sign, now):
    with pytest.raises(sigv4.MalformedRequest, match="time"):
        sign(now=now.replace(tzinfo=None))


def test_a_presigned_url_may_last_seven_days(sign):
    assert "&X-Amz-Expires=604800&" in sign(presign=True, expires=timedelta(days=7)).url


def test_a_folded_header_is_one_line(sign):
    assert "\na:b c d\n" in sign(headers=(HOST, ("A", " b\n  c\r\n\td "))).canonical_request


def test_spaces_are_collapsed_in_any_script(sign):
    assert "\na:é ü\n" in sign(headers=(HOST, ("A", "  é   ü "))).canonical_request


def test_keys_are_kept_up_to_a_size_and_do_not_change_the_signature(sign):
    keys = sigv4.SigningKeys(2)

    kept = [sign(keys=keys, region=region).signature for region in ("a", "b", "a", "c")]

    assert kept == [sign(keys=None, region=region).signature for region in ("a", "b", "a", "c")]
    assert len(keys) == 2
    assert "secret" not in repr(keys)


def test_credentials_and_what_is_signed_show_no_secret(sign):
    assert "secret" not in repr(TEMPORARY)
    assert "to/ken" not in repr(TEMPORARY)
    assert "Signature" not in repr(sign(credentials=TEMPORARY))
