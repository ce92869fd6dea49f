"""A function's own URL: who may use it, what the function is sent, and what comes back."""

import json
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from actas import sigv4
from actas.model import clock

CODE = """
import os

KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


def keys(event, context):
    return {name: os.environ[name] for name in KEYS}


def shown(event, context):
    custom = context.client_context.custom
    return {"event": event, "enveloped": "actas" in custom}


def cors(event, context):
    return {"statusCode": 200, "headers": {"Access-Control-Allow-Origin": "https://own.example"}, "body": "ran"}


def page(event, context):
    query = event.get("queryStringParameters") or {}
    if "fail" in query:
        raise ValueError("it is so")
    if "plain" in query:
        return "a text"
    if "bytes" in query:
        return {"statusCode": 200, "body": "aGk=", "isBase64Encoded": True, "headers": {"Content-Type": "x/y"}}
    return {"statusCode": 201, "headers": {"X-Own": "yes", "Connection": "close"}, "body": "made", "cookies": ["a=1"]}
"""
NAMES = ("keys", "signed", "token", "both", "none", "paged", "open", "own")
PAGE = "https://app.example"


@pytest.fixture(scope="module")
def house(running, settings):
    def function(handler, **more):
        return {"python": f"urls.py:{handler}", "timeout": "10s", **more}

    one = running(
        settings(
            local=True,
            gateway={"account": "111122223333", "public_url": "https://functions.example.com"},
            functions={
                "keys": function("keys"),
                "signed": function("shown", url="aws-iam"),
                "token": function("shown", url="bearer"),
                "both": function("page", url="any"),
                "none": function("shown"),
                "own": function("cors", url="any"),
                "refused": function("shown", url="any"),
                "paged": function("cors", url="any", cors={"origins": [PAGE], "expose": "x-own", "max_age": "1m"}),
                "open": function("cors", url="any", cors={"origins": "*", "methods": ["PUT"], "headers": "x-a"}),
            },
            rules=[
                {"id": "urls", "who": {"provider": "corp", "groups": ["finance"]}, "may": [*NAMES], "as": "reader"},
            ],
        )
    )
    (one.folder / "urls.py").write_text(CODE)
    with one:
        yield one


@pytest.fixture(scope="module")
def credentials(house, tokens):
    found = house.call("keys", tokens["ana"]).json()
    return sigv4.Credentials(*found.values())


@pytest.fixture
def ask(house, credentials, tokens):
    """Ask a function's URL: signed, with a token, or with nothing."""

    def asked(target, *, by, method="GET", body=b"", headers=(), **more):
        url = f"http://{house.public}/function-url{target}"
        fields = [("Host", house.public), *headers]
        if by == "signature":
            signed = sigv4.sign(
                method, url, fields, body, credentials, region="us-east-1", service="lambda", now=clock.now(), **more
            )
            url, fields = signed.url, list(signed.headers)
        elif by == "token":
            fields.append(("Authorization", f"Bearer {tokens['ana']}"))
        with httpx.Client(trust_env=False, timeout=30) as client:
            return client.request(method, url, headers=fields, content=body)

    return asked


@pytest.mark.parametrize("target", ["/signed/a/b%20c/?x=1&x=2&y=", "/signed", "/signed/"])
def test_a_signed_request_is_the_event_that_lambda_makes(target, ask, house):
    answer = ask(target, by="signature", headers=[("X-Some", "1"), ("X-Some", "2")])

    assert answer.status_code == 200
    found = answer.json()
    assert found["enveloped"]
    event = found["event"]
    path = target.partition("?")[0].removeprefix("/signed") or "/"
    assert (event["version"], event["routeKey"], event["rawPath"]) == ("2.0", "$default", path)
    assert event["headers"]["x-some"] == "1,2"
    context = event["requestContext"]
    assert (context["accountId"], context["apiId"], context["stage"]) == ("111122223333", "signed", "$default")
    assert (context["domainName"], context["domainPrefix"]) == ("functions.example.com", "functions")
    assert context["http"]["path"] == path
    assert context["requestId"] == answer.headers["actas-call-id"]
    iam = context["authorizer"]["iam"]
    assert iam["userArn"].startswith("arn:aws:sts::000000000000:assumed-role/reader/")
    assert iam["callerId"].startswith("AROA")
    assert iam["cognitoIdentity"] is None


