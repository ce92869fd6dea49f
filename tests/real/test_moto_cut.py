"""Somebody loses a role: sessions of it that (moto's) AWS has handed out are denied everything, and made anew."""

import hashlib
import hmac
import json
import time

import boto3
import httpx
import pytest
from gateway import Gateway
from moto.server import ThreadedMotoServer

from actas.assume.cutting import POLICY
from actas.model import clock
from actas.testing.idp import Idp

pytestmark = pytest.mark.real
ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/teams/cut-biller"
SECRET = "a-secret-of-this-test"
OPTIONS = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing", "region_name": "us-east-1"}


@pytest.fixture(scope="module")
def moto():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="module")
def iam(moto):
    client = boto3.client("iam", endpoint_url=moto, **OPTIONS)
    client.create_role(RoleName="cut-biller", Path="/teams/", AssumeRolePolicyDocument="{}")
    return client


@pytest.fixture(scope="module")
def gateway(moto, iam, tmp_path_factory):
    folder = tmp_path_factory.mktemp("gateway")
    for name, text in (
        ("hr", SECRET),
        ("id", "AKIAIOSFODNN7EXAMPLE"),
        ("key", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
    ):
        (folder / name).write_text(text)
        (folder / name).chmod(0o600)
    base = {"access_key_id": {"file": str(folder / "id")}, "secret_access_key": {"file": str(folder / "key")}}
    fields = {"subject": "who", "kinds": {"lost": "role-revoked", "out": "signed-out"}}
    source = {
        "kind": "webhook", "provider": "corp", "secret": {"file": str(folder / "hr")},
        "signature": {"header": "X-Sig"}, "fields": fields,
    }  # fmt: skip
    (folder / "code").mkdir(mode=0o755)
    (folder / "code" / "key.py").write_text(
        "import os\ndef handler(event, context):\n    return os.environ['AWS_ACCESS_KEY_ID']\n"
    )
    with Idp(shape="oidc") as idp:
        settings = {
            "providers": {"corp": {"preset": "oidc", "issuer": idp.issuer, "audience": "actas", "private": True}},
            "functions": {"key": {"python": "code/key.py:handler", "timeout": "20s"}},
            "roles": {
                "biller": {
                    "arn": ROLE, "broker": "aws-web-identity", "sts": moto, "cut": {"by": base, "iam": f"{moto}/"},
                },
            },
            "rules": [{"id": "bill", "who": {"provider": "corp"}, "may": ["key"], "as": "biller"}],
            "events": {"sources": {"hr": source}},
        }  # fmt: skip
        with Gateway(folder, settings) as running:
            running.idp = idp
            yield running


def push(gateway, name, kind):
    body = json.dumps({"id": name, "type": kind, "time": clock.now().isoformat(), "who": "somebody-else"}).encode()
    signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    for _ in range(200):
        answer = httpx.post(f"{gateway.url}/events/hr", content=body, headers={"X-Sig": signature}, trust_env=False)
        if answer.status_code == 204:
            return
        time.sleep(0.1)
    raise AssertionError(answer.text)


def policies(iam):
    return iam.list_role_policies(RoleName="cut-biller")["PolicyNames"]


def test_a_role_lost_cuts_what_was_issued_before_and_callers_get_it_anew(gateway, iam):
    token = gateway.idp.token(person="ana")
    first, again = gateway.call("key", token).json(), gateway.call("key", token).json()
    push(gateway, "e1", "out")
    assert policies(iam) == []
    began = clock.now()
    push(gateway, "e2", "lost")

    for _ in range(200):
        if policies(iam):
            break
        time.sleep(0.1)
    document = iam.get_role_policy(RoleName="cut-biller", PolicyName=POLICY)["PolicyDocument"]
    (statement,) = document["Statement"]
    before = statement["Condition"]["DateLessThan"]["aws:TokenIssueTime"]
    time.sleep(1.2)
    after = gateway.call("key", token).json()

    assert first == again
    assert (statement["Effect"], statement["Action"], statement["Resource"]) == ("Deny", "*", "*")
    assert f"{began:%Y-%m-%dT%H:%M:%S}" < before <= f"{clock.now():%Y-%m-%dT%H:%M:%SZ}"
    assert after != first
