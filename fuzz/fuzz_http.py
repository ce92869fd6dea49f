"""Feed the door raw ASGI scopes and bodies: every one is answered once, and nothing but an answer comes out.

Run it as ``python fuzz/fuzz_http.py [corpus folder] [libFuzzer arguments]``.
"""

import asyncio
import json
import logging
import re
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["actas.http", "actas.model.paths"]):
    from actas.http import addresses, control
    from actas.http.calls import CallDoor, Front
    from actas.http.routes import Routes
    from actas.model.decision import Deny, Reason
    from actas.model.facts import Known, Missing
    from actas.model.outcome import Answered, Refused, Streamed
    from actas.settings.schema import Function, Gateway, Limits, Proxies, RateLimits, Settings
    from actas.settings.values import Network, Size

NOW = datetime(2026, 3, 14, tzinfo=UTC)
SECRET = b"hunter2.hunter2.hunter2"
ROUTES = ("GET /orders/{id}", "GET /orders/new", "POST /orders", "ANY /web/{rest+}", "GET /{any+}")
GATEWAY = Gateway(
    proxies=Proxies(networks=(Network.read("127.0.0.0/8"),)),
    limits=Limits(body=Size(300), headers=Size(700), target=Size(130), header_count=12, rate=RateLimits(network=0)),
)
SETTINGS = Settings(gateway=GATEWAY, functions={"web": Function(http="http://192.0.2.1", routes=ROUTES)})
CALL_ID = re.compile(rb"[0-9A-HJKMNP-TV-Z]{26}")
NAMES = (
    b"host", b"authorization", b"content-length", b"transfer-encoding", b"actas-role", b"traceparent",
    b"x-forwarded-for",
    b"forwarded", b"content-type", b"x-user", b"connection",
)  # fmt: skip
BEGINNINGS = (b"/call/web", b"/call/", b"/web/a", b"/web/", b"/orders/7", b"/orders", b"/", b"", b"/healthz")
METHODS = ("GET", "GET", "POST", "POST", "GET", "POST", "HEAD", "OPTIONS", "get", "", "TRACE", "\xe9")


class Pieces:
    """A body of an answer."""

    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = iter(pieces)
        self.closed = False

    def __aiter__(self) -> "Pieces":
        return self

    async def __anext__(self) -> bytes:
        for piece in self._pieces:
            return piece
        raise StopAsyncIteration

    async def aclose(self) -> None:
        self.closed = True


class Rooms:
    """A gateway behind the door that answers in the ways there are."""

    def __init__(self) -> None:
        self.calls = []
        self.way = 0

    def stranger(self, code, _address):
        assert code.startswith("http.")

    async def serve(self, call, evidence):
        body = call.payload if call.body is None else b"".join([piece async for piece in call.body])
        if len(body) > 300:
            raise AssertionError("a body beyond the limit came through")
        if evidence.shown.reveal().encode() in repr((call, evidence)).encode() and len(evidence.shown.reveal()) > 12:
            raise AssertionError("the token can be seen")
        if call.function != "web" and not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", call.function):
            raise AssertionError("a name that no function has came through")
        if call.route is not None and ("//" in call.route.path or "/../" in f"{call.route.path}/"):
            raise AssertionError("a path came through that can be read in two ways")
        if not (call.address is Missing.UNKNOWN or isinstance(call.address, Known)):
            raise AssertionError("an address is known or not")
        self.calls.append(call)
        headers = (("X-Own", body.decode("latin-1")[:20].replace("\r", "").replace("\n", "")), ("Connection", "x"))
        match self.way % 5:
            case 0:
                return Answered(payload=body)
            case 1:
                return Answered(payload=body, status=100 + self.way * 7, headers=headers)
            case 2:
                return Streamed(status=90 + self.way * 9, headers=headers, body=Pieces([body, b"x"]))
            case 3:
                reason = Reason(code="said-so", because="a rule says so")
                return Refused(decision=Deny(reasons=(reason,), generation="g"))
            case _:
                raise ValueError(body)


ROOMS = Rooms()
DOOR = CallDoor(ROOMS, Front(settings=GATEWAY, routes=Routes(SETTINGS)), control.public_app(control.Told(
    ready=lambda: {"ready": True}, jwks=lambda: {"keys": []}
)))  # fmt: skip


