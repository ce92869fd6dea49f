"""The one order of a call: what happens, in which order, and what does not happen after a failure."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import anyio
import pytest

from actas.audit.errors import DiskFull
from actas.errors import ActasError
from actas.gateway import Gateway, House
from actas.identify.errors import TokenExpired
from actas.model.call import Call
from actas.model.decision import Allow, Deny, Grant, Reason
from actas.model.evidence import BearerToken, SamlResponse
from actas.model.facts import Known
from actas.model.identity import Actor, Identity, Kind
from actas.model.outcome import Answered, Refused, Streamed
from actas.model.secret import Secret
from actas.model.session import NO_ROLE

pytestmark = pytest.mark.anyio
NOW = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)
NAME = "01M84C8NMY5F7PP43C6AAK7H8X"
WHY = (Reason(code="said-so", because="a rule says so"),)


class TooMany(ActasError):
    code, hint, status = "test.too-many", "Wait.", 429


class Broken(ActasError):
    code, hint, status = "test.broken", "Mend it.", 502


@pytest.fixture
def anyio_backend():
    return "asyncio"


def identity():
    return Identity(
        provider="corp",
        issuer="https://sso.example",
        subject="ana",
        kind=Known(Kind.HUMAN),
        expires_at=NOW + timedelta(minutes=5),
        issued_at=NOW,
        evidence="bearer",
        evidence_id="of-a-test",
        actors=(Actor(issuer="https://sso.example", subject="robot"),),
    )


def grant():
    return Grant(
        identity=identity(),
        function="report",
        function_arn="arn:aws:lambda:us-east-1:000000000000:function:report:$LATEST",
        qualifier="$LATEST",
        role=None,
        rules=(),
        facts=(),
        fence=(),
        expires_at=NOW + timedelta(minutes=5),
        generation="g1",
    )


class Body:
    """A body of two pieces that tells when it is closed."""

    def __init__(self, rooms, wrong=None):
        self.rooms, self.wrong, self.left = rooms, wrong, [b"a", b"b"]

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self):
        if not self.left:
            if self.wrong:
                raise self.wrong
            raise StopAsyncIteration
        return self.left.pop(0)

    async def aclose(self):
        self.rooms.heard.append("body closed")


class InUse:
    """Sessions in use by as many as hold them."""

    def __init__(self, rooms):
        self.rooms, self.by = rooms, 0

    def __enter__(self):
        self.by += 1
        return NO_ROLE

    def __exit__(self, *_error):
        self.by -= 1
        if not self.by:
            self.rooms.heard.append("given back")


class Rooms:
    """Every room of a house in one, each keeping its whole promise, and all writing down when they are asked."""

    def __init__(self):
        self.heard, self.records = [], []
        self.fails: dict[str, BaseException] = {}
        self.knows = False
        self.decision = Allow(grant=grant(), reasons=WHY)
        self.outcome = Answered(payload=b"done")
        self.durable = anyio.Event()
        self.durable.set()

    def _at(self, what):
        self.heard.append(what)
        if (wrong := self.fails.get(what)) is not None:
            raise wrong

    def known(self, _token, _now):
        self._at("known")
        return identity() if self.knows else None

    async def verify(self, _evidence, *, now):
        self._at("verify")
        return identity()

    def admit(self, _identity, *, now):
        self._at("admit")

    def decide(self, question):
        self._at("decide")
        self.question = question
        return self.decision

    async def take(self, _grant, _broker, *, now, evidence=None):
        self._at("take")

        return InUse(self)

    async def invoke(self, delivery):
        self._at("invoke")
        self.delivery = delivery
        return self.outcome

    async def close(self):
        self._at("close")

    async def of(self, _issuer, subject):
        return f"pseudonym of {subject}"

    async def decided(self, record):
        self._at("decided")
        await self.durable.wait()
        self.heard.append("durable")
        self.records.append(record)

    def ended(self, record):
        self.heard.append("ended")
        self.records.append(record)

    def stranger(self, reason, _address):
        self.heard.append(f"stranger {reason}")

    def house(self, **more):
        parts = {"backends": {"report": self}, "brokers": {None: self}, "envelope": lambda *_: "an.envelope.here"}
        parts |= {"seals": self, "marks": self, "issuer": "https://actas.example"}
        return House(identify=self, decider=self, admits=self, takes=self, audit=self, **{**parts, **more})

    @property
    def ends(self):
        return [(one.outcome, one.error) for one in self.records if hasattr(one, "outcome")]


@pytest.fixture
def rooms():
    return Rooms()


@pytest.fixture
def gateway(rooms):
    return Gateway(rooms.house(), lambda: NOW)


def call(**more):
    return Call(id=NAME, function="report", payload=b"{}", received_at=NOW, **more)


EVIDENCE = BearerToken(shown=Secret("abc"))
WHOLE = ["known", "verify", "admit", "decide", "decided", "durable", "take", "invoke", "given back", "ended"]


async def test_a_call_goes_through_every_room_once_and_in_order(gateway, rooms):
    outcome = await gateway.serve(call(), EVIDENCE)

    assert outcome == Answered(payload=b"done")
    assert rooms.heard == WHOLE
    assert rooms.ends == [("answered", None)]
    assert gateway.ended == {("answered", "report"): 1}


async def test_a_token_that_is_known_is_not_verified_again(gateway, rooms):
    rooms.knows = True

    await gateway.serve(call(), EVIDENCE)

    assert rooms.heard == [one for one in WHOLE if one != "verify"]


async def test_a_no_runs_nothing_and_is_kept(gateway, rooms):
    rooms.decision = Deny(reasons=WHY, generation="g1")

    outcome = await gateway.serve(call(), EVIDENCE)

    assert outcome == Refused(decision=rooms.decision)
    assert rooms.heard == ["known", "verify", "admit", "decide", "decided", "durable", "ended"]
    assert rooms.records[0].verdict == "deny"
    assert rooms.ends == [("refused", None)]


async def test_nothing_is_done_before_it_is_written_down(gateway, rooms):
    rooms.durable = anyio.Event()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(gateway.serve, call(), EVIDENCE)
        await anyio.wait_all_tasks_blocked()
        before = list(rooms.heard)
        rooms.durable.set()

    assert before == WHOLE[: WHOLE.index("durable")]
    assert rooms.heard == WHOLE


FAILURES = [
    (
        "a stranger is counted and nothing else",
        "verify",
        TokenExpired,
        ["known", "verify", "stranger identify.token-expired"],
        [],
    ),
    ("a caller who calls too often is not decided upon", "admit", TooMany, WHOLE[:3], []),
    ("nothing is done that cannot be written down", "decided", DiskFull, WHOLE[:5], []),
    ("a role that cannot be taken ends the call", "take", Broken, [*WHOLE[:7], "ended"], [("failed", "test.broken")]),
    ("a function that cannot be run ends the call", "invoke", Broken, WHOLE, [("failed", "test.broken")]),
    ("what nobody foresaw ends it as well", "invoke", ValueError, WHOLE, [("failed", "actas.unexpected")]),
    ("a call that is cancelled was hung up on", "invoke", anyio.get_cancelled_exc_class, WHOLE, [("hung-up", None)]),
]


def made(kind):
    match kind.__name__:
        case "DiskFull":
            return DiskFull(why="no space is left")
        case "get_cancelled_exc_class":
            return kind()()
        case "ValueError":
            return kind("x")
        case _:
            return kind(why="it is so") if kind is TokenExpired else kind("it is so")


@pytest.mark.parametrize(
    ("room", "kind", "heard", "ends"), [one[1:] for one in FAILURES], ids=[one[0] for one in FAILURES]
)
async def test_after_a_failure(room, kind, heard, ends, gateway, rooms):
    wrong = rooms.fails[room] = made(kind)

    with pytest.raises(type(wrong)) as raised:
        await gateway.serve(call(), EVIDENCE)

    assert raised.value is wrong
    assert rooms.heard == heard
    assert rooms.ends == ends


async def test_a_function_that_is_not_there_ends_as_failed_and_is_counted_without_its_name(rooms):
    gateway = Gateway(rooms.house(backends={}), lambda: NOW)

    with pytest.raises(ActasError):
        await gateway.serve(call(), EVIDENCE)

    assert rooms.ends == [("failed", "invoke.no-such-function")]
    assert gateway.ended == {("failed", ""): 1}


async def test_a_functions_own_failure_is_an_answer(gateway, rooms):
    rooms.outcome = Answered(payload=b"{}", function_error="Unhandled", log_hash="ab")

    await gateway.serve(call(), EVIDENCE)

    assert rooms.ends == [("function-error", None)]
    assert rooms.records[-1].log_hash == "ab"


async def test_the_decision_says_all_that_the_trail_keeps_and_no_name(gateway, rooms):
    await gateway.serve(call(address=Known(ip_address("203.0.113.7")), trace_id="t", requested_role="reader"), EVIDENCE)

    record = rooms.records[0]
    assert (record.call, record.function, record.verdict, record.reasons) == (NAME, "report", "allow", ("said-so",))
    assert (record.subject, record.actors) == ("pseudonym of ana", ("pseudonym of robot",))
    assert (record.kind, record.generation, record.trace) == ("human", "g1", "t")
    assert rooms.question.requested_role == "reader"
    assert "203.0.113.7" not in repr(rooms.records)


async def test_a_yes_that_is_only_observed_is_kept_as_that(gateway, rooms):
    rooms.decision = replace(rooms.decision, observed=WHY)

    await gateway.serve(call(), EVIDENCE)

    assert rooms.records[0].verdict == "observe"


async def test_a_call_ends_in_the_house_it_began_in(gateway, rooms):
    other = Rooms()
    rooms.durable = anyio.Event()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(gateway.serve, call(), EVIDENCE)
        await anyio.wait_all_tasks_blocked()
        gateway.house = other.house()
        rooms.durable.set()

    assert rooms.heard == WHOLE
    assert other.heard == []


class TestBodies:
    @staticmethod
    async def pieces(*, wrong=None):
        yield b"a"
        if wrong is not None:
            raise wrong
        yield b"b"

    async def test_a_body_under_way_is_read_only_after_the_decision(self, gateway, rooms):
        rooms.decision = Deny(reasons=WHY, generation="g1")
        body = self.pieces(wrong=Broken("it is so"))

        await gateway.serve(call(body=body), EVIDENCE)

        assert rooms.ends == [("refused", None)]
        await body.aclose()

    async def test_a_backend_that_does_not_stream_gets_it_whole(self, gateway, rooms):
        await gateway.serve(call(body=self.pieces()), EVIDENCE)

        assert (rooms.delivery.call.payload, rooms.delivery.call.body) == (b"ab", None)

    async def test_a_body_that_breaks_off_runs_nothing(self, gateway, rooms):
        with pytest.raises(Broken):
            await gateway.serve(call(body=self.pieces(wrong=Broken("it is so"))), EVIDENCE)

        assert "invoke" not in rooms.heard
        assert rooms.ends == [("failed", "test.broken")]


class TestStreams:
    async def test_the_call_ends_when_its_answer_does(self, gateway, rooms):
        rooms.outcome = Streamed(status=200, headers=(), body=Body(rooms))

        outcome = await gateway.serve(call(), EVIDENCE)
        before = list(rooms.ends)
        pieces = [piece async for piece in outcome.body]

        assert (before, pieces) == ([], [b"a", b"b"])
        assert rooms.ends == [("answered", None)]
        assert rooms.heard.count("given back") >= 1
        await outcome.body.aclose()
        assert len(rooms.ends) == 1

    async def test_an_answer_that_is_given_up_half_way_was_hung_up_on(self, gateway, rooms):
        rooms.outcome = Streamed(status=200, headers=(), body=Body(rooms))

        outcome = await gateway.serve(call(), EVIDENCE)
        await outcome.body.__anext__()
        await outcome.body.aclose()

        assert rooms.ends == [("hung-up", None)]
        assert rooms.heard[-1] == "body closed"

    async def test_an_answer_that_breaks_off_has_failed(self, gateway, rooms):
        rooms.outcome = Streamed(status=200, headers=(), body=Body(rooms, Broken("it is so")))

        outcome = await gateway.serve(call(), EVIDENCE)
        with pytest.raises(Broken):
            [piece async for piece in outcome.body]

        assert rooms.ends == [("failed", "test.broken")]


SHOWN = [
    ("a token", EVIDENCE, "abc"),
    ("an assertion", SamlResponse(shown=Secret("PHNhbWw+"), provider="ping", recipient="https://a.example"), None),
]


@pytest.mark.parametrize(("evidence", "passed"), [row[1:] for row in SHOWN], ids=[row[0] for row in SHOWN])
async def test_only_a_token_can_be_passed_on_as_one(gateway, rooms, evidence, passed):
    await gateway.serve(call(), evidence)

    token = rooms.delivery.token
    assert (token and token.reveal()) == passed
