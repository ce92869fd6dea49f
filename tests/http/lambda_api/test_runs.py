"""What becomes of an event between being kept and being over: real jobs in a real database, and a gateway of a test."""

import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import anyio
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actas import store
from actas.assume.errors import RevocationsUnread, SessionExpired, SessionRevoked
from actas.http.errors import TooManyEvents, TooManyEventsOfCaller
from actas.http.lambda_api import later, telling
from actas.http.lambda_api.directory import Directory
from actas.http.lambda_api.later import Kept, Later
from actas.http.lambda_api.shares import Room, Waiting, whose
from actas.http.lambda_api.telling import Tells
from actas.invoke.errors import TooDeep
from actas.invoke.local.errors import ProcessLost, TooManyCalls
from actas.model import clock
from actas.model.call import Call
from actas.model.decision import Deny, Reason
from actas.model.held import Held
from actas.model.outcome import Answered, Refused, Streamed
from actas.model.rule_ref import RuleRef
from actas.secrets.resting import Resting
from actas.settings.schema import Function
from actas.settings.schema_functions import Asynchronous
from actas.store.errors import JobUnfit
from actas.store.outbox import LARGEST, Again, Dead, Done, Job, Outbox

pytestmark = pytest.mark.anyio
ARN = "arn:aws:lambda:eu-west-1:111122223333:function:report:$LATEST"
FAILED = Answered(payload=b'{"errorMessage":"it is so"}', function_error="Unhandled")
REFUSED = Refused(decision=Deny(reasons=(Reason(code="rule-gone", because="it went"),), generation="g"))
NOW = clock.now()
ROOM = Room(events=100, of_one=50, size=10_000_000)


@pytest.fixture
def anyio_backend():
    return "asyncio"


def held(**more):
    said = {
        "purpose": "work",
        "access_key_id": "ASIAEXAMPLE",
        "secret_access_key": "a-secret-that-signs",
        "issued_at": NOW,
        "expires_at": NOW + timedelta(hours=1),
        "provider": "corp",
        "issuer": "https://sso.example",
        "subject": "pseudonym",
        "actors": (),
        "kind": "human",
        "authenticated_at": None,
        "mfa": None,
        "evidence_expires_at": NOW + timedelta(hours=1),
        "role": "reader",
        "role_arn": "arn:aws:iam::111122223333:role/reader",
        "rules": (RuleRef(id="r", digest="d"),),
        "facts": (("actas:groups", '["finance"]'),),
        "functions": (ARN,),
    }
    return Held(**{**said, **more})


def call(**more):
    return Call(**{"id": "ACCEPTED", "function": "report", "payload": b'{"who": "Chidi"}', "received_at": NOW, **more})


@dataclass
class Gateway:
    """Answers as it is told, in turn, and writes down what came."""

    answers: list = field(default_factory=list)
    calls: list = field(default_factory=list)

    async def serve_session(self, asked, session):
        self.calls.append((asked, session))
        return self._next()

    async def serve_event(self, asked, source, key):
        self.calls.append((asked, source, key))
        return self._next()

    def _next(self):
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


class Bench:
    """Everything that an event passes through."""

    def __init__(self, outbox, asynchronous, answers, **more):
        self.outbox, self.gateway = outbox, Gateway(list(answers))
        function = Function(python="f.py:handler", asynchronous=asynchronous)
        directory = Directory({"report": function}, [("report", ARN)], region="eu-west-1", account="111122223333")
        self.now = NOW
        self.tells = Tells(outbox=outbox, gateway=self.gateway, clock=lambda: self.now, pause=timedelta())
        self.later = Later(
            outbox=outbox,
            gateway=self.gateway,
            directory=lambda: directory,
            tells=self.tells,
            clock=lambda: self.now,
            chance=lambda: 1.0,
            pauses=(timedelta(), timedelta()),
            room=lambda: more.get("room", ROOM),
        )

    async def until_over(self, *queues):
        """Work until nothing is left."""
        with anyio.fail_after(60):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(lambda: self.outbox.run(later.QUEUE, self.later.work, at_once=4))
                tasks.start_soon(lambda: self.outbox.run(telling.QUEUE, self.tells.work, at_once=4))
                while not await self._is_over():  # noqa: ASYNC110 - the database tells nobody
                    await anyio.sleep(0.01)
                tasks.cancel_scope.cancel()

    async def _is_over(self):
        for queue in (later.QUEUE, telling.QUEUE):
            counts = await self.outbox.counts(queue)
            if counts.waiting + counts.running:
                return False
        return True

    def runs(self):
        return [asked for asked, *rest in self.gateway.calls if len(rest) == 1]

    def records(self):
        return [json.loads(asked.payload) for asked, *rest in self.gateway.calls if len(rest) == 2]

    async def dead(self):
        return [one.why for one in await self.outbox.dead(later.QUEUE)]


