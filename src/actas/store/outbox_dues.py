"""The statements that ask when something comes due; built once, as those of `outbox_rows` are."""

from datetime import timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from actas.store.moments import span
from actas.store.outbox_rows import IS_OPEN, QUEUE, now_of
from actas.store.tables import OUTBOX

_o = OUTBOX.c
_LEASES = (_o.lease.is_(None), _o.lease.is_not(None))
"""Jobs that nobody works on and jobs that somebody does have an index each."""


@cache
def _next_dues(dialect: str, queues: tuple[str, ...]) -> sa.CompoundSelect[Any]:
    first = sa.func.min(_o.due_us) - now_of(dialect)
    each = [(sa.literal(queue, sa.String), _o.queue == queue, lease) for queue in queues for lease in _LEASES]
    return sa.union_all(*(sa.select(queue, first).where(same, IS_OPEN, lease) for queue, same, lease in each))


async def next_dues(connection: AsyncConnection, queues: tuple[str, ...]) -> dict[str, timedelta]:
    """Tell of each queue how long it is until a job comes due, or a lease ends, or that one is due already."""
    found: dict[str, timedelta] = {}
    for queue, wait in await connection.execute(_next_dues(connection.dialect.name, queues)):
        if wait is not None:
            due = max(timedelta(), span(int(wait)))
            found[queue] = min(due, found.get(queue, due))
    return found


@cache
def _next_due(dialect: str) -> sa.CompoundSelect[Any]:
    at, queue = now_of(dialect), _o.queue == QUEUE
    later = _o.due_us > at
    return sa.union_all(*(sa.select(sa.func.min(_o.due_us) - at).where(queue, IS_OPEN, one, later) for one in _LEASES))


async def next_due(connection: AsyncConnection, queue: str) -> timedelta | None:
    """Tell how long it is until a job comes due, or a lease ends; None where there is none.

    What is due already does not count: it waits for its lane, and that for somebody to settle it.
    """
    found = await connection.execute(_next_due(connection.dialect.name), {"queue_": queue})
    waits = [int(row[0]) for row in found if row[0] is not None]
    return max(timedelta(), span(min(waits))) if waits else None
