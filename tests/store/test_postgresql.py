"""Everything that the store does on one machine, it does on PostgreSQL too."""

from datetime import UTC, datetime, timedelta

import anyio
import pytest

from actas import store
from actas.store import rows
from actas.store.errors import StoreUnavailable
from actas.store.person_key import PersonKey
from actas.store.watermarks import Watermarks

pytestmark = pytest.mark.anyio
AT = datetime(2026, 3, 14, 12, tzinfo=UTC)
KEY = PersonKey(b"k" * 32)


@pytest.fixture
def anyio_backend():
    return "asyncio"


async def test_two_gateways_that_start_at_once_make_the_tables_once(postgresql, tmp_path):
    opened = []

    async def start():
        opened.append(await store.open(tmp_path, url=postgresql))

    async with anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(start)
    for one in opened:
        await one.close()

    assert len(opened) == 3


async def test_pseudonyms_stand_once_however_many_write_them(postgresql, tmp_path):
    opened = await store.open(tmp_path, url=postgresql)
    names = []

    async def add(number):
        async with opened.write() as connection:
            stands = await rows.add_pseudonyms(connection, [(b"f" * 32, 7, f"p{number}", b"sealed")])
            names.append(stands[b"f" * 32])

    async with anyio.create_task_group() as tasks:
        for number in range(10):
            tasks.start_soon(add, number)
    async with opened.write() as connection:
        epochs, erased = await rows.epochs(connection), await rows.erase(connection, [b"f" * 32])
    async with opened.read() as connection:
        erasures, gone = await rows.erasures(connection), await rows.pseudonyms_of(connection, [b"f" * 32])
    await opened.close()

    assert len(set(names)) == 1
    assert (7 in epochs, erased, gone) == (True, 1, {})
    assert erasures > 0


async def test_no_watermark_is_missed_while_many_write(postgresql, tmp_path):
    opened = await store.open(tmp_path, url=postgresql)
    writers, reader = [Watermarks(KEY, lambda: AT) for _ in range(4)], Watermarks(KEY, lambda: AT)

    async def write(one, first):
        for number in range(first, first + 10):
            await one.append(opened, provider="corp", at=AT, reason="disabled", subject=str(number))

    async with anyio.create_task_group() as tasks:
        for number, one in enumerate(writers):
            tasks.start_soon(write, one, number * 10)
        for _ in range(20):
            await reader.read(opened)
            await anyio.sleep(0.005)
    await reader.read(opened)
    await opened.close()

    assert all(reader.refuses(provider="corp", subject=str(number), session=None, issued_at=AT) for number in range(40))
    assert not reader.refuses(provider="corp", subject="0", session=None, issued_at=AT + timedelta(seconds=1))


async def test_ends_are_timed_and_forgotten_by_all_gateways_alike(fresh_postgresql, tmp_path):
    here, there = [await store.open(tmp_path, url=fresh_postgresql) for _ in range(2)]
    ours, theirs = (Watermarks(KEY, lambda: AT) for _ in range(2))
    try:
        for marks, opened in ((ours, here), (theirs, there)):
            await marks.read(opened)
        await ours.append(here, provider="corp", at=AT, reason="out", subject="ana")
        await theirs.read(there)
        heard = [len(marks.heard()) for marks in (ours, theirs)]
        await ours.forget(here, AT + timedelta(days=1))
        await theirs.read(there)
        async with there.read() as connection:
            left = await rows.watermarks_since(connection, 0)
    finally:
        await here.close()
        await there.close()

    assert heard == [1, 1]
    assert [(provider, whose, ago) for _, provider, whose, _, ago in left] == [("corp", None, None)]
    for marks in (ours, theirs):
        assert marks.refuses(provider="corp", subject="ben", session=None, issued_at=AT)
        assert marks.heard() == ()


async def test_an_errand_is_asked_kept_and_cleared(postgresql, tmp_path):
    opened = await store.open(tmp_path, url=postgresql)
    async with opened.write() as connection:
        await rows.ask(connection, "e1", b"record", 1)
        asked, before = await rows.asked(connection), await rows.is_kept(connection, "e1")
        await rows.settle(connection, "e1")
        after, left = await rows.is_kept(connection, "e1"), await rows.asked(connection)
        await rows.withdraw(connection, "e1")
    await opened.close()

    assert (asked, before, after, left) == ([("e1", b"record")], False, True, [])


async def test_a_server_that_is_not_there_is_an_error_of_ours(tmp_path):
    with pytest.raises(StoreUnavailable):
        await store.open(tmp_path, url=f"postgresql+asyncpg://actas@/postgres?host={tmp_path}")
