"""Verifying fails closed: each thing that is refused stands beside its neighbour that is taken."""

import hashlib
from datetime import datetime, timedelta, timezone

import pytest

from actas import sigv4

ANA = sigv4.Credentials("AKIDANA", "secret")
TEMPORARY = sigv4.Credentials("ASIAANA", "secret", "to/ken=")
HOST = ("Host", "functions.example")
URL = "https://functions.example/report?full=1"
SCOPE = {"region": "eu-west-1", "service": "lambda"}
SECRETS = {("AKIDANA", None): "secret", ("ASIAANA", "to/ken="): "secret"}


class World:
    """One signer and one verifier that share a secret and a clock."""

    def __init__(self, now, keys):
        self.now, self.keys = now, keys

    def sign(self, credentials=ANA, headers=(HOST,), url=URL, body=b"", **more):
        return sigv4.sign(
            "POST", url, headers, body, credentials, **{**SCOPE, "now": self.now, "keys": self.keys, **more}
        )

    def verify(self, headers, url=URL, body=b"", method="POST", **more):
        return sigv4.verify(
            method,
            url,
            headers,
            body,
            **{
                **SCOPE,
                "now": self.now,
                "keys": self.keys,
                "find_secret": lambda key, token: SECRETS.get((key, token)),
                **more,
            },
        )


@pytest.fixture(params=[None, sigv4.SigningKeys()], ids=["key derived", "key kept"])
def world(now, request):
    return World(now, request.param)


def with_header(signed, name, value):
    """Replace one header of a signed request."""
    return [(known, value if known == name else old) for known, old in signed.headers]


def authorization(signed, old, new):
    """Replace a part of the Authorization header."""
    header = dict(signed.headers)["Authorization"]
    assert old in header
    return with_header(signed, "Authorization", header.replace(old, new))


def test_the_caller_is_who_signed(world):
    caller = world.verify(world.sign(credentials=TEMPORARY).headers)

    assert (caller.access_key_id, caller.session_token) == ("ASIAANA", "to/ken=")
    assert (caller.region, caller.service, caller.signed_at) == ("eu-west-1", "lambda", world.now)
    assert "to/ken" not in repr(caller)


def test_a_presigned_url_is_verified(world):
    signed = world.sign(credentials=TEMPORARY, presign=True)

    assert world.verify(signed.headers, url=signed.url).session_token == "to/ken="


def test_a_body_is_verified(world):
    assert world.verify(world.sign(body=b"hi").headers, body=b"hi")


def test_headers_that_nobody_signed_do_not_matter_unless_they_are_amazons(world):
    signed = world.sign()

    assert world.verify([*signed.headers, ("User-Agent", "curl"), ("X-Amzn-Trace-Id", "x")])


def test_region_and_service_may_be_left_open(world):
    headers = world.sign(region="us-east-1", service="sts").headers

    assert world.verify(headers, region=sigv4.ANY, service=sigv4.ANY).region == "us-east-1"


@pytest.mark.parametrize("scope", [{"region": "eu-west-2"}, {"service": "sts"}])
def test_another_region_or_service_is_refused(world, scope):
    with pytest.raises(sigv4.WrongScope):
        world.verify(world.sign().headers, **scope)


SKEWS = [
    ("signed now", 0, True),
    ("as long ago as may be", -300, True),
    ("a second longer ago", -301, False),
    ("as far ahead as may be", 300, True),
    ("a second further ahead", 301, False),
]


@pytest.mark.parametrize(("seconds", "taken"), [c[1:] for c in SKEWS], ids=[c[0] for c in SKEWS])
def test_a_signature_is_of_about_now(world, seconds, taken):
    headers = world.sign(now=world.now + timedelta(seconds=seconds)).headers

    if taken:
        assert world.verify(headers)
    else:
        with pytest.raises(sigv4.OutsideTime):
            world.verify(headers)


LIVES = [
    ("in its last second", 600, True),
    ("a second after its end", 601, False),
    ("a little before its beginning", -300, True),
    ("long before its beginning", -301, False),
]


@pytest.mark.parametrize(("seconds", "taken"), [c[1:] for c in LIVES], ids=[c[0] for c in LIVES])
def test_a_presigned_url_lasts_as_long_as_it_says(world, seconds, taken):
    signed = world.sign(presign=True, expires=timedelta(seconds=600))
    later = world.now + timedelta(seconds=seconds)

    if taken:
        assert world.verify(signed.headers, url=signed.url, now=later)
    else:
        with pytest.raises(sigv4.OutsideTime):
            world.verify(signed.headers, url=signed.url, now=later)


