"""Invoking on AWS Lambda, over the wire form of Invoke.

The double verifies the signature as AWS would and answers as Lambda does; what it leaves out: resource policies,
concurrency, the function itself (it gives back what a test tells it to).
"""

import base64
import json
import threading
import time
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import msgspec
import pytest

from actas import sigv4
from actas.invoke.backends.aws_lambda import (
    AwsLambdaBackend,
    LambdaRefused,
    LambdaThrottled,
    LambdaUnreachable,
    NoInvokeSession,
)
from actas.model import clock
from actas.model.secret import Secret
from actas.model.session import NO_ROLE, Session, Sessions
from actas.settings.schema import Function
from actas.testing.contracts import backend as contract
from actas.testing.contracts.backend import BackendContract

pytestmark = pytest.mark.anyio
ARN = "arn:aws:lambda:eu-west-1:111122223333:function:billing"
SECRET = "secret-of-the-invoke-session"


class Lambda(BaseHTTPRequestHandler):
    """Lambda's side of the wire."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.asked.append((self.path, dict(self.headers), body))
        try:
            sigv4.verify(
                "POST", f"http://{self.headers['host']}{self.path}", list(self.headers.items()), body,
                find_secret=lambda key, _token: SECRET if key == "ASIAINVOKE" else contract.SECRET,
                now=clock.now(), region="eu-west-1", service="lambda",
            )  # fmt: skip
        except sigv4.SigV4Error as wrong:
            self.answer(403, {"x-amzn-ErrorType": "InvalidSignatureException"}, str(wrong).encode())
            return
        if self.server.slow:
            time.sleep(self.server.slow)
        says = self.server.says
        self.answer(*(says(self, body) if callable(says) else says))

    def answer(self, status, headers, body):
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_words):
        pass


@pytest.fixture
def aws():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Lambda)
    server.asked, server.says, server.slow = [], (200, {}, b'{"done": true}'), 0
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def sessions():
    session = Session(
        purpose="invoke",
        role_arn="arn:aws:iam::111122223333:role/biller",
        access_key_id="ASIAINVOKE",
        secret_access_key=Secret(SECRET),
        session_token=Secret("token"),
        expires_at=clock.now() + timedelta(minutes=15),
    )
    return Sessions(invoke=session, work=None, id="one")


@pytest.fixture
async def make(aws):
    made = []

    def backend(arn=ARN, endpoint=None, timeout="3s"):
        where = endpoint or f"http://127.0.0.1:{aws.server_port}"
        settings = msgspec.convert(
            {"lambda": arn, "endpoint": where, "timeout": timeout}, Function, dec_hook=lambda cls, text: cls.read(text)
        )
        made.append(AwsLambdaBackend("billing", settings))
        return made[-1]

    yield backend
    for one in made:
        await one.close()


@pytest.fixture
def delivery():
    def make(*, sessions, payload=b"{}"):
        return replace(contract.delivery(payload), sessions=sessions)

    return make


class TestAwsLambda(BackendContract):
    """aws_lambda"""

    DOES: ClassVar = {
        "echoes": lambda _self, body: (200, {}, body),
        "fails": lambda _self, _body: (200, {"X-Amz-Function-Error": "Unhandled"}, b'{"errorMessage": "no"}'),
        "tells": lambda self, _body: (
            200,
            {},
            f'"{self.headers["authorization"].split("Credential=")[1].split("/")[0]}"'.encode(),
        ),
        "is-absent": lambda _self, _body: (404, {"x-amzn-ErrorType": "ResourceNotFoundException"}, b"{}"),
        "sleeps": lambda _self, _body: (200, {}, b"{}"),
    }

    @pytest.fixture(autouse=True)
    def _parts(self, make, aws):
        self.make, self.aws = make, aws

    async def backend(self, does):
        self.aws.says, self.aws.slow = self.DOES[does], 4 if does == "sleeps" else 0
        return self.make(timeout="500ms")


async def test_the_event_goes_out_signed_with_the_callers_invoke_session(make, aws, delivery, sessions):
    answered = await make().invoke(delivery(sessions=sessions, payload=b'{"month": 10}'))
    path, headers, body = aws.asked[0]

    assert answered.payload == b'{"done": true}'
    assert answered.function_error is None
    assert path.startswith("/2015-03-31/functions/arn%3Aaws%3Alambda%3Aeu-west-1%3A111122223333%3Afunction%3Abilling/")
    assert body == b'{"month": 10}'
    assert "actas" in json.loads(base64.b64decode(headers["X-Amz-Client-Context"]))["custom"]


async def test_a_qualifier_is_asked_for(make, aws, delivery, sessions):
    await make(f"{ARN}:PROD").invoke(delivery(sessions=sessions))

    assert aws.asked[0][0].endswith("/invocations?Qualifier=PROD")


async def test_an_empty_event_is_an_empty_object(make, aws, delivery, sessions):
    await make().invoke(delivery(sessions=sessions, payload=b""))

    assert aws.asked[0][2] == b"{}"


async def test_a_functions_failure_is_an_answer(make, aws, delivery, sessions):
    aws.says = (200, {"X-Amz-Function-Error": "Unhandled"}, b'{"errorMessage": "no"}')

    answered = await make().invoke(delivery(sessions=sessions))

    assert (answered.function_error, answered.payload) == ("Unhandled", b'{"errorMessage": "no"}')


REFUSALS = [
    ("a role that may not", (403, {"x-amzn-ErrorType": "AccessDeniedException:x"}, b"{}"), LambdaRefused),
    ("a function that is not there", (404, {"x-amzn-ErrorType": "ResourceNotFoundException"}, b"{}"), LambdaRefused),
    ("no place", (429, {"x-amzn-ErrorType": "TooManyRequestsException"}, b"{}"), LambdaThrottled),
    ("a redirect", (302, {"Location": "http://127.0.0.1:1/"}, b""), LambdaRefused),
]


@pytest.mark.parametrize(("says", "error"), [row[1:] for row in REFUSALS], ids=[row[0] for row in REFUSALS])
async def test_lambdas_own_errors_are_told_from_the_functions(make, aws, delivery, sessions, says, error):
    aws.says = says

    with pytest.raises(error):
        await make().invoke(delivery(sessions=sessions))


async def test_a_wrong_secret_is_refused_by_the_signature(make, delivery, sessions):
    wrong = replace(sessions, invoke=replace(sessions.invoke, secret_access_key=Secret("another")))

    with pytest.raises(LambdaRefused, match="InvalidSignatureException"):
        await make().invoke(delivery(sessions=wrong))


async def test_lambda_is_never_invoked_without_a_role(make, aws, delivery):
    with pytest.raises(NoInvokeSession):
        await make().invoke(delivery(sessions=NO_ROLE))

    assert aws.asked == []


async def test_a_lambda_that_is_not_there_is_unreachable(make, delivery, sessions):
    with pytest.raises(LambdaUnreachable):
        await make(endpoint="http://127.0.0.1:1").invoke(delivery(sessions=sessions))


async def test_an_answer_larger_than_lambdas_own_limit_is_not_read(make, aws, delivery, sessions):
    aws.says = (200, {}, b"0" * (6 * 1024 * 1024 + 2000))
    with pytest.raises(LambdaUnreachable):
        await make().invoke(delivery(sessions=sessions))

    aws.says = (200, {}, b"0" * (6 * 1024 * 1024))
    assert len((await make().invoke(delivery(sessions=sessions))).payload) == 6 * 1024 * 1024
