"""Who signed, and what is said to whoever did not, or not so."""

import json
import re
from datetime import timedelta

import httpx
import pytest
from botocore.exceptions import ClientError

from actas import sigv4
from actas.model import clock

REGION = "eu-west-1"
PATH = "/2015-03-31/functions/echo/invocations"


@pytest.fixture
def credentials(callers):
    one = callers("ana")
    return sigv4.Credentials(one.access_key_id, one.secret_access_key, one.session_token)


@pytest.fixture
def sign(house, credentials):
    """Sign a request by hand; what is named can be another than it should be."""

    def signed(*, method="POST", path=PATH, body=b"{}", at=None, keys=credentials, headers=(), **more):
        return sigv4.sign(
            method,
            f"http://{house.public}{path}",
            [("Host", house.public), *headers],
            body,
            keys,
            region=more.pop("region", REGION),
            service=more.pop("service", "lambda"),
            now=at or clock.now(),
            **more,
        )

    return signed


@pytest.fixture
def send(house):
    """Send a request, octet by octet as it is written: clients would spell its target anew."""

    def sent(signed=None, *, method="POST", path=PATH, body=b"{}", headers=()):
        target = signed.url.removeprefix(f"http://{house.public}") if signed else path
        fields = [*(signed.headers if signed else [("Host", house.public)]), *headers]
        fields.append(("Content-Length", str(len(body))))
        head = "".join(f"{name}: {value}\r\n" for name, value in fields)
        with house.wire() as wire:
            return wire.say(f"{method} {target} HTTP/1.1\r\n{head}\r\n".encode(), body).answer()

    return sent


def told(answer):
    return answer.status, answer["x-amzn-errortype"], answer.json()


def test_a_request_that_is_signed_by_hand_is_taken(sign, send):
    answer = send(sign())

    assert answer.status == 200
    assert answer["content-type"] == "application/json"
    assert answer["x-amzn-requestid"] == answer["actas-call-id"]
    assert answer["x-amz-executed-version"] == "$LATEST"
    assert answer["cache-control"] == "no-store"


def test_a_request_that_is_signed_for_another_region_is_taken_too(sign, send):
    assert send(sign(region="us-west-2")).status == 200


def test_a_presigned_request_is_taken_while_it_lasts(sign, send):
    assert send(sign(presign=True, expires=timedelta(minutes=1))).status == 200
    late = clock.now() - timedelta(minutes=2)
    answer = send(sign(presign=True, expires=timedelta(minutes=1), at=late))
    assert told(answer)[:2] == (403, "InvalidSignatureException")


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("?X-Amz-Invocation-Type=DryRun", 204),
        ("?x-amz-invocation-type=DryRun", 204),
        ("?X-Amz-Invocation-Type=RequestResponse", 200),
        ("?X-Amz-Invocation-Type=Other", 400),
        ("?X-Amz-Invocation-Type=DryRun&x-amz-invocation-type=Event", 400),
    ],
)
def test_what_a_client_that_presigns_puts_into_the_query_counts_as_a_header(query, status, sign, send):
    assert send(sign(path=PATH + query, presign=True)).status == status


def test_what_is_in_the_query_and_in_a_header_too_is_refused(sign, send):
    answer = send(sign(path=PATH + "?X-Amz-Invocation-Type=DryRun", headers=[("X-Amz-Invocation-Type", "Event")]))

    assert told(answer)[:2] == (400, "ValidationException")


def test_what_botocore_presigns_is_taken(ana):
    # It signs the empty body, and a header that the client must then send.
    url = ana.generate_presigned_url("invoke", Params={"FunctionName": "echo:$LATEST"})
    dry = ana.generate_presigned_url("invoke", Params={"FunctionName": "echo", "InvocationType": "DryRun"})
    listed = ana.generate_presigned_url("list_functions", Params={"MaxItems": 2})

    def ask(method, target, **more):
        return httpx.request(method, target, trust_env=False, timeout=30, **more)

    assert ask("POST", url).json()["event"] == {}
    assert ask("POST", url, content=b"{}").status_code == 403
    assert ask("POST", dry, headers={"X-Amz-Invocation-Type": "DryRun"}).status_code == 204
    assert ask("POST", dry, headers={"X-Amz-Invocation-Type": "Event"}).status_code == 403
    assert ask("POST", dry).status_code == 403
    assert len(ask("GET", listed).json()["Functions"]) == 2


