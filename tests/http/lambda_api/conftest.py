"""A gateway whose functions run here, and AWS's own client with the credentials that a function was given."""

import json
from contextlib import contextmanager

import boto3
import pytest
from botocore.config import Config

CODE = """
import logging
import os
import sys
import time

KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


def keys(event, context):
    return {name: os.environ[name] for name in KEYS}


def echo(event, context):
    there = context.client_context
    custom = dict(there.custom) if there and there.custom else {}
    return {
        "event": event,
        "custom": {name: value for name, value in custom.items() if name != "actas"},
        "enveloped": "actas" in custom,
        "request": context.aws_request_id,
        "arn": context.invoked_function_arn,
    }


def fails(event, context):
    raise ValueError("it is so")


def logs(event, context):
    for number in range(event.get("lines", 1)):
        print(f"line {number} of this call")
    return None


def large(event, context):
    return "x" * event["size"]


def sleeps(event, context):
    time.sleep(event["seconds"])
    return "slept"


def page(event, context):
    return {"statusCode": 201, "headers": {"X-Own": "yes"}, "body": event["rawPath"], "cookies": ["a=1"]}


def shown(event, context):
    return event
"""
LATER = ("works", "breaks")
NAMES = ("keys", "echo", "fails", "logs", "large", "sleeps")
REGION, ACCOUNT = "eu-west-1", "111122223333"


def taken(parsed, **_more):
    """Read an answer that has nothing in it: its socket would be found unclosed in the middle of some later test."""
    if parsed.get("StatusCode") in {202, 204}:
        parsed["Payload"].read()


class Caller:
    """Credentials of a session, as AWS's tools take them."""

    def __init__(self, found: dict[str, str]) -> None:
        self.access_key_id = found["AWS_ACCESS_KEY_ID"]
        self.secret_access_key = found["AWS_SECRET_ACCESS_KEY"]
        self.session_token = found["AWS_SESSION_TOKEN"]

    def client(self, place: str, **more):
        options = {"retries": {"total_max_attempts": 1}, "read_timeout": 30, **more.pop("config", {})}
        made = boto3.client(
            "lambda",
            endpoint_url=f"http://{place}",
            region_name=more.pop("region", REGION),
            aws_access_key_id=more.pop("access_key_id", self.access_key_id),
            aws_secret_access_key=more.pop("secret_access_key", self.secret_access_key),
            aws_session_token=more.pop("session_token", self.session_token),
            config=Config(**options),
        )
        made.meta.events.register("after-call.lambda.Invoke", taken)
        return made


def who():
    return {"provider": "corp", "groups": ["finance", "security"]}


def functions(settings):
    made = settings(
        local=True,
        gateway={"region": REGION, "account": ACCOUNT},
        functions={
            **{name: {"python": f"lambdas.py:{name}", "timeout": "10s"} for name in NAMES},
            "hidden": {"python": "lambdas.py:echo"},
            "cold": {"python": "lambdas.py:echo", "timeout": "10s"},
            "works": {"python": "lambdas.py:echo", "timeout": "10s", "asynchronous": {"on_success": "orders"}},
            "breaks": {
                "python": "lambdas.py:fails",
                "timeout": "10s",
                "asynchronous": {"on_success": "hidden", "on_failure": "orders", "retries": 0},
            },
            "billing": {"lambda": f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:bills:PROD", "timeout": "10s"},
        },
        rules=[
            {
                "id": "lambdas",
                "who": who(),
                "may": [*NAMES, *LATER, "cold", "orders"],
                "as": "reader",
            },
            {"id": "bills", "who": who(), "may": ["billing"], "as": "reader"},
            {"id": "told", "who": {"provider": "destinations", "kind": "service"}, "may": ["orders"]},
            {"id": "not-logs", "who": {"provider": "corp", "groups": ["security"]}, "may_not": ["logs"]},
        ],
    )
    made["functions"]["orders"] = made["functions"].pop("web")
    made["rules"][0]["may"] = ["echo", "page"]
    return made


@pytest.fixture(scope="session")
def house(running, settings):
    """One gateway with the functions above."""
    one = running(functions(settings))
    (one.folder / "lambdas.py").write_text(CODE)
    with one:
        yield one


@pytest.fixture(scope="session")
def callers(house, tokens):
    """Give the session of a person, as a function that they called was given it."""
    made = {}

    def of(person: str) -> Caller:
        if person not in made:
            answer = house.call("keys", tokens[person])
            assert answer.status_code == 200, answer.text
            made[person] = Caller(answer.json())
        return made[person]

    return of


@pytest.fixture
def cramped(running, settings, tokens):
    """Start a gateway where one event of a caller may wait; give it with a client of each caller's."""

    @contextmanager
    def started(*people):
        made = functions(settings)
        made["gateway"]["limits"] = {**made["gateway"].get("limits", {}), "later_per_subject": 1}
        one = running(made)
        (one.folder / "lambdas.py").write_text(CODE)
        with one:
            yield [Caller(one.call("keys", tokens[who]).json()).client(one.public) for who in people]

    return started


@pytest.fixture(scope="session")
def ana(house, callers):
    """AWS's own client, with a session of Ana's."""
    return callers("ana").client(house.public)


@pytest.fixture(scope="session")
def read():
    """Read an invocation's payload."""

    def payload(answer):
        return json.loads(answer["Payload"].read())

    return payload
