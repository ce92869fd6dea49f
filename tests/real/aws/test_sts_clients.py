"""AWS's clients as they are take roles at the gateway: the AWS CLI, boto3's own chain of credentials, curl.

Told are an address and a token file, as on any machine with workload identity; nothing else is changed.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from gateway import Gateway  # noqa: E402 - found by the line above

from actas.testing.idp import Idp  # noqa: E402

READER, WRITER = (f"arn:aws:iam::111122223333:role/{name}" for name in ("reader", "writer"))
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"AWS": "arn:aws:iam::111122223333:role/reader"},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": "42"}},
        }
    ],
}


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gateway")
    (folder / "writer.json").write_text(json.dumps(TRUST))
    with Idp(shape="oidc") as idp:
        settings = {
            "gateway": {"account": "111122223333", "region": "eu-west-1"},
            "providers": {"corp": {"preset": "oidc", "issuer": idp.issuer, "audience": "actas", "private": True}},
            "functions": {"echo": {"python": "echo.py:handler", "timeout": "10s"}},
            "roles": {
                "reader": {"arn": READER, "session": "30m"},
                "writer": {"arn": WRITER, "session": "15m", "trust": "writer.json"},
            },
            "rules": [
                {
                    "id": "callers",
                    "who": {"provider": "corp", "groups": ["finance"]},
                    "may": ["echo"],
                    "as": ["reader", "writer"],
                }
            ],
        }
        with Gateway(folder, settings) as running:
            (folder / "token").write_text(idp.token(person="ana"))
            (folder / "stranger").write_text(idp.token(person="ben"))
            yield running


@pytest.fixture(scope="module")
def environment(gateway):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    config = gateway.folder / "config"
    config.write_text(
        f"[profile reader]\nrole_arn = {READER}\nweb_identity_token_file = {gateway.folder}/token\n"
        "role_session_name = ana\nregion = eu-west-1\n"
        f"[profile writer]\nrole_arn = {WRITER}\nsource_profile = reader\nexternal_id = 42\n"
        "role_session_name = writing\nregion = eu-west-1\n"
        f"[profile stranger]\nrole_arn = {READER}\nweb_identity_token_file = {gateway.folder}/stranger\n"
        "region = eu-west-1\n"
    )
    return kept | {
        "AWS_CONFIG_FILE": str(config),
        "AWS_SHARED_CREDENTIALS_FILE": str(gateway.folder / "none"),
        "AWS_ENDPOINT_URL_STS": gateway.control,
        "AWS_ENDPOINT_URL_LAMBDA": gateway.url,
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_MAX_ATTEMPTS": "1",
        "AWS_PAGER": "",
        "HOME": str(gateway.folder),
        "NO_PROXY": "127.0.0.1,localhost",
    }


@pytest.fixture
def aws(environment, gateway, tmp_path):
    """The AWS CLI, of whichever version there is."""
    own = Path(sys.executable).with_name("aws")
    program = str(own) if own.exists() else "aws"

    def run(*words, check=True, **more):
        found = subprocess.run(
            [program, *words], env=environment | more, cwd=tmp_path, capture_output=True, text=True, timeout=60,
            check=False,
        )  # fmt: skip
        if check:
            assert found.returncode == 0, found.stderr
            return json.loads(found.stdout or "null")
        return found

    return run


@pytest.mark.part("aws-cli")
def test_the_cli_trades_a_token_and_uses_what_it_gets(aws, gateway):
    token = (gateway.folder / "token").read_text()
    taken = aws(
        "sts", "assume-role-with-web-identity", "--role-arn", READER, "--role-session-name", "ana",
        "--web-identity-token", token, "--endpoint-url", gateway.control,
    )  # fmt: skip
    keys = {
        "AWS_ACCESS_KEY_ID": taken["Credentials"]["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": taken["Credentials"]["SecretAccessKey"],
        "AWS_SESSION_TOKEN": taken["Credentials"]["SessionToken"],
    }

    assert aws("sts", "get-caller-identity", **keys)["Arn"].endswith("assumed-role/reader/ana")
    aws("lambda", "invoke", "--function-name", "echo", "out.json", **keys)


@pytest.mark.part("aws-cli")
def test_a_profile_with_a_token_file_is_all_it_takes(aws):
    assert aws("sts", "get-caller-identity", "--profile", "reader")["Arn"].endswith("assumed-role/reader/ana")


@pytest.mark.part("aws-cli")
def test_a_profile_on_a_profile_chains(aws):
    found = aws("sts", "get-caller-identity", "--profile", "writer")

    assert found["Arn"].endswith("assumed-role/writer/writing")


@pytest.mark.part("aws-cli")
def test_who_may_not_is_told_so(aws):
    found = aws("sts", "get-caller-identity", "--profile", "stranger", check=False)

    assert found.returncode != 0
    assert "AccessDenied" in found.stderr


PROGRAM = """
import boto3, json
print(json.dumps(boto3.client("sts").get_caller_identity()["Arn"]))
print(boto3.client("lambda").invoke(FunctionName="echo", Payload=b"{}")["StatusCode"])
"""


def test_a_program_with_boto3_finds_its_role_by_itself(environment, gateway):
    more = {"AWS_WEB_IDENTITY_TOKEN_FILE": f"{gateway.folder}/token", "AWS_ROLE_ARN": READER}
    found = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment | more, capture_output=True, text=True, timeout=60, check=True
    )

    arn, status = found.stdout.split()
    assert "assumed-role/reader/" in arn
    assert status == "200"


@pytest.mark.part("aws-cli")
@pytest.mark.part("curl")
def test_curl_signs_for_it_too(aws, gateway, environment):
    token = (gateway.folder / "token").read_text()
    taken = aws(
        "sts", "assume-role-with-web-identity", "--role-arn", READER, "--role-session-name", "ana",
        "--web-identity-token", token,
    )["Credentials"]  # fmt: skip
    asked = [
        "curl", "-sS", "--noproxy", "*", "--aws-sigv4", "aws:amz:eu-west-1:sts",
        "--user", f"{taken['AccessKeyId']}:{taken['SecretAccessKey']}",
        "-H", f"X-Amz-Security-Token: {taken['SessionToken']}",
        "--data", "Action=GetCallerIdentity&Version=2011-06-15", f"{gateway.control}/",
    ]  # fmt: skip
    found = subprocess.run(asked, env=environment, capture_output=True, text=True, timeout=60, check=True)

    assert "assumed-role/reader/ana</Arn>" in found.stdout
