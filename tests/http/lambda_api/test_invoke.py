"""Functions invoked by AWS's own client, unmodified, with a session of ours."""

import base64
import json
import re

import pytest
from botocore.exceptions import ClientError

ARN = "arn:aws:lambda:eu-west-1:111122223333:function"


def test_a_function_is_invoked(ana, read):
    answer = ana.invoke(FunctionName="echo", Payload=json.dumps({"order": 7}))

    assert answer["StatusCode"] == 200
    assert answer["ExecutedVersion"] == "$LATEST"
    assert "FunctionError" not in answer
    found = read(answer)
    assert found["event"] == {"order": 7}
    assert found["enveloped"]
    assert found["request"] == answer["ResponseMetadata"]["RequestId"]


def test_the_trail_says_which_door_and_by_whose_session(ana, house):
    answer = ana.invoke(FunctionName="echo")

    decided, ended = house.trail(answer["ResponseMetadata"]["RequestId"])
    assert (decided["door"], decided["evidence"], decided["role"]) == ("lambda", "session", "reader")
    assert (decided["function"], decided["verdict"], ended["outcome"]) == ("echo", "allow", "answered")


@pytest.mark.parametrize(
    "name",
    ["echo", "echo:$LATEST", "111122223333:function:echo", f"{ARN}:echo", f"{ARN}:echo:$LATEST"],
    ids=["a name", "a qualified name", "a partial ARN", "an ARN", "a qualified ARN"],
)
def test_a_function_has_several_names(name, ana, read):
    assert read(ana.invoke(FunctionName=name))["arn"] == f"{ARN}:echo:$LATEST"


def test_the_qualifier_may_stand_in_the_query(ana, read):
    assert read(ana.invoke(FunctionName="echo", Qualifier="$LATEST"))["event"] == {}


def test_a_functions_own_error_is_an_answer(ana, read):
    answer = ana.invoke(FunctionName="fails")

    assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
    found = read(answer)
    assert (found["errorType"], found["errorMessage"]) == ("ValueError", "it is so")


REPORT = re.compile(
    r"REPORT RequestId: (\w{26})\tDuration: \d+\.\d\d ms\tBilled Duration: \d+ ms\tMemory Size: \d+ MB"
    r"(?:\tMax Memory Used: \d+ MB)?(?:\tInit Duration: \d+\.\d\d ms)?\t"
)


def test_the_tail_of_the_log_comes_to_whoever_asks_for_it(ana):
    answer = ana.invoke(FunctionName="logs", LogType="Tail", Payload=json.dumps({"lines": 3}))

    first, *lines, last, report = base64.b64decode(answer["LogResult"]).decode().splitlines()
    request = answer["ResponseMetadata"]["RequestId"]
    assert first == f"START RequestId: {request} Version: $LATEST"
    assert lines == ["line 0 of this call", "line 1 of this call", "line 2 of this call"]
    assert last == f"END RequestId: {request}"
    assert REPORT.fullmatch(report)[1] == request


def test_the_report_of_a_new_process_says_how_long_it_took_to_begin(ana):
    answers = [ana.invoke(FunctionName="cold", LogType="Tail") for _ in range(2)]

    reports = [base64.b64decode(one["LogResult"]).decode().splitlines()[-1] for one in answers]
    assert ["Init Duration: " in one for one in reports] == [True, False]
    assert all(REPORT.fullmatch(one) for one in reports)


def test_the_tail_is_4_kilobytes_at_most(ana):
    answer = ana.invoke(FunctionName="logs", LogType="Tail", Payload=json.dumps({"lines": 5000}))

    log = base64.b64decode(answer["LogResult"])
    assert len(log) == 4096
    assert b"START" not in log
    assert b"line 4999 of this call\nEND RequestId: " in log
    assert log.endswith(b"\t\n")


def test_nobody_else_is_told_what_was_logged(ana):
    assert "LogResult" not in ana.invoke(FunctionName="logs")
    assert "LogResult" not in ana.invoke(FunctionName="logs", LogType="None")


def test_a_call_that_logs_nothing_is_reported_without_what_others_logged(ana):
    ana.invoke(FunctionName="logs", Payload=json.dumps({"lines": 2}))

    answer = ana.invoke(FunctionName="logs", LogType="Tail", Payload=json.dumps({"lines": 0}))

    found = base64.b64decode(answer["LogResult"]).decode().splitlines()
    assert [line.partition(" ")[0] for line in found] == ["START", "END", "REPORT"]


def encoded(context):
    return base64.b64encode(json.dumps(context).encode()).decode()


