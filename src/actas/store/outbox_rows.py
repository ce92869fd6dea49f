"""Every statement that is put to the outbox table. The time is the database's own, in microseconds since 1970.

Puts take turns, on PostgreSQL by an advisory lock: so the order of a lane's rows is the order in which they were
committed, and nobody can see, and work on, a later job of a lane before an earlier one is there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from actas.store.moments import kept_span, moment, span
from actas.store.outbox_jobs import Counts, DeadJob, Put
from actas.store.tables import DEAD, DONE, OPEN, OUTBOX

TURN = 0x41637471
CHANNEL = "actas_outbox"
_NOW = {
    "sqlite": "cast((julianday('now') - 2440587.5) * 86400000000.0 as integer)",
    "postgresql": "cast(extract(epoch from clock_timestamp()) * 1000000 as bigint)",
}
_o = OUTBOX.c
IS_OPEN = _o.state == sa.literal_column(str(OPEN))
"""Literal, not a parameter: only so is a partial index of use."""
_EARLIER = OUTBOX.alias("earlier")
_IS_FIRST_OF_ITS_LANE = sa.or_(
    _o.lane.is_(None),
    ~sa.exists().where(
        _EARLIER.c.queue == _o.queue,
        _EARLIER.c.lane == _o.lane,
        _EARLIER.c.state == sa.literal_column(str(OPEN)),
        _EARLIER.c.sequence < _o.sequence,
    ),
)
QUEUE = sa.bindparam("queue_", type_=sa.String)
_NUMBER = sa.bindparam("number", type_=sa.String)
_MINE = sa.and_(_o.id == _NUMBER, _o.lease == sa.bindparam("token", type_=sa.String), IS_OPEN)


@dataclass(frozen=True, slots=True)
class Taken:
    """A row that is leased now."""

    sequence: int
    id: str
    queue: str
    key: str | None
    lane: str | None
    body: bytes
    attempts: int
    deaths: int
    put_us: int


def now(connection: AsyncConnection) -> sa.ColumnElement[int]:
    """Give the database's clock as an expression."""
    return now_of(connection.dialect.name)


@cache
def now_of(dialect: str) -> sa.ColumnElement[int]:
    """Give it by the name of a dialect."""
    return sa.literal_column(_NOW[dialect], sa.BigInteger)


async def clock(connection: AsyncConnection) -> int:
    """Read the database's clock."""
    return int((await connection.execute(sa.select(now(connection)))).scalar_one())


@cache
def _insert(dialect: str) -> Any:
    insert = (sqlite if dialect == "sqlite" else postgresql).insert(OUTBOX)
    return insert.on_conflict_do_nothing(index_elements=["queue", "key"]).returning(_o.id)


async def put(connection: AsyncConnection, jobs: Sequence[tuple[str, Put]]) -> set[str]:
    """Add jobs, but those whose key their queue has already; give the ids that are new."""
    if connection.dialect.name == "postgresql":
        await connection.execute(sa.select(sa.func.pg_advisory_xact_lock(TURN)))
    at = await clock(connection)
    values = [_row(name, job, at) for name, job in jobs]
    fresh = {row[0] for row in await connection.execute(_insert(connection.dialect.name), values)}
    if connection.dialect.name == "postgresql":
        for queue in sorted({job.queue for _, job in jobs}):
            await connection.execute(sa.select(sa.func.pg_notify(CHANNEL, queue)))
    return fresh


def _row(name: str, job: Put, at: int) -> dict[str, Any]:
    return {
        "id": name,
        "queue": job.queue,
        "key": job.key,
        "lane": job.lane,
        "body": job.body,
        "state": OPEN,
        "attempts": 0,
        "deaths": 0,
        "put_us": at,
        "due_us": at + max(0, kept_span(job.delay)),
        "lease": None,
        "settled_us": None,
        "why": None,
    }


