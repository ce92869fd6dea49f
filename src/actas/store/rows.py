"""Every statement that is put to the database."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from actas.store.moments import kept_span, span
from actas.store.outbox_rows import now
from actas.store.tables import ERASURES, ERRANDS, PSEUDONYMS, WATERMARKS


async def add_watermark(
    connection: AsyncConnection,
    provider: str,
    whose: bytes | None,
    event_us: int,
    reason: str,
    *,
    waited: timedelta | None,
) -> int:
    """Add a row and drop those of the same that say no more than it; give its sequence.

    It was heard *waited* ago; None where nothing was heard.
    """
    heard = None if waited is None else now(connection) - kept_span(waited)
    values = {"provider": provider, "whose": whose, "event_us": event_us, "reason": reason, "heard_us": heard}
    done = await connection.execute(WATERMARKS.insert().values(values).returning(WATERMARKS.c.sequence))
    sequence = int(done.scalar_one())
    same = WATERMARKS.c.whose.is_(None) if whose is None else WATERMARKS.c.whose == whose
    await connection.execute(
        WATERMARKS.delete().where(
            WATERMARKS.c.provider == provider,
            same,
            WATERMARKS.c.event_us <= event_us,
            WATERMARKS.c.sequence < sequence,
        )
    )
    if connection.dialect.name == "postgresql":  # it only wakes those who would read it within a second anyway
        await connection.execute(sa.select(sa.func.pg_notify("actas_watermarks", "")))
    return sequence


async def forget_watermarks(connection: AsyncConnection, before_us: int) -> list[str]:
    """Drop the rows of people, sessions and roles from before a moment; give the providers that had any."""
    c = WATERMARKS.c
    old = WATERMARKS.delete().where(c.whose.is_not(None), c.event_us < before_us).returning(c.provider)
    return sorted({row[0] for row in await connection.execute(old)})


async def watermarks_since(
    connection: AsyncConnection, sequence: int
) -> list[tuple[int, str, bytes | None, int, timedelta | None]]:
    """Give the rows after *sequence*, in order; each with how long ago it was heard, by the database's own clock."""
    c = WATERMARKS.c
    columns = (c.sequence, c.provider, c.whose, c.event_us, now(connection) - c.heard_us)
    query = sa.select(*columns).where(c.sequence > sequence).order_by(c.sequence)
    return [
        (row[0], row[1], row[2], row[3], None if row[4] is None else span(int(row[4])))
        for row in await connection.execute(query)
    ]


async def add_pseudonyms(
    connection: AsyncConnection, fresh: Sequence[tuple[bytes, int, str, bytes]]
) -> Mapping[bytes, str]:
    """Keep people's pseudonyms, unless another gateway was faster; give those that stand, by finder."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    names = ("finder", "epoch", "pseudonym", "sealed")
    # In order, so that two gateways with the same people wait for each other in turn and never in a ring.
    values = [dict(zip(names, row, strict=True)) for row in sorted(fresh)]
    await connection.execute(dialect.insert(PSEUDONYMS).on_conflict_do_nothing(index_elements=["finder"]), values)
    return await pseudonyms_of(connection, [row[0] for row in fresh])


async def pseudonyms_of(connection: AsyncConnection, finders: Sequence[bytes]) -> Mapping[bytes, str]:
    """Find people's pseudonyms; who has none is not in it."""
    c = PSEUDONYMS.c
    found = await connection.execute(sa.select(c.finder, c.pseudonym).where(c.finder.in_(finders)))
    return {row[0]: row[1] for row in found}


async def sealed_of(connection: AsyncConnection, pseudonym: str) -> bytes | None:
    """Find who stands behind a pseudonym, sealed."""
    query = sa.select(PSEUDONYMS.c.sealed).where(PSEUDONYMS.c.pseudonym == pseudonym)
    return (await connection.execute(query)).scalar_one_or_none()


async def epochs(connection: AsyncConnection) -> list[int]:
    """List the epochs that have rows."""
    return [row[0] for row in await connection.execute(sa.select(PSEUDONYMS.c.epoch).distinct())]


async def erase(connection: AsyncConnection, finders: list[bytes]) -> int:
    """Delete a person's rows and leave word for other gateways; give how many they were."""
    done = await connection.execute(PSEUDONYMS.delete().where(PSEUDONYMS.c.finder.in_(finders)))
    if done.rowcount:
        await connection.execute(ERASURES.insert().values(rows=done.rowcount))
    return done.rowcount


async def erasures(connection: AsyncConnection) -> int:
    """Give the sequence of the last erasure."""
    return (await connection.execute(sa.select(sa.func.max(ERASURES.c.sequence)))).scalar() or 0


async def ask(connection: AsyncConnection, name: str, record: bytes, asked_us: int) -> None:
    """Ask the gateway to keep *record*."""
    await connection.execute(ERRANDS.insert().values(id=name, record=record, asked_us=asked_us, kept=False))


async def asked(connection: AsyncConnection) -> list[tuple[str, bytes]]:
    """Give the records that are asked for and not kept, oldest first."""
    query = sa.select(ERRANDS.c.id, ERRANDS.c.record).where(ERRANDS.c.kept.is_(False)).order_by(ERRANDS.c.asked_us)
    return [(row[0], row[1]) for row in await connection.execute(query.limit(100))]


async def settle(connection: AsyncConnection, name: str) -> None:
    """Say that a record is in the trail."""
    await connection.execute(ERRANDS.update().where(ERRANDS.c.id == name).values(kept=True))


async def is_kept(connection: AsyncConnection, name: str) -> bool:
    """Tell whether a record that was asked for is in the trail."""
    return bool((await connection.execute(sa.select(ERRANDS.c.kept).where(ERRANDS.c.id == name))).scalar())


async def withdraw(connection: AsyncConnection, name: str) -> None:
    """Take back what was asked, or clear away what was kept."""
    await connection.execute(ERRANDS.delete().where(ERRANDS.c.id == name))
