"""Handing out the work session of a call: to the function that it is of, while it is under way, and to nobody else.

STS is a double that verifies the signature with the library's verifier; what it leaves out is everything else of STS.
"""

import json
import threading
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import msgspec
import pytest

from actas import jose, sigv4
from actas.assume.errors import BrokerUnreachable
from actas.assume.exchange import Exchange
from actas.audit.errors import NotRunning
from actas.http.errors import MalformedRequest, TooManyCalls
from actas.http.work_sessions import Now, WorkSessionRefused, handed
from actas.invoke.envelope import Minter
from actas.invoke.in_flight import MOST, InFlight
from actas.lambda_ import proof
from actas.model import clock
from actas.settings.schema import Function
from actas.testing.contracts import backend as contract

pytestmark = pytest.mark.anyio
ISSUER = "https://actas.example"
KEY = jose.Key.generate("ES256", kid="one")
ARN = "arn:aws:lambda:eu-west-1:111122223333:function:billing"
EXEC = "arn:aws:iam::111122223333:role/service/billing-exec"
WHO = "arn:aws:sts::111122223333:assumed-role/billing-exec/billing"
EXECUTION = sigv4.Credentials("ASIAEXECUTIONROLE1", "secret-of-the-execution-role", "token")
ANSWER = """<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>{}</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>"""
ERROR = """<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Code>SignatureDoesNotMatch</Code>
</Error></ErrorResponse>"""


