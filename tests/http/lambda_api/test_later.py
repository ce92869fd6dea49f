"""Events that are run later, through the whole gateway."""

import json

import pytest
from botocore.exceptions import ClientError


def below(house, request: str):
    """Give the decisions of calls that the accepted one was the root of."""
    return [one for one in house.records() if one.get("root") == request and "verdict" in one]


def test_an_event_is_accepted_and_run_later(ana, house, waits_for):
    answer = ana.invoke(FunctionName="echo", InvocationType="Event", Payload=b'{"a": 1}')

    assert answer["StatusCode"] == 202
    assert answer["Payload"].read() == b""
    request = answer["ResponseMetadata"]["RequestId"]
    decided, ended = house.trail(request)
    assert (decided["verdict"], ended["outcome"]) == ("allow", "accepted")
    (ran,) = waits_for(lambda: below(house, request))
    assert (ran["function"], ran["verdict"], ran["evidence"]) == ("echo", "allow", "session")
    assert ran["subject"] == decided["subject"]
    assert house.trail(ran["call"])[-1]["outcome"] == "answered"


def test_a_destination_is_told_of_success(ana, service, waits_for):
    answer = ana.invoke(FunctionName="works", InvocationType="Event", Payload=b'{"order": 7}')

    (body,) = waits_for(lambda: service.bodies)
    record = json.loads(body)
    request = answer["ResponseMetadata"]["RequestId"]
    assert record["version"] == "1.0"
    assert record["requestContext"] == {
        "requestId": request,
        "functionArn": "arn:aws:lambda:eu-west-1:111122223333:function:works:$LATEST",
        "condition": "Success",
        "approximateInvokeCount": 1,
    }
    assert record["requestPayload"] == {"order": 7}
    assert record["responseContext"] == {"statusCode": 200, "executedVersion": "$LATEST"}
    assert record["responsePayload"]["event"] == {"order": 7}
    assert record["responsePayload"]["request"] == request


def test_a_destination_is_told_of_failure_by_the_gateway_itself(ana, house, service, waits_for):
    answer = ana.invoke(FunctionName="breaks", InvocationType="Event")

    (body,) = waits_for(lambda: service.bodies)
    record = json.loads(body)
    assert record["requestContext"]["condition"] == "RetriesExhausted"
    assert record["responseContext"]["functionError"] == "Unhandled"
    assert record["responsePayload"]["errorMessage"] == "it is so"
    told = [one for one in below(house, answer["ResponseMetadata"]["RequestId"]) if one["function"] == "orders"]
    assert [(one["provider"], one["kind"], one["verdict"]) for one in told] == [("destinations", "service", "allow")]


@pytest.mark.parametrize("name", ["hidden", "nothing"])
def test_what_may_not_be_run_is_not_accepted(name, ana):
    with pytest.raises(ClientError) as refused:
        ana.invoke(FunctionName=name, InvocationType="Event")

    assert refused.value.response["Error"]["Code"] == "AccessDeniedException"


def test_an_event_of_one_megabyte_is_taken_and_one_byte_more_is_not(ana):
    largest = b'"' + b"x" * (1024 * 1024 - 2) + b'"'

    assert ana.invoke(FunctionName="echo", InvocationType="Event", Payload=largest)["StatusCode"] == 202
    with pytest.raises(ana.exceptions.RequestTooLargeException) as refused:
        ana.invoke(FunctionName="echo", InvocationType="Event", Payload=largest + b" ")
    assert "limit 1048576 bytes" in refused.value.response["Error"]["Message"]


def test_a_stream_cannot_be_run_later(callers, house):
    client = callers("ana").client(house.public, config={"parameter_validation": False})

    with pytest.raises(ClientError) as refused:
        client.invoke_with_response_stream(FunctionName="echo", InvocationType="Event")

    assert refused.value.response["Error"]["Code"] == "ValidationException"


def test_an_events_client_context_is_not_delivered_as_in_aws(ana, house, service, waits_for):
    ana.invoke(FunctionName="works", InvocationType="Event", ClientContext="e30=")

    (body,) = waits_for(lambda: service.bodies)
    assert json.loads(body)["responsePayload"]["custom"] == {}
    assert json.loads(body)["responsePayload"]["enveloped"]


def test_one_caller_who_fills_a_share_keeps_nobody_else_out(cramped):
    with cramped("ana", "dalia") as (ana, dalia):
        sent = ana.invoke(FunctionName="fails", InvocationType="Event")  # it waits a minute to be run again
        with pytest.raises(ana.exceptions.TooManyRequestsException) as full:
            ana.invoke(FunctionName="echo", InvocationType="Event")
        other = dalia.invoke(FunctionName="echo", InvocationType="Event")

    assert (sent["StatusCode"], other["StatusCode"]) == (202, 202)
    assert full.value.response["Reason"] == "CallerRateLimitExceeded"
    assert full.value.response["retryAfterSeconds"] == "1"


def test_how_many_wait_is_told_in_metrics(house, tokens):
    text = house.ask("GET", "/metrics", tokens["dalia"], control=True).text

    assert "actas_later_waiting " in text
    assert "actas_later_dead " in text
    assert "actas_later_forgotten " in text
