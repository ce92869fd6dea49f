"""Whose the jobs of some queues are, and what is forgotten of those that are set apart.

Whose a job is stands at the beginning of its key: so many letters as `LETTERS` says.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from actas.store.tables import DEAD, OPEN, OUTBOX

LETTERS = 16
_AT_ONCE = 500
_o = OUTBOX.c
_WHOSE = sa.func.coalesce(sa.func.substr(_o.key, 1, LETTERS), "")
Shares = Mapping[str, tuple[int, int]]
"""How many jobs, and how many bytes of them."""


async def open_(connection: AsyncConnection, queues: Sequence[str]) -> Shares:
    """Tell whose the jobs are that are not settled."""
    return await _shares(connection, queues, OPEN)


async def dead(connection: AsyncConnection, queues: Sequence[str]) -> Shares:
    """Tell whose the jobs are that are set apart."""
    return await _shares(connection, queues, DEAD)


async def forget(
    connection: AsyncConnection, queues: Sequence[str], *, whose: str | None, most: int, most_bytes: int
) -> int:
    """Forget the oldest jobs that are set apart, all or somebody's, so that no more are left; give how many."""
    query = sa.select(_o.sequence, _size(connection)).where(_o.queue.in_(queues), _o.state == DEAD)
    if whose is not None:
        query = query.where(_WHOSE.in_([whose]))
    gone: list[int] = []
    for sequence, size in (await connection.execute(query.order_by(_o.settled_us.desc(), _o.sequence.desc()))).all():
        most, most_bytes = most - 1, most_bytes - size
        if most < 0 or most_bytes < 0:
            gone.append(sequence)
    for start in range(0, len(gone), _AT_ONCE):
        await connection.execute(OUTBOX.delete().where(_o.sequence.in_(gone[start : start + _AT_ONCE])))
    return len(gone)


async def _shares(connection: AsyncConnection, queues: Sequence[str], state: int) -> Shares:
    columns = (_WHOSE, sa.func.count(), sa.func.sum(_size(connection)))
    which = (_o.queue.in_(queues), _o.state == sa.literal_column(str(state)))
    rows = await connection.execute(sa.select(*columns).where(*which).group_by(sa.text("1")))
    return {whose: (count, int(size)) for whose, count, size in rows}


def _size(connection: AsyncConnection) -> sa.ColumnElement[Any]:
    """Give the size of a body, which both databases know without reading it."""
    return (sa.func.length if connection.dialect.name == "sqlite" else sa.func.octet_length)(_o.body)
