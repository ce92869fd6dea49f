"""Revocation reaches everything that is cached, or nothing cached is used."""

from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import anyio
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from actas import store
from actas.store.person_key import PersonKey
from actas.store.watermarks import STALE, UNNAMED, Watermarks

pytestmark = pytest.mark.anyio
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
        await one.append(database, provider="corp", at=AT, reason="disabled", subject="ana")

    refused = [one.refuses(provider="corp", subject="ana", session=None, issued_at=AT + n * TICK) for n in (-1, 0, 1)]
    assert refused == [True, True, False]


async def test_evidence_that_does_not_say_when_it_was_issued_is_refused(opened):
    one = table()
    async with opened() as database:
        await one.append(database, provider="corp", at=AT, reason="disabled", subject="ana")

    assert one.refuses(provider="corp", subject="ana", session=None, issued_at=None)
    assert not one.refuses(provider="corp", subject="ben", session=None, issued_at=None)


@pytest.mark.parametrize(
    ("provider", "subject"),
    [("azure", "ana"), ("corp", "ben"), ("corp", "Ana")],
    ids=["another provider", "another subject", "another case"],
)
async def test_a_watermark_of_one_person_touches_nobody_else(opened, provider, subject):
    one = table()
    async with opened() as database:
        await one.append(database, provider="corp", at=AT, reason="disabled", subject="ana")

    assert one.refuses(provider="corp", subject="ana", session=None, issued_at=AT)
    assert not one.refuses(provider=provider, subject=subject, session=None, issued_at=AT)


async def test_a_change_that_names_nobody_marks_the_whole_provider(opened):
    one = table()
    async with opened() as database:
        await one.append(database, provider="corp", at=AT, reason="keys-revoked")

    assert one.refuses(provider="corp", subject="anybody", session=None, issued_at=AT)
    assert not one.refuses(provider="corp", subject="anybody", session=None, issued_at=AT + TICK)
    assert not one.refuses(provider="azure", subject="anybody", session=None, issued_at=AT)


async def test_an_older_event_that_comes_late_lowers_nothing(opened):
    one = table()
    async with opened() as database:
        await one.append(database, provider="corp", at=AT, reason="disabled", subject="ana")
        await one.append(database, provider="corp", at=AT - timedelta(hours=1), reason="late", subject="ana")

    other = table()
    async with opened() as database:
        await other.read(database)

    assert one.refuses(provider="corp", subject="ana", session=None, issued_at=AT)
    assert other.refuses(provider="corp", subject="ana", session=None, issued_at=AT)


async def test_another_gateway_learns_of_it_by_reading(opened):
    one, other = table(), table()
    async with opened() as database:
        await other.read(database)
        await one.append(database, provider="corp", at=AT, reason="disabled", subject="ana")
        before = other.refuses(provider="corp", subject="ana", session=None, issued_at=AT)
        await other.read(database)

    assert not before
    assert other.refuses(provider="corp", subject="ana", session=None, issued_at=AT)
    assert other.sequence == one.sequence > 0


async def test_a_later_watermark_replaces_the_earlier_row(opened):
    one = table()
    async with opened() as database:
        for hour in range(5):
            at = AT + timedelta(hours=hour)
            await one.append(database, provider="corp", at=at, reason="disabled", subject="ana")
        await one.append(database, provider="corp", at=AT, reason="disabled", subject="ben")
        async with database.read() as connection:
            count = (await connection.execute(sa.text("select count(*) from watermarks"))).scalar()

    assert count == 2


async def test_no_name_stands_in_the_table(opened, tmp_path):
    one = table()
    async with opened() as database:
        await one.append(database, provider="corp", at=AT, reason="disabled", subject="ana-7f3a")

    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"disabled" in stored
    assert b"ana-7f3a" not in stored