def test_the_event_has_the_keys_of_a_recorded_one(ask):
    recorded = Path(__file__).parents[3] / "shared/corpora/lambda-events-powertools/lambdaFunctionUrlIAMEvent.json"
    if not recorded.exists():
        pytest.skip("the recorded events are not beside this repository")
    theirs = json.loads(recorded.read_text())

    ours = ask(
        "/signed/my/path?parameter1=value1&parameter1=value2",
        by="signature",
        method="POST",
        body=b"Hello",
        headers=[("Content-Type", "text/plain")],
    ).json()["event"]

    # What has nothing to say is left out: cookies stay at the gateway, the others are null in AWS's own.
    assert theirs.keys() - ours.keys() == {"cookies", "pathParameters", "stageVariables"}
    assert ours.keys() - theirs.keys() == set()
    assert theirs["requestContext"].keys() == ours["requestContext"].keys()
    assert theirs["requestContext"]["http"].keys() == ours["requestContext"]["http"].keys()
    iam = "authorizer"
    assert theirs["requestContext"][iam]["iam"].keys() == ours["requestContext"][iam]["iam"].keys()


def test_a_bearer_token_is_taken_where_the_function_says_so(ask):
    answer = ask("/token/x", by="token", headers=[("Cookie", "a=1"), ("X-Amz-Forged", "1"), ("X-Forwarded-For", "1")])

    assert answer.status_code == 200
    event = answer.json()["event"]
    assert answer.json()["enveloped"]
    assert event["requestContext"]["authorizer"] == {}
    assert "cookies" not in event
    assert not {"authorization", "cookie", "x-amz-forged", "x-forwarded-for"} & event["headers"].keys()


def test_a_body_of_bytes_comes_in_base64(ask):
    event = ask(
        "/token", by="token", method="PUT", body=b"\x00\xff", headers=[("Content-Type", "application/octet-stream")]
    ).json()["event"]

    assert (event["body"], event["isBase64Encoded"]) == ("AP8=", True)
    assert event["requestContext"]["http"]["method"] == "PUT"


@pytest.mark.parametrize("by", ["signature", "token"])
def test_the_functions_answer_is_http(by, ask):
    answer = ask("/both", by=by)

    assert (answer.status_code, answer.text) == (201, "made")
    assert (answer.headers["x-own"], answer.headers["set-cookie"]) == ("yes", "a=1")
    assert "connection" not in answer.headers


def test_what_is_no_answer_is_inferred_to_be_json(ask):
    answer = ask("/both?plain", by="token")

    assert (answer.status_code, answer.headers["content-type"], answer.text) == (200, "application/json", '"a text"')


def test_base64_is_decoded(ask):
    answer = ask("/both?bytes", by="token")

    assert (answer.content, answer.headers["content-type"]) == (b"hi", "x/y")


def test_a_function_that_fails_is_a_bad_gateway(ask):
    answer = ask("/both?fail", by="signature")

    assert (answer.status_code, answer.text) == (502, "Internal Server Error")
    assert "it is so" not in answer.text


FORBIDDEN = {"Message": "Forbidden"}


@pytest.mark.parametrize(
    "name", ["signed", "token", "none", "nothing", "refused", "paged", "open", "keys", "%3Cscript%3E"]
)
def test_whoever_shows_nothing_learns_nothing(name, ask):
    answer = ask(f"/{name}", by="nothing")

    assert (answer.status_code, answer.json()) == (403, FORBIDDEN)
    assert answer.headers["x-amzn-errortype"] == "AccessDeniedException"
    assert answer.headers["www-authenticate"] == 'Bearer realm="actas"'
    assert answer.headers.get_list("vary") == ["Origin"]


@pytest.mark.parametrize("name", ["token", "none", "nothing", "refused", "%3Cscript%3E"])
def test_whoever_signs_is_refused_alike_what_may_not_be_and_what_is_not_there(name, ask, house):
    answer = ask(f"/{name}", by="signature")

    assert (answer.status_code, answer.json()) == (403, FORBIDDEN)
    decided, ended = house.trail(answer.headers["actas-call-id"])
    assert (decided["verdict"], decided["door"], ended["outcome"]) == ("deny", "function-url/aws-iam", "refused")
    assert "script" not in json.dumps(decided)