def test_the_scopes_day_is_the_times_day(world):
    signed = world.sign()

    with pytest.raises(sigv4.WrongScope, match="day"):
        world.verify(authorization(signed, "/20150830/", "/20150831/"))


CHANGED = [
    ("another method", {"method": "GET"}),
    ("a method in lower case", {"method": "post"}),
    ("another path", {"url": "https://functions.example/reports?full=1"}),
    ("another query", {"url": "https://functions.example/report?full=2"}),
    ("another parameter", {"url": "https://functions.example/report?full=1&x=1"}),
    ("another body", {"body": b"x"}),
    ("no body", {"body": sigv4.UNSIGNED_PAYLOAD}),
]


@pytest.mark.parametrize("changed", [c[1] for c in CHANGED], ids=[c[0] for c in CHANGED])
def test_what_was_not_signed_is_refused(world, changed):
    with pytest.raises(sigv4.BadSignature):
        world.verify(world.sign().headers, **changed)


def test_another_secret_is_refused(world):
    with pytest.raises(sigv4.BadSignature):
        world.verify(world.sign().headers, find_secret=lambda _key, _token: "other")


@pytest.mark.parametrize("secret", [None, ""])
def test_a_key_without_a_secret_is_refused(world, secret):
    with pytest.raises(sigv4.UnknownAccessKey):
        world.verify(world.sign().headers, find_secret=lambda _key, _token: secret)


def test_another_session_token_is_refused(world):
    signed = world.sign(credentials=TEMPORARY)

    with pytest.raises(sigv4.BadSignature):
        world.verify(with_header(signed, "X-Amz-Security-Token", "other"), find_secret=lambda _key, _token: "secret")


@pytest.mark.parametrize("presign", [False, True])
def test_a_token_outside_the_signature_is_taken_only_where_that_is_said(world, presign):
    signed = world.sign(credentials=TEMPORARY, omit_session_token=True, presign=presign)

    assert world.verify(signed.headers, url=signed.url, unsigned_session_token=True).session_token == "to/ken="
    with pytest.raises(sigv4.SigV4Error):
        world.verify(signed.headers, url=signed.url)


@pytest.mark.parametrize("presign", [False, True], ids=["in headers", "presigned"])
def test_a_token_inside_the_signature_is_taken_where_one_outside_may_be(world, presign):
    signed = world.sign(credentials=TEMPORARY, presign=presign)

    assert world.verify(signed.headers, url=signed.url, unsigned_session_token=True).session_token == "to/ken="
    with pytest.raises(sigv4.BadSignature):
        world.verify(
            with_header(signed, "X-Amz-Security-Token", "other"),
            url=signed.url.replace("to%2Fken", "other"),
            unsigned_session_token=True,
            find_secret=lambda _key, _token: "secret",
        )


def test_the_body_s_hash_needs_no_signature_of_its_own_and_still_has_to_be_the_body_s(world):
    right, wrong = hashlib.sha256(b"{}").hexdigest(), hashlib.sha256(b"[]").hexdigest()
    signed = world.sign(body=b"{}")

    caller = world.verify([*signed.headers, ("x-amz-content-sha256", right)], body=b"{}")

    assert caller.access_key_id == "AKIDANA"
    with pytest.raises(sigv4.BodyMismatch):
        world.verify([*signed.headers, ("x-amz-content-sha256", wrong)], body=b"{}")
    with pytest.raises(sigv4.BodyMismatch):
        world.verify([*signed.headers, ("x-amz-content-sha256", "UNSIGNED-PAYLOAD")], body=b"{}")


def test_a_request_that_nobody_signed_is_refused(world):
    with pytest.raises(sigv4.MissingSignature):
        world.verify([HOST, ("Authorization", "Bearer abc")])


@pytest.mark.parametrize("algorithm", ["AWS4-ECDSA-P256-SHA256", "AWS4-HMAC-SHA1", "aws4-hmac-sha256", "AWS4-"])
def test_another_algorithm_is_refused(world, algorithm):
    signed = world.sign()
    presigned = world.sign(presign=True)

    with pytest.raises(sigv4.UnsupportedAlgorithm):
        world.verify(authorization(signed, "AWS4-HMAC-SHA256", algorithm))
    with pytest.raises(sigv4.UnsupportedAlgorithm):
        world.verify(presigned.headers, url=presigned.url.replace("AWS4-HMAC-SHA256", algorithm))


UNSIGNED = [
    ("a host", "SignedHeaders=host;x-amz-date", "SignedHeaders=x-amz-date", "host"),
    ("a date", "SignedHeaders=host;x-amz-date", "SignedHeaders=host", "x-amz-date"),
]


