"""A gateway whose STS is spoken to by real boto3."""

import json

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config

ACCOUNT = "000000000000"
READER = f"arn:aws:iam::{ACCOUNT}:role/reader"
WRITER = f"arn:aws:iam::{ACCOUNT}:role/writer"
VISITOR = f"arn:aws:iam::{ACCOUNT}:role/visitor"


def trust(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


@pytest.fixture(scope="session")
def client():
    """Make boto3 clients without retries: an error is to be seen, not waited out."""

    def make(address, *, service="sts", credentials=None, **more):
        keys = {} if credentials is None else {
            "aws_access_key_id": credentials["AccessKeyId"],
            "aws_secret_access_key": credentials["SecretAccessKey"],
            "aws_session_token": credentials["SessionToken"],
        }  # fmt: skip
        config = Config(
            retries={"total_max_attempts": 1},
            **({} if credentials else {"signature_version": UNSIGNED}),
            **more,
        )
        session = boto3.Session(region_name="eu-west-1")
        return session.client(service, endpoint_url=f"http://{address}", config=config, **keys)

    return make
