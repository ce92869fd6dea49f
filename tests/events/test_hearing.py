"""Sources are asked and told, each in its own way, and what they bring is theirs alone to bring."""

from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import anyio
import pytest

from actas.events.desk import Desk
from actas.events.errors import EventMalformed, NoSuchSource
from actas.events.hearing import Hearing
from actas.events.interface import Advice, Batch, Health, Listed, Pushed, Reply
from actas.events.jobs import QUEUE
from actas.events.sources.errors import MalformedDelivery
from actas.model import clock
from actas.store import heard_rows
from actas.store.outbox import Done

pytestmark = pytest.mark.anyio
AT = datetime(2026, 3, 14, 12, tzinfo=UTC)
KEEP = timedelta(days=3650)


class Told:
    """A source that is pushed to: what the body names happened."""

    name, provider = "hr", "corp"

    def __init__(self, event, speaks_for="hr"):
        self._event, self._speaks_for, self.closed = event, speaks_for, 0

    def health(self):
        return Health()

    async def close(self):
        self.closed += 1

    async def receive(self, pushed, *, now):
        if pushed.body == b"forged":
            raise MalformedDelivery(why="it is forged")
        made = tuple(self._event(one.decode()) for one in pushed.body.split())
        if self._speaks_for != "hr":
            made = tuple(type(one)(**{name: getattr(one, name) for name in one.__slots__} | {"source": "other"})
                         for one in made)  # fmt: skip
        return Reply(status=204, events=made)


class Asked(Told):
    """A source that is asked: it has a list, and gives two at a time."""

    every = timedelta(milliseconds=20)

    def __init__(self, event, names=()):
        super().__init__(event)
        self.names, self.asked, self.fails = list(names), [], 0

    receive = None

    async def poll(self, cursor, *, now):
        self.asked.append(cursor)
        if self.fails:
            self.fails -= 1
            raise MalformedDelivery(why="it has a bad moment")
        start = int(cursor or 0)
        found = self.names[start : start + 2]
        end = start + len(found)
        return Batch(events=tuple(map(self._event, found)), cursor=str(end), more=end < len(self.names))

    async def compare(self, since, *, until):
        for name in self.names:
            yield Listed(id=name, happened_at=AT, kind="role-revoked")

    async def examine(self, *, now):
        return (Advice(code="retention-too-short", severity="warning", message="one day is kept", hint="Keep more."),)


@pytest.fixture
def hearing(gateway, settings):
    @asynccontextmanager
    async def opened(source, **more):
        async with gateway(settings(), **more) as room:
            one = Hearing(room.inbox, room.store, clock.now)
            await one.replace({source.name: source})
            yield room, one

    return opened


async def heard(room):
    async with room.store.read() as connection:
        return await heard_rows.latest(connection, after=-1, most=100, source=None)


async def until(holds, tasks):
    with anyio.fail_after(30):
        while not await holds():  # noqa: ASYNC110 - the database tells nobody
            await anyio.sleep(0.02)
    tasks.cancel_scope.cancel()


def push(body):
    return Pushed(method="POST", query="", headers=(), body=body, received_at=AT)


async def test_what_is_pushed_is_heard_before_it_is_answered(hearing, event):
    async with hearing(Told(event)) as (room, one):
        reply = await one.pushed("hr", push(b"e1 e2"))
        found = await heard(room)

    assert (reply.status, len(found)) == (204, 2)


async def test_what_the_source_refuses_is_not_heard(hearing, event):
    async with hearing(Told(event)) as (room, one):
        with pytest.raises(MalformedDelivery):
            await one.pushed("hr", push(b"forged"))
        found = await heard(room)

    assert found == []


async def test_a_source_speaks_for_nobody_else(hearing, event):
    async with hearing(Told(event, speaks_for="other")) as (room, one):
        with pytest.raises(EventMalformed):
            await one.pushed("hr", push(b"e1"))
        found = await heard(room)

    assert found == []


async def test_nobody_is_heard_at_an_address_without_a_source(hearing, event):
    async with hearing(Asked(event)) as (_, one):
        for name in ("hr", "nobody"):  # one that is only asked, and none
            with pytest.raises(NoSuchSource):
                await one.pushed(name, push(b"e1"))


