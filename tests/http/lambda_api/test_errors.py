"""What goes wrong on the way to a function, as AWS's own client raises it."""

import json
import threading

import pytest
from botocore.exceptions import ClientError

from actas.errors import CATALOGUE
from actas.http.lambda_api import signatures, wording
from actas.http.lambda_api.errors import LambdaApiError

CODE = """
import os
import time

KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


def keys(event, context):
    return {name: os.environ[name] for name in KEYS}


def slow(event, context):
    time.sleep(event.get("seconds", 0))
    return "slept"


def large(event, context):
    return "x" * 7_000_000
"""


@pytest.fixture(scope="module")
def house(running, settings):
    def function(handler, **more):
        return {"python": f"errors.py:{handler}", "timeout": "20s", **more}

    one = running(
        settings(
            limits={"rate": {"network": 0, "subject": 30, "burst": 12}},
            functions={
                "keys": function("keys"),
                "slow": function("slow", schedule={"at_once": 1, "waiting": 0}),
                "late": function("slow", timeout="500ms"),
                "large": function("large"),
                "lost": {"python": "lost.py:handler"},
                "down": {"http": "http://127.0.0.1:9", "private": True},
            },
            rules=[
                {
                    "id": "all",
                    "who": {"provider": "corp", "groups": ["finance"]},
                    "may": ["keys", "slow", "late", "large", "lost", "down"],
                    "as": "reader",
                },
            ],
        )
    )
    (one.folder / "errors.py").write_text(CODE)
    (one.folder / "lost.py").write_text("def handler(event, context):\n    return 1\n")
    with one:
        (one.folder / "lost.py").unlink()
        yield one


@pytest.fixture(scope="module")
def client(house, tokens):
    import boto3
    from botocore.config import Config

    found = house.call("keys", tokens["ana"]).json()
    return boto3.client(
        "lambda", endpoint_url=f"http://{house.public}", region_name="us-east-1",
        aws_access_key_id=found["AWS_ACCESS_KEY_ID"], aws_secret_access_key=found["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=found["AWS_SESSION_TOKEN"], config=Config(retries={"total_max_attempts": 1}),
    )  # fmt: skip


def test_a_function_that_takes_too_long_fails_as_lambda_says_it(client):
    answer = client.invoke(FunctionName="late", Payload=b'{"seconds": 5}')

    assert answer["FunctionError"] == "Unhandled"
    found = json.load(answer["Payload"])
    assert found["errorMessage"].endswith("Task timed out after 0.50 seconds")


def test_an_answer_that_is_too_large_fails_as_lambda_says_it(client):
    answer = client.invoke(FunctionName="large")

    assert answer["FunctionError"] == "Unhandled"
    assert json.load(answer["Payload"])["errorType"] == "Function.ResponseSizeTooLarge"


@pytest.mark.parametrize("name", ["lost", "down"], ids=["code that is not there", "a service that is not there"])
def test_what_cannot_be_run_is_a_service_exception(name, client):
    with pytest.raises(client.exceptions.ServiceException) as refused:
        client.invoke(FunctionName=name)

    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500
    assert refused.value.response["Type"] == "Service"
    assert "lost.py" not in refused.value.response["Error"]["Message"]


def test_a_function_that_runs_as_often_as_it_may_takes_no_more(client, house, waits_for):
    running = threading.Thread(target=client.invoke, kwargs={"FunctionName": "slow", "Payload": b'{"seconds": 4}'})
    running.start()
    waits_for(lambda: [one for one in house.records() if one.get("function") == "slow"])

    with pytest.raises(client.exceptions.TooManyRequestsException) as refused:
        client.invoke(FunctionName="slow")

    running.join()
    assert refused.value.response["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    assert refused.value.response["ResponseMetadata"]["HTTPHeaders"]["retry-after"]


def test_a_caller_who_comes_too_often_is_told_when_to_come_again(client):
    def ask():
        for _ in range(40):
            client.invoke(FunctionName="keys", InvocationType="DryRun")

    with pytest.raises(client.exceptions.TooManyRequestsException) as refused:
        ask()

    said = refused.value.response
    assert (said["Reason"], said["ResponseMetadata"]["HTTPStatusCode"]) == ("CallerRateLimitExceeded", 429)
    assert int(said["ResponseMetadata"]["HTTPHeaders"]["retry-after"]) >= 1
    with pytest.raises(client.exceptions.TooManyRequestsException):
        client.list_functions()
    with pytest.raises(client.exceptions.TooManyRequestsException):
        client.invoke(FunctionName="keys", InvocationType="Event")


@pytest.mark.parametrize("code", sorted(CATALOGUE))
def test_every_error_of_the_house_has_an_answer_in_awss_form(code):
    kind = CATALOGUE[code]
    error = kind.__new__(kind)
    error.args = ("it is so",)
    if issubclass(kind, LambdaApiError):
        error.said = "it is so"

    status, head, body = wording.told(error, "01M84C8NMY5F7PP43C6AAK7H8X")

    fields = dict(head)
    assert 400 <= status < 600
    assert fields[b"x-amzn-errortype"].isalpha()
    assert {"message", "Message"} & json.loads(body).keys()
    assert fields[b"x-amzn-requestid"] == b"01M84C8NMY5F7PP43C6AAK7H8X"
    if status >= 500 and not issubclass(kind, LambdaApiError):
        assert b"it is so" not in body


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("assume.session-expired", "ExpiredTokenException"),
        ("assume.session-revoked", "ExpiredTokenException"),
        ("assume.evidence-too-short", "ExpiredTokenException"),
        ("assume.session-not-ours", "UnrecognizedClientException"),
    ],
    ids=["a session that ended", "one that was revoked", "one in its last second", "one that is none of ours"],
)
def test_whoever_shows_a_session_that_is_over_is_told_so_that_sdks_get_another(code, kind):
    error = CATALOGUE[code].__new__(CATALOGUE[code])

    answer = signatures.told(error, "01M84C8NMY5F7PP43C6AAK7H8X", service="lambda")

    assert answer is not None
    assert (answer[0], dict(answer[1])[b"x-amzn-errortype"].decode()) == (403, kind)


def test_what_is_not_the_sessions_fault_is_not_said_to_be():
    error = CATALOGUE["assume.broker-refused"].__new__(CATALOGUE["assume.broker-refused"])

    assert signatures.told(error, "01M84C8NMY5F7PP43C6AAK7H8X", service="lambda") is None


def test_a_client_error_is_raised_as_one(client):
    with pytest.raises(ClientError):
        client.delete_function(FunctionName="keys")