def test_the_client_context_comes_to_the_function_beside_our_envelope(ana, read):
    context = encoded({"custom": {"from": "a test", "actas": "forged"}, "env": {}, "client": {}})

    found = read(ana.invoke(FunctionName="echo", ClientContext=context))

    assert found["custom"] == {"from": "a test"}
    assert found["enveloped"]


def test_the_longest_client_context_is_delivered_and_a_longer_one_refused(ana, read):
    long = encoded({"custom": {"a": "x" * 2662}})
    assert len(long) == 3580

    assert read(ana.invoke(FunctionName="echo", ClientContext=long))["custom"] == {"a": "x" * 2662}
    with pytest.raises(ClientError) as refused:
        ana.invoke(FunctionName="echo", ClientContext=encoded({"custom": {"a": "x" * 2665}}))
    assert refused.value.response["Error"]["Code"] == "InvalidRequestContentException"


@pytest.mark.parametrize(
    "context",
    ["%%%", base64.b64encode(b"{").decode(), encoded([]), encoded({"custom": 7}), encoded({"client": "x"})],
    ids=["no base64", "no JSON", "no object", "a custom that is none", "a client that is none"],
)
def test_a_client_context_that_is_none_is_refused(context, ana):
    with pytest.raises(ana.exceptions.InvalidRequestContentException):
        ana.invoke(FunctionName="echo", ClientContext=context)


def test_a_dry_run_decides_and_runs_nothing(ana, house):
    answer = ana.invoke(FunctionName="fails", InvocationType="DryRun")

    assert answer["StatusCode"] == 204
    assert answer["Payload"].read() == b""
    decided, ended = house.trail(answer["ResponseMetadata"]["RequestId"])
    assert (decided["verdict"], ended["outcome"]) == ("allow", "dry-run")


def test_a_dry_run_of_what_may_not_be_run_is_refused(ana):
    with pytest.raises(ClientError) as refused:
        ana.invoke(FunctionName="hidden", InvocationType="DryRun")

    assert refused.value.response["Error"]["Code"] == "AccessDeniedException"


@pytest.mark.parametrize(
    ("name", "resource"),
    [
        ("hidden", f"{ARN}:hidden"),
        ("nothing", f"{ARN}:nothing"),
        ("echo:PROD", f"{ARN}:echo:PROD"),
        ("999999999999:function:echo", "arn:aws:lambda:eu-west-1:999999999999:function:echo"),
        (f"{ARN}:echo".replace("eu-west-1", "us-east-1"), f"{ARN}:echo".replace("eu-west-1", "us-east-1")),
        (f"{ARN}:echo".replace("aws", "aws-cn"), f"{ARN}:echo".replace("aws", "aws-cn")),
        ("bills", f"{ARN}:bills"),
        (
            "arn:aws:lambda:us-east-1:111122223333:function:bills",
            "arn:aws:lambda:us-east-1:111122223333:function:bills",
        ),
        ("billing:TEST", "arn:aws:lambda:us-east-1:111122223333:function:bills:TEST"),
    ],
    ids=[
        "one that no rule allows",
        "one that there is not",
        "an alias that there is not",
        "another account's",
        "another region's",
        "another partition's",
        "a function in AWS by a name that is not the settings'",
        "an ARN without its alias, which is $LATEST's",
        "another alias of a function in AWS",
    ],
)
def test_what_may_not_be_run_is_refused_in_the_same_words_as_what_is_not_there(name, resource, ana, house):
    with pytest.raises(ClientError) as refused:
        ana.invoke(FunctionName=name)

    said = refused.value.response
    assert said["ResponseMetadata"]["HTTPStatusCode"] == 403
    assert said["Error"]["Code"] == "AccessDeniedException"
    begins = "User: arn:aws:sts::000000000000:assumed-role/reader/"
    assert said["Error"]["Message"].startswith(begins)
    assert said["Error"]["Message"].endswith(
        f" is not authorized to perform: lambda:InvokeFunction on resource: {resource} "
        "because no identity-based policy allows the lambda:InvokeFunction action"
    )
    decided, ended = house.trail(said["ResponseMetadata"]["RequestId"])
    assert (decided["verdict"], ended["outcome"]) == ("deny", "refused")


def test_a_rule_that_forbids_is_an_explicit_deny(callers, house):
    with pytest.raises(ClientError) as refused:
        callers("dalia").client(house.public).invoke(FunctionName="logs")

    message = refused.value.response["Error"]["Message"]
    assert message.endswith("function:logs with an explicit deny in an identity-based policy")


