"""A delivery is a call like any other, asked again until it is answered or set apart."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from actas.errors import ActasError
from actas.events.courier import FIRST, LONGEST, Courier, Manner
from actas.events.jobs import QUEUE, Delivered
from actas.http.errors import TooManyCalls
from actas.invoke.errors import NoSuchFunction
from actas.model.decision import Deny, Reason
from actas.model.outcome import Answered, Refused, Streamed
from actas.store.outbox import Again, Dead, Done, Job

pytestmark = pytest.mark.anyio
AT = datetime(2026, 3, 14, 12, tzinfo=UTC)


class Gateway:
    """Answers as it is told to, and remembers what it was asked."""

    def __init__(self, outcome):
        self.outcome, self.calls = outcome, []

    async def serve_event(self, call, source, key):
        self.calls.append((call, source, key))
        if isinstance(self.outcome, ActasError):
            raise self.outcome
        return self.outcome


class Body:
    def __init__(self):
        self.left = [b"a", b"b"]

    def __aiter__(self):
        return self

    async def __anext__(self):
        if not self.left:
            raise StopAsyncIteration
        return self.left.pop()

    async def aclose(self):
        self.left = []


def job(attempt=1, body=None):
    wanted = Delivered(
        function="deprovision", role="runner", source="hr", kind="role-revoked", heard_at=AT, format="cloudevents",
        data={"role": "admin"},
    )  # fmt: skip
    body = msgspec.json.encode(wanted) if body is None else body
    return Job(id="j-1", queue=QUEUE, key="k-1", lane=None, body=body, attempt=attempt, put_at=AT)


async def verdict(outcome, attempt=1, chance=1.0, body=None):
    manner = Manner(attempts=4, account="111122223333", region="eu-west-1")
    gateway = Gateway(outcome)
    one = Courier(gateway, lambda: manner, lambda: AT, lambda: chance)
    return await one.work(job(attempt, body)), gateway.calls, one


FAILED = Answered(payload=b'{"errorType": "KeyError", "errorMessage": "ana"}', function_error="Unhandled")
BUSY = TooManyCalls(whose="caller", retry_after=1)
REFUSED = Refused(decision=Deny(reasons=(Reason(code="no-rule", because="nobody may"),), generation="g"))


async def test_an_answer_settles_it_and_the_call_is_the_source_s():
    found, ((call, source, key),), one = await verdict(Answered(payload=b"1"))

    assert found == Done()
    assert (call.function, call.requested_role, call.door, source, key) == (
        "deprovision", "runner", "events", "hr", "k-1",
    )  # fmt: skip
    assert msgspec.json.decode(call.payload)["id"] == "k-1"
    assert msgspec.json.decode(call.payload)["data"] == {"role": "admin"}
    assert (one.delivered, one.again, one.dead) == (1, 0, 0)


async def test_each_attempt_tells_the_function_the_same_key_in_the_event_and_in_the_context():
    told = []
    for attempt in (1, 2):
        _, ((call, _, _),), _ = await verdict(FAILED, attempt)
        told.append((msgspec.json.decode(call.payload)["id"], call.client_context))

    assert told[0] == told[1]
    assert told[0] == ("k-1", {"custom": {"idempotency_key": "k-1"}})


CASES = [
    ("a function that fails", FAILED, 1, Again(timedelta(seconds=FIRST), "function error: KeyError")),
    ("one that fails again", FAILED, 2, Again(timedelta(seconds=2 * FIRST), "function error: KeyError")),
    ("one that fails the last time", FAILED, 4, Dead("function error: KeyError")),
    ("a refusal", REFUSED, 1, Dead("refused: no-rule")),
    ("no such function", NoSuchFunction(function="x"), 1, Dead(NoSuchFunction.code)),
    ("too many calls", BUSY, 1, Again(timedelta(seconds=FIRST), TooManyCalls.code)),
    ("too many calls the last time", BUSY, 4, Dead(TooManyCalls.code)),
    ("an answer that is none of ours", Answered(payload=b"<", function_error="Unhandled"), 1,
     Again(timedelta(seconds=FIRST), "function error: unknown")),
    ("a streamed answer", Streamed(status=200, headers=(), body=Body()), 1, Done()),
    ("a streamed failure", Streamed(status=502, headers=(), body=Body()), 1,
     Again(timedelta(seconds=FIRST), "status 502")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("outcome", "attempt", "wanted"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
async def test_what_becomes_of_a_delivery(outcome, attempt, wanted):
    found, _, _ = await verdict(outcome, attempt)

    assert found == wanted
    assert "ana" not in str(found)


async def test_waits_grow_differ_and_end_somewhere():
    manner = Manner(attempts=100_000, account="", region="")
    waits = []
    for chance in (0.0, 1.0):
        one = Courier(Gateway(FAILED), lambda: manner, lambda: AT, lambda chance=chance: chance)
        waits.append([(await one.work(job(attempt))).after.total_seconds() for attempt in (1, 2, 5, 50_000)])

    assert waits == [[0.5, 1.0, 8.0, LONGEST / 2], [1.0, 2.0, 16.0, LONGEST]]


async def test_a_delivery_of_another_version_is_set_apart_and_calls_nobody():
    found, calls, _ = await verdict(Answered(payload=b""), body=b'{"function": 1}')

    assert isinstance(found, Dead)
    assert calls == []
