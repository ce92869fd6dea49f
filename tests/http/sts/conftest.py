"""A gateway whose STS is spoken to by real boto3."""

import json
from datetime import timedelta
from pathlib import Path

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from actas.testing.idp import Idp

CORPORA = Path(__file__).resolve().parents[4] / "shared" / "corpora"
ACCOUNT = "000000000000"
ROOT = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
NAMES = ["echo", "web", "lend"]
LEND = """
def handler(event, context):
    import boto3
    from botocore.config import Config
    from botocore.exceptions import ClientError

    sts = boto3.client("sts", config=Config(retries={"total_max_attempts": 1}))
    try:
        return sts.assume_role(RoleArn=event["role"], RoleSessionName="more")["AssumedRoleUser"]["Arn"]
    except ClientError as refused:
        return refused.response["Error"]["Code"]
"""
CORP = {"provider": "corp", "groups": ["finance"]}
ADMIN = {"provider": "corp", "groups": "security"}


def arn(role):
    return f"arn:aws:iam::{ACCOUNT}:role/{role}"


def document(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


@pytest.fixture(scope="session")
def corpus():
    """Give a folder of test material that none of us wrote."""

    def find(name):
        folder = CORPORA / name
        if not folder.is_dir():
            pytest.skip(f"the corpus {name} is not beside the repository (../shared/corpora)")
        return folder

    return find


@pytest.fixture(scope="session", name="arn")
def _arn():
    return arn


@pytest.fixture(scope="session", name="document")
def _document():
    return document


@pytest.fixture(scope="session")
def client():
    """Make boto3 clients that do not try again: an error is to be seen, not waited out."""

    def make(place, *, service="sts", credentials=None, **more):
        keys = {} if credentials is None else {
            "aws_access_key_id": credentials["AccessKeyId"],
            "aws_secret_access_key": credentials["SecretAccessKey"],
            "aws_session_token": credentials["SessionToken"],
        }  # fmt: skip
        unsigned = {} if credentials else {"signature_version": UNSIGNED}
        config = Config(retries={"total_max_attempts": 1}, **unsigned, **more)
        session = boto3.Session(region_name="eu-west-1")
        return session.client(service, endpoint_url=f"http://{place}", config=config, **keys)

    return make


@pytest.fixture(scope="session")
def refused():
    """Give the code, the status and the message of the error that a call ends in."""

    def ask(call, **more):
        with pytest.raises(ClientError) as wrong:
            call(**more)
        found = wrong.value.response
        return found["Error"]["Code"], found["ResponseMetadata"]["HTTPStatusCode"], found["Error"]["Message"]

    return ask


@pytest.fixture(scope="session")
def house_settings(settings):
    def make(**more):
        roles = {
            "reader": {"arn": arn("reader"), "session": "1h"},
            "writer": {"arn": arn("team/writer"), "session": "15m", "trust": "chained.json"},
            "short": {"arn": arn("short"), "session": "10m"},
            "tagged": {"arn": arn("tagged"), "session": "20m", "trust": "tagged.json"},
            "idle": {"arn": arn("idle")},
        }
        rules = [
            {"id": "reading", "who": CORP, "may": NAMES, "as": ["reader", "writer", "short", "tagged"]},
            {"id": "decoding", "who": ADMIN, "may": ["admin:denials.decode"], "as": "reader"},
            {"id": "never", "who": {"provider": "corp", "groups": ["contractors"]}, "may_not": ["web"]},
        ]
        lend = {"python": "lend.py:handler", "timeout": "30s", "memory": "512MB"}
        made = settings(local=True, roles=roles, functions={"lend": lend}, **more)
        made["rules"] = [*rules, {"id": "admins", "who": {**ADMIN}, "may": "admin:*"}]
        made["policies"] = {f"arn:aws:iam::{ACCOUNT}:policy/only-s3": "only-s3.json"}
        return made

    return make


@pytest.fixture(scope="session")
def start(running):
    def begin(settings):
        one = running(settings)
        chained = {"Effect": "Allow", "Principal": ROOT, "Action": ["sts:AssumeRole"]}
        (one.folder / "chained.json").write_text(
            document({**chained, "Condition": {"StringEquals": {"sts:ExternalId": "42"}}})
        )
        issuer = settings["providers"]["corp"]["issuer"].removeprefix("http://")
        federated = {"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/{issuer}"}
        (one.folder / "tagged.json").write_text(
            document(
                {"Effect": "Allow", "Principal": federated, "Action": ["sts:AssumeRoleWithWebIdentity"]},
                {"Effect": "Allow", "Principal": ROOT, "Action": ["sts:AssumeRole", "sts:TagSession"]},
            )
        )
        (one.folder / "lend.py").write_text(LEND)
        (one.folder / "only-s3.json").write_text(
            document({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"})
        )
        return one

    return begin


@pytest.fixture(scope="session")
def house(start, house_settings):
    """One gateway for all tests that leave it as it was."""
    with start(house_settings()) as one:
        yield one


@pytest.fixture(scope="session")
def sts(house, client):
    """STS, asked by somebody without credentials."""
    return client(house.control)


@pytest.fixture(scope="session")
def take(sts, tokens):
    """Take a role by web identity."""

    def by_token(role="reader", person="ana", **more):
        wish = {"RoleArn": arn(role), "RoleSessionName": person, "WebIdentityToken": tokens[person], **more}
        return sts.assume_role_with_web_identity(**wish)

    return by_token


@pytest.fixture(scope="session")
def signed(house, client, take):
    """STS, asked with the credentials of a session."""

    def make(credentials=None, **more):
        return client(house.control, credentials=credentials or take()["Credentials"], **more)

    return make


@pytest.fixture(scope="session")
def other_idp():
    """A provider that the gateway does not know."""
    with Idp(algorithm="ES256", lifetime=timedelta(hours=1)) as one:
        yield one