@pytest.mark.parametrize(("old", "new", "header"), [c[1:] for c in UNSIGNED], ids=[c[0] for c in UNSIGNED])
def test_a_header_that_matters_and_is_not_signed_is_refused(world, old, new, header):
    with pytest.raises(sigv4.UnsignedHeader, match=header):
        world.verify(authorization(world.sign(), old, new))


@pytest.mark.parametrize(
    "name", ["X-Amz-Invocation-Type", "x-amz-client-context", "X-AMZ-Target", "X_Amz_Target", "x-amz_log-type"]
)
def test_an_amazon_header_that_somebody_added_is_refused(world, name):
    with pytest.raises(sigv4.UnsignedHeader):
        world.verify([*world.sign().headers, (name, "Event")])


@pytest.mark.parametrize(
    "name", ["Host", "X-Amz-Date", "Authorization", "X-Amz-Security-Token", "X-Amz-Content-SHA256"]
)
def test_a_header_that_is_there_twice_is_refused(world, name):
    signed = world.sign(credentials=TEMPORARY, sign_body_header=True)
    again = next(pair for pair in signed.headers if pair[0] == name)

    with pytest.raises(sigv4.IncompleteSignature):
        world.verify([*signed.headers, again])


MALFORMED = [
    ("no signature", ", Signature=", ", Sig="),
    ("a part more", "Credential=", "Credential=x, Credential="),
    ("no scope", "/eu-west-1/lambda/aws4_request", ""),
    ("another end of the scope", "/aws4_request", "/aws4_requests"),
    ("a slash in the scope", "/lambda/", "/lam/bda/"),
    ("an empty region", "/eu-west-1/", "//"),
    ("names out of order", "host;x-amz-date", "x-amz-date;host"),
    ("a name twice", "host;x-amz-date", "host;host;x-amz-date"),
    ("a name in upper case", "host;x-amz-date", "Host;x-amz-date"),
    ("an empty name", "host;x-amz-date", ";host;x-amz-date"),
    ("a name that is not there", "host;x-amz-date", "host;x-amz-date;x-other"),
    ("a tab for a space", "Credential=", "\tCredential="),
]


@pytest.mark.parametrize(("old", "new"), [c[1:] for c in MALFORMED], ids=[c[0] for c in MALFORMED])
def test_a_malformed_authorization_is_refused(world, old, new):
    with pytest.raises(sigv4.SigV4Error):
        world.verify(authorization(world.sign(), old, new))


def test_a_signature_in_upper_case_is_refused(world):
    signed = world.sign()

    with pytest.raises(sigv4.IncompleteSignature):
        world.verify(authorization(signed, signed.signature, signed.signature.upper()))


def test_commas_without_spaces_are_taken(world):
    assert world.verify(authorization(world.sign(), ", ", ","))


@pytest.mark.parametrize(
    "time",
    [
        "20150830T123600",
        "2015-08-30T12:36:00Z",
        "20150832T123600Z",
        "",
        "\u0662\u0660\u0661\u0665\u0660\u0668\u0663\u0660T123600Z",
    ],
)
def test_a_time_that_is_none_is_refused(world, time):
    with pytest.raises(sigv4.IncompleteSignature, match="time"):
        world.verify(with_header(world.sign(), "X-Amz-Date", time))


def test_a_date_must_be_there(world):
    signed = world.sign()

    with pytest.raises(sigv4.IncompleteSignature, match="x-amz-date"):
        world.verify([pair for pair in signed.headers if pair[0] != "X-Amz-Date"])


def test_the_hash_header_must_be_the_bodys(world):
    signed = world.sign(body=b"hi", sign_body_header=True)

    assert world.verify(signed.headers, body=b"hi")
    with pytest.raises(sigv4.BodyMismatch):
        world.verify(signed.headers, body=b"ho")


def test_an_unsigned_body_is_taken_only_where_that_is_said(world):
    signed = world.sign(body=sigv4.UNSIGNED_PAYLOAD, sign_body_header=True)

    assert world.verify(signed.headers, body=sigv4.UNSIGNED_PAYLOAD)
    with pytest.raises(sigv4.BodyMismatch):
        world.verify(signed.headers, body=b"anything")


def test_a_streaming_hash_is_refused(world):
    signed = world.sign(headers=(HOST, ("X-Amz-Content-SHA256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD")))

    with pytest.raises(sigv4.BodyMismatch):
        world.verify(signed.headers)