@pytest.fixture
def bench(tmp_path):
    @asynccontextmanager
    async def made(*answers, asynchronous=None, **more):
        opened = await store.open(tmp_path)
        try:
            seals = Resting(tmp_path / "resting.json", clock.now)
            yield Bench(Outbox(opened, clock.now, seals=seals), asynchronous or Asynchronous(), answers, **more)
        finally:
            await opened.close()

    return made


async def test_an_event_is_run_by_the_session_that_sent_it_and_forgotten(bench):
    async with bench(Answered(payload=b"null")) as one:
        await one.later.keep(call(trace_id="t", depth=2, root="ROOT"), held())
        await one.until_over()

        ((asked, session),) = one.gateway.calls
        assert (asked.function, asked.payload, asked.request_id) == ("report", b'{"who": "Chidi"}', "ACCEPTED")
        assert (asked.root, asked.depth, asked.is_detached, asked.trace_id) == ("ROOT", 2, True, "t")
        assert asked.id != "ACCEPTED"
        assert (session.subject, session.rules, session.functions) == ("pseudonym", held().rules, (ARN,))
        assert await one.dead() == []


async def test_the_root_of_an_event_from_outside_is_the_call_that_was_accepted(bench):
    async with bench(Answered(payload=b"null")) as one:
        await one.later.keep(call(), held())
        await one.until_over()

        assert one.runs()[0].root == "ACCEPTED"


async def test_what_is_kept_cannot_be_read_in_the_database_and_signs_nothing(bench, tmp_path):
    async with bench() as one:
        await one.later.keep(call(), held())
        (job,) = await bodies(one.outbox)

        assert b"Chidi" not in job
        octets = b"".join(file.read_bytes() for file in tmp_path.iterdir() if file.is_file())
        assert b"Chidi" not in octets
        assert b"a-secret-that-signs" not in octets
    kept = Kept(request="r", function="f", payload=b"Chidi", accepted_at=NOW, held=held(), root="r", depth=0)
    assert "Chidi" not in repr(kept)
    named = later.without_secret(held()).secret_access_key
    assert "a-secret-that-signs" not in named
    assert named != later.without_secret(held(secret_access_key="another")).secret_access_key


async def bodies(outbox):
    import sqlalchemy as sa

    from actas.store.tables import OUTBOX

    async with outbox.store.read() as connection:
        return [row.body for row in (await connection.execute(sa.select(OUTBOX.c.body))).all()]


@pytest.mark.parametrize("retries", [0, 1, 2])
async def test_a_function_that_fails_is_run_again_as_often_as_it_says(retries, bench):
    settings = Asynchronous(retries=retries, on_failure="alarm")
    async with bench(*[FAILED] * (retries + 1), Answered(payload=b"null"), asynchronous=settings) as one:
        await one.later.keep(call(), held())
        await one.until_over()

        assert [asked.request_id for asked in one.runs()] == ["ACCEPTED"] * (retries + 1)
        assert len({asked.id for asked in one.runs()}) == retries + 1
        (record,) = one.records()
        assert record["requestContext"] == {
            "requestId": "ACCEPTED",
            "functionArn": ARN,
            "condition": "RetriesExhausted",
            "approximateInvokeCount": retries + 1,
        }
        assert record["requestPayload"] == {"who": "Chidi"}
        assert record["responseContext"] == {
            "statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled",
        }  # fmt: skip
        assert record["responsePayload"] == {"errorMessage": "it is so"}
        assert await one.dead() == ["the function failed"]


