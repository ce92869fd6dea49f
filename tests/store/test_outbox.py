"""What was put is worked on, in order where an order was asked for, and settled by itself."""

from contextlib import asynccontextmanager
from datetime import timedelta

import anyio
import pytest

from actas import store
from actas.model import clock
from actas.store.errors import JobUnfit
from actas.store.outbox import Again, Dead, Done, Outbox

pytestmark = pytest.mark.anyio
QUICK = timedelta(milliseconds=300)


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture(params=["sqlite", "postgresql"])
def opened(request, tmp_path):
    url = None if request.param == "sqlite" else request.getfixturevalue("fresh_postgresql")

    @asynccontextmanager
    async def run(**options):
        one = await store.open(tmp_path, url=url)
        try:
            yield Outbox(one, clock.now, **options)
        finally:
            await one.close()

    return run


async def until(outbox, queue, work, *, settled, at_once=4):
    """Work on the queue until *settled* says that it is enough."""
    with anyio.fail_after(60):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(lambda: outbox.run(queue, work, at_once=at_once))
            while not await settled():  # noqa: ASYNC110 - the database tells nobody
                await anyio.sleep(0.01)
            tasks.cancel_scope.cancel()


def empty(outbox, queue):
    async def settled():
        counts = await outbox.counts(queue)
        return counts.waiting + counts.running == 0

    return settled


async def test_what_was_put_is_worked_on_once_with_all_that_was_put(opened):
    seen = []

    async def work(job):
        seen.append((job.queue, job.key, job.lane, job.body, job.attempt))
        return Done()

    async with opened() as outbox:
        assert await outbox.put(queue="mail", body=b"one", key="k1", lane="ana")
        await until(outbox, "mail", work, settled=empty(outbox, "mail"))

    assert seen == [("mail", "k1", "ana", b"one", 1)]


async def test_a_key_is_taken_once_in_a_queue_and_stays_taken_when_its_job_is_done(opened):
    async def work(job):
        return Done()

    async with opened() as outbox:
        first = await outbox.put(queue="mail", body=b"one", key="k1")
        second = await outbox.put(queue="mail", body=b"two", key="k1")
        elsewhere = await outbox.put(queue="post", body=b"two", key="k1")
        await until(outbox, "mail", work, settled=empty(outbox, "mail"))
        after = await outbox.put(queue="mail", body=b"three", key="k1")

    assert [first is None, second is None, elsewhere is None, after is None] == [False, True, False, True]


async def test_jobs_without_a_key_are_all_different(opened):
    async with opened() as outbox:
        ids = {await outbox.put(queue="mail", body=b"same") for _ in range(3)}

    assert len(ids) == 3
    assert None not in ids


async def test_a_hundred_puts_at_once_are_all_kept_and_each_key_once(opened):
    ids = []

    async with opened() as outbox:

        async def one(number):
            ids.append(await outbox.put(queue="mail", body=b"x", key=f"k{number % 50}"))

        async with anyio.create_task_group() as tasks:
            for number in range(100):
                tasks.start_soon(one, number)
        counts = await outbox.counts("mail")

    assert (counts.waiting, len([one for one in ids if one])) == (50, 50)


async def test_a_lane_is_worked_on_in_order_though_its_first_job_is_tried_again(opened):
    seen = []

    async def work(job):
        seen.append((job.lane, job.body, job.attempt))
        if job.body == b"a1" and job.attempt < 3:
            return Again(timedelta(milliseconds=20), "busy")
        return Done()

    async with opened() as outbox:
        for lane in "ab":
            for number in range(1, 4):
                await outbox.put(queue="mail", body=f"{lane}{number}".encode(), lane=lane)
        await until(outbox, "mail", work, settled=empty(outbox, "mail"))

    assert [one for one in seen if one[0] == "a"] == [
        ("a", b"a1", 1), ("a", b"a1", 2), ("a", b"a1", 3), ("a", b"a2", 1), ("a", b"a3", 1),
    ]  # fmt: skip
    assert [one[1] for one in seen if one[0] == "b"] == [b"b1", b"b2", b"b3"]


async def test_other_lanes_go_on_while_one_waits(opened):
    began = {lane: anyio.Event() for lane in "ab"}

    async def work(job):
        began[job.lane].set()
        for event in began.values():
            await event.wait()
        return Done()

    async with opened() as outbox:
        await outbox.put(queue="mail", body=b"", lane="a")
        await outbox.put(queue="mail", body=b"", lane="b")
        await until(outbox, "mail", work, settled=empty(outbox, "mail"))

    assert all(event.is_set() for event in began.values())