async def test_when_an_end_was_heard_is_told_once_by_each_gateway_and_not_of_what_ended_before_it_began(opened):
    here, there, late = table(), table(), table()
    async with opened() as database, opened() as other:
        for one in (here, there):
            await one.read(database)
        began = anyio.current_time()
        await here.append(database, provider="corp", at=AT, reason="disabled", subject="ana")
        await there.read(other)
        await late.read(other)
        over = anyio.current_time()
        told = [list(one.heard()) for one in (here, there, late)]
        again = [list(one.heard()) for one in (here, there, late)]

    slack = 0.01  # SQLite tells milliseconds
    assert [len(one) for one in told] == [1, 1, 0]
    assert all(began - slack <= one <= over + slack for one in (*told[0], *told[1]))
    assert again == [[], [], []]


async def test_what_waited_before_it_was_kept_was_heard_then(opened):
    one = table()
    async with opened() as database:
        await one.read(database)
        async with one.turn(database) as connection:
            await one.append_within(connection, provider="corp", at=AT, reason="x", waited=timedelta(hours=1))
        await one.read(database)
        (heard,) = one.heard()

    assert anyio.current_time() - heard > 3599


async def test_a_table_in_which_nothing_changes_stays_fresh_and_what_another_gateway_adds_is_read(opened):
    now = [AT]
    one = Watermarks(KEY, lambda: now[0])
    async with opened() as here, opened() as there:
        await one.read(here)
        now[0] += STALE + TICK
        stale = one.fresh(now[0])
        await one.read(here)
        fresh = one.fresh(now[0])
        await table().append(there, provider="corp", at=AT, reason="disabled", subject="ana")
        await one.read(here)

    assert (stale, fresh) == (False, True)
    assert one.refuses(provider="corp", subject="ana", session=None, issued_at=AT)


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
            with anyio.fail_after(1):
                await one.caught_up(AT + timedelta(seconds=60))  # a reader that fails is not waited for
            async with database.write() as connection:
                await connection.exec_driver_sql("alter table gone rename to watermarks")
            with anyio.fail_after(10):
                while not one.fresh(AT + timedelta(seconds=60)):  # noqa: ASYNC110 - the reader reads once a second
                    await anyio.sleep(0.01)
            tasks.cancel_scope.cancel()

    assert stale


@pytest.mark.parametrize("subject", ["ana", None], ids=["with its subject", "without its subject"])
async def test_a_session_can_be_marked_by_itself(opened, subject):
    one = table()
    async with opened() as database:
        await one.append(database, provider="corp", at=AT, reason="log-out", subject=subject, session="s1")

    assert one.refuses(provider="corp", subject="ana", session="s1", issued_at=AT)
    assert not one.refuses(provider="corp", subject="ana", session="s1", issued_at=AT + TICK)
    assert not one.refuses(provider="corp", subject="ana", session="s2", issued_at=AT)
    assert not one.refuses(provider="corp", subject="ana", session=None, issued_at=AT)
    assert one.refuses(provider="corp", subject="ben", session="s1", issued_at=AT) == (subject is None)


async def test_a_gateway_that_starts_reads_the_table_before_its_store_is_open(opened, tmp_path):
    one, new, late = table(), table(), table()
    new.prime(tmp_path / "state.db")
    async with opened() as database:
        await one.append(database, provider="corp", at=AT, reason="disabled", subject="ana")

    late.prime(tmp_path / "state.db")

    assert new.fresh(AT)
    assert late.fresh(AT)
    assert late.refuses(provider="corp", subject="ana", session=None, issued_at=AT)


class Clock:
    """A clock that tests set."""

    def __init__(self):
        self.now = AT

    def __call__(self):
        return self.now


async def test_who_asks_after_a_machine_slept_waits_for_the_reader_instead_of_being_refused(opened):
    clock = Clock()
    one = Watermarks(KEY, clock)
    async with opened() as database, anyio.create_task_group() as tasks:
        tasks.start_soon(one.run, database)
        with anyio.fail_after(10):
            while not one.fresh(AT):  # noqa: ASYNC110 - the reader begins
                await anyio.sleep(0.01)
        clock.now = later = AT + timedelta(hours=1)
        stale = not one.fresh(later)

        await one.caught_up(later)

        assert stale
        assert one.fresh(later)
        tasks.cancel_scope.cancel()