async def test_a_function_that_fails_once_and_then_not_is_a_success(bench):
    settings = Asynchronous(on_failure="alarm", on_success="ledger")
    async with bench(FAILED, Answered(payload=b'"fine"'), Answered(payload=b"null"), asynchronous=settings) as one:
        await one.later.keep(call(), held())
        await one.until_over()

        (record,) = one.records()
        assert record["requestContext"]["condition"] == "Success"
        assert record["requestContext"]["approximateInvokeCount"] == 2
        assert record["responseContext"] == {"statusCode": 200, "executedVersion": "$LATEST"}
        assert record["responsePayload"] == "fine"
        assert one.gateway.calls[-1][0].function == "ledger"
        assert await one.dead() == []


async def test_a_job_that_a_crash_makes_us_work_on_twice_is_run_again_once_more_and_no_oftener(bench):
    async with bench(FAILED, FAILED) as one:
        await one.later.keep(call(), held())
        body = msgspec.msgpack.encode(
            Kept(request="ACCEPTED", function="report", payload=b"{}", accepted_at=NOW, held=held(), root="R", depth=0)
        )
        job = Job(
            id="j", queue=later.QUEUE, key=f"{whose(held())}:ACCEPTED:0", lane=None, body=body, attempt=1, put_at=NOW
        )

        assert [await one.later.work(job), await one.later.work(job)] == [Done(), Done()]

        counts = await one.outbox.counts(later.QUEUE)
        assert counts.waiting == 2  # what was kept, and one run more


ENDED = [
    ("a session that ended", SessionExpired(expired_at=NOW, now=NOW), "assume.session-expired"),
    ("a session that was revoked", SessionRevoked(), "assume.session-revoked"),
    ("rules that say no now", REFUSED, "refused: rule-gone"),
]


@pytest.mark.parametrize(("answer", "why"), [one[1:] for one in ENDED], ids=[one[0] for one in ENDED])
async def test_nothing_is_run_for_whoever_has_no_access_any_more(answer, why, bench):
    settings = Asynchronous(on_failure="alarm")
    async with bench(answer, Answered(payload=b"null"), asynchronous=settings) as one:
        await one.later.keep(call(), held())
        await one.until_over()

        assert len(one.runs()) == 1
        assert await one.dead() == [why]
        (record,) = one.records()
        assert record["requestContext"]["condition"] == "AccessEnded"
        assert record["requestContext"]["approximateInvokeCount"] == 0
        assert "responsePayload" not in record
        asked, source, key = one.gateway.calls[-1]
        assert (source, asked.depth, asked.root) == ("destinations", 0, "ACCEPTED")
        assert key == f"{whose(held())}:ACCEPTED:0:alarm"


async def test_an_event_that_is_too_old_is_not_run(bench):
    settings = Asynchronous(on_failure="alarm")
    async with bench(Answered(payload=b"null"), asynchronous=settings) as one:
        await one.later.keep(call(), held())
        one.now = NOW + timedelta(hours=6)
        await one.until_over()

        assert one.runs() == []
        assert one.records()[0]["requestContext"]["condition"] == "EventAgeExceeded"
        assert await one.dead() == ["it is too old"]
        await one.later.count()
        assert one.later.gauges() == {"later_waiting": 0, "later_dead": 1, "later_forgotten": 0}


async def test_an_event_that_is_just_young_enough_is_run(bench):
    async with bench(Answered(payload=b"null")) as one:
        await one.later.keep(call(), held())
        one.now = NOW + timedelta(hours=6) - timedelta(seconds=1)
        await one.until_over()

        assert len(one.runs()) == 1


TROUBLE = [
    ("too many calls", TooManyCalls(function="f", at_once=1, waiting=1)),
    ("a process that was lost", ProcessLost(function="f", delivered=True)),
    ("revocations that cannot be read", RevocationsUnread()),
]