async def dropped(connection: AsyncConnection, queue: str, most: int, *, alone: int, is_free: bool) -> list[int]:
    """Find jobs whose lease ended: of those that died *alone* times and more one, and only if *is_free*."""
    asked = {"queue_": queue, "most_": most + 100}
    chosen: list[int] = []
    for sequence, deaths in (await connection.execute(_dropped(connection.dialect.name), asked)).all():
        if deaths + 1 >= alone:
            if not is_free:
                continue
            is_free = False
        chosen.append(sequence)
    return chosen[:most]


async def fresh(connection: AsyncConnection, queue: str, most: int) -> list[int]:
    """Find jobs that are due and whose lane is free."""
    found = await connection.execute(_fresh(connection.dialect.name), {"queue_": queue, "most_": most})
    return [row[0] for row in found]


# Statements are built once: building them costs more than SQLite takes to answer (bench/bench_events.py).


@cache
def _dropped(dialect: str) -> sa.Select[Any]:
    ended = _due(dialect).where(_o.lease.is_not(None)).order_by(_o.due_us, _o.sequence)
    return ended.limit(sa.bindparam("most_", type_=sa.Integer)).with_for_update(skip_locked=True, of=OUTBOX)


@cache
def _fresh(dialect: str) -> sa.Select[Any]:
    due = _due(dialect).where(_o.lease.is_(None), _IS_FIRST_OF_ITS_LANE).order_by(_o.due_us, _o.sequence)
    return due.limit(sa.bindparam("most_", type_=sa.Integer)).with_for_update(skip_locked=True, of=OUTBOX)


def _due(dialect: str) -> sa.Select[Any]:
    return sa.select(_o.sequence, _o.deaths).where(_o.queue == QUEUE, IS_OPEN, _o.due_us <= now_of(dialect))


@cache
def _leasing(dialect: str) -> Any:
    died = sa.case((_o.lease.is_not(None), 1), else_=0)
    until = now_of(dialect) + sa.bindparam("lease_us_", type_=sa.BigInteger)
    chosen = _o.sequence.in_(sa.bindparam("chosen_", expanding=True))
    token = sa.bindparam("token_", type_=sa.String)
    values = {"lease": token, "due_us": until, "attempts": _o.attempts + 1, "deaths": _o.deaths + died}
    columns = (_o.sequence, _o.id, _o.queue, _o.key, _o.lane, _o.body, _o.attempts, _o.deaths, _o.put_us)
    return OUTBOX.update().where(chosen).values(values).returning(*columns)


async def take(connection: AsyncConnection, chosen: Sequence[int], token: str, lease: timedelta) -> list[Taken]:
    """Lease jobs that were found in this transaction."""
    asked = {"chosen_": list(chosen), "token_": token, "lease_us_": kept_span(lease)}
    taken = [Taken(*row) for row in await connection.execute(_leasing(connection.dialect.name), asked)]
    return sorted(taken, key=lambda one: one.sequence)


async def renew(connection: AsyncConnection, held: Sequence[tuple[str, str]], lease: timedelta) -> None:
    """Prolong leases, given as ids with their tokens."""
    statement = OUTBOX.update().where(_MINE).values(due_us=now(connection) + kept_span(lease))
    await connection.execute(statement, [{"number": one, "token": token} for one, token in held])


@cache
def _done(dialect: str) -> sa.Update:
    values = {"state": DONE, "body": b"", "lane": None, "lease": None, "why": None}
    return OUTBOX.update().where(_MINE).values(**values, settled_us=now_of(dialect))


async def done(connection: AsyncConnection, held: Sequence[tuple[str, str]]) -> None:
    """Settle jobs; what they were about is forgotten, that they were there is not."""
    asked = [{"number": one, "token": token} for one, token in held]
    await connection.execute(_done(connection.dialect.name), asked)


async def again(connection: AsyncConnection, name: str, token: str, after: timedelta, why: str) -> None:
    """Give a job back, to be taken later; its process lived, so what died before does not count any more."""
    due = now(connection) + max(0, kept_span(after))
    statement = OUTBOX.update().where(_MINE).values(lease=None, due_us=due, deaths=0, why=why)
    await connection.execute(statement, {"number": name, "token": token})