@pytest.mark.parametrize("name", ["signed", "none", "nothing", "refused"])
def test_whoever_shows_a_token_is_refused_alike_too(name, ask):
    answer = ask(f"/{name}", by="token")

    assert answer.status_code == 403
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_token_that_is_none_is_told_so(ask, house):
    answers = [house.ask("GET", f"/function-url/{name}", "abc.def.ghi") for name in ("token", "none", "nothing")]

    assert [one.status_code for one in answers] == [401] * 3
    assert {one.headers["www-authenticate"] for one in answers} == {'Bearer realm="actas", error="invalid_token"'}


def test_a_signature_that_does_not_hold_is_told_so(ask, house, credentials):
    wrong = sigv4.Credentials(credentials.access_key_id, "another", credentials.session_token)
    signed = sigv4.sign(
        "GET", f"http://{house.public}/function-url/signed", [("Host", house.public)], b"", wrong,
        region="us-east-1", service="lambda", now=clock.now(),
    )  # fmt: skip

    answer = httpx.get(signed.url, headers=list(signed.headers), trust_env=False)

    assert answer.status_code == 403
    assert answer.headers["x-amzn-errortype"] == "InvalidSignatureException"


def test_a_presigned_url_can_be_opened_while_it_lasts(ask):
    assert ask("/signed/x?y=1", by="signature", presign=True, expires=timedelta(minutes=1)).status_code == 200


@pytest.mark.parametrize("query", ["y=1&z=a%20b&z=", "", "x%2Damz%2Dy=1&y=1"], ids=["some", "none", "one in disguise"])
def test_what_signs_a_query_is_not_the_functions_to_see(ask, query):
    """The trap of a token that is passed through (`X-Amz-*`): who has the whole of it sends it again."""
    event = ask(f"/signed/x?{query}", by="signature", presign=True, expires=timedelta(minutes=1)).json()["event"]

    assert event["rawQueryString"] == query.removeprefix("x%2Damz%2Dy=1&")
    assert "amz" not in json.dumps(event.get("queryStringParameters") or {}).lower()


def test_a_token_beside_a_presigned_query_is_refused(house, credentials, tokens):
    signed = sigv4.sign(
        "GET", f"http://{house.public}/function-url/both", [("Host", house.public)], b"", credentials,
        region="us-east-1", service="lambda", now=clock.now(), presign=True,
    )  # fmt: skip

    answer = httpx.get(signed.url, headers={"Authorization": f"Bearer {tokens['ana']}"}, trust_env=False)

    assert answer.status_code == 400


def test_botocore_signs_what_is_taken(house, credentials):
    request = AWSRequest("POST", f"http://{house.public}/function-url/signed/a/b?x=1", data=b"{}")
    keys = Credentials(credentials.access_key_id, credentials.secret_access_key, credentials.session_token)
    SigV4Auth(keys, "lambda", "us-east-1").add_auth(request)

    answer = httpx.post(request.url, headers=dict(request.headers), content=b"{}", trust_env=False)

    assert (answer.status_code, answer.json()["event"]["rawPath"]) == (200, "/a/b")


def test_a_body_of_more_than_six_megabytes_is_refused(ask):
    large = b"x" * (6 * 1024 * 1024 + 1)

    assert ask("/token", by="token", method="POST", body=large).status_code == 413


@pytest.mark.parametrize(
    "path", ["/signed/../token", "/signed//x", "/signed/%2e%2e/token", "/signed%2Fx", "/signed/a;b", "/", ""]
)
def test_a_path_that_two_could_read_in_two_ways_runs_nothing(path, house, tokens):
    head = f"GET /function-url{path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {tokens['ana']}\r\n\r\n"

    with house.wire() as wire:
        answer = wire.say(head.encode()).answer()

    assert answer.status in (400, 404)


def test_a_method_in_small_letters_is_refused(house, tokens):
    head = f"get /function-url/token HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {tokens['ana']}\r\n\r\n"

    with house.wire() as wire:
        assert wire.say(head.encode()).answer().status == 400


def told(answer):
    return {
        name: value for name, value in answer.headers.items() if name.startswith("access-control") or name == "vary"
    }


