"""Feed the doors of the Lambda API and of function URLs raw ASGI scopes and bodies: each is answered once, in form.

Run it as ``python fuzz/fuzz_lambda_api.py [corpus folder] [libFuzzer arguments]``.
"""

import asyncio
import json
import logging
import re
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import atheris

with atheris.instrument_imports(include=["actas.http", "actas.model.paths", "actas.invoke.client_context"]):
    from botocore.eventstream import EventStreamBuffer

    from actas.http.body import Patience
    from actas.http.calls import Front
    from actas.http.function_urls import FunctionUrls
    from actas.http.lambda_api.directory import Directory
    from actas.http.lambda_api.door import LambdaDoor, Now
    from actas.http.routes import Routes
    from actas.http.signature_errors import SignatureUnknownKey
    from actas.invoke.client_context import client_context
    from actas.model.decision import Allow, Deny, Reason
    from actas.model.held import Held
    from actas.model.outcome import Answered, Refused, Streamed
    from actas.settings.schema import Function, Gateway, Limits, RateLimits, Settings
    from actas.settings.values import Size

NOW = datetime(2026, 3, 14, tzinfo=UTC)
ARN = "arn:aws:lambda:us-east-1:000000000000:function:report:$LATEST"
GATEWAY = Gateway(limits=Limits(body=Size(400), headers=Size(2000), rate=RateLimits(network=0)))
FUNCTIONS = {"report": Function(python="report.py:handler", url="any")}
NAMED = re.compile(r"(report|arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:function:[A-Za-z0-9_-]+(:[$A-Za-z0-9_-]+)?|"
                   r"[A-Za-z0-9_-]*:url|)")  # fmt: skip
HELD = Held(
    purpose="work", access_key_id="ASIAEXAMPLE", secret_access_key="hunter2", issued_at=NOW,
    expires_at=NOW + timedelta(hours=1), provider="corp", issuer="https://sso.example", subject="p", actors=(),
    kind="human", authenticated_at=None, mfa=None, evidence_expires_at=NOW, role="reader",
    role_arn="arn:aws:iam::000000000000:role/reader", rules=(), facts=(), functions=(ARN,),
)  # fmt: skip
DENY = Deny(reasons=(Reason(code="rule-forbids", because="a rule says so"),), generation="g")
PATHS = (
    b"/2015-03-31/functions/report/invocations", b"/2021-11-15/functions/report/response-streaming-invocations",
    b"/2015-03-31/functions/", b"/2015-03-31/functions", b"/2015-03-31/functions/report", b"/2015-03-31/",
    b"/2015-03-31/functions/report/policy", b"/function-url/report", b"/function-url/", b"/function-url/report/a",
)  # fmt: skip
PARTS = (
    b"/invocations",
    b"report",
    b"%3A",
    b":$LATEST",
    b"arn:aws:lambda:us-east-1:000000000000:function:report",
    b"/",
)
NAMES = (
    b"x-amz-invocation-type", b"x-amz-log-type", b"x-amz-client-context", b"x-amz-tenant-id", b"host",
    b"content-length", b"transfer-encoding", b"authorization", b"actas-role", b"cookie",
)  # fmt: skip
VALUES = (
    b"Event", b"DryRun", b"RequestResponse", b"Tail", b"e30=", b"eyJjdXN0b20iOnsiYWN0YXMiOiJmb3JnZWQifX0=",
    b"Bearer abc.def.ghi", b"AWS4-HMAC-SHA256 x",
)  # fmt: skip
QUERIES = (b"", b"Qualifier=%24LATEST", b"Qualifier=PROD", b"MaxItems=1", b"Marker=cg==", b"X-Amz-Signature=00")