@pytest.mark.parametrize("trouble", [one[1] for one in TROUBLE], ids=[one[0] for one in TROUBLE])
@pytest.mark.parametrize(("attempt", "seconds"), [(1, 1), (2, 2), (3, 4), (9, 256), (10, 300), (1000, 300)])
async def test_trouble_of_ours_is_waited_out_ever_longer(trouble, attempt, seconds, bench):
    async with bench(trouble) as one:
        await one.later.keep(call(), held())
        body = msgspec.msgpack.encode(
            Kept(request="R", function="report", payload=b"{}", accepted_at=NOW, held=held(), root="R", depth=0)
        )
        job = Job(id="j", queue=later.QUEUE, key=None, lane=None, body=body, attempt=attempt, put_at=NOW)

        verdict = await one.later.work(job)

        assert verdict == Again(timedelta(seconds=seconds), trouble.code)


async def test_what_can_never_be_run_is_not_tried_again(bench):
    async with bench(TooDeep(function="f", depth=6, allowed=5)) as one:
        await one.later.keep(call(), held())
        await one.until_over()

        assert await one.dead() == ["invoke.too-deep"]


async def test_a_function_that_the_settings_have_no_more_is_not_run(bench):
    empty = Directory({}, [], region="eu-west-1", account="111122223333")
    async with bench() as one:
        one.later.directory = lambda: empty
        await one.later.keep(call(), held())
        await one.until_over()

        assert await one.dead() == ["the settings have no such function any more"]


@pytest.mark.parametrize("body", [b"", b"\xc1", msgspec.msgpack.encode({"request": "r"})])
async def test_what_cannot_be_read_is_set_apart(body, bench):
    job = Job(id="j", queue="q", key=None, lane=None, body=body, attempt=1, put_at=NOW)
    async with bench() as one:
        assert isinstance(await one.later.work(job), Dead)
        assert isinstance(await one.tells.work(job), Dead)


ANA, BEN, CHIDI = (held(subject=name) for name in ("p-ana", "p-ben", "p-chidi"))


async def test_one_caller_is_told_to_come_again_while_others_are_taken(bench):
    room = Room(events=100, of_one=2, size=10_000_000)
    async with bench(*[Answered(payload=b"null")] * 3, room=room) as one:
        await one.later.keep(call(id="A"), ANA)
        await one.later.keep(call(id="B"), ANA)
        with pytest.raises(TooManyEventsOfCaller):
            await one.later.keep(call(id="C"), ANA)
        await one.later.keep(call(id="C"), BEN)

        await one.until_over()
        await one.later.keep(call(id="D"), ANA)  # what was done makes room at once
        await one.later.keep(call(id="E"), ANA)
        with pytest.raises(TooManyEventsOfCaller):
            await one.later.keep(call(id="F"), ANA)
        await one.later.count()
        with pytest.raises(TooManyEventsOfCaller):
            await one.later.keep(call(id="G"), ANA)
        await one.later.keep(call(id="G"), BEN)


async def test_sessions_of_one_caller_share_what_the_caller_may(bench):
    async with bench(room=Room(events=100, of_one=1, size=10_000_000)) as one:
        await one.later.keep(call(id="A"), ANA)
        with pytest.raises(TooManyEventsOfCaller):
            await one.later.keep(call(id="B"), held(subject="p-ana", access_key_id="ASIAOTHER", role="writer"))
        await one.later.keep(call(id="B"), held(subject="p-ana", provider="azure"))


async def test_beyond_so_many_that_wait_everybody_is_told_to_come_again(bench):
    async with bench(*[Answered(payload=b"null")] * 2, room=Room(events=2, of_one=2, size=10_000_000)) as one:
        await one.later.keep(call(id="A"), ANA)
        await one.later.keep(call(id="B"), BEN)
        with pytest.raises(TooManyEvents):
            await one.later.keep(call(id="C"), CHIDI)

        await one.until_over()
        await one.later.keep(call(id="C"), CHIDI)