async def test_no_more_jobs_run_at_once_than_asked_for(opened):
    now, most = 0, 0

    async def work(job):
        nonlocal now, most
        now += 1
        most = max(most, now)
        await anyio.sleep(0.01)
        now -= 1
        return Done()

    async with opened() as outbox:
        for _ in range(12):
            await outbox.put(queue="mail", body=b"")
        await until(outbox, "mail", work, settled=empty(outbox, "mail"), at_once=3)

    assert most <= 3


async def test_a_dead_job_tells_why_lets_its_lane_go_on_and_is_worked_on_again_when_replayed(opened):
    seen = []

    async def work(job):
        seen.append(job.body)
        return Dead("the function refuses it") if seen.count(b"bad") == 1 and job.body == b"bad" else Done()

    async with opened() as outbox:
        await outbox.put(queue="mail", body=b"bad", key="k", lane="a")
        await outbox.put(queue="mail", body=b"good", lane="a")
        await until(outbox, "mail", work, settled=empty(outbox, "mail"))
        (dead,) = await outbox.dead("mail")
        again = await outbox.put(queue="mail", body=b"bad", key="k")
        replayed = [await outbox.replay(dead.id), await outbox.replay("nothing")]
        await until(outbox, "mail", work, settled=empty(outbox, "mail"))
        left = await outbox.dead("mail")

    assert (dead.why, dead.key, dead.body, dead.attempts) == ("the function refuses it", "k", b"bad", 1)
    assert again is None
    assert replayed == [True, False]
    assert seen == [b"bad", b"good", b"bad"]
    assert left == []


async def test_a_job_comes_no_earlier_than_it_is_due(opened):
    early = []

    async with opened() as outbox:
        due = clock.now() + timedelta(seconds=0.6)

        async def work(job):
            early.append((job.body, clock.now() < due))
            return Done()

        await outbox.put(queue="mail", body=b"soon")
        await until(outbox, "mail", work, settled=empty(outbox, "mail"))
        await outbox.put(queue="mail", body=b"late", due=due)
        await until(outbox, "mail", work, settled=empty(outbox, "mail"))

    assert [body for body, _ in early] == [b"soon", b"late"]
    assert early[1] == (b"late", False)


async def test_work_longer_than_a_lease_keeps_its_job(opened):
    began = 0

    async def work(job):
        nonlocal began
        began += 1
        await anyio.sleep(3 * QUICK.total_seconds())
        return Done()

    async with opened(lease=QUICK) as outbox:
        await outbox.put(queue="mail", body=b"")

        async def both():
            async with anyio.create_task_group() as tasks:
                for _ in range(2):
                    tasks.start_soon(lambda: outbox.run("mail", work, at_once=2))

        with anyio.move_on_after(10) as scope:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(both)
                while not await empty(outbox, "mail")():  # noqa: ASYNC110 - the database tells nobody
                    await anyio.sleep(0.02)
                tasks.cancel_scope.cancel()

    assert (began, scope.cancelled_caught) == (1, False)


async def test_what_is_not_done_when_a_gateway_stops_is_given_back_at_once_and_does_not_count(opened):
    attempts = []

    async def never(job):
        attempts.append(job.attempt)
        await anyio.sleep_forever()

    async def work(job):
        attempts.append(job.attempt)
        return Done()

    async def begun():
        return bool(attempts)

    async with opened(lease=timedelta(hours=1)) as outbox:
        await outbox.put(queue="mail", body=b"")
        await until(outbox, "mail", never, settled=begun)
        await until(outbox, "mail", work, settled=empty(outbox, "mail"))

    assert attempts == [1, 1]


async def test_work_that_crashes_is_tried_again_and_harms_nobody_else(opened, caplog):
    seen = []

    async def work(job):
        seen.append((job.body, job.attempt))
        if job.body == b"bad" and job.attempt == 1:
            raise ValueError("nobody foresaw this")
        return Done()

    async with opened() as outbox:
        await outbox.put(queue="mail", body=b"bad")
        await outbox.put(queue="mail", body=b"good")
        await until(outbox, "mail", work, settled=empty(outbox, "mail"))

    assert sorted(seen) == [(b"bad", 1), (b"bad", 2), (b"good", 1)]
    assert "store.job-crashed" in caplog.text


