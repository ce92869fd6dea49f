"""Every statement about heard events and how far their sources were heard."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from actas.store.moments import kept_span, moment
from actas.store.outbox_rows import now
from actas.store.tables import CURSORS, HEARD

_h, _c = HEARD.c, CURSORS.c


@dataclass(frozen=True, slots=True, kw_only=True)
class Hears:
    """A row on its way in."""

    finder: bytes
    source: str
    kind: str
    happened_us: int
    heard_us: int
    deliveries: int
    ended: str
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A row as it stands."""

    sequence: int
    finder: bytes
    source: str
    kind: str
    happened_at: datetime
    heard_at: datetime
    deliveries: int
    """How many subscriptions it fitted."""
    ended: str
    """What it ended: ``subject``, ``address``, ``session``, ``provider``, ``nobody`` who was found, or nothing."""
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """How far a source was heard."""

    source: str
    cursor: str | None = field(repr=False)
    kept_at: datetime | None
    missed: int
    """How often something may have been missed."""


async def hear(connection: AsyncConnection, events: Sequence[Hears]) -> set[bytes]:
    """Add events that are new, in their order; give the finders of those. Callers take turns (`Watermarks.turn`)."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    names = Hears.__dataclass_fields__
    values = [{name: getattr(one, name) for name in names} for one in events]
    statement = dialect.insert(HEARD).on_conflict_do_nothing(index_elements=["finder"]).returning(_h.finder)
    return {row[0] for row in await connection.execute(statement, values)}


async def keep_cursor(connection: AsyncConnection, source: str, cursor: str, *, missed: bool) -> None:
    """Keep how far a source was heard."""
    values = {"cursor": cursor, "kept_us": now(connection), "missed": _c.missed + int(missed)}
    await connection.execute(CURSORS.update().where(_c.source == source).values(values))


async def claim(connection: AsyncConnection, source: str, poller: str, lasts: timedelta) -> bool:
    """Become the one who asks *source*, or stay it; False where another gateway is."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    fresh = {"source": source, "missed": 0, "until_us": 0}
    await connection.execute(dialect.insert(CURSORS).on_conflict_do_nothing(index_elements=["source"]), [fresh])
    at = now(connection)
    free = sa.or_(_c.poller == poller, _c.until_us < at)
    update = CURSORS.update().where(_c.source == source, free)
    done = await connection.execute(update.values(poller=poller, until_us=at + kept_span(lasts)))
    return done.rowcount == 1


async def release(connection: AsyncConnection, source: str, poller: str) -> None:
    """Let another gateway ask."""
    mine = CURSORS.update().where(_c.source == source, _c.poller == poller)
    await connection.execute(mine.values(poller=None, until_us=0))


async def reached(connection: AsyncConnection, source: str) -> Reached:
    """Tell how far a source was heard."""
    query = sa.select(_c.cursor, _c.kept_us, _c.missed).where(_c.source == source)
    row = (await connection.execute(query)).one_or_none()
    cursor, kept, missed = row or (None, None, 0)
    return Reached(source=source, cursor=cursor, kept_at=None if kept is None else moment(kept), missed=missed)


async def latest(connection: AsyncConnection, *, after: int, most: int, source: str | None) -> list[Heard]:
    """Give the events after a sequence, oldest first; where *after* is below 0, the last ones."""
    query = sa.select(HEARD)
    if source is not None:
        query = query.where(_h.source == source)
    forth = query.where(_h.sequence > after).order_by(_h.sequence)
    query = forth if after >= 0 else query.order_by(_h.sequence.desc())
    found = [_heard(row) for row in await connection.execute(query.limit(most))]
    return found if after >= 0 else found[::-1]


async def one(connection: AsyncConnection, sequence: int) -> Heard | None:
    """Give one event by its number."""
    row = (await connection.execute(sa.select(HEARD).where(_h.sequence == sequence))).one_or_none()
    return None if row is None else _heard(row)


async def known(connection: AsyncConnection, finders: Collection[bytes]) -> set[bytes]:
    """Tell which of these events were heard."""
    asked, found = list(finders), set[bytes]()
    for start in range(0, len(asked), 500):  # below what SQLite takes as variables of one statement
        part = asked[start : start + 500]
        found |= {row[0] for row in await connection.execute(sa.select(_h.finder).where(_h.finder.in_(part)))}
    return found


async def last(connection: AsyncConnection, source: str) -> tuple[datetime, datetime] | None:
    """Tell when the last event of *source* happened, and when it was heard."""
    columns = (_h.happened_us, _h.heard_us)
    query = sa.select(*columns).where(_h.source == source).order_by(_h.happened_us.desc()).limit(1)
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else (moment(row[0]), moment(row[1]))


async def purge(connection: AsyncConnection, before_us: int, most: int) -> int:
    """Forget what was heard before; give how many."""
    old = sa.select(_h.sequence).where(_h.heard_us < before_us).limit(most)
    return (await connection.execute(HEARD.delete().where(_h.sequence.in_(old)))).rowcount


def _heard(row: sa.Row[tuple[object, ...]]) -> Heard:
    found = row._mapping  # noqa: SLF001 - the public name of it
    return Heard(
        sequence=found["sequence"],
        finder=found["finder"],
        source=found["source"],
        kind=found["kind"],
        happened_at=moment(found["happened_us"]),
        heard_at=moment(found["heard_us"]),
        deliveries=found["deliveries"],
        ended=found["ended"],
        body=found["body"],
    )