async def test_bytes_count_as_events_do_and_whoever_has_none_waiting_may_have_one(bench):
    async with bench(room=Room(events=10, of_one=5, size=2400)) as one:  # a caller may have half of it
        await one.later.keep(call(id="A", payload=bytes(5000)), ANA)
        with pytest.raises(TooManyEventsOfCaller):
            await one.later.keep(call(id="B", payload=b""), ANA)
        with pytest.raises(TooManyEvents):
            await one.later.keep(call(id="B", payload=b""), BEN)


async def test_what_another_gateway_keeps_counts_when_it_is_counted(bench):
    room = Room(events=100, of_one=1, size=10_000_000)
    async with bench(room=room) as here, bench(room=room) as there:
        await there.later.keep(call(id="A"), ANA)
        await here.later.count()
        with pytest.raises(TooManyEventsOfCaller):
            await here.later.keep(call(id="B"), ANA)
        await here.later.keep(call(id="B"), BEN)


async def test_what_could_not_be_kept_takes_nobody_s_place(bench):
    async with bench(room=Room(events=100, of_one=1, size=10_000_000)) as one:
        with pytest.raises(JobUnfit):
            await one.later.keep(call(id="A", payload=bytes(LARGEST + 1)), ANA)
        await one.later.keep(call(id="B"), ANA)
        again = await one.later.keep(call(id="B"), BEN)  # another caller's, whatever it is called

    assert again is None


@pytest.mark.parametrize(
    ("room", "left"),
    [
        (Room(events=100, of_one=50, size=10_000_000), {"p-ana": [1, 2, 3, 4], "p-ben": [1, 2]}),
        (Room(events=100, of_one=3, size=10_000_000), {"p-ana": [2, 3, 4], "p-ben": [1, 2]}),
        (Room(events=4, of_one=3, size=10_000_000), {"p-ana": [3, 4], "p-ben": [1, 2]}),
        (Room(events=100, of_one=100, size=1), {"p-ana": [], "p-ben": []}),
    ],
    ids=["all that fit", "the latest of a caller who has too much", "the latest of all", "nothing where no byte may"],
)
async def test_of_what_is_set_apart_the_oldest_is_forgotten_where_it_is_too_much(bench, room, left):
    async with bench(*[REFUSED] * 6, room=room) as one:
        for number, who in ((1, ANA), (2, ANA), (3, ANA), (4, ANA), (1, BEN), (2, BEN)):
            await one.later.keep(call(id=f"C{number}"), who)
            await one.until_over()
        await one.later.count()
        names = {whose(who): who.subject for who in (ANA, BEN)}
        found = {name: [] for name in names.values()}
        for dead in await one.outbox.dead(later.QUEUE):
            who, request, _ = dead.key.split(":")
            found[names[who]].append(int(request[1:]))
        gauges = one.later.gauges()

    kept = sum(map(len, left.values()))
    assert {name: sorted(numbers) for name, numbers in found.items()} == left
    assert gauges == {"later_waiting": 0, "later_dead": kept, "later_forgotten": 6 - kept}


async def test_whose_an_event_is_cannot_be_read_in_the_database(bench, tmp_path):
    async with bench() as one:
        await one.later.keep(call(), held(subject="p-somebody"))

        assert b"p-somebody" not in b"".join(file.read_bytes() for file in tmp_path.iterdir() if file.is_file())
        assert whose(held(subject="p-somebody")) != whose(held(subject="p-other"))


SENT = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 30)), max_size=40)


@given(SENT, st.integers(1, 12), st.integers(1, 12), st.integers(1, 200))
def test_nobody_waits_with_more_than_a_share_and_all_together_with_no_more_than_fits(sent, events, of_one, size):
    room, waiting, taken = Room(events=events, of_one=of_one, size=size), Waiting(), []
    for who, length in sent:
        try:
            waiting.admit(who, length, room)
        except (TooManyEvents, TooManyEventsOfCaller):
            continue
        waiting.add(who, length)
        taken.append((who, length))

    assert len(taken) == waiting.events <= events
    for who in "abc":
        mine = [length for one, length in taken if one == who]
        assert len(mine) <= of_one
        assert sum(mine) <= room.size_of_one or len(mine) == 1
    for who, length in taken:
        waiting.add(who, length, count=-1)
    assert waiting == Waiting()