def test_a_name_and_a_qualifier_that_contradict_each_other_are_refused(ana):
    with pytest.raises(ana.exceptions.InvalidParameterValueException) as refused:
        ana.invoke(FunctionName="echo:PROD", Qualifier="$LATEST")

    said = "The derived qualifier from the function name does not match the specified qualifier."
    assert refused.value.response["Error"]["Message"] == said


def test_an_event_that_is_not_json_is_refused(ana):
    with pytest.raises(ana.exceptions.InvalidRequestContentException) as refused:
        ana.invoke(FunctionName="echo", Payload=b"{'order': 7}")

    assert refused.value.response["Error"]["Message"].startswith("Could not parse request body into json")


def test_an_event_of_six_megabytes_is_taken_and_one_byte_more_is_not(ana):
    largest = b'"' + b"x" * (6 * 1024 * 1024 - 2) + b'"'

    answer = ana.invoke(FunctionName="logs", InvocationType="DryRun", Payload=largest)

    assert answer["StatusCode"] == 204
    with pytest.raises(ana.exceptions.RequestTooLargeException) as refused:
        ana.invoke(FunctionName="logs", InvocationType="DryRun", Payload=largest + b" ")
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 413
    said = "Request must be smaller than 6291456 bytes for the InvokeFunction operation"
    assert refused.value.response["Error"]["Message"] == said


@pytest.mark.parametrize(
    ("options", "parameter"),
    [({"TenantId": "t"}, "X-Amz-Tenant-Id"), ({"DurableExecutionName": "d"}, "X-Amz-Durable-Execution-Name")],
    ids=["a tenant", "a durable execution"],
)
def test_what_functions_here_do_not_have_is_not_ignored(options, parameter, ana):
    with pytest.raises(ana.exceptions.InvalidParameterValueException) as refused:
        ana.invoke(FunctionName="echo", **options)

    assert parameter in refused.value.response["Error"]["Message"]


def test_a_service_over_http_is_invoked_too_and_its_answer_is_the_payload(ana, service):
    answer = ana.invoke(FunctionName="orders", Payload=b'{"a": 1}')

    assert (answer["StatusCode"], answer["Payload"].read()) == (200, b"hi")
    assert "FunctionError" not in answer
    assert service.bodies == [b'{"a": 1}']


def test_a_streamed_answer_comes_in_events(ana):
    answer = ana.invoke_with_response_stream(FunctionName="large", Payload=json.dumps({"size": 300_000}))

    assert answer["ResponseStreamContentType"] == "application/vnd.amazon.eventstream"
    assert answer["ResponseMetadata"]["RequestId"] == answer["ResponseMetadata"]["HTTPHeaders"]["actas-call-id"]
    assert answer["ExecutedVersion"] == "$LATEST"
    events = list(answer["EventStream"])
    payload = b"".join(one["PayloadChunk"]["Payload"] for one in events[:-1])
    assert json.loads(payload) == "x" * 300_000
    assert len(events) == 4
    assert events[-1] == {"InvokeComplete": {}}


def test_a_streamed_failure_is_told_at_the_end(ana):
    answer = ana.invoke_with_response_stream(FunctionName="fails", LogType="Tail")

    (event,) = answer["EventStream"]
    complete = event["InvokeComplete"]
    assert complete["ErrorCode"] == "Unhandled"
    assert json.loads(complete["ErrorDetails"])["errorMessage"] == "it is so"
    assert b"it is so" in base64.b64decode(complete["LogResult"])


def test_a_service_over_http_is_streamed_as_it_comes(ana, service):
    answer = ana.invoke_with_response_stream(FunctionName="orders", Payload=b"{}")

    events = list(answer["EventStream"])
    assert b"".join(one["PayloadChunk"]["Payload"] for one in events[:-1]) == b"hi"
    assert events[-1] == {"InvokeComplete": {}}


def test_a_stream_that_may_not_be_is_refused_before_it_begins(ana):
    with pytest.raises(ClientError) as refused:
        ana.invoke_with_response_stream(FunctionName="hidden")

    assert refused.value.response["Error"]["Code"] == "AccessDeniedException"
    assert "lambda:InvokeFunction" in refused.value.response["Error"]["Message"]


def test_a_dry_run_of_a_stream_is_a_dry_run(ana):
    answer = ana.invoke_with_response_stream(FunctionName="fails", InvocationType="DryRun")

    assert answer["StatusCode"] == 204
    answer["EventStream"].close()  # else its socket is found unclosed in the middle of some later test
