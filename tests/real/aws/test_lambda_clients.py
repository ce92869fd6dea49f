"""AWS's clients as they are, told nothing but where the Lambda API is: boto3, the AWS CLI, the SDK for Node, curl.

Their credentials come from the gateway's own STS, for a token of a real provider.
"""

import base64
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import boto3
import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
sys.path.insert(0, str(HERE.parent))

from gateway import Gateway  # noqa: E402 - found by the line above

from actas.testing.idp import Idp  # noqa: E402

SDK = ROOT / ".cache/aws-sdk"
ROLE = "arn:aws:iam::111122223333:role/reader"
CODE = """
def echo(event, context):
    return {"event": event, "arn": context.invoked_function_arn, "request": context.aws_request_id}

def fails(event, context):
    raise ValueError("it is so")

def logs(event, context):
    print("a line of the log")
    return "x" * event.get("size", 1)

def page(event, context):
    return {"statusCode": 201, "body": event["requestContext"]["authorizer"]["iam"]["userArn"]}
"""
NAMES = ["echo", "fails", "logs", "page"]


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gateway")
    (folder / "lambdas.py").write_text(CODE)
    with Idp(shape="oidc") as idp:
        settings = {
            "gateway": {"account": "111122223333", "region": "eu-west-1"},
            "providers": {"corp": {"preset": "oidc", "issuer": idp.issuer, "audience": "actas", "private": True}},
            "functions": {
                **{name: {"python": f"lambdas.py:{name}", "timeout": "10s"} for name in NAMES},
                "hidden": {"python": "lambdas.py:echo"},
            },
            "roles": {"reader": {"arn": ROLE}},
            "rules": [
                {
                    "id": "callers",
                    "who": {"provider": "corp", "groups": ["finance"]},
                    "may": NAMES,
                    "as": "reader",
                }
            ],
        }
        settings["functions"]["page"]["url"] = "aws-iam"
        with Gateway(folder, settings) as running:
            running.token = idp.token(person="ana")
            yield running


@pytest.fixture(scope="module")
def environment(gateway):
    """What a machine has whose clients go to the gateway: credentials, a region, an address."""
    sts = boto3.client(
        "sts", endpoint_url=gateway.control, region_name="eu-west-1", aws_access_key_id="", aws_secret_access_key=""
    )
    found = sts.assume_role_with_web_identity(
        RoleArn=ROLE, RoleSessionName="ana", WebIdentityToken=gateway.token, DurationSeconds=900
    )["Credentials"]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return kept | {
        "AWS_ACCESS_KEY_ID": found["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": found["SecretAccessKey"],
        "AWS_SESSION_TOKEN": found["SessionToken"],
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_REGION": "eu-west-1",
        "AWS_ENDPOINT_URL_LAMBDA": gateway.url,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_PAGER": "",
        "HOME": str(gateway.folder),
        "NO_PROXY": "127.0.0.1,localhost",
    }


PROGRAM = """
import boto3, json
client = boto3.client("lambda")
print(json.dumps([
    json.load(client.invoke(FunctionName="echo", Payload=b'{"a": 1}')["Payload"])["event"],
    [one["FunctionName"] for one in client.list_functions()["Functions"]],
    b"".join(one["PayloadChunk"]["Payload"] for one in
             client.invoke_with_response_stream(FunctionName="logs")["EventStream"] if "PayloadChunk" in one).decode(),
]))
"""


def test_a_program_with_boto3_needs_nothing_but_the_environment(environment):
    found = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, timeout=60, check=True
    )

    assert json.loads(found.stdout) == [{"a": 1}, NAMES, '"x"']


@pytest.fixture
def aws(environment, tmp_path):
    """The AWS CLI, of whichever version there is."""

    def run(*words, check=True):
        return subprocess.run(
            ["aws", *words], env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=check
        )

    version = run("--version").stdout
    run.raw = ("--cli-binary-format", "raw-in-base64-out") if version.startswith("aws-cli/2") else ()
    run.folder = tmp_path
    return run


@pytest.mark.part("aws-cli")
def test_the_aws_cli_invokes_a_function(aws):
    told = aws("lambda", "invoke", "--function-name", "logs", "--payload", '{"size": 3}', *aws.raw,
               "--log-type", "Tail", "answer.json", "--output", "json")  # fmt: skip

    found = json.loads(told.stdout)
    assert (found["StatusCode"], found["ExecutedVersion"]) == (200, "$LATEST")
    assert b"\na line of the log\nEND RequestId: " in base64.b64decode(found["LogResult"])
    assert (aws.folder / "answer.json").read_text() == '"xxx"'


@pytest.mark.part("aws-cli")
def test_the_aws_cli_has_an_event_run_later_and_a_dry_run_decided(aws):
    for kind, status in (("Event", 202), ("DryRun", 204)):
        told = aws("lambda", "invoke", "--function-name", "echo", "--invocation-type", kind, "answer.json",
                   "--output", "json")  # fmt: skip
        assert json.loads(told.stdout)["StatusCode"] == status