async def test_a_source_is_asked_on_and_on_from_where_it_was(hearing, event):
    source = Asked(event, ["e1", "e2", "e3", "e4", "e5"])
    async with hearing(source) as (room, one):

        async def has_all():
            return len(await heard(room)) == 5

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(one.run)
            await until(has_all, tasks)
        async with room.store.read() as connection:
            reached = await heard_rows.reached(connection, "hr")

    assert source.asked[:3] == [None, "2", "4"]
    assert reached.cursor == "5"


async def test_a_source_in_trouble_is_asked_again_and_its_trouble_told(hearing, event):
    source = Asked(event, ["e1"])
    source.fails = 1
    async with hearing(source) as (room, one):
        troubles = []

        async def has_all():
            troubles.extend(state.trouble for state in await one.states())
            return bool(await heard(room))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(one.run)
            await until(has_all, tasks)
        (after,) = await one.states()

    assert MalformedDelivery.code in troubles
    assert after.trouble is None
    assert after.lag() == pytest.approx(1.0)


async def test_a_source_that_is_asked_is_left_alone_while_too_much_waits_and_loses_nothing(
    gateway, settings, on, event, monkeypatch
):
    monkeypatch.setattr("actas.events.inbox.RETRY", 0.02)
    source, gate, done = Asked(event, ["e1", "e2", "e3", "e4", "e5"]), anyio.Event(), []

    async def work(job):
        await gate.wait()
        done.append(job.key)
        return Done()

    async with gateway(settings(on(), backlog=1)) as room:
        one = Hearing(room.inbox, room.store, clock.now)
        await one.replace({"hr": source})

        async def is_full():
            return room.inbox.turned_away > 3

        async def has_all():
            return len(done) == 5

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(one.run)
            tasks.start_soon(lambda: room.outbox.run(QUEUE, work, at_once=1))
            with anyio.fail_after(30):
                while not await is_full():  # noqa: ASYNC110 - nobody tells
                    await anyio.sleep(0.02)
            (held,) = await one.states()
            kept = len(await heard(room))
            gate.set()
            await until(has_all, tasks)

    assert (held.trouble, kept) == (None, 2)  # it is no trouble of the source's; what it has not handed on it keeps
    assert len(set(done)) == 5


async def test_of_two_gateways_one_asks_and_the_other_takes_over_when_it_stops(hearing, event, tmp_path):
    first, second = Asked(event, ["e1"]), Asked(event, ["e1", "e2", "e3"])
    async with hearing(first) as (room, one), hearing(second) as (_, other):

        async def first_asked():
            return len(first.asked) > 3

        async def second_asked():
            return bool(second.asked)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(one.run)
            with anyio.fail_after(30):
                while not await heard(room):  # noqa: ASYNC110 - the database tells nobody
                    await anyio.sleep(0.02)
            async with anyio.create_task_group() as inner:
                inner.start_soon(other.run)
                await until(first_asked, inner)
            asked_beside = list(second.asked)
            tasks.cancel_scope.cancel()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(other.run)
            await until(second_asked, tasks)

    assert asked_beside == []
    assert second.asked[0] == "1"


async def test_sources_that_are_not_wanted_any_more_are_closed_and_the_same_ones_kept(hearing, event):
    stays, goes = Told(event), Told(event)
    goes.name = "old"
    async with hearing(stays) as (_, one):
        await one.replace({"hr": stays, "old": goes})
        await one.replace({"hr": stays})

    assert (stays.closed, goes.closed) == (0, 1)


async def test_the_gap_detector_names_what_was_never_heard(hearing, event):
    source = Asked(event, ["e1", "e2", "e3"])
    async with hearing(source) as (room, _):
        await room.hear(event("e1"), event("e3"))
        desk = Desk(room.outbox, room.inbox._places.seals, {"hr": source}, keep=KEEP)
        (found,) = await desk.compare(AT, now=clock.now())
        await room.hear(event("e2"))
        (after,) = await desk.compare(AT, now=clock.now())
        nothing = await desk.compare(AT, now=clock.now(), only="other")

    assert (found.listed, found.missing, [one.id for one in found.examples]) == (3, 1, ["e2"])
    assert (after.listed, after.missing, nothing) == (3, 0, [])


NOW = AT + timedelta(days=40)
MONTH = timedelta(days=30)
HOUR = timedelta(hours=1)


class Reaches(Asked):
    """A provider that keeps its list for a while, and a source that began at some time."""

    def __init__(self, event, names, *, keeps=None, began=None):
        super().__init__(event, names)
        self._keeps, self._began, self.since = keeps, began, None

    def health(self):
        return Health(reaches_back=self._keeps)

    def began(self, cursor):
        return self._began

    async def compare(self, since, *, until):
        self.since = since
        yield Listed(id="e1", happened_at=NOW - HOUR, kind="role-revoked")