@pytest.mark.parametrize("path", [PATH, "/2015-03-31/functions", "/2015-03-31/nothing", "/2026-07-09/x/y"])
def test_whoever_does_not_sign_is_told_so_and_nothing_else(path, send):
    answer = send(path=path)

    assert told(answer) == (
        403, "MissingAuthenticationTokenException", {"message": "Missing Authentication Token"},
    )  # fmt: skip


def test_a_bearer_token_is_no_signature(send, tokens):
    answer = send(headers=[("Authorization", f"Bearer {tokens['ana']}")])

    assert told(answer)[:2] == (403, "MissingAuthenticationTokenException")


def test_a_body_that_is_not_the_signed_one_is_refused(sign, send):
    answer = send(sign(), body=b'{"order": 8}')

    status, kind, body = told(answer)
    assert (status, kind) == (403, "InvalidSignatureException")
    assert body["message"].startswith("The request signature we calculated does not match the signature you provided.")


@pytest.mark.parametrize("place", [0, -1], ids=["the first digit", "the last digit"])
def test_one_digit_of_a_signature_changed_is_refused(place, sign, send):
    signed = sign()
    digits = signed.signature
    other = "0" if digits[place] != "0" else "1"
    forged = (other + digits[1:]) if place == 0 else (digits[:-1] + other)
    headers = [(name, value.replace(digits, forged)) for name, value in signed.headers if name != "Host"]

    answer = send(headers=headers)

    assert told(answer)[:2] == (403, "InvalidSignatureException")


def test_a_header_that_was_not_signed_is_refused(sign, send):
    answer = send(sign(), headers=[("X-Amz-Invocation-Type", "DryRun")])

    assert told(answer)[:2] == (403, "InvalidSignatureException")
    assert send(sign(headers=[("X-Amz-Invocation-Type", "DryRun")])).status == 204


def test_a_signature_for_another_service_is_refused(sign, send):
    answer = send(sign(service="sts"))

    assert told(answer) == (
        403,
        "InvalidSignatureException",
        {"message": "Credential should be scoped to correct service: 'lambda'. "},
    )


@pytest.mark.parametrize(
    ("age", "begins"),
    [(timedelta(minutes=6), "Signature expired: "), (-timedelta(minutes=6), "Signature not yet current: ")],
    ids=["six minutes old", "six minutes early"],
)
def test_a_signature_of_another_time_is_refused(age, begins, sign, send):
    answer = send(sign(at=clock.now() - age))

    status, kind, body = told(answer)
    assert (status, kind) == (403, "InvalidSignatureException")
    assert body["message"].startswith(begins)
    assert body["message"].endswith("5 min.)")


def test_a_signature_of_four_minutes_ago_is_taken(sign, send):
    assert send(sign(at=clock.now() - timedelta(minutes=4))).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "AWS4-HMAC-SHA256"},
        {"Authorization": "AWS4-HMAC-SHA256 Credential=A/20260101/eu-west-1/lambda/aws4_request"},
        {"Authorization": "AWS4-ECDSA-P256-SHA256 Credential=A, SignedHeaders=host, Signature=00"},
    ],
    ids=["an algorithm alone", "a credential alone", "another algorithm"],
)
def test_a_signature_that_is_not_whole_is_refused(headers, send):
    status, kind, body = told(send(headers=list(headers.items())))

    assert (status, kind) == (403, "IncompleteSignatureException")
    assert "20260101" not in body["message"]


def test_a_key_of_nobody_is_refused(sign, send, credentials):
    other = sigv4.Credentials("ASIAAAAAAAAAAAAAAAAA", credentials.secret_access_key, credentials.session_token)
    alone = sigv4.Credentials(credentials.access_key_id, credentials.secret_access_key)
    changed = sigv4.Credentials(
        credentials.access_key_id, credentials.secret_access_key, credentials.session_token[:-8] + "AAAAAAAA"
    )

    for keys in (other, alone, changed):
        assert told(send(sign(keys=keys))) == (
            403,
            "UnrecognizedClientException",
            {"message": "The security token included in the request is invalid."},
        )


def test_a_secret_that_is_not_the_sessions_is_refused(callers, house):
    client = callers("ana").client(house.public, secret_access_key="another")

    with pytest.raises(ClientError) as refused:
        client.invoke(FunctionName="echo")

    assert refused.value.response["Error"]["Code"] == "InvalidSignatureException"


