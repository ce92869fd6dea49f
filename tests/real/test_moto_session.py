"""A function in (moto's) AWS acts with its caller's own role: envelope, proof, work session, a call to AWS with it.

moto is the cloud: its STS hands out the execution role and says whose credentials asked; it verifies no signature, so
what must be refused is tried in tests/http/test_work_sessions.py. The Lambda API is a small one of ours that runs the
handler here, in a process of its own with the environment that Lambda gives.
"""

import base64
import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import boto3
import httpx
import pytest
from gateway import Gateway
from moto.server import ThreadedMotoServer

from actas.testing.idp import Idp

ACCOUNT = "123456789012"
ARN = f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:billing"
EXEC = f"arn:aws:iam::{ACCOUNT}:role/billing-exec"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/biller"
HANDLER = """
import base64, json, os, sys
from types import SimpleNamespace

import boto3

from actas.lambda_ import LambdaError, caller, session

event = json.loads(sys.stdin.readline())
told = json.loads(base64.b64decode(sys.stdin.readline()))
context = SimpleNamespace(
    client_context=SimpleNamespace(custom=told["custom"]),
    invoked_function_arn=os.environ["ARN"], function_version="$LATEST",
)
try:
    rights = session(event, context)
except LambdaError as refused:
    print(json.dumps({"refused": refused.found if hasattr(refused, "found") else refused.code}))
else:
    sts = boto3.Session(**rights, region_name="eu-west-1").client("sts", endpoint_url=os.environ["MOTO"])
    print(json.dumps({"acts_as": sts.get_caller_identity()["Arn"], "who": caller(event, context).subject}))
"""


class Lambda(BaseHTTPRequestHandler):
    """Lambda's side of the wire: it runs the handler, under the execution role."""

    def do_POST(self):
        event = self.rfile.read(int(self.headers["content-length"])).decode()
        given = f"{event}\n{self.headers['x-amz-client-context']}\n"
        done = subprocess.run(
            [sys.executable, "-c", HANDLER], input=given, capture_output=True, text=True, timeout=60,
            env={**os.environ, **self.server.environment}, check=False,
        )  # fmt: skip
        body = done.stdout.encode() or json.dumps({"errorMessage": done.stderr[-500:]}).encode()
        self.send_response(200)
        if done.returncode:
            self.send_header("X-Amz-Function-Error", "Unhandled")
        self.send_header("X-Amz-Log-Result", base64.b64encode(b"hello from the function\n").decode())
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_words):
        pass


@pytest.fixture(scope="module")
def moto():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="module")
def execution(moto):
    """Credentials of the execution role, as Lambda puts them into a function's environment."""

    def make(name="billing"):
        options = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing", "region_name": "eu-west-1"}
        found = boto3.client("sts", endpoint_url=moto, **options).assume_role(RoleArn=EXEC, RoleSessionName=name)
        given = found["Credentials"]
        return {
            "AWS_ACCESS_KEY_ID": given["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": given["SecretAccessKey"],
            "AWS_SESSION_TOKEN": given["SessionToken"],
        }

    return make


@pytest.fixture(scope="module")
def aws():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Lambda)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def gateway(moto, aws, execution, tmp_path_factory):
    with Idp(shape="oidc") as idp:
        function = {"lambda": ARN, "endpoint": f"http://127.0.0.1:{aws.server_port}", "timeout": "60s",
                    "execution_role": EXEC, "sts": f"{moto}/"}  # fmt: skip
        settings = {
            "providers": {"corp": {"preset": "oidc", "issuer": idp.issuer, "audience": "actas", "private": True}},
            "functions": {"billing": function},
            "roles": {"biller": {"arn": ROLE, "broker": "aws-web-identity", "sts": moto}},
            "rules": [{"id": "bill", "who": {"provider": "corp"}, "may": ["billing"], "as": "biller"}],
        }
        with Gateway(tmp_path_factory.mktemp("gateway"), settings) as running:
            running.idp = idp
            keys = httpx.get(f"{running.control}/.well-known/actas/jwks.json").text
            running.environment = {
                "ACTAS_ISSUER": "http://127.0.0.1:8701",
                "ACTAS_GATEWAY": running.control, "ACTAS_JWKS": keys, "AWS_REGION": "eu-west-1",
                "ARN": f"{ARN}:$LATEST", "MOTO": moto, **execution(),
            }  # fmt: skip
            yield running


def test_the_function_acts_as_its_callers_role_and_the_trail_says_so(gateway, aws):
    aws.environment = gateway.environment
    answer = gateway.call("billing", gateway.idp.token(person="ana"), {"month": "2026-10"})

    assert answer.status_code == 200, answer.text + gateway.log()
    found = answer.json()
    assert found["acts_as"].startswith(f"arn:aws:sts::{ACCOUNT}:assumed-role/biller/"), found
    records = gateway.records()
    kinds = [record["type"] for record in records if record.get("call") == answer.headers["actas-call-id"]]
    assert kinds[:2] == ["decided", "handed"]
    assert found["who"] not in found["acts_as"]


def test_another_function_under_the_same_role_gets_nothing(gateway, aws, execution):
    aws.environment = {**gateway.environment, **execution("report")}
    answer = gateway.call("billing", gateway.idp.token(person="ana"), {"month": "2026-10"})

    assert answer.json() == {"refused": "http.work-session-refused"}
