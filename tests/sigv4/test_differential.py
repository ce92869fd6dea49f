"""We sign what botocore signs, byte for byte, and verify it; whatever else comes in, only our errors come out."""

from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import botocore.auth
import botocore.credentials
import pytest
from botocore.awsrequest import AWSRequest
from hypothesis import given
from hypothesis import strategies as st

from actas import sigv4

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
SCOPE = {"region": "eu-west-1", "service": "execute-api"}
HOST = "functions.example"

TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), max_size=8)
SEGMENTS = st.lists(st.sampled_from(["", ".", "..", "a", "b c", "é", "a:b", "~", "%41"]) | TEXT, max_size=5)
QUERIES = st.lists(st.tuples(TEXT.filter(bool), TEXT), max_size=4)
VALUES = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=12)
HEADERS = st.lists(st.tuples(st.sampled_from(["X-One", "x-two", "Content-Type", "X-Amz-Target"]), VALUES), max_size=4)


def encoded(segments, query):
    """Spell a target as a client puts it on the wire."""
    path = "/" + "/".join(quote(segment, safe="~") for segment in segments)
    asked = "&".join(f"{quote(name, safe='-_.~')}={quote(value, safe='-_.~')}" for name, value in query)
    return f"https://{HOST}{path}" + (f"?{asked}" if asked else "")


def botocores(signer, method, url, headers, body):
    """Let botocore sign; give the headers it sends and its URL."""
    request = AWSRequest(method, url, data=body)
    request.headers.add_header("Host", HOST)
    for name, value in headers:
        request.headers.add_header(name, value)
    signer.add_auth(request)
    return list(request.headers.items()), request.url


def stamped(headers, url):
    """Read when botocore signed."""
    text = dict(headers).get("X-Amz-Date") or url.partition("X-Amz-Date=")[2][:16]
    return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


KEPT = sigv4.SigningKeys(4)


def outcome(call, *given, **more):
    """Give what a call gives, or the kind of what it raises."""
    try:
        return call(*given, **more)
    except sigv4.SigV4Error as wrong:
        return type(wrong)


def signed(*request, **more):
    """Sign with a kept key and without: it makes no difference."""
    kept, derived = (outcome(sigv4.sign, *request, **more, keys=keys) for keys in (KEPT, None))
    assert kept == derived
    return sigv4.sign(*request, **more)


def verified(*request, **more):
    """Verify with a kept key and without: it makes no difference."""
    *request, now = request
    given = {**SCOPE, "find_secret": lambda _key, _token: SECRET, "now": now, **more}
    kept, derived = (outcome(sigv4.verify, *request, **given, keys=keys) for keys in (KEPT, None))
    assert kept == derived
    return sigv4.verify(*request, **given)


@given(
    st.sampled_from(["GET", "POST", "DELETE"]),
    SEGMENTS,
    QUERIES,
    HEADERS,
    st.binary(max_size=20),
    st.none() | st.just("to/ken=="),
)
def test_headers_are_signed_as_botocore_signs_them(method, segments, query, headers, body, token):
    url = encoded(segments, query)
    signer = botocore.auth.SigV4Auth(
        botocore.credentials.Credentials("AKIDANA", SECRET, token), SCOPE["service"], SCOPE["region"]
    )

    theirs, _ = botocores(signer, method, url, headers, body)

    now = stamped(theirs, url)
    credentials = sigv4.Credentials("AKIDANA", SECRET, token)
    ours = signed(method, url, [("Host", HOST), *headers], body, credentials, **SCOPE, now=now)
    assert dict(ours.headers)["Authorization"] == dict(theirs)["Authorization"]
    assert verified(method, url, theirs, body, now).session_token == token