class Pieces:
    """A body of an answer."""

    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = iter(pieces)

    def __aiter__(self) -> "Pieces":
        return self

    async def __anext__(self) -> bytes:
        for piece in self._pieces:
            return piece
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Do nothing."""


class Rooms:
    """A gateway behind the doors that answers in the ways there are, and a verifier that believes who says AWS4."""

    way = 0
    has_raised = False

    def stranger(self, code, _address):
        assert code.startswith("http.")

    def glance(self, _scope, *, now):
        assert now.tzinfo is not None
        if self.way % 7 == 6:
            raise SignatureUnknownKey

    async def held(self, _scope, _body, *, service, now):
        assert service == "lambda"
        assert now.tzinfo is not None
        if self.way % 7 == 6:
            raise SignatureUnknownKey
        return HELD

    async def serve_session(self, call, held, instead=None):
        assert held is HELD
        self._check(call)
        if instead is not None and self.way % 2:
            await instead.do(call)
            return Answered(payload=b"")
        return self._outcome(call)

    async def serve(self, call, _evidence):
        self._check(call)
        return Answered(payload=call.payload, function_error=(None, "Unhandled")[self.way % 2])

    def reach(self, _call, _held, functions):
        for name in functions:
            yield name, Allow(grant=SimpleNamespace(generation="g"), reasons=DENY.reasons)

    async def keep(self, call, held):
        self._check(call)
        assert held is HELD

    def _check(self, call):
        if not NAMED.fullmatch(call.function):
            raise AssertionError("a name that nothing has came through")
        if len(call.payload) > 6 * 1024 * 1024 or not call.payload:
            raise AssertionError("an event beyond the limit came through")
        json.loads(call.payload)
        context = client_context(call, "ours")
        if not context.isascii() or b"\n" in context or json.loads(context)["custom"]["actas"] != "ours":
            raise AssertionError("the envelope was replaced")

    def _outcome(self, call):
        match self.way % 5:
            case 0:
                return Answered(payload=call.payload, log_tail=b"a line\n")
            case 1:
                return Answered(payload=b"\xff", function_error="Unhandled")
            case 2:
                return Refused(decision=DENY)
            case 3:
                return Streamed(status=200 + self.way, headers=(), body=Pieces([call.payload, b"x"]))
            case _:
                self.has_raised = True
                raise ValueError(call.payload)


ROOMS = Rooms()
FRONT = Front(settings=GATEWAY, routes=Routes(Settings(gateway=GATEWAY)))
STANDS = Now(
    front=FRONT, gateway=ROOMS, signed=ROOMS, patience=Patience(), later=ROOMS,
    directory=Directory(FUNCTIONS, [("report", ARN)], region="us-east-1", account="000000000000"),
)  # fmt: skip
API = LambdaDoor(lambda: STANDS)
URLS = FunctionUrls(lambda: STANDS, domain=lambda: "localhost", account=lambda: "000000000000")


def _scope(data: atheris.FuzzedDataProvider) -> dict:
    headers = [(b"host", b"a.example")] if data.ConsumeIntInRange(0, 15) else []
    if data.ConsumeIntInRange(0, 7):
        headers.append((b"authorization", b"AWS4-HMAC-SHA256 Credential=x"))
    for _ in range((0, 0, 1, 1, 2, 3, 6)[data.ConsumeIntInRange(0, 6)]):
        name = NAMES[data.ConsumeIntInRange(0, len(NAMES) - 1)]
        known = data.ConsumeBool()
        value = VALUES[data.ConsumeIntInRange(0, len(VALUES) - 1)] if known else data.ConsumeBytes(40)
        headers.append((name, value))
    path = PATHS[data.ConsumeIntInRange(0, len(PATHS) - 1)]
    for _ in range((0, 0, 1, 2, 3)[data.ConsumeIntInRange(0, 4)]):
        known = data.ConsumeBool()
        path += PARTS[data.ConsumeIntInRange(0, len(PARTS) - 1)] if known else data.ConsumeBytes(8)
    query = QUERIES[data.ConsumeIntInRange(0, len(QUERIES) - 1)] + data.ConsumeBytes(data.ConsumeIntInRange(0, 20))
    return {
        "type": "http", "http_version": "1.1", "raw_path": path, "path": path.decode("utf-8", "replace"),
        "method": ("POST", "POST", "POST", "GET", "GET", "PUT", "get", "\xe9")[data.ConsumeIntInRange(0, 7)],
        "root_path": "", "query_string": query, "headers": headers, "client": ("203.0.113.7", 1),
        "server": ("127.0.0.1", 8700), "scheme": "http", "state": {},
    }  # fmt: skip


async def _ask(door, scope: dict, messages: list[dict]) -> list[dict]:
    coming, sent = iter(messages), []

    async def receive() -> dict:
        return next(coming, {"type": "http.disconnect"})

    async def send(message: dict) -> None:
        if message["type"] == "http.response.start" and sent:
            raise RuntimeError("the answer has begun")  # as the server does
        sent.append(message)

    await door(scope, receive, send)
    return sent


def _check(sent: list[dict]) -> None:
    if not sent or [one["type"] for one in sent].count("http.response.start") != 1:
        raise AssertionError("a request has one answer")
    status, fields = sent[0]["status"], dict(sent[0]["headers"])
    body = b"".join(one.get("body", b"") for one in sent[1:])
    for name, value in sent[0]["headers"]:
        if b"\r" in name + value or b"\n" in name + value:
            raise AssertionError("a field that is two")
    if b"hunter2" in body:
        raise AssertionError("a secret came out")
    _check_body(status, fields, body)


def _check_body(status: int, fields: dict[bytes, bytes], body: bytes) -> None:
    kind = fields.get(b"content-type", b"")
    if kind == b"application/vnd.amazon.eventstream":
        buffer = EventStreamBuffer()
        buffer.add_data(body)
        if [one.headers[":event-type"] for one in buffer][-1] != "InvokeComplete":
            raise AssertionError("a stream without an end")
    elif b"x-amzn-errortype" in fields:
        if not {"message", "Message"} & json.loads(body).keys() or status < 400:
            raise AssertionError("an error that is none")
    elif status >= 400 and kind == b"application/problem+json" and json.loads(body)["status"] != status:
        raise AssertionError("a problem does not say what it is")
    if status == 500 and not ROOMS.has_raised:
        raise AssertionError("something that nobody foresaw")


def TestOneInput(data: bytes) -> None:  # noqa: N802 - libFuzzer's name
    """Ask once; raise where anything but one answer in form comes out."""
    given = atheris.FuzzedDataProvider(data)
    ROOMS.has_raised = False
    ROOMS.way = given.ConsumeIntInRange(0, 200)
    scope = _scope(given)
    body = (b"{}", b'{"a": 1}', b"", b"[")[given.ConsumeIntInRange(0, 3)] + given.ConsumeBytes(
        given.ConsumeIntInRange(0, 30)
    )
    messages = [{"type": "http.request", "body": body, "more_body": given.ConsumeIntInRange(0, 7) == 0}]
    door = URLS if scope["raw_path"].startswith(b"/function-url") else API
    _check(LOOP.run_until_complete(_ask(door, scope, messages)))


LOOP = asyncio.new_event_loop()


def main() -> None:
    """Fuzz, beginning from seeds of our own where no corpus is named."""
    logging.getLogger("actas").setLevel(logging.CRITICAL)
    if not any(not one.startswith("-") for one in sys.argv[1:]):
        corpus = Path(tempfile.mkdtemp(prefix="fuzz-lambda-api-"))
        for number in range(64):
            (corpus / f"seed-{number}").write_bytes(bytes((number * 37 + step * 11) % 256 for step in range(160)))
        sys.argv.append(str(corpus))
    atheris.Setup(sys.argv, TestOneInput)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
