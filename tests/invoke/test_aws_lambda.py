"""Invoking on AWS Lambda, over the wire form of Invoke.

The double verifies the signature as AWS would and answers as Lambda does; what it leaves out: resource policies,
concurrency, the function itself (it gives back what a test tells it to).
"""

import base64
import hashlib
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
from actas.http.lambda_api import frames
from actas.invoke.backends.aws_lambda import AwsLambdaBackend
from actas.invoke.in_flight import InFlight
from actas.invoke.lambda_errors import (
    LambdaMalformed,
    LambdaRefused,
    LambdaThrottled,
    LambdaTimedOut,
    LambdaUnreachable,
    NoInvokeSession,
    StreamFailed,
)
from actas.model import clock
from actas.model.call import Route
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

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.asked.append((self.path, dict(self.headers), body))
        self.server.peers.add(self.client_address)
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
        if isinstance(says, list):
            says = says.pop(0)
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
    server.peers = set()
    server.asked, server.says, server.slow = [], (200, {}, b'{"done": true}'), 0
    server.daemon_threads = True
    server.handle_error = lambda *_who: None  # who hung up did so on purpose
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

    def backend(arn=ARN, endpoint=None, timeout="3s", log=lambda *_line: None, flights=None, **more):
        where = endpoint or f"http://127.0.0.1:{aws.server_port}"
        settings = msgspec.convert(
            {"lambda": arn, "endpoint": where, "timeout": timeout, **more},
            Function,
            dec_hook=lambda cls, text: cls.read(text),
        )
        made.append(AwsLambdaBackend("billing", settings, log=log, flights=flights))
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
    with pytest.raises(LambdaMalformed):
        await make().invoke(delivery(sessions=sessions))

    aws.says = (200, {}, b"0" * (6 * 1024 * 1024))
    assert len((await make().invoke(delivery(sessions=sessions))).payload) == 6 * 1024 * 1024


async def test_confused_deputy_a_gateway_that_has_a_role_of_its_own_never_uses_it(
    make, aws, delivery, sessions, monkeypatch
):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "AKIAGATEWAY")
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"http://127.0.0.1:{aws.server_port}/credentials")

    with pytest.raises(NoInvokeSession):
        await make().invoke(delivery(sessions=NO_ROLE))
    assert aws.asked == []
    await make().invoke(delivery(sessions=sessions))
    assert ["AKIAGATEWAY" in str(one) for one in aws.asked] == [False]
    assert all("ASIAINVOKE" in head["Authorization"] for _, head, _ in aws.asked)


NOT_RUN = [
    ("no place", (429, {"x-amzn-ErrorType": "TooManyRequestsException"}, b"{}")),
    ("no network for it yet", (502, {"x-amzn-ErrorType": "ResourceNotReadyException:http://aws"}, b"{}")),
    ("its snapshot is not there yet", (409, {"x-amzn-ErrorType": "SnapStartNotReadyException"}, b"{}")),
]


@pytest.mark.parametrize("first", [row[1] for row in NOT_RUN], ids=[row[0] for row in NOT_RUN])
async def test_what_did_not_run_is_asked_for_again(make, aws, delivery, sessions, first):
    aws.says = [first, first, (200, {}, b"1")]

    assert (await make().invoke(delivery(sessions=sessions))).payload == b"1"
    assert len(aws.asked) == 3


MAY_HAVE_RUN = [
    ("trouble inside Lambda", (500, {"x-amzn-ErrorType": "ServiceException"}, b"{}")),
    ("a gateway in front of it", (502, {}, b"<html/>")),
    ("no service", (503, {}, b"")),
    ("a refusal", (403, {"x-amzn-ErrorType": "AccessDeniedException"}, b'{"Message": "User: ana"}')),
]


@pytest.mark.parametrize("first", [row[1] for row in MAY_HAVE_RUN], ids=[row[0] for row in MAY_HAVE_RUN])
async def test_what_may_have_run_is_never_asked_for_again(make, aws, delivery, sessions, first):
    aws.says = [first, (200, {}, b"1")]
    with pytest.raises(LambdaRefused) as told:
        await make().invoke(delivery(sessions=sessions))

    assert len(aws.asked) == 1
    assert "ana" not in str(told.value)


