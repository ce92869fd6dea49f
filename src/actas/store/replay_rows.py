"""Every statement about what was shown once."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from actas.store.tables import SHOWN

_AT_ONCE = 100


async def add(connection: AsyncConnection, finder: bytes, until_us: int) -> bool:
    """Add a row unless it is there; tell whether it was not."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    adding = dialect.insert(SHOWN).values(finder=finder, until_us=until_us)
    done = await connection.execute(adding.on_conflict_do_nothing(index_elements=["finder"]).returning(SHOWN.c.finder))
    return done.scalar_one_or_none() is not None


async def drop(connection: AsyncConnection, before_us: int) -> None:
    """Drop some rows that ended before a moment; rows that another replica is dropping are left to it."""
    ended = sa.select(SHOWN.c.finder).where(SHOWN.c.until_us < before_us).limit(_AT_ONCE)
    await connection.execute(SHOWN.delete().where(SHOWN.c.finder.in_(ended.with_for_update(skip_locked=True))))
