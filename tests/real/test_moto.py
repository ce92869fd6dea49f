"""A function on (moto's) AWS Lambda, invoked with a session of the caller's role from (moto's) STS.

moto is no oracle for trust: it takes any token and any role. What is shown here is the wire: STS's query protocol, the
session policy, SigV4 on the invocation, the client context. The function's answer is moto's simple double.
"""

import io
import json
import zipfile

import boto3
import pytest
from gateway import Gateway
from moto.server import ThreadedMotoServer

from actas.testing.idp import Idp

ROLE = "arn:aws:iam::123456789012:role/biller"


@pytest.fixture(scope="module")
def moto():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="module")
def billing(moto):
    import httpx

    httpx.post(f"{moto}/moto-api/config", json={"lambda": {"use_docker": False}}).raise_for_status()
    options = {
        "endpoint_url": moto,
        "region_name": "eu-west-1",
        "aws_access_key_id": "testing",
        "aws_secret_access_key": "testing",
    }
    trust = {"Version": "2012-10-17", "Statement": []}
    role = boto3.client("iam", **options).create_role(RoleName="biller", AssumeRolePolicyDocument=json.dumps(trust))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("main.py", "def handler(event, context): return event")
    made = boto3.client("lambda", **options).create_function(
        FunctionName="billing",
        Runtime="python3.12",
        Role=role["Role"]["Arn"],
        Handler="main.handler",
        Code={"ZipFile": packed.getvalue()},
    )
    return made["FunctionArn"]


@pytest.fixture(scope="module")
def gateway(moto, billing, tmp_path_factory):
    with Idp(shape="oidc") as idp:
        settings = {
            "providers": {"corp": {"preset": "oidc", "issuer": idp.issuer, "audience": "actas", "private": True}},
            "functions": {
                "billing": {"lambda": billing, "endpoint": moto},
                "gone": {"lambda": billing, "endpoint": "http://127.0.0.1:1"},
            },
            "roles": {"biller": {"arn": ROLE, "broker": "aws-web-identity", "sts": moto}},
            "rules": [{"id": "bill", "who": {"provider": "corp"}, "may": ["billing", "gone"], "as": "biller"}],
        }
        with Gateway(tmp_path_factory.mktemp("gateway"), settings) as running:
            running.idp = idp
            yield running


def test_the_function_is_invoked_as_the_callers_role(gateway):
    answer = gateway.call("billing", gateway.idp.token(person="ana"), {"month": "2026-10"})

    assert answer.status_code == 200, answer.text + gateway.log()
    ended = [record for record in gateway.records() if record["type"] == "decided"]
    assert ended[-1]["role"] == "biller"


def test_a_lambda_that_cannot_be_reached_is_told_from_one_that_fails(gateway):
    answer = gateway.call("gone", gateway.idp.token(person="ana"))

    assert answer.status_code == 503
    assert answer.json()["code"] == "invoke.lambda-unreachable"
