"""Unmodified clients of AWS inside local functions: they come back as the role of their caller, and the trail knows."""

import pytest

INSIDE = r"""
import json, time
import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

CONFIG = Config(retries={"total_max_attempts": 1}, read_timeout=20)
functions, sts = boto3.client("lambda", config=CONFIG), boto3.client("sts", config=CONFIG)

def outer(event, context):
    try:
        answer = functions.invoke(FunctionName=event["function"], Payload=json.dumps(event.get("event", {})))
    except ClientError as refused:
        return {"refused": refused.response["Error"], "status": refused.response["ResponseMetadata"]["HTTPStatusCode"]}
    return {"status": answer["StatusCode"], "answer": json.load(answer["Payload"])}

def leaf(event, context):
    return {"leaf": context.aws_request_id}

def spin(event, context):
    return functions.invoke(FunctionName="spin", InvocationType="Event", Payload=json.dumps(event))["StatusCode"]

def hurry(event, context):
    return outer({"function": "late"}, context)

def late(event, context):
    time.sleep(event.get("sleep", 6))
    functions.invoke(FunctionName="leaf", InvocationType="Event")

def who(event, context):
    return sts.get_caller_identity()["Arn"]
"""
NAMES = ("outer", "leaf", "spin", "late", "hurry", "who")


def who():
    return {"provider": "corp", "groups": ["finance", "security"]}


@pytest.fixture(scope="module")
def inside(running, settings):
    functions = {name: {"python": f"inside.py:{name}", "timeout": "30s", "memory": "512MB"} for name in NAMES}
    functions["hurry"]["timeout"] = "5s"
    functions["secret"] = {"python": "inside.py:leaf", "timeout": "30s"}
    rules = [
        {"id": "inside", "who": who(), "may": [*NAMES], "as": "reader"},
        {"id": "no-secrets", "who": who(), "may_not": ["secret"]},
    ]
    made = settings(functions=functions, rules=rules, limits={"depth": 3, "processes_per_subject": 16})
    one = running(made)
    (one.folder / "inside.py").write_text(INSIDE)
    with one:
        yield one


def called(one, tokens, function, event, who="ana"):
    found = one.call(function, tokens[who], event)
    assert found.status_code == 200, found.text
    assert "x-amz-function-error" not in found.headers, found.text
    return found.headers["actas-call-id"], found.json()


def test_boto3_in_a_function_calls_another_as_its_callers_role(inside, tokens):
    root, found = called(inside, tokens, "outer", {"function": "leaf"})

    assert found["status"] == 200
    nested = found["answer"]["leaf"]
    first, second = inside.trail(root)[0], inside.trail(nested)[0]
    assert (second["root"], second["depth"], second["door"]) == (root, 1, "lambda")
    assert (first["subject"], first["role"], first["function"]) == (second["subject"], second["role"], "outer")
    assert second["function"] == "leaf"


def test_a_chain_of_functions_is_one_chain_in_the_trail(inside, tokens):
    event = {"function": "outer", "event": {"function": "outer", "event": {"function": "leaf"}}}
    root, found = called(inside, tokens, "outer", event)

    while "answer" in found:
        found = found["answer"]
    last = inside.trail(found["leaf"])[0]
    below = [one for one in inside.records() if one.get("root") == root]
    assert (last["root"], last["depth"]) == (root, 3)
    assert sorted(one["depth"] for one in below) == [1, 2, 3]
    assert len({one["subject"] for one in below}) == 1


def test_a_circle_is_cut_in_the_words_of_aws(inside, tokens):
    event = {"function": "leaf"}
    for _ in range(4):
        event = {"function": "outer", "event": event}
    _, found = called(inside, tokens, "outer", event)

    while "answer" in found:
        found = found["answer"]
    assert found["status"] == 400
    assert found["refused"]["Code"] == "RecursiveInvocationException"


def test_a_circle_of_events_is_cut_though_each_root_is_over(inside, tokens, waits_for):
    root, found = called(inside, tokens, "spin", {})

    assert found == 202
    below = {}

    def cut():
        below.update((one["call"], one["depth"]) for one in inside.records() if one.get("root") == root)
        ends = {one["call"]: one["error"] for one in inside.records() if one.get("error")}
        return [depth for call, depth in below.items() if ends.get(call) == "invoke.too-deep"]

    assert waits_for(cut) == [4]
    assert set(below.values()) == {1, 2, 3, 4}


def test_not_even_an_event_is_put_off_for_a_root_that_is_over(inside, tokens, waits_for):
    found = inside.call("hurry", tokens["ana"])
    root = found.headers["actas-call-id"]

    def refused():
        mine = {one["call"] for one in inside.records() if one.get("root") == root and one.get("depth") == 2}
        return [one["error"] for one in inside.records() if one.get("call") in mine and one.get("error")]

    assert "timed out" in found.text
    assert waits_for(refused) == ["invoke.root-over"]


def test_what_the_rules_deny_its_caller_a_function_is_denied(inside, tokens):
    _, found = called(inside, tokens, "outer", {"function": "secret"})

    assert (found["status"], found["refused"]["Code"]) == (403, "AccessDeniedException")


def test_two_callers_of_one_function_stay_two(inside, tokens):
    subjects = set()
    for who in ("ana", "dalia"):
        _, found = called(inside, tokens, "outer", {"function": "leaf"}, who)
        subjects.add(inside.trail(found["answer"]["leaf"])[0]["subject"])

    assert len(subjects) == 2


def test_sts_in_a_function_tells_it_its_role(inside, tokens):
    _, found = called(inside, tokens, "who", {})

    assert ":assumed-role/reader/" in found