OLD = AT - timedelta(days=100)


@pytest.mark.parametrize(
    ("issued_at", "ana", "ben"),
    [(OLD, True, True), (AT - timedelta(days=90), True, True), (AT - timedelta(days=90) + TICK, False, False),
     (None, True, True)],
    ids=["what had ended, and as old", "as old as what is forgotten", "younger", "what does not say how old it is"],
)  # fmt: skip
async def test_whose_access_ended_long_ago_is_forgotten_and_what_is_as_old_ends_with_it(opened, issued_at, ana, ben):
    here, there = table(), table()
    async with opened() as database, opened() as other:
        await here.append(database, provider="corp", at=OLD, reason="disabled", subject="ana")
        await here.append(database, provider="corp", at=AT, reason="disabled", subject="chidi")
        await here.append(database, provider="azure", at=AT, reason="disabled", subject="ana")
        await there.read(other)
        await here.forget(database, AT - timedelta(days=90))
        await there.read(other)
        async with other.read() as connection:
            count = (await connection.execute(sa.text("select count(*) from watermarks"))).scalar()

    for one in (here, there):
        refused = [
            one.refuses(provider="corp", subject=who, session=None, issued_at=issued_at) for who in ("ana", "ben")
        ]
        assert refused == [ana, ben]
        assert one.refuses(provider="corp", subject="chidi", session=None, issued_at=AT)
        assert not one.refuses(provider="azure", subject="ben", session=None, issued_at=OLD)
        assert sum(len(marks) for marks in one._marks.values()) == 3
    assert count == 3  # chidi's, ana's elsewhere, and one for all of corp


async def test_nothing_is_forgotten_and_nobody_ends_where_nothing_is_old(opened):
    one = table()
    async with opened() as database:
        await one.append(database, provider="corp", at=AT, reason="disabled", subject="ana")
        before = one.sequence
        await one.forget(database, AT)

    assert one.sequence == before
    assert not one.refuses(provider="corp", subject="ben", session=None, issued_at=OLD)


async def test_a_session_that_had_ended_stays_so_when_its_end_is_forgotten(opened):
    one = table()
    held = one.of(provider="corp", subject="ana", session="s", issued_at=OLD, began=OLD)
    role = one.of_session("arn:aws:iam::111122223333:role/reader", OLD)
    async with opened() as database:
        await one.append(database, provider="corp", at=OLD, reason="out", session="s")
        await one.append(
            database, provider="*", at=OLD, reason="role", role_arn="arn:aws:iam::111122223333:role/reader"
        )
        ended = one.ended(held), one.ended(role)
        await one.forget(database, AT)

    assert ended == (True, True)
    assert (one.ended(held), one.ended(role)) == (True, True)


async def test_where_nobody_reads_nobody_waits(opened):
    one = table()
    async with opened() as database:
        await one.read(database)

        with anyio.fail_after(1):
            await one.caught_up(AT + timedelta(hours=1))

    assert not one.fresh(AT + timedelta(hours=1))


def test_a_table_that_cannot_be_read_at_the_start_is_stale(tmp_path):
    one = table()
    (tmp_path / "state.db").write_bytes(b"junk" * 1000)

    one.prime(tmp_path / "state.db")

    assert not one.fresh(AT)


@given(
    marks=st.lists(
        st.tuples(
            st.sampled_from(["corp", "azure"]),
            st.sampled_from([None, "ana", "ben"]),
            st.sampled_from([None, "s1", "s2"]),
            st.integers(-5, 5),
        )
    ),
    issued=st.one_of(st.none(), st.integers(-6, 6)),
    who=st.sampled_from(["ana", "ben", "chidi"]),
    session=st.sampled_from([None, "s1", "s3"]),
)
def test_the_table_agrees_with_a_slow_reading_of_all_rows(marks, issued, who, session):
    one = table()
    for number, (provider, subject, of, at) in enumerate(marks):
        whose = None if subject is None and of is None else KEY.mark(provider, subject, of)
        one._take(number, provider, whose, int((AT + at * TICK - datetime(1970, 1, 1, tzinfo=UTC)) / TICK))

    wanted = any(
        provider == "corp" and subject in {None, who} and of in {None, session} and (issued is None or issued <= at)
        for provider, subject, of, at in marks
    )

    found = one.refuses(
        provider="corp", subject=who, session=session, issued_at=None if issued is None else AT + issued * TICK
    )
    assert found == wanted