async def test_a_job_that_lies_in_the_database_cannot_be_read_there(opened, tmp_path):
    class Reverses:
        def seal(self, body, about):
            return about + body[::-1]

        def open(self, sealed, about):
            assert sealed.startswith(about)
            return sealed.removeprefix(about)[::-1]

    seen = []

    async def work(job):
        seen.append(job.body)
        return Done()

    async with opened(seals=Reverses()) as outbox:
        name = await outbox.put(queue="mail", body=b"secret")
        async with outbox.store.read() as connection:
            kept = (await connection.exec_driver_sql("select body from outbox")).scalar_one()
        await until(outbox, "mail", work, settled=empty(outbox, "mail"))
        async with outbox.store.read() as connection:
            after = (await connection.exec_driver_sql("select body from outbox")).scalar_one()

    assert (kept, seen, after) == (name.encode() + b"terces", [b"secret"], b"")


async def test_settled_jobs_are_forgotten_after_their_time_and_open_ones_never(opened):
    async def work(job):
        return Dead("no") if job.body == b"bad" else Done()

    async with opened() as outbox:
        for body in (b"good", b"bad"):
            await outbox.put(queue="mail", body=body, key=body.decode())
        await until(outbox, "mail", work, settled=empty(outbox, "mail"))
        await outbox.put(queue="mail", body=b"open")
        purged = [
            await outbox.purge(done=timedelta(hours=1), dead=timedelta(hours=1)),
            await outbox.purge(done=timedelta(), dead=timedelta(hours=1)),
            await outbox.purge(done=timedelta(), dead=timedelta()),
        ]
        left = await outbox.counts("mail")
        anew = await outbox.put(queue="mail", body=b"good", key="good")

    assert (purged, left.waiting, left.dead) == ([0, 1, 1], 1, 0)
    assert anew is not None


@pytest.mark.parametrize(
    ("what", "is_kept"),
    [
        ({"queue": "q" * 64, "body": b""}, True),
        ({"queue": "q" * 65, "body": b""}, False),
        ({"queue": "q", "body": b"", "key": "k" * 200}, True),
        ({"queue": "q", "body": b"", "key": "k" * 201}, False),
        ({"queue": "q", "body": b"", "lane": "a\0b"}, False),
        ({"queue": "q", "body": b"", "lane": "ä"}, False),
        ({"queue": "q", "body": bytes(16 * 1024 * 1024 + 1)}, False),
    ],
    ids=[
        "a queue's name of 64", "one of 65", "a key of 200", "one of 201", "a zero", "beyond ASCII", "a body too large",
    ],
)  # fmt: skip
async def test_what_a_database_would_refuse_is_refused_before_it_gets_there(tmp_path, what, is_kept):
    opened = await store.open(tmp_path)
    try:
        if is_kept:
            assert await Outbox(opened, clock.now).put(**what)
        else:
            with pytest.raises(JobUnfit):
                await Outbox(opened, clock.now).put(**what)
    finally:
        await opened.close()


async def test_what_another_gateway_puts_is_worked_on_though_nobody_tells(opened):
    seen = []

    async def work(job):
        seen.append(job.body)
        return Done()

    async def done():
        return len(seen) == 2

    async with opened() as ours, opened() as theirs:
        await ours.put(queue="mail", body=b"before")

        async def put_late():
            while not seen:  # noqa: ASYNC110 - the runner has begun, and found nothing more
                await anyio.sleep(0.01)
            await anyio.sleep(0.05)
            await theirs.put(queue="mail", body=b"after")

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(put_late)
            await until(ours, "mail", work, settled=done)

    assert seen == [b"before", b"after"]


async def test_another_gateway_is_woken_by_a_notification(fresh_postgresql, tmp_path):
    heard = anyio.Event()
    here = await store.open(tmp_path, url=fresh_postgresql)
    there = await store.open(tmp_path, url=fresh_postgresql)
    try:
        ours, theirs = Outbox(here, clock.now), Outbox(there, clock.now)
        theirs.wake = lambda queue: heard.set()
        with anyio.fail_after(30):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(theirs.listen)
                while not heard.is_set():
                    await ours.put(queue="mail", body=b"")
                    await anyio.sleep(0.05)
                tasks.cancel_scope.cancel()
    finally:
        await here.close()
        await there.close()

    assert heard.is_set()
