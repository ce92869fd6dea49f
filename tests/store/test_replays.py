"""What was shown once is not taken again: not here, not by another replica, not after a restart."""

from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import anyio
import pytest
import sqlalchemy as sa

from actas import store
from actas.store.errors import ReplaysFull, StoreError
from actas.store.person_key import PersonKey
from actas.store.replays import MemoryReplays, StoredReplays
from actas.store.tables import SHOWN

pytestmark = pytest.mark.anyio
AT = datetime(2026, 3, 14, 12, tzinfo=UTC)
SOON = AT + timedelta(minutes=5)
KEY = PersonKey(b"k" * 32)


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def memories(request, tmp_path):
    """Open what remembers, *count* times as *count* replicas do; the plain memory has one."""
    url = request.getfixturevalue("postgresql") if request.param == "postgresql" else None

    @asynccontextmanager
    async def run(count=1, clock=lambda: AT):
        if request.param == "memory":
            yield [MemoryReplays(clock)] * count
            return
        opened = [await store.open(tmp_path, url=url) for _ in range(count)]
        try:
            async with opened[0].write() as connection:
                await connection.execute(SHOWN.delete())
            yield [StoredReplays(one, KEY, clock) for one in opened]
        finally:
            for one in opened:
                await one.close()

    return run


async def test_the_first_is_taken_and_the_second_is_not(memories):
    async with memories() as (one,):
        taken = [await one.first(issuer="https://idp.example/", id="_a1", until=SOON) for _ in range(3)]

    assert taken == [True, False, False]


async def test_the_same_id_of_another_issuer_is_another(memories):
    async with memories() as (one,):
        assert await one.first(issuer="https://idp.example/", id="_a1", until=SOON)
        assert await one.first(issuer="https://other.example/", id="_a1", until=SOON)
        assert await one.first(issuer="https://idp.example/", id="_a2", until=SOON)


async def test_of_many_replicas_that_ask_at_once_one_hears_yes(memories):
    taken = []

    async def ask(one):
        taken.append(await one.first(issuer="https://idp.example/", id="_a1", until=SOON))

    async with memories(3) as replicas, anyio.create_task_group() as tasks:
        for one in replicas * 8:
            tasks.start_soon(ask, one)

    assert sorted(taken) == [False] * 23 + [True]


async def test_it_outlives_a_restart(tmp_path):
    for wanted in (True, False):
        opened = await store.open(tmp_path)
        assert await StoredReplays(opened, KEY, lambda: AT).first(issuer="i", id="_a1", until=SOON) is wanted
        await opened.close()


@pytest.mark.parametrize(
    ("later", "left"),
    [(timedelta(hours=1), 2), (timedelta(hours=1, microseconds=1), 1)],
    ids=["an-hour-after-its-end-it-is-there", "then-the-next-one-drops-it"],
)
async def test_what_has_ended_is_dropped(tmp_path, later, left):
    opened = await store.open(tmp_path)
    moment = [AT]
    one = StoredReplays(opened, KEY, lambda: moment[0])
    await one.first(issuer="i", id="_a1", until=SOON)
    moment[0] = SOON + later
    await one.first(issuer="i", id="_a2", until=moment[0] + timedelta(minutes=5))
    async with opened.read() as connection:
        found = (await connection.execute(sa.select(sa.func.count()).select_from(SHOWN))).scalar_one()
    await opened.close()

    assert found == left


async def test_the_database_holds_no_id(tmp_path):
    opened = await store.open(tmp_path)
    await StoredReplays(opened, KEY, lambda: AT).first(issuer="https://idp.example/", id="_a1-of-ana", until=SOON)
    await opened.close()

    assert all(b"_a1-of-ana" not in file.read_bytes() for file in tmp_path.iterdir())


async def test_a_store_that_is_gone_takes_nothing(tmp_path):
    opened = await store.open(tmp_path)
    async with opened.write() as connection:
        await connection.execute(sa.text("drop table shown_once"))

    with pytest.raises(StoreError):
        await StoredReplays(opened, KEY, lambda: AT).first(issuer="i", id="_a1", until=SOON)
    await opened.close()


async def test_a_full_memory_makes_room_of_what_has_ended_and_else_takes_nothing():
    moment = [AT]
    one = MemoryReplays(lambda: moment[0], most=2)
    for name in ("_a1", "_a2"):
        assert await one.first(issuer="i", id=name, until=SOON)

    with pytest.raises(ReplaysFull):
        await one.first(issuer="i", id="_a3", until=SOON)
    assert not await one.first(issuer="i", id="_a1", until=SOON)
    moment[0] = SOON + timedelta(hours=1)
    assert await one.first(issuer="i", id="_a3", until=moment[0])