async def cut(one, database, **whose):
    async with one.turn(database) as connection:
        await one.append_within(connection, provider="corp", at=AT, reason="by address", **whose)
    await one.read(database)


ADDRESSES = [
    ("the address", "ana@people.example", None, True),
    ("the address in other letters", "ANA@People.Example ", "s1", True),
    ("the address in another form of Unicode", "a\u006ea@people.example", None, True),
    ("another address", "ben@people.example", None, False),
    ("evidence without an address", "", None, False),
    ("evidence that is not matched by addresses", None, None, False),
]


@pytest.mark.parametrize(
    ("address", "session", "ended"), [one[1:] for one in ADDRESSES], ids=[one[0] for one in ADDRESSES]
)
async def test_a_mark_by_an_address_ends_tokens_and_sessions_that_bear_it(opened, address, session, ended):
    one = table()
    async with opened() as database:
        await cut(one, database, address="ana@people.example")

    for at, wanted in ((AT, ended), (AT + TICK, False)):
        who = {"provider": "corp", "subject": "a1", "session": session, "issued_at": at, "address": address}
        assert one.refuses(**who) is wanted
        assert one.ended(one.of(began=AT + TICK, **who)) is wanted
    assert not one.refuses(provider="azure", subject="a1", session=None, issued_at=AT, address="ana@people.example")


async def test_a_mark_without_an_address_ends_what_bears_none_and_leaves_what_bears_one(opened):
    one = table()
    async with opened() as database:
        await cut(one, database, address="")

    def ended(address):
        return one.refuses(provider="corp", subject="a1", session=None, issued_at=AT, address=address)

    assert [ended(address) for address in ("", "ana@people.example", None)] == [True, False, False]


async def test_a_mark_of_a_session_by_address_ends_what_names_no_session(opened):
    one = table()
    async with opened() as database:
        await cut(one, database, address="ana@people.example", session=UNNAMED)

    def ended(session, address="ana@people.example"):
        return one.refuses(provider="corp", subject="a1", session=session, issued_at=AT, address=address)

    assert [ended(None), ended("s1"), ended(None, "ben@people.example")] == [True, False, False]


def test_no_subject_and_no_session_has_the_mark_of_an_address():
    marks = {
        KEY.mark("corp", "ana@people.example", None), KEY.mark("corp", None, "ana@people.example"),
        KEY.address_mark("corp", "ana@people.example", None), KEY.address_mark("corp", "ana@people.example", ""),
        KEY.address_mark("corp", "", None), KEY.role_mark("ana@people.example"),
    }  # fmt: skip

    assert len(marks) == 6


@pytest.mark.parametrize(
    ("acting", "session", "ended"),
    [(("agent",), None, True), (("other", "agent"), "s1", True), (("other",), "s1", False), ((), None, False)],
    ids=["the actor", "one actor of a chain", "another actor", "nobody acts"],
)
async def test_the_end_of_who_acts_is_the_end_of_what_it_does_for_others(opened, acting, session, ended):
    one = table()
    async with opened() as database:
        await one.append(database, provider="corp", at=AT, reason="user-disabled", subject="agent")

    for at, wanted in ((AT, ended), (AT + TICK, False)):
        who = {"provider": "corp", "subject": "ana", "session": session, "issued_at": at, "acting": acting}
        assert one.refuses(**who) is wanted
        assert one.ended(one.of(began=AT + TICK, **who)) is wanted