@given(SEGMENTS, st.binary(max_size=20), st.none() | st.just("to/ken=="))
def test_headers_are_signed_for_s3_as_botocore_signs_them(segments, body, token):
    url = encoded(segments, [])
    signer = botocore.auth.S3SigV4Auth(botocore.credentials.Credentials("AKIDANA", SECRET, token), "s3", "eu-west-1")

    theirs, _ = botocores(signer, "PUT", url, [], body)

    now = stamped(theirs, url)
    rules = {"normalize_path": False, "double_encode": False, "service": "s3", "region": "eu-west-1"}
    credentials = sigv4.Credentials("AKIDANA", SECRET, token)
    ours = signed("PUT", url, [("Host", HOST)], body, credentials, now=now, sign_body_header=True, **rules)
    assert dict(ours.headers)["Authorization"] == dict(theirs)["Authorization"]
    assert verified("PUT", url, theirs, body, now, **rules)


@pytest.mark.parametrize("token", [None, "to/ken=="])
@given(SEGMENTS, st.dictionaries(TEXT.filter(bool), TEXT.filter(bool), max_size=3))
def test_urls_are_presigned_as_botocore_presigns_them(token, segments, query):
    url = encoded(segments, query.items())
    signer = botocore.auth.SigV4QueryAuth(
        botocore.credentials.Credentials("AKIDANA", SECRET, token), SCOPE["service"], SCOPE["region"], expires=600
    )

    headers, theirs = botocores(signer, "GET", url, [], b"")

    now = stamped(headers, theirs)
    credentials = sigv4.Credentials("AKIDANA", SECRET, token)
    ours = signed(
        "GET", url, [("Host", HOST)], b"", credentials, **SCOPE, now=now, presign=True, expires=timedelta(seconds=600)
    )
    assert ours.url == theirs
    assert verified("GET", theirs, headers, b"", now).session_token == token


def test_urls_are_presigned_for_s3_as_botocore_presigns_them():
    url = encoded(["a b", "..", "é"], [("x", "1")])
    signer = botocore.auth.S3SigV4QueryAuth(
        botocore.credentials.Credentials("AKIDANA", SECRET), "s3", "eu-west-1", expires=600
    )

    headers, theirs = botocores(signer, "GET", url, [], b"")

    now = stamped(headers, theirs)
    rules = {"normalize_path": False, "double_encode": False, "service": "s3", "region": "eu-west-1"}
    credentials = sigv4.Credentials("AKIDANA", SECRET)
    life = timedelta(seconds=600)
    ours = signed(
        *("GET", url, [("Host", HOST)], sigv4.UNSIGNED_PAYLOAD, credentials),
        now=now,
        presign=True,
        expires=life,
        **rules,
    )
    assert ours.url == theirs
    assert verified("GET", theirs, headers, sigv4.UNSIGNED_PAYLOAD, now, **rules)


ANYTHING = st.text(max_size=30)
SHOWN = st.sampled_from(
    [
        "AWS4-HMAC-SHA256 Credential=A/20150830/eu-west-1/execute-api/aws4_request, SignedHeaders=host;x-amz-date, "
        "Signature=" + "0" * 64,
        "AWS4-HMAC-SHA256 Credential=A/20150830/eu-west-1/execute-api/aws4_request,SignedHeaders=host,Signature=",
        "AWS4-HMAC-SHA256",
    ]
)


@given(
    ANYTHING,
    ANYTHING | ANYTHING.map("/?X-Amz-Algorithm=AWS4-HMAC-SHA256&".__add__),
    st.lists(st.tuples(st.sampled_from(["Host", "Authorization", "X-Amz-Date"]) | ANYTHING, SHOWN | ANYTHING)),
    st.binary(max_size=9),
)
def test_whatever_comes_in_only_our_errors_come_out(method, url, headers, body):
    now = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)

    with pytest.raises(sigv4.SigV4Error):
        verified(method, url, headers, body, now)


@given(ANYTHING, ANYTHING.map("/".__add__), st.lists(st.tuples(ANYTHING, ANYTHING), max_size=3), st.booleans())
def test_what_is_signed_is_verified_and_what_cannot_be_is_refused(method, url, headers, presign):
    now = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)
    credentials = sigv4.Credentials("AKIDANA", SECRET)
    try:
        ours = signed(method, url, [("Host", HOST), *headers], b"", credentials, **SCOPE, now=now, presign=presign)
    except sigv4.SigV4Error:
        return

    assert verified(method, ours.url, ours.headers, b"", now)