async def release(connection: AsyncConnection, held: Sequence[tuple[str, str]]) -> None:
    """Give jobs back that were not done, as they were; the attempt does not count."""
    values = {"lease": None, "attempts": _o.attempts - 1}
    statement = OUTBOX.update().where(_MINE).values(**values, due_us=now(connection))
    await connection.execute(statement, [{"number": one, "token": token} for one, token in held])


async def bury(connection: AsyncConnection, name: str, token: str, why: str) -> None:
    """Set a job apart."""
    statement = OUTBOX.update().where(_MINE).values(state=DEAD, lease=None, settled_us=now(connection), why=why)
    await connection.execute(statement, {"number": name, "token": token})


async def dead(connection: AsyncConnection, queue: str | None, most: int) -> list[DeadJob]:
    """Give what is set apart, the latest first."""
    columns = (_o.id, _o.queue, _o.key, _o.attempts, _o.why, _o.put_us, _o.settled_us, _o.body)
    query = sa.select(*columns).where(_o.state == DEAD, _o.settled_us.is_not(None))
    query = query if queue is None else query.where(_o.queue == queue)
    rows = await connection.execute(query.order_by(_o.settled_us.desc(), _o.sequence.desc()).limit(most))
    return [
        DeadJob(
            id=row.id,
            queue=row.queue,
            key=row.key,
            attempts=row.attempts,
            why=row.why or "",
            put_at=moment(row.put_us),
            died_at=moment(row.settled_us),
            body=row.body,
        )
        for row in rows
    ]


async def replay(connection: AsyncConnection, name: str) -> str | None:
    """Open a dead job again, at the end of its lane; give its queue, or None where it is not dead."""
    if connection.dialect.name == "postgresql":
        await connection.execute(sa.select(sa.func.pg_advisory_xact_lock(TURN)))
    columns = (_o.id, _o.queue, _o.key, _o.lane, _o.body, _o.put_us)
    gone = OUTBOX.delete().where(_o.id == name, _o.state == DEAD).returning(*columns)
    if (row := (await connection.execute(gone)).mappings().one_or_none()) is None:
        return None
    values = {**row, "state": OPEN, "attempts": 0, "deaths": 0, "due_us": await clock(connection)}
    await connection.execute(OUTBOX.insert().values(values))
    if connection.dialect.name == "postgresql":
        await connection.execute(sa.select(sa.func.pg_notify(CHANNEL, row["queue"])))
    return str(row["queue"])


async def counts(connection: AsyncConnection, queue: str) -> Counts:
    """Count a queue."""
    leased = sa.case((_o.lease.is_not(None), 1), else_=0)
    again_ = sa.case((sa.and_(_o.lease.is_(None), _o.attempts > 0), 1), else_=0)
    columns = (sa.func.count(), sa.func.sum(leased), sa.func.sum(again_), now(connection) - sa.func.min(_o.put_us))
    total, running, tried, oldest = (
        await connection.execute(sa.select(*columns).where(_o.queue == queue, IS_OPEN))
    ).one()
    buried = sa.select(sa.func.count()).where(_o.queue == queue, _o.state == DEAD)
    return Counts(
        waiting=total - int(running or 0),
        running=int(running or 0),
        again=int(tried or 0),
        dead=(await connection.execute(buried)).scalar_one(),
        oldest=max(timedelta(), span(int(oldest or 0))),
    )


_COUNT_OPEN = sa.select(sa.func.count()).where(_o.queue == QUEUE, IS_OPEN)


async def open_(connection: AsyncConnection, queue: str) -> int:
    """Count what is not settled."""
    return int((await connection.execute(_COUNT_OPEN, {"queue_": queue})).scalar_one())


async def purge(connection: AsyncConnection, state: int, older: timedelta, most: int) -> int:
    """Delete rows that were settled longer ago; give how many."""
    before = now(connection) - kept_span(older)
    old = sa.select(_o.sequence).where(_o.state == state, _o.settled_us.is_not(None), _o.settled_us < before)
    return (await connection.execute(OUTBOX.delete().where(_o.sequence.in_(old.limit(most))))).rowcount
