"""Whether anything was committed is told without looking, and never told wrongly that nothing was."""

import sqlite3
import subprocess
import sys
from contextlib import suppress

import anyio
import pytest
import sqlalchemy as sa

from actas import store
from actas.model import clock
from actas.store.outbox import Outbox
from actas.store.outbox_look import Lookout

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
async def opened(tmp_path):
    one = await store.open(tmp_path)
    try:
        yield one
    finally:
        await one.close()


async def _read(one):
    async with one.read() as connection:
        await connection.execute(sa.text("select count(*) from watermarks"))


async def _write(one):
    async with one.write() as connection:
        await connection.execute(sa.text("insert into errands values ('a', x'00', 1, 0)"))


async def _undo(one):
    with suppress(KeyError):
        async with one.write() as connection:
            await connection.execute(sa.text("insert into errands values ('a', x'00', 1, 0)"))
            raise KeyError


async def _write_nothing(one):
    async with one.write() as connection:
        await connection.execute(sa.text("update errands set kept = 1 where id = 'nobody'"))


@pytest.mark.parametrize(
    ("work", "moves"),
    [(_read, False), (_undo, False), (_write_nothing, False), (_write, True)],
    ids=["reading", "work that is undone", "a transaction that changes nothing", "a commit"],
)
async def test_a_stamp_is_another_one_after_a_commit_and_after_nothing_else(opened, work, moves):
    before = opened.stamp()
    await work(opened)

    assert before is not None
    assert (opened.stamp() != before) is moves


async def test_a_commit_of_another_process_is_seen(opened, tmp_path):
    before = opened.stamp()
    code = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('delete from actas_version'); c.commit()"
    done = await anyio.run_process([sys.executable, "-c", code, str(tmp_path / store.FILE)], stderr=subprocess.PIPE)

    assert done.returncode == 0
    assert before is not None
    assert opened.stamp() not in (None, before)


async def test_a_long_writer_is_not_waited_for_and_seen_when_it_commits(opened, tmp_path):
    writer = sqlite3.connect(tmp_path / store.FILE, isolation_level=None)
    before = opened.stamp()
    writer.execute("begin immediate")
    writer.execute("insert into errands values ('a', x'00', 1, 0)")
    meanwhile = opened.stamp()
    writer.execute("commit")
    writer.close()

    assert (meanwhile, opened.stamp() == before) == (before, False)


async def test_stamps_of_two_connections_are_never_the_same(opened, tmp_path):
    other = await store.open(tmp_path)
    stamps = opened.stamp(), other.stamp()
    await other.close()

    assert None not in stamps
    assert len(set(stamps)) == 2


async def test_where_it_cannot_be_told_whoever_asks_has_to_look(tmp_path, fresh_postgresql):
    one = await store.open(tmp_path)
    await one.close()
    there = await store.open(tmp_path, url=fresh_postgresql)
    told = one.stamp(), there.stamp()
    await there.close()

    assert told == (None, None)


class Counted:
    """A store that counts how often it is read."""

    def __init__(self, one):
        self._one, self.reads = one, 0

    def stamp(self):
        return self._one.stamp()

    def read(self):
        self.reads += 1
        return self._one.read()


async def looks(lookout, queue, count):
    found = []
    for _ in range(count):
        found.append(await lookout.pause(queue))
        await anyio.sleep(0.002)
    return found


async def test_a_queue_in_which_nothing_happens_is_looked_at_once(opened):
    counted = Counted(opened)
    lookout = Lookout(counted, every=0.001)
    found = await looks(lookout, "mail", 20)

    assert counted.reads == 1
    assert all(0 < pause < 0.0011 for pause in found)


async def test_what_another_process_puts_is_seen_at_the_next_look(opened, tmp_path):
    counted = Counted(opened)
    lookout = Lookout(counted, every=0.001)
    before = await looks(lookout, "mail", 3)
    other = await store.open(tmp_path)
    await Outbox(other, clock.now).put(queue="mail", body=b"")
    await other.close()
    after = await looks(lookout, "mail", 3)

    assert 0 not in before
    assert after == [0, 0, 0]
    assert counted.reads == 2


async def test_one_look_is_for_all_queues(fresh_postgresql, tmp_path):
    there = await store.open(tmp_path, url=fresh_postgresql)
    counted = Counted(there)
    lookout = Lookout(counted, every=3600)
    try:
        await Outbox(there, clock.now).put(queue="post", body=b"")
        await lookout.pause("mail")
        await lookout.pause("post")
        reads = counted.reads
        found = [await lookout.pause(queue) for queue in ("mail", "post", "mail")]
    finally:
        await there.close()

    assert (reads, counted.reads) == (2, 2)  # one for each queue that was new, none more
    assert (found[0] > 0, found[1], found[2] > 0) == (True, 0, True)