def _scope(data: atheris.FuzzedDataProvider) -> dict:
    headers = [(b"host", b"a.example")] if data.ConsumeIntInRange(0, 15) else []
    if data.ConsumeIntInRange(0, 7):
        headers.append((b"authorization", b"Bearer " + SECRET))
    for _ in range((0, 0, 1, 1, 2, 3, 6, 14)[data.ConsumeIntInRange(0, 7)]):
        name = NAMES[data.ConsumeIntInRange(0, len(NAMES) - 1)] if data.ConsumeBool() else b"x-other"
        headers.append((name, data.ConsumeBytes(data.ConsumeIntInRange(0, 60))))
    begin = BEGINNINGS[data.ConsumeIntInRange(0, len(BEGINNINGS) - 1)]
    path = begin + data.ConsumeBytes((0, 0, 1, 3, 20, 120)[data.ConsumeIntInRange(0, 5)])
    return {
        "type": "http",
        "http_version": "1.1",
        "method": METHODS[data.ConsumeIntInRange(0, len(METHODS) - 1)],
        "raw_path": path,
        "path": path.decode("utf-8", "replace"),
        "root_path": "",
        "query_string": data.ConsumeBytes(data.ConsumeIntInRange(0, 40)),
        "headers": headers,
        "client": (("127.0.0.1", "203.0.113.7", "", "fe80::1%x")[data.ConsumeIntInRange(0, 3)], 1),
        "server": ("127.0.0.1", 8700),
        "scheme": "http",
        "state": {},
    }


def _messages(data: atheris.FuzzedDataProvider) -> list[dict]:
    found = [
        {"type": "http.request", "body": data.ConsumeBytes(data.ConsumeIntInRange(0, 200)), "more_body": True}
        for _ in range(data.ConsumeIntInRange(0, 3))
    ]
    if data.ConsumeBool() and found:
        found[-1]["more_body"] = False
    return found


async def _ask(scope: dict, messages: list[dict]) -> list[dict]:
    coming, sent = iter(messages), []

    async def receive() -> dict:
        return next(coming, {"type": "http.disconnect"})

    async def send(message: dict) -> None:
        if message["type"] == "http.response.start" and sent:
            raise RuntimeError("the answer has begun")  # as the server does
        sent.append(message)

    await DOOR(scope, receive, send)
    return sent


def _check(scope: dict, sent: list[dict]) -> None:
    if (
        not sent
        or sent[0]["type"] != "http.response.start"
        or [one["type"] for one in sent].count(sent[0]["type"]) != 1
    ):
        raise AssertionError("a request has one answer")
    status, head = sent[0]["status"], sent[0]["headers"]
    if not 200 <= status <= 999:
        raise AssertionError("no final status")
    for name, value in head:
        if b"\r" in name + value or b"\n" in name + value:
            raise AssertionError("a field that is two")
    body = b"".join(one.get("body", b"") for one in sent[1:])
    if SECRET in body or any(SECRET in value for _, value in head):
        raise AssertionError("the token came back")
    _check_problem(status, dict(head), body)
    if status == 500 and ROOMS.way % 5 != 4:
        raise AssertionError("something that nobody foresaw")
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    if len(hosts) != 1 and status < 400:
        raise AssertionError("a request without one host was taken")


def _check_problem(status: int, fields: dict[bytes, bytes], body: bytes) -> None:
    if fields.get(b"content-type") != b"application/problem+json":
        return
    told = json.loads(body)
    if told["status"] != status or not CALL_ID.fullmatch(fields[b"actas-call-id"]):
        raise AssertionError("a problem does not say what it is")
    if (status == 401) != (b"www-authenticate" in fields) and status != 400:
        raise AssertionError("a challenge is missing")


def TestOneInput(data: bytes) -> None:  # noqa: N802 - libFuzzer's name
    """Ask once; raise where anything but one answer comes out."""
    given = atheris.FuzzedDataProvider(data)
    ROOMS.way = given.ConsumeIntInRange(0, 200)
    scope, messages = _scope(given), _messages(given)
    sent = LOOP.run_until_complete(_ask(scope, messages))
    _check(scope, sent)
    if DOOR.front.flights.now:
        raise AssertionError("a request that is over is counted")
    ROOMS.calls.clear()
    addresses.client("127.0.0.1", scope["headers"], GATEWAY.proxies)


LOOP = asyncio.new_event_loop()


def main() -> None:
    """Fuzz, beginning from seeds of our own where no corpus is named."""
    logging.getLogger("actas").setLevel(logging.CRITICAL)
    if not any(not one.startswith("-") for one in sys.argv[1:]):
        corpus = Path(tempfile.mkdtemp(prefix="fuzz-http-"))
        for number in range(64):
            (corpus / f"seed-{number}").write_bytes(bytes((number * 37 + step * 11) % 256 for step in range(200)))
        sys.argv.append(str(corpus))
    atheris.Setup(sys.argv, TestOneInput)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