async def test_throttling_that_lasts_is_told_with_its_reason_and_when_to_come_again(make, aws, delivery, sessions):
    body = b'{"Type": "User", "Reason": "ReservedFunctionConcurrentInvocationLimitExceeded"}'
    aws.says = (429, {"x-amzn-ErrorType": "TooManyRequestsException", "Retry-After": "7"}, body)
    with pytest.raises(LambdaThrottled, match="ReservedFunctionConcurrentInvocationLimitExceeded") as told:
        await make().invoke(delivery(sessions=sessions))

    assert (told.value.retry_after, len(aws.asked)) == (7, 3)


async def test_a_connection_is_used_again(make, aws, delivery, sessions):
    backend = make()
    for _ in range(3):
        await backend.invoke(delivery(sessions=sessions))

    assert len(aws.peers) == 1


TAIL = b"START RequestId: 1\nhello\nEND RequestId: 1\n"


async def test_the_tail_of_the_log_is_kept_and_its_hash_told(make, aws, delivery, sessions):
    kept = []
    aws.says = (200, {"X-Amz-Log-Result": base64.b64encode(TAIL).decode()}, b"1")
    made = delivery(sessions=sessions)
    found = await make(log=lambda *line: kept.append(line)).invoke(made)

    assert [line for _, _, line in kept] == [b"START RequestId: 1", b"hello", b"END RequestId: 1"]
    assert {(call, function) for call, function, _ in kept} == {(made.call.id, "billing")}
    assert found.log_hash == hashlib.sha256(TAIL).hexdigest()
    assert found.log_tail == TAIL


@pytest.mark.parametrize("shown", ["", "not base64!", "A" * 7000])
async def test_a_tail_that_is_none_is_none(make, aws, delivery, sessions, shown):
    kept = []
    aws.says = (200, {"X-Amz-Log-Result": shown} if shown else {}, b"1")
    found = await make(log=lambda *line: kept.append(line)).invoke(delivery(sessions=sessions))

    assert (found.log_hash, kept) == (None, [])


STREAM = "application/vnd.amazon.eventstream"


def streamed(*pieces, **complete):
    return (200, {"Content-Type": "text/plain"}, b"".join([*(c for p in pieces for c in frames.chunks(p)),
                                                         frames.complete(**complete)]))  # fmt: skip


async def whole(answer):
    return b"".join([piece async for piece in answer.body])


async def test_a_streamed_answer_is_given_piece_by_piece(make, aws, delivery, sessions):
    kept = []
    aws.says = streamed(b"one ", b"two", log_result=base64.b64encode(TAIL).decode())
    found = await make(stream=True, log=lambda *line: kept.append(line)).invoke(delivery(sessions=sessions))

    assert (found.status, dict(found.headers)) == (200, {"Content-Type": "text/plain"})
    assert await whole(found) == b"one two"
    assert found.body.log_hash == hashlib.sha256(TAIL).hexdigest()
    assert len(kept) == 3
    path, head, _ = aws.asked[0]
    assert path.startswith("/2021-11-15/functions/")
    assert "/response-streaming-invocations?Qualifier=" in path
    assert head["X-Amz-Log-Type"] == "Tail"


async def test_a_stream_that_fails_before_its_first_piece_is_the_functions_error(make, aws, delivery, sessions):
    aws.says = streamed(error_code="Unhandled", error_details="no")
    found = await make(stream=True).invoke(delivery(sessions=sessions))

    assert found.function_error == "Unhandled"
    assert json.loads(found.payload) == {"errorType": "Unhandled", "errorMessage": "no"}


async def test_a_stream_that_fails_in_the_middle_is_cut(make, aws, delivery, sessions):
    aws.says = streamed(b"one", error_code="Unhandled", error_details="no, ana")
    found = await make(stream=True).invoke(delivery(sessions=sessions))
    with pytest.raises(StreamFailed, match="Unhandled") as told:
        await whole(found)

    assert "ana" not in str(told.value)


BROKEN = [
    ("it ends before it says so", b"".join(frames.chunks(b"one"))),
    ("it ends within a message", b"".join(frames.chunks(b"one"))[:-1]),
    ("it is none", b'{"message": "hello"}    '),
    ("there is more behind its end", frames.complete() + b"".join(frames.chunks(b"one"))),
]