@pytest.mark.part("aws-cli")
def test_the_aws_cli_lists_and_shows_functions(aws):
    listed = json.loads(aws("lambda", "list-functions", "--page-size", "1", "--output", "json").stdout)
    shown = json.loads(aws("lambda", "get-function", "--function-name", "echo", "--output", "json").stdout)

    assert [one["FunctionName"] for one in listed["Functions"]] == NAMES
    assert shown["Configuration"]["Handler"] == "lambdas.echo"


@pytest.mark.part("aws-cli")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("invoke", "--function-name", "hidden", "answer.json"), "AccessDeniedException"),
        (("invoke", "--function-name", "echo:PROD", "--qualifier", "TEST", "answer.json"),
         "InvalidParameterValueException"),
        (("delete-function", "--function-name", "echo"), "AccessDeniedException"),
        (("get-policy", "--function-name", "hidden"), "AccessDeniedException"),
    ],
    ids=["what may not be run", "two qualifiers", "what is not done here", "what may not be shown"],
)  # fmt: skip
def test_the_aws_cli_is_told_why_not(words, said, aws):
    told = aws("lambda", *words, check=False)

    assert told.returncode != 0
    assert f"An error occurred ({said})" in told.stderr


@pytest.fixture
def node(environment):
    """AWS's client for Node."""
    subprocess.run([ROOT / "tools/aws-sdk-node.sh"], check=True, timeout=120, stdin=subprocess.DEVNULL)
    shutil.copy(HERE / "lambda.mjs", SDK / "lambda.mjs")  # a module is looked for where the program lies

    def run(*wanted):
        found = subprocess.run(
            ["node", SDK / "lambda.mjs"],
            input=json.dumps([{"what": what, "input": given} for what, given in wanted]),
            env=environment, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert found.returncode == 0, found.stderr
        return json.loads(found.stdout)

    return run


@pytest.mark.part("node")
def test_the_sdk_for_node_invokes_streams_and_lists(node):
    invoked, failed, streamed, listed, refused, contradicted = node(
        ("invoke", {"FunctionName": "logs", "LogType": "Tail", "Qualifier": "$LATEST"}),
        ("invoke", {"FunctionName": "arn:aws:lambda:eu-west-1:111122223333:function:fails"}),
        ("stream", {"FunctionName": "logs", "Payload": '{"size": 200000}'}),
        ("list", {}),
        ("invoke", {"FunctionName": "hidden"}),
        ("invoke", {"FunctionName": "echo:PROD", "Qualifier": "TEST"}),
    )

    assert (invoked["status"], invoked["version"], invoked["payload"]) == (200, "$LATEST", '"x"')
    assert b"\na line of the log\nEND RequestId: " in base64.b64decode(invoked["log"])
    assert (failed["error"], json.loads(failed["payload"])["errorMessage"]) == ("Unhandled", "it is so")
    assert json.loads(streamed["payload"]) == "x" * 200_000
    assert streamed["complete"] == {}
    assert listed == NAMES
    assert (refused["name"], refused["status"]) == ("AccessDeniedException", 403)
    assert (contradicted["name"], contradicted["status"]) == ("InvalidParameterValueException", 400)


@pytest.fixture
def curl(environment, gateway):
    def run(path, *words, data="{}"):
        keys = f"{environment['AWS_ACCESS_KEY_ID']}:{environment['AWS_SECRET_ACCESS_KEY']}"
        return subprocess.run(
            ["curl", "--silent", "--show-error", "--noproxy", "*", "--aws-sigv4", "aws:amz:eu-west-1:lambda",
             "--user", keys, "--header", f"X-Amz-Security-Token: {environment['AWS_SESSION_TOKEN']}",
             "--write-out", "\n%{http_code}", "--data", data, *words, f"{gateway.url}{path}"],
            env=environment, capture_output=True, text=True, timeout=60, check=True,
        ).stdout.rsplit("\n", 1)  # fmt: skip

    return run


@pytest.mark.part("curl")
def test_curl_invokes_a_function(curl):
    body, status = curl("/2015-03-31/functions/echo/invocations", data='{"a": 1}')

    assert status == "200", body
    assert json.loads(body)["event"] == {"a": 1}


@pytest.mark.part("curl")
def test_curl_is_told_why_not(curl):
    body, status = curl("/2015-03-31/functions/hidden/invocations")

    assert status == "403"
    assert "is not authorized to perform: lambda:InvokeFunction" in json.loads(body)["Message"]


@pytest.mark.part("curl")
def test_curl_asks_a_functions_url(curl):
    body, status = curl("/function-url/page/a/b")

    assert (status, body) == ("201", "arn:aws:sts::111122223333:assumed-role/reader/ana")