PRESIGNED = [
    ("no algorithm", "X-Amz-Algorithm=AWS4-HMAC-SHA256&", ""),
    ("no life", "X-Amz-Expires=900&", ""),
    ("a parameter twice", "X-Amz-Expires=900", "X-Amz-Expires=900&X-Amz-Expires=900"),
    ("a parameter misspelt", "X-Amz-Expires", "x-amz-expires"),
    ("a life of eight days", "X-Amz-Expires=900", "X-Amz-Expires=691200"),
    ("no life at all", "X-Amz-Expires=900", "X-Amz-Expires=0"),
    ("a life with a sign", "X-Amz-Expires=900", "X-Amz-Expires=%2B900"),
    ("a life in other digits", "X-Amz-Expires=900", "X-Amz-Expires=%D9%A9"),
    ("a scope that ends otherwise", "%2Faws4_request", "%2Faws4"),
    ("no host", "SignedHeaders=host", "SignedHeaders=x"),
]


@pytest.mark.parametrize(("old", "new"), [c[1:] for c in PRESIGNED], ids=[c[0] for c in PRESIGNED])
def test_a_malformed_presigned_url_is_refused(world, old, new):
    signed = world.sign(presign=True)
    assert old in signed.url

    with pytest.raises(sigv4.SigV4Error):
        world.verify(signed.headers, url=signed.url.replace(old, new))


def test_a_presigned_signature_of_other_characters_is_refused(world):
    signed = world.sign(presign=True)

    with pytest.raises(sigv4.IncompleteSignature, match="X-Amz-Signature"):
        world.verify(signed.headers, url=signed.url.replace(signed.signature, signed.signature.upper()))


def test_a_longer_life_than_was_signed_is_refused(world):
    signed = world.sign(presign=True)

    with pytest.raises(sigv4.BadSignature):
        world.verify(signed.headers, url=signed.url.replace("Expires=900", "Expires=901"))


def test_two_signatures_are_refused(world):
    presigned = world.sign(presign=True)
    signed = world.sign(url=URL)

    with pytest.raises(sigv4.IncompleteSignature, match="both"):
        world.verify(signed.headers, url=presigned.url)


@pytest.mark.parametrize("name", ["X-Amz-Date", "X-Amz-Security-Token"])
def test_a_presigned_url_with_a_second_time_or_token_is_refused(world, name):
    signed = world.sign(presign=True)

    with pytest.raises(sigv4.IncompleteSignature, match="both"):
        world.verify([*signed.headers, (name, "x")], url=signed.url)


HOSTS = [
    ("the URL's", "https://functions.example/", True),
    ("the URL's in another case", "https://FUNCTIONS.example/", True),
    ("the URL's with its default port", "https://functions.example:443/", True),
    ("no URL's", "/", True),
    ("another one", "https://evil.example/", False),
    ("a longer one", "https://functions.example.evil.example/", False),
    ("one with a port", "https://functions.example:8443/", False),
    ("one with a name in front", "https://ana@functions.example/", False),
]


@pytest.mark.parametrize(("url", "taken"), [c[1:] for c in HOSTS], ids=[c[0] for c in HOSTS])
def test_the_host_that_was_signed_is_the_urls(world, url, taken):
    headers = world.sign(url="/").headers

    if taken:
        assert world.verify(headers, url=url)
    else:
        with pytest.raises(sigv4.IncompleteSignature, match="host"):
            world.verify(headers, url=url)


def test_s3s_rules_are_verified(world):
    rules = {"normalize_path": False, "double_encode": False}
    signed = world.sign(url="/a//b/../c%20d", **rules)

    assert world.verify(signed.headers, url="/a//b/../c%20d", **rules)
    with pytest.raises(sigv4.BadSignature):
        world.verify(signed.headers, url="/a/c%20d", **rules)


def test_kept_keys_do_not_change_an_answer(world):
    keys = sigv4.SigningKeys()
    headers = world.sign(keys=keys).headers

    assert world.verify(headers, keys=keys)
    with pytest.raises(sigv4.BadSignature):
        world.verify(headers, keys=keys, find_secret=lambda _key, _token: "other")


def test_a_time_without_a_zone_is_refused(world):
    with pytest.raises(sigv4.MalformedRequest):
        world.verify(world.sign().headers, now=world.now.replace(tzinfo=None))


def test_a_time_before_the_first_day_is_refused(world):
    first = datetime.min.replace(tzinfo=timezone(timedelta(hours=1)))

    with pytest.raises(sigv4.MalformedRequest):
        world.verify(world.sign().headers, now=first)


def test_a_signature_of_the_year_nought_is_refused(world):
    with pytest.raises(sigv4.IncompleteSignature):
        world.verify(with_header(world.sign(), "X-Amz-Date", "00000101T000000Z"))