def test_whoever_is_not_known_is_counted_and_leaves_no_trail(send, house, tokens):
    def counted():
        text = house.ask("GET", "/metrics", tokens["dalia"], control=True).text
        found = re.search(r'actas_strangers_total{reason="http.signature-missing"} ([0-9.]+)', text)
        return float(found[1]) if found else 0.0

    before = counted()

    answer = send()

    assert counted() == before + 1
    assert house.trail(answer["x-amzn-requestid"], whole=False) == []


UNKNOWN = {"Message": "Unable to determine service/operation name to be authorized"}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", PATH),
        ("POST", PATH + "s"),
        ("POST", "/2015-03-31/functions/echo"),
        ("POST", "/2021-11-15/functions/echo/invocations"),
        ("POST", "/2016-08-19/nothing"),
        ("PATCH", "/2015-03-31/functions/echo/code"),
    ],
)
def test_a_path_that_is_no_operation_is_refused_as_aws_refuses_it(method, path, sign, send):
    answer = send(sign(method=method, path=path), method=method)

    assert told(answer) == (403, "AccessDeniedException", UNKNOWN)


@pytest.mark.parametrize("slash", ["", "/"], ids=["without a slash", "with a slash at the end"])
@pytest.mark.parametrize(
    "name",
    ["echo%3A%24LATEST", "echo:%24LATEST", "%65cho", "arn%3Aaws%3Alambda%3Aeu-west-1%3A111122223333%3Afunction%3Aecho"],
)
def test_a_path_may_be_spelt_in_several_ways_and_means_one_thing(name, slash, sign, send):
    path = f"/2015-03-31/functions/{name}/invocations{slash}"

    answer = send(sign(path=path))

    assert answer.status == 200
    assert answer.json()["arn"].endswith("function:echo:$LATEST")


@pytest.mark.parametrize(
    "path",
    [
        "/2015-03-31//functions/echo/invocations",
        "//2015-03-31/functions/echo/invocations",
        "/2015-03-31/functions/hidden/../echo/invocations",
        "/2015-03-31/functions/hidden%2F..%2Fecho/invocations",
        "/2015-03-31/functions/./echo/invocations",
        "/2015-03-31/functions/%2e%2e/functions/echo/invocations",
        "/2015-03-31/functions/echo%253A%2524LATEST/invocations",
        "/2015-03-31/functions/echo;x/invocations",
        "/2015-03-31/functions/echo%00/invocations",
        "/2015-03-31/functions/echo%5c/invocations",
    ],
)
@pytest.mark.parametrize("normalize", [True, False], ids=["signed as it is tidied", "signed as it is sent"])
def test_path_normalisation_differences(path, normalize, sign, send, house):
    """A path that two could read in two ways runs nothing."""
    before = len(house.records())

    answer = send(sign(path=path, normalize_path=normalize))

    assert answer.status in (400, 403, 404)
    ran = [one for one in house.records()[before:] if one.get("function") in ("echo", "hidden")]
    assert ran == []


@pytest.mark.parametrize(
    "query",
    [
        "?Qualifier=%24LATEST&Qualifier=PROD",
        "?Qualifier=%24LATEST&Qualifier=%24LATEST",
        "?Qualifier=",
        "?Qualifier=a+b",
    ],
    ids=["two that differ", "two that are the same", "an empty one", "one with a plus"],
)
def test_a_query_that_could_be_read_in_two_ways_is_refused(query, sign, send):
    answer = send(sign(path=PATH + query))

    assert told(answer)[:2] == (400, "ValidationException")
    assert send(sign(path=PATH + "?Qualifier=%24LATEST&other=1&other2=")).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        [("X-Amz-Invocation-Type", "requestresponse")],
        [("X-Amz-Invocation-Type", "RequestResponse"), ("X-Amz-Invocation-Type", "DryRun")],
        [("X-Amz-Invocation-Type", "RequestResponse,DryRun")],
        [("X-Amz-Log-Type", "tail")],
        [("X-Amz-Log-Type", "")],
    ],
    ids=["another case", "two types", "two types in one field", "another case of Tail", "an empty log type"],
)
def test_a_header_that_is_none_of_awss_values_is_refused(headers, sign, send):
    answer = send(sign(headers=headers))

    assert answer.status in (400, 403)
    assert answer["x-amzn-errortype"] in ("ValidationException", "IncompleteSignatureException")


def test_a_value_that_is_refused_is_written_so_that_nothing_is_forged_with_it(sign, send):
    answer = send(sign(headers=[("X-Amz-Log-Type", '"}<script>')]))

    assert answer["content-type"] == "application/json"
    assert answer["x-content-type-options"] == "nosniff"
    assert '"}<script>' in json.loads(answer.body)["message"]