@pytest.mark.parametrize("octets", [row[1] for row in BROKEN], ids=[row[0] for row in BROKEN])
async def test_a_stream_that_is_none_never_looks_whole(make, aws, delivery, sessions, octets):
    aws.says = (200, {"Content-Type": STREAM}, octets)
    with pytest.raises(LambdaMalformed):
        await whole(await make(stream=True).invoke(delivery(sessions=sessions)))


async def test_an_exception_in_the_stream_is_lambdas_and_not_the_functions(make, aws, delivery, sessions):
    told = {":message-type": "exception", ":exception-type": "ServiceException"}
    aws.says = (200, {}, frames.message(told, b"{}"))
    with pytest.raises(StreamFailed, match="ServiceException"):
        await make(stream=True).invoke(delivery(sessions=sessions))


@pytest.fixture
def routed(delivery, sessions):
    route = Route(template="GET /bills", method="GET", path="/bills", raw_path="/bills", query="", headers=())
    made = delivery(sessions=sessions)
    return replace(made, call=replace(made.call, route=route), envelope=lambda _event, _now: "an.envelope.here")


HTTP = "application/vnd.awslambda.http-integration-response"


async def test_a_streamed_http_answer_has_its_own_status_and_fields(make, aws, routed):
    head = b'{"statusCode": 201, "headers": {"X-Bill": "7", "Transfer-Encoding": "chunked"}, "cookies": ["a=b"]}'
    _, _, body = streamed(head[:10], head[10:] + b"\0\0\0", b"\0\0\0\0\0bil", b"ls")
    aws.says = (200, {"Content-Type": HTTP}, body)
    found = await make(stream=True).invoke(routed)

    assert (found.status, found.headers) == (201, (("X-Bill", "7"), ("set-cookie", "a=b")))
    assert await whole(found) == b"bills"


HEADS = [
    ("no end", b'{"statusCode": 200}'),
    ("no status", b'{"statusCode": "x"}' + b"\0" * 8),
    ("a status that is none", b'{"statusCode": 99}' + b"\0" * 8),
    ("a field with a line break", b'{"headers": {"a": "b\\r\\nc: d"}}' + b"\0" * 8),
    ("a name that is none", b'{"headers": {"a b": "c"}}' + b"\0" * 8),
    ("a head that is too large", b" " * (64 * 1024 + 1) + b"{}"),
]


@pytest.mark.parametrize("octets", [row[1] for row in HEADS], ids=[row[0] for row in HEADS])
async def test_a_streamed_head_that_is_none_is_no_answer(make, aws, routed, octets):
    aws.says = (200, {"Content-Type": HTTP}, streamed(octets)[2])
    with pytest.raises(LambdaMalformed):
        await make(stream=True).invoke(routed)


async def test_a_call_is_found_while_it_is_under_way_and_not_afterwards(make, aws, delivery, sessions):
    flights, seen = InFlight(), []
    work = replace(sessions.invoke, purpose="work")
    made = delivery(sessions=replace(sessions, work=work))
    aws.says = lambda *_request: seen.append(flights.find(made.call.id)) or (200, {}, b"1")
    await make(flights=flights).invoke(made)

    assert seen[0].work is work
    assert (seen[0].function_arn, seen[0].role) == (made.grant.function_arn, "reader")
    assert len(flights) == 0


async def test_a_streamed_call_is_found_until_its_last_piece(make, aws, delivery, sessions):
    flights = InFlight()
    made = delivery(sessions=replace(sessions, work=replace(sessions.invoke, purpose="work")))
    aws.says = streamed(b"one")
    found = await make(flights=flights, stream=True).invoke(made)

    assert flights.find(made.call.id) is not None
    await whole(found)
    assert len(flights) == 0


async def test_whoever_hangs_up_half_way_ends_the_call(make, aws, delivery, sessions):
    flights = InFlight()
    made = delivery(sessions=replace(sessions, work=replace(sessions.invoke, purpose="work")))
    aws.says = streamed(b"one", b"two")
    found = await make(flights=flights, stream=True).invoke(made)
    await found.body.aclose()
    await found.body.aclose()

    assert len(flights) == 0


async def test_a_stream_that_stops_is_given_up(make, aws, delivery, sessions):
    aws.slow = 4
    with pytest.raises(LambdaTimedOut):
        await make(stream=True, timeout="100ms").invoke(delivery(sessions=sessions))
