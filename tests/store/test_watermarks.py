"""Revocation reaches everything that is cached, or nothing cached is used."""

from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actas import store
from actas.store.person_key import PersonKey
from actas.store.watermarks import STALE, Watermarks

pytestmark = pytest.mark.anyio
ISSUER = "https://idp.example"
AT = datetime(2026, 3, 14, 12, tzinfo=UTC)
TICK = timedelta(microseconds=1)
KEY = PersonKey(b"k" * 32)


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
def opened(tmp_path):
    @asynccontextmanager
    async def run():
        one = await store.open(tmp_path)
        try:
            yield one
        finally:
            await one.close()

    return run


def table():
    return Watermarks(KEY, lambda: AT)


async def test_evidence_issued_up_to_the_watermark_is_refused_and_later_evidence_is_not(opened):
    one = table()
    async with opened() as database:
        await one.append(database, provider="corp", at=AT, reason="disabled", person=(ISSUER, "ana"))

    refused = [one.refuses("corp", ISSUER, "ana", AT + n * TICK) for n in (-1, 0, 1)]
    assert refused == [True, True, False]


async def test_evidence_that_does_not_say_when_it_was_issued_is_refused(opened):
    one = table()
    async with opened() as database:
        await one.append(database, provider="corp", at=AT, reason="disabled", person=(ISSUER, "ana"))

    assert one.refuses("corp", ISSUER, "ana", None)
    assert not one.refuses("corp", ISSUER, "ben", None)


@pytest.mark.parametrize(
    ("provider", "issuer", "subject"),
    [("azure", ISSUER, "ana"), ("corp", ISSUER + "/", "ana"), ("corp", ISSUER, "ben")],
    ids=["another provider", "another issuer", "another subject"],
)
async def test_a_watermark_of_one_person_touches_nobody_else(opened, provider, issuer, subject):
    one = table()
    async with opened() as database:
        await one.append(database, provider="corp", at=AT, reason="disabled", person=(ISSUER, "ana"))

    assert one.refuses("corp", ISSUER, "ana", AT)
    assert not one.refuses(provider, issuer, subject, AT)


async def test_a_change_that_names_nobody_marks_the_whole_provider(opened):
    one = table()
    async with opened() as database:
        await one.append(database, provider="corp", at=AT, reason="keys-revoked")

    assert one.refuses("corp", ISSUER, "anybody", AT)
    assert not one.refuses("corp", ISSUER, "anybody", AT + TICK)
    assert not one.refuses("azure", ISSUER, "anybody", AT)


async def test_an_older_event_that_comes_late_lowers_nothing(opened):
    one = table()
    async with opened() as database:
        await one.append(database, provider="corp", at=AT, reason="disabled", person=(ISSUER, "ana"))
        await one.append(database, provider="corp", at=AT - timedelta(hours=1), reason="late", person=(ISSUER, "ana"))

    other = table()
    async with opened() as database:
        await other.read(database)

    assert one.refuses("corp", ISSUER, "ana", AT)
    assert other.refuses("corp", ISSUER, "ana", AT)


async def test_another_gateway_learns_of_it_by_reading(opened):
    one, other = table(), table()
    async with opened() as database:
        await other.read(database)
        await one.append(database, provider="corp", at=AT, reason="disabled", person=(ISSUER, "ana"))
        before = other.refuses("corp", ISSUER, "ana", AT)
        await other.read(database)

    assert not before
    assert other.refuses("corp", ISSUER, "ana", AT)
    assert other.sequence == one.sequence > 0


async def test_a_later_watermark_replaces_the_earlier_row(opened):
    import sqlalchemy as sa

    one = table()
    async with opened() as database:
        for hour in range(5):
            at = AT + timedelta(hours=hour)
            await one.append(database, provider="corp", at=at, reason="disabled", person=(ISSUER, "ana"))
        await one.append(database, provider="corp", at=AT, reason="disabled", person=(ISSUER, "ben"))
        async with database.read() as connection:
            count = (await connection.execute(sa.text("select count(*) from watermarks"))).scalar()

    assert count == 2


async def test_no_name_stands_in_the_table(opened, tmp_path):
    one = table()
    async with opened() as database:
        await one.append(database, provider="corp", at=AT, reason="disabled", person=(ISSUER, "ana-7f3a"))

    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"disabled" in stored
    assert b"ana-7f3a" not in stored


async def test_a_table_not_read_lately_is_stale(opened):
    one = table()
    fresh = [one.fresh(AT)]
    async with opened() as database:
        await one.read(database)
    fresh += [one.fresh(AT + after) for after in (timedelta(0), STALE, STALE + TICK, -STALE - TICK)]

    assert fresh == [False, True, True, False, False]


async def test_the_reader_goes_on_after_a_failure_and_the_table_is_stale_meanwhile(opened):
    times = iter([AT, AT + timedelta(seconds=60)])
    one = Watermarks(KEY, lambda: next(times, AT + timedelta(seconds=60)))
    async with opened() as database:
        await one.read(database)
        async with database.write() as connection:
            await connection.exec_driver_sql("alter table watermarks rename to gone")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(one.run, database)
            await anyio.sleep(0.1)
            stale = not one.fresh(AT + timedelta(seconds=60))
            async with database.write() as connection:
                await connection.exec_driver_sql("alter table gone rename to watermarks")
            with anyio.fail_after(10):
                while not one.fresh(AT + timedelta(seconds=60)):  # noqa: ASYNC110 - the reader reads once a second
                    await anyio.sleep(0.01)
            tasks.cancel_scope.cancel()

    assert stale


@given(
    marks=st.lists(
        st.tuples(st.sampled_from(["corp", "azure"]), st.sampled_from([None, "ana", "ben"]), st.integers(-5, 5))
    ),
    issued=st.one_of(st.none(), st.integers(-6, 6)),
    who=st.sampled_from(["ana", "ben", "chidi"]),
)
def test_the_table_agrees_with_a_slow_reading_of_all_rows(marks, issued, who):
    one = table()
    for provider, subject, at in marks:
        key = None if subject is None else KEY.mark(ISSUER, subject)
        one._take(provider, key, int((AT + at * TICK - datetime(1970, 1, 1, tzinfo=UTC)) / TICK))
    issued_at = None if issued is None else AT + issued * TICK

    wanted = any(
        provider == "corp" and subject in {None, who} and (issued is None or issued <= at)
        for provider, subject, at in marks
    )

    assert one.refuses("corp", ISSUER, who, issued_at) == wanted