BOUNDS = [
    ("as long as it is kept here", MONTH - HOUR, {}, (None, MONTH - HOUR)),
    ("a little longer", MONTH, {}, ("forgotten-here", MONTH - HOUR)),
    ("as long as the provider keeps it", timedelta(days=7), {"keeps": timedelta(days=7)}, (None, timedelta(days=7))),
    ("longer than the provider keeps it", timedelta(days=8), {"keeps": timedelta(days=7)},
     ("forgotten-there", timedelta(days=7))),
    ("since it began", timedelta(days=2), {"began": NOW - timedelta(days=2)}, (None, timedelta(days=2))),
    ("since before it began", timedelta(days=3), {"began": NOW - timedelta(days=2)}, ("began", timedelta(days=2))),
    ("longer than anybody keeps it", timedelta(days=60), {"keeps": timedelta(days=45)},
     ("forgotten-here", MONTH - HOUR)),
    ("longer than anybody keeps it, the provider less", timedelta(days=60), {"keeps": timedelta(days=7)},
     ("forgotten-there", timedelta(days=7))),
]  # fmt: skip


@pytest.mark.parametrize(("back", "source", "found"), [case[1:] for case in BOUNDS], ids=[case[0] for case in BOUNDS])
async def test_nothing_is_called_complete_that_cannot_be_told_any_more(gateway, settings, event, back, source, found):
    one = Reaches(event, ["e1"], **source)
    async with gateway(settings()) as room:
        async with room.store.write() as connection:
            await heard_rows.claim(connection, "hr", "me", HOUR)
        await room.hear(event("e1"), cursor="c")
        desk = Desk(room.outbox, room.inbox._places.seals, {"hr": one}, keep=MONTH)
        (compared,) = await desk.compare(NOW - back, now=NOW)

    bound, since = found
    assert (compared.bound, compared.asked, compared.since) == (bound, NOW - back, NOW - since)
    assert compared.is_proved is (bound in (None, "began"))
    assert (compared.listed, compared.missing) == (1, 0)


async def test_what_was_forgotten_here_is_not_called_missing(gateway, settings, event):
    one = Reaches(event, [])
    async with gateway(settings()) as room:
        desk = Desk(room.outbox, room.inbox._places.seals, {"hr": one}, keep=MONTH)
        await desk.compare(NOW - 2 * MONTH, now=NOW)

    assert one.since == NOW - MONTH + HOUR


async def test_a_source_that_cannot_tell_says_so(hearing, event):
    async with hearing(Told(event)) as (room, _):
        desk = Desk(room.outbox, room.inbox._places.seals, {"hr": Told(event)}, keep=KEEP)
        (compared,) = await desk.compare(AT, now=clock.now())
        (examined,) = await desk.examine(now=clock.now())

    assert (compared.trouble, examined.trouble) == ("cannot", "cannot")


async def test_an_event_is_opened_by_its_number_and_by_nobody_without_the_keys(hearing, event):
    async with hearing(Told(event)) as (room, _):
        await room.hear(event("e1", session="s-1"))
        desk = Desk(room.outbox, room.inbox._places.seals, {}, keep=KEEP)
        (row,) = await desk.latest()
        found = await desk.event(row.sequence)
        missing = await desk.event(row.sequence + 1)

    assert found is not None
    assert (found[1].id, found[1].subject, found[1].session) == ("e1", "ana", "s-1")
    assert missing is None


async def test_gateways_on_postgresql_share_events_deliveries_and_ends(gateway, settings, on, event, fresh_postgresql,
                                                                       tmp_path):  # fmt: skip
    wanted, done = settings(on()), []

    async def work(job):
        from actas.store.outbox import Done

        done.append(job.key)
        return Done()

    async with (
        gateway(wanted, url=fresh_postgresql) as here,
        gateway(wanted, url=fresh_postgresql) as there,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(there.marks.run, there.store)
        tasks.start_soon(there.outbox.listen)
        tasks.start_soon(lambda: there.outbox.run("events", work, at_once=2))
        await here.hear(event("e1"), event("e2", subject="ben"))

        async def has_all():
            ended = there.marks.refuses(provider="corp", subject="ana", session=None, issued_at=AT)
            return ended and len(done) == 2

        await until(has_all, tasks)

    assert len(set(done)) == 2
