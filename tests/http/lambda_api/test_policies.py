"""What was passed along when a session was taken, and what ends one, counts at every door that takes it."""

import json

import boto3
import httpx
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from actas import sigv4
from actas.model import clock

ROLE = "arn:aws:iam::000000000000:role/reader"
REGION = "eu-west-1"


def policy(*actions, effect="Allow", resource="*", **more):
    statement = {"Effect": effect, "Action": list(actions), "Resource": resource, **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture(scope="module")
def house(running, settings):
    made = settings(
        local=True,
        gateway={"region": REGION},
        functions={
            "fn": {"python": "fn.py:handler", "timeout": "10s", "url": "aws-iam"},
            "told": {"python": "fn.py:handler"},
        },
        rules=[
            {"id": "fns", "who": {"provider": "corp", "groups": ["finance"]}, "may": ["fn", "told"], "as": "reader"},
        ],
    )
    made["rules"][0]["may"] = ["web", "echo", "page"]
    one = running(made)
    (one.folder / "fn.py").write_text("def handler(event, context):\n    return {'ran': True}\n")
    with one:
        yield one


@pytest.fixture
def take(house, tokens):
    """Take the role at our own STS, with less than it has where a policy says so."""

    def taken(**more):
        sts = boto3.client(
            "sts", endpoint_url=f"http://{house.control}", region_name=REGION, config=Config(signature_version=UNSIGNED)
        )
        return sts.assume_role_with_web_identity(
            RoleArn=ROLE, RoleSessionName="ana", WebIdentityToken=tokens["ana"], DurationSeconds=900, **more
        )["Credentials"]

    return taken


def lambda_client(house, found):
    return boto3.client(
        "lambda", endpoint_url=f"http://{house.public}", region_name=REGION,
        aws_access_key_id=found["AccessKeyId"], aws_secret_access_key=found["SecretAccessKey"],
        aws_session_token=found["SessionToken"], config=Config(retries={"total_max_attempts": 1}),
    )  # fmt: skip


def asks_url(house, found):
    keys = sigv4.Credentials(found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"])
    signed = sigv4.sign(
        "GET", f"http://{house.public}/function-url/fn", [("Host", house.public)], b"", keys,
        region=REGION, service="lambda", now=clock.now(),
    )  # fmt: skip
    return httpx.get(signed.url, headers=list(signed.headers), trust_env=False, timeout=30)


def test_a_role_that_was_taken_at_our_sts_invokes_and_asks_urls(house, take):
    found = take()

    assert json.load(lambda_client(house, found).invoke(FunctionName="fn")["Payload"]) == {"ran": True}
    assert asks_url(house, found).json() == {"ran": True}


@pytest.mark.parametrize(
    ("given", "invokes", "asks"),
    [
        (policy("lambda:InvokeFunction"), True, False),
        (policy("lambda:InvokeFunctionUrl"), False, False),
        (policy("lambda:InvokeFunction", "lambda:InvokeFunctionUrl"), True, True),
        (policy("lambda:Invoke*"), True, True),
        (policy("s3:*"), False, False),
        (policy("*", resource=f"arn:aws:lambda:{REGION}:000000000000:function:fn"), True, True),
        (policy("*", resource=f"arn:aws:lambda:{REGION}:000000000000:function:other"), False, False),
    ],
    ids=[
        "invoking alone",
        "the URL alone",
        "both",
        "both by a wildcard",
        "something else",
        "everything of this function",
        "everything of another",
    ],
)
def test_a_session_policy_counts_at_both_doors(given, invokes, asks, house, take):
    found = take(Policy=given)

    client = lambda_client(house, found)
    if invokes:
        assert client.invoke(FunctionName="fn", InvocationType="DryRun")["StatusCode"] == 204
    else:
        with pytest.raises(ClientError) as refused:
            client.invoke(FunctionName="fn", InvocationType="DryRun")
        assert refused.value.response["Error"]["Code"] == "AccessDeniedException"
    assert asks_url(house, found).status_code == (200 if asks else 403)


def test_a_session_sees_what_its_policy_leaves_it(house, take):
    found = take(Policy=policy("*", resource=f"arn:aws:lambda:{REGION}:000000000000:function:fn"))

    listed = lambda_client(house, found).list_functions()["Functions"]

    assert [one["FunctionName"] for one in listed] == ["fn"]
    assert {"fn", "told"} <= {one["FunctionName"] for one in lambda_client(house, take()).list_functions()["Functions"]}


def test_a_session_that_was_revoked_is_told_to_get_another(house, take, tokens, waits_for):
    found = take()
    client = lambda_client(house, found)
    assert client.invoke(FunctionName="fn", InvocationType="DryRun")["StatusCode"] == 204

    body = json.dumps({"provider": "corp", "reason": "a test"})
    done = house.ask("POST", "/admin/v1/revocations", tokens["dalia"], control=True, content=body)
    assert done.status_code == 200, done.text

    def refused():
        try:
            client.invoke(FunctionName="fn", InvocationType="DryRun")
        except ClientError as wrong:
            return wrong.response["Error"]
        return None

    assert waits_for(refused)["Code"] == "ExpiredTokenException"
    assert asks_url(house, found).status_code == 403