def preflight(house, name, origin):
    headers = {"Origin": origin, "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "x-a"}
    return house.ask("OPTIONS", f"/function-url/{name}", headers=headers)


def test_a_page_that_may_ask_is_told_what_it_may_send(house):
    answer = preflight(house, "paged", PAGE)

    assert (answer.status_code, answer.content) == (204, b"")
    assert told(answer) == {
        "access-control-allow-origin": PAGE,
        "access-control-allow-methods": "GET, POST",
        "access-control-allow-headers": "authorization, content-type",
        "access-control-max-age": "60",
        "vary": "Origin",
    }


def test_every_page_may_ask_where_the_settings_say_so(house):
    answer = preflight(house, "open", "https://any.example")

    assert told(answer) == {
        "access-control-allow-origin": "*",
        "access-control-allow-methods": "PUT",
        "access-control-allow-headers": "x-a",
        "access-control-max-age": "600",
    }


@pytest.mark.parametrize(
    ("name", "origin"),
    [
        ("paged", "https://app.example.evil"),
        ("paged", "http://app.example"),
        ("paged", "https://app.example:8443"),
        ("paged", "HTTPS://APP.EXAMPLE"),
        ("paged", "null"),
        ("both", PAGE),
        ("none", PAGE),
        ("nothing", PAGE),
    ],
)
def test_a_page_that_may_not_is_refused_and_told_nothing(name, origin, house):
    answer = preflight(house, name, origin)

    assert (answer.status_code, answer.json()) == (403, FORBIDDEN)
    assert "access-control-allow-origin" not in answer.headers


def test_an_answer_says_who_may_read_it_whatever_the_function_says(ask):
    allowed = ask("/paged", by="token", headers=[("Origin", PAGE)])
    other = ask("/paged", by="token", headers=[("Origin", "https://own.example")])
    nobody = ask("/paged", by="token")
    everybody = ask("/open", by="token", headers=[("Origin", "https://any.example")])

    assert [one.text for one in (allowed, other, nobody, everybody)] == ["ran"] * 4
    assert told(allowed) == {
        "access-control-allow-origin": PAGE, "access-control-expose-headers": "x-own", "vary": "Origin",
    }  # fmt: skip
    assert told(other) == told(nobody) == {"vary": "Origin"}
    assert told(everybody) == {"access-control-allow-origin": "*"}


def test_a_function_speaks_for_itself_where_the_settings_say_nothing(ask):
    assert told(ask("/own", by="token")) == {"access-control-allow-origin": "https://own.example"}


def test_a_no_can_be_read_by_the_page_that_may_ask(ask):
    answer = ask("/paged", by="nothing", headers=[("Origin", PAGE)])

    assert answer.status_code == 403
    assert told(answer)["access-control-allow-origin"] == PAGE


def test_two_origins_are_none(house):
    head = f"OPTIONS /function-url/paged HTTP/1.1\r\nHost: a\r\nOrigin: {PAGE}\r\nOrigin: {PAGE}\r\n"

    with house.wire() as wire:
        answer = wire.say(f"{head}Access-Control-Request-Method: GET\r\n\r\n".encode()).answer()

    assert answer.status == 403
    assert "access-control-allow-origin" not in answer


LARGE = b"Content-Length: 3000000\r\n\r\n"
NOBODY = {
    "a signature and no session": b"Authorization: AWS4-HMAC-SHA256 Credential=ASIA\r\n",
    "a session that is none of ours": b"Authorization: AWS4-HMAC-SHA256 x\r\nX-Amz-Security-Token: actas1.AAAA\r\n",
    "a token of nobody's": b"Authorization: Bearer a.b.c\r\n",
}


@pytest.mark.parametrize("target", [b"/function-url/both/", b"/2015-03-31/functions/both/invocations"])
@pytest.mark.parametrize("shown", NOBODY.values(), ids=NOBODY)
def test_nobody_has_megabytes_held_for_them(house, target, shown):
    with house.wire() as wire:
        wire.say(b"POST ", target, b" HTTP/1.1\r\nHost: a\r\n", shown, LARGE, b"x")  # and nothing more ever comes
        answer = wire.answer()

    assert answer.status in (401, 403)


@pytest.mark.parametrize("by", ["signature", "token"])
def test_who_is_known_may_send_megabytes(ask, by):
    assert ask("/both", by=by, method="POST", body=b"x" * 3_000_000).status_code == 201
