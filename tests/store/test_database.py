"""The state is private, survives, and says in one sentence what is wrong with it."""

import sqlite3
import stat

import anyio
import pytest
import sqlalchemy as sa

from actas import store
from actas.store import database, rows
from actas.store.errors import StoreExposed, StoreLate, StoreTooNew, StoreUnavailable
from actas.store.tables import MIGRATIONS, VERSION

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend():
    return "asyncio"


async def test_only_its_owner_can_read_the_state(tmp_path):
    opened = await store.open(tmp_path / "state")
    async with opened.write() as connection:
        await rows.add_pseudonyms(connection, [(b"f" * 32, 1, "p1", b"sealed")])

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "state").iterdir()}
    await opened.close()

    assert set(modes.values()) == {0o600}
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700


async def test_a_state_that_others_can_read_is_refused(tmp_path):
    await (await store.open(tmp_path)).close()
    (tmp_path / "state.db").chmod(0o640)

    with pytest.raises(StoreExposed, match="0640"):
        await store.open(tmp_path)


async def test_what_was_written_is_there_after_a_restart(tmp_path):
    opened = await store.open(tmp_path)
    async with opened.write() as connection:
        await rows.add_pseudonyms(connection, [(b"f" * 32, 1, "p1", b"sealed")])
    await opened.close()

    opened = await store.open(tmp_path)
    async with opened.read() as connection:
        assert await rows.pseudonyms_of(connection, [b"f" * 32]) == {b"f" * 32: "p1"}
        assert await rows.sealed_of(connection, "p1") == b"sealed"
    await opened.close()


async def test_work_that_fails_half_way_leaves_nothing(tmp_path):
    opened = await store.open(tmp_path)

    async def half():
        async with opened.write() as connection:
            await rows.add_pseudonyms(connection, [(b"f" * 32, 1, "p1", b"sealed")])
            raise LookupError

    with pytest.raises(LookupError):
        await half()

    async with opened.read() as connection:
        assert await rows.pseudonyms_of(connection, [b"f" * 32]) == {}
    await opened.close()


async def test_sqlite_syncs_each_commit_and_lets_readers_read(tmp_path):
    opened = await store.open(tmp_path)
    async with opened.read() as connection:
        found = [
            (await connection.exec_driver_sql(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "secure_delete")
        ]
    await opened.close()

    assert found == ["wal", 2, 1]


async def test_many_writers_take_turns(tmp_path):
    opened, other = await store.open(tmp_path), await store.open(tmp_path)

    async def write(to, number):
        async with to.write() as connection:
            await rows.add_pseudonyms(connection, [(bytes([number]) * 32, 1, f"p{number}", b"")])

    async with anyio.create_task_group() as tasks:
        for number in range(40):
            tasks.start_soon(write, (opened, other)[number % 2], number)
    async with opened.read() as connection:
        found = await connection.execute(sa.text("select count(*) from pseudonyms"))
        assert found.scalar() == 40
    await opened.close()
    await other.close()


async def test_a_state_of_a_newer_actas_is_left_alone(tmp_path):
    opened = await store.open(tmp_path)
    async with opened.write() as connection:
        await connection.execute(VERSION.insert().values(version=len(MIGRATIONS) + 1))
    await opened.close()

    with pytest.raises(StoreTooNew):
        await store.open(tmp_path)


async def test_a_state_of_an_older_actas_is_brought_up_to_date_and_keeps_what_it_had(tmp_path):
    opened = await store.open(tmp_path)
    async with opened.write() as connection:
        await connection.execute(sa.text("alter table watermarks drop column heard_us"))
        await connection.execute(sa.text("insert into watermarks values (1, 'corp', null, 7, 'old')"))
        await connection.execute(sa.text("delete from actas_version where version > 4"))
    await opened.close()

    again = await store.open(tmp_path)
    async with again.read() as connection:
        rows = (await connection.execute(sa.text("select provider, event_us, heard_us from watermarks"))).all()
        versions = (await connection.execute(sa.select(sa.func.max(VERSION.c.version)))).scalar()
    await again.close()

    assert [tuple(row) for row in rows] == [("corp", 7, None)]
    assert versions == len(MIGRATIONS)


async def test_a_file_that_is_no_database_is_an_error_of_ours(tmp_path):
    (tmp_path / "state.db").write_bytes(b"junk" * 1000)
    (tmp_path / "state.db").chmod(0o600)

    with pytest.raises(StoreUnavailable, match="SQLITE_NOTADB"):
        await store.open(tmp_path)


async def test_a_database_that_somebody_keeps_locked_is_waited_for_only_so_long(tmp_path, monkeypatch):
    monkeypatch.setattr(database, "LIMIT", 0.2)
    opened = await store.open(tmp_path)
    other = sqlite3.connect(tmp_path / "state.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(StoreLate):
        async with opened.write() as connection:
            await rows.add_pseudonyms(connection, [(b"f" * 32, 1, "p1", b"")])
    other.execute("ROLLBACK")
    other.close()
    await opened.close()


async def test_a_caller_who_is_cancelled_leaves_the_store_usable(tmp_path):
    opened = await store.open(tmp_path)
    for number in range(20):
        with anyio.move_on_after(0.0005 * number):
            async with opened.write() as connection:
                await rows.add_pseudonyms(connection, [(bytes([number]) * 32, 1, f"p{number}", b"")])

    async with opened.read() as connection:
        found = (await connection.execute(sa.text("select count(*) from pseudonyms"))).scalar()
    await opened.close()

    assert found == 20


async def test_no_value_of_a_row_stands_in_an_error(tmp_path):
    opened = await store.open(tmp_path)

    async def twice():
        async with opened.write() as connection:
            for name in (b"a" * 32, b"b" * 32):
                await rows.add_pseudonyms(connection, [(name, 1, "p-secret-name", b"")])

    with pytest.raises(StoreUnavailable) as caught:
        await twice()
    await opened.close()

    assert "secret" not in str(caught.value)
    assert "SQLITE_CONSTRAINT" in str(caught.value)