class Sts(BaseHTTPRequestHandler):
    """STS's side of the wire."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.asked.append(dict(self.headers))
        try:
            sigv4.verify(
                "POST", f"https://{self.headers['host']}/", list(self.headers.items()), body,
                find_secret=lambda key, _token: EXECUTION.secret_access_key if key == EXECUTION.access_key_id else None,
                now=clock.now(), region="eu-west-1", service="sts",
            )  # fmt: skip
        except sigv4.SigV4Error:
            self.answer(403, ERROR)
            return
        self.server.then()
        self.answer(200, ANSWER.format(self.server.who))

    def answer(self, status, text):
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_words):
        pass


@pytest.fixture
def sts():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Sts)
    server.asked, server.who, server.then = [], WHO, lambda: None
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


class Trail:
    """Keeps in memory, or cannot."""

    def __init__(self):
        self.kept, self.broken = [], False

    async def keep(self, entry):
        if self.broken:
            raise NotRunning
        self.kept.append(entry)


class Seen:
    """Remembers in memory."""

    def __init__(self):
        self.names = {}

    async def once(self, issuer, name, until):
        return self.names.setdefault((issuer, name), until) is until


@pytest.fixture
def trail():
    return Trail()


@pytest.fixture
def delivery():
    made = contract.delivery(b"{}")
    return replace(
        made,
        call=replace(made.call, function="billing"),
        grant=replace(made.grant, function="billing", function_arn=f"{ARN}:$LATEST"),
    )


@pytest.fixture
async def now(sts, trail, delivery):
    function = msgspec.convert(
        {"lambda": ARN, "execution_role": EXEC, "sts": f"http://127.0.0.1:{sts.server_port}/"},
        Function, dec_hook=lambda cls, text: cls.read(text),
    )  # fmt: skip
    exchange, flights = Exchange(random=lambda: 0.0), InFlight()
    flights.begin(delivery)
    yield Now(
        front=None, gateway=None, patience=None, flights=flights, exchange=exchange, audit=trail,
        keys=lambda: {"keys": [{**KEY.to_json(), "alg": "ES256"}]}, once=Seen().once, issuer=ISSUER,
        is_over=lambda _grant, _began: False,
        functions={"billing": function},
    )  # fmt: skip
    await exchange.close()


@pytest.fixture
def shown(delivery):
    def make(*, key=KEY, issuer=ISSUER, gateway=ISSUER, credentials=EXECUTION, region="eu-west-1", at=None, **changes):
        mint = Minter(issuer=issuer, newest=lambda: key)
        envelope = mint(delivery.call, delivery.grant, b"{}", clock.now())
        made = proof.prove(credentials, envelope=envelope, gateway=gateway, region=region, now=at or clock.now())
        return msgspec.json.encode(msgspec.structs.replace(made, **changes))

    return make


async def test_the_function_of_the_call_gets_its_work_session(now, shown, delivery, trail):
    given = json.loads(await handed(now, shown(), clock.now()))

    work = delivery.sessions.work
    assert given["AccessKeyId"] == work.access_key_id
    assert given["SecretAccessKey"] == work.secret_access_key.reveal()
    assert given["SessionToken"] == work.session_token.reveal()
    (kept,) = trail.kept
    assert (kept.call, kept.function, kept.role) == (delivery.call.id, "billing", "reader")


async def test_sts_is_asked_where_the_settings_say_and_shown_no_secret(now, shown, sts):
    await handed(now, shown(), clock.now())

    (head,) = sts.asked
    assert head["Host"] == "sts.eu-west-1.amazonaws.com"
    assert EXECUTION.secret_access_key not in str(head)


async def test_nothing_is_handed_out_that_cannot_be_recorded(now, shown, trail):
    trail.broken = True
    with pytest.raises(NotRunning):
        await handed(now, shown(), clock.now())


async def test_a_proof_counts_once(now, shown, sts, trail):
    body = shown()
    await handed(now, body, clock.now())
    with pytest.raises(WorkSessionRefused, match="shown before"):
        await handed(now, body, clock.now())

    assert (len(sts.asked), len(trail.kept)) == (1, 1)


async def test_another_proof_of_the_same_call_counts_too_up_to_a_limit(now, shown):
    at = clock.now()
    for second in range(MOST):
        await handed(now, shown(at=at - timedelta(seconds=second)), at)
    with pytest.raises(TooManyCalls):
        await handed(now, shown(at=at + timedelta(seconds=1)), at)


OTHERS = [
    ("another role", "arn:aws:sts::111122223333:assumed-role/other/billing"),
    ("the same role of another account", "arn:aws:sts::444455556666:assumed-role/billing-exec/billing"),
    ("the same role taken by another function", "arn:aws:sts::111122223333:assumed-role/billing-exec/report"),
    ("a user", "arn:aws:iam::111122223333:user/billing"),
    ("another partition", WHO.replace("aws:", "aws-cn:", 1)),
]


@pytest.mark.parametrize("who", [row[1] for row in OTHERS], ids=[row[0] for row in OTHERS])
async def test_whoever_else_signed_gets_nothing(now, shown, sts, trail, who):
    sts.who = who
    with pytest.raises(WorkSessionRefused, match="not of this function's execution role"):
        await handed(now, shown(), clock.now())

    assert trail.kept == []


STRANGERS = [
    ("an envelope by another key", {"key": jose.Key.generate("ES256", kid="one")}, "envelope does not hold"),
    ("an envelope of another gateway", {"issuer": "https://other.example"}, "envelope does not hold"),
    ("no envelope", {"envelope": "a.b.c"}, "envelope does not hold"),
    ("a proof for another gateway", {"gateway": "https://other.example"}, "STS does not take the proof"),
    ("another's secret", {"credentials": sigv4.Credentials("ASIAEXECUTIONROLE1", "x", "t")}, "STS does not take"),
    ("another region", {"region": "us-east-1"}, "another region"),
    ("no signature", {"authorization": "AWS4"}, "not in the form"),
]


@pytest.mark.parametrize(("changes", "why"), [row[1:] for row in STRANGERS], ids=[row[0] for row in STRANGERS])
async def test_what_does_not_hold_is_refused(now, shown, trail, changes, why):
    with pytest.raises(WorkSessionRefused, match=why):
        await handed(now, shown(**changes), clock.now())

    assert trail.kept == []


async def test_a_proof_of_another_minute_is_refused(now, shown, sts):
    with pytest.raises(WorkSessionRefused, match="not of this minute"):
        await handed(now, shown(at=clock.now() - timedelta(seconds=70)), clock.now())

    assert sts.asked == []


async def test_a_call_that_is_over_has_no_session(now, shown, sts, delivery):
    now.flights.end(delivery)
    with pytest.raises(WorkSessionRefused, match="not under way"):
        await handed(now, shown(), clock.now())

    assert sts.asked == []


async def test_a_call_that_ends_while_sts_is_asked_has_no_session(now, shown, sts, delivery, trail):
    sts.then = lambda: now.flights.end(delivery)
    with pytest.raises(WorkSessionRefused, match="the call is over"):
        await handed(now, shown(), clock.now())

    assert trail.kept == []


async def test_a_call_whose_caller_was_revoked_meanwhile_has_no_session(now, shown, delivery, trail):
    asked = []
    over = replace(now, is_over=lambda grant, began: asked.append((grant, began)) or True)
    with pytest.raises(WorkSessionRefused, match="revoked"):
        await handed(over, shown(), clock.now())

    assert asked == [(delivery.grant, delivery.sessions.began)]
    assert trail.kept == []


async def test_a_function_without_an_execution_role_in_the_settings_has_no_session(now, shown):
    plain = msgspec.structs.replace(now.functions["billing"], execution_role=None)
    for functions in ({"billing": plain}, {}):
        with pytest.raises(WorkSessionRefused, match="no execution_role"):
            await handed(replace(now, functions=functions), shown(), clock.now())


BODIES = [
    b"",
    b"{}",
    b"[]",
    b"\xff",
    b'{"envelope": 1}',
    b'{"envelope":"","date":"","authorization":"","token":"","x":1}',
]


@pytest.mark.parametrize("body", BODIES)
async def test_what_is_no_proof_is_malformed(now, body):
    with pytest.raises(MalformedRequest):
        await handed(now, body, clock.now())


async def test_an_sts_that_is_not_there_is_told_from_one_that_says_no(now, shown):
    function = msgspec.structs.replace(now.functions["billing"], sts="http://127.0.0.1:1/")
    with pytest.raises(BrokerUnreachable):
        await handed(replace(now, functions={"billing": function}), shown(), clock.now())