class Body:
    def __init__(self, *pieces):
        self.left, self.is_closed = list(pieces), False

    def __aiter__(self):
        return self

    async def __anext__(self):
        if not self.left:
            raise StopAsyncIteration
        return self.left.pop(0)

    async def aclose(self):
        self.is_closed = True


@pytest.mark.parametrize(("status", "runs"), [(200, 1), (404, 3)], ids=["a good status", "a bad one"])
async def test_a_service_over_http_is_run_later_too(status, runs, bench):
    answers = [Streamed(status=status, headers=(), body=Body(b"o", b"k")) for _ in range(3)]
    async with bench(*answers) as one:
        await one.later.keep(call(), held())
        await one.until_over()

        assert len(one.runs()) == runs
        assert all(answer.body.is_closed for answer in answers[:runs])


@pytest.mark.parametrize(
    ("answers", "calls", "dead"),
    [
        ([Answered(payload=b"null")], 1, []),
        ([FAILED, FAILED, Answered(payload=b"null")], 3, []),
        ([FAILED, FAILED, FAILED], 3, ["the function failed"]),
        ([REFUSED], 1, ["refused: rule-gone"]),
        ([TooDeep(function="f", depth=6, allowed=5)], 1, ["invoke.too-deep"]),
        ([ProcessLost(function="f", delivered=True), Answered(payload=b"null")], 2, []),
    ],
    ids=["at once", "at the third time", "never", "no rule lets it", "too deep", "after trouble"],
)
async def test_a_destination_is_told_up_to_three_times(answers, calls, dead, bench):
    async with bench(*answers) as one:
        await one.tells.tell("alarm", b'{"a": 1}', key="k", root="R", depth=1)
        await one.tells.tell("alarm", b'{"a": 1}', key="k", root="R", depth=1)  # the same is told once
        await one.until_over()

        assert len(one.gateway.calls) == calls
        assert [found.why for found in await one.outbox.dead(telling.QUEUE)] == dead
        assert len({asked.request_id for asked, *_ in one.gateway.calls}) == 1


def test_a_record_of_a_moment_is_written_as_aws_writes_it():
    from actas.http.lambda_api.records import About, Told, record

    about = About(request="r", arn=ARN, payload=b"7", condition="Success", attempts=1, told=Told(payload=b"\xff<no"))
    made = json.loads(record(about, at=datetime(2026, 11, 23, 9, 5, 7, 123456, tzinfo=UTC)))

    assert made["timestamp"] == "2026-11-23T09:05:07.123Z"
    assert made["requestPayload"] == 7
    assert made["responsePayload"] == "\ufffd<no"
    large = About(
        request="r", arn=ARN, payload=b"7", condition="Success", attempts=1, told=Told(payload=b"1" * 262_145)
    )
    assert json.loads(record(large, at=NOW))["responsePayload"] is None


async def test_what_is_set_apart_is_shown_at_the_desk_for_events(bench):
    from actas.events.desk import Desk

    async with bench(REFUSED, REFUSED, asynchronous=Asynchronous(on_failure="alarm")) as one:
        await one.later.keep(call(), held())
        await one.until_over()
        others = {later.QUEUE: later.about, telling.QUEUE: telling.about}
        desk = Desk(one.outbox, None, {}, others, keep=timedelta(days=30))

        letters = await desk.dead()

        told = [(found.function, found.source, found.kind, found.why) for found in letters]
        assert sorted(told) == [
            ("alarm", "destinations", "record", "refused: rule-gone"),
            ("report", "lambda-api", "event", "refused: rule-gone"),
        ]
        assert await desk.dead(most=1) == letters[:1]
        assert len(await desk.replay([found.id for found in letters])) == 2
    assert (later.about(b""), telling.about(b""))[0][0] == "?"
