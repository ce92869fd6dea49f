"""The tables, and how each version of them is made from the one before. Times are microseconds since 1970, UTC."""

from collections.abc import Callable

import sqlalchemy as sa

BIG = sa.BigInteger().with_variant(sa.Integer, "sqlite")
METADATA = sa.MetaData()

VERSION = sa.Table("actas_version", METADATA, sa.Column("version", sa.Integer, primary_key=True))

PSEUDONYMS = sa.Table(
    "pseudonyms",
    METADATA,
    sa.Column("finder", sa.LargeBinary(32), primary_key=True),
    sa.Column("epoch", sa.Integer, nullable=False, index=True),
    sa.Column("pseudonym", sa.String(40), nullable=False, unique=True),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
)
"""Who stands behind a pseudonym: a keyed hash to find the row, the person sealed to the officers."""

ERASURES = sa.Table(
    "erasures",
    METADATA,
    sa.Column("sequence", BIG, primary_key=True, autoincrement=True),
    sa.Column("rows", sa.Integer, nullable=False),
    sqlite_autoincrement=True,
)
"""That somebody was erased, so that every gateway forgets what it remembers; not who."""

WATERMARKS = sa.Table(
    "watermarks",
    METADATA,
    sa.Column("sequence", BIG, primary_key=True, autoincrement=True),
    sa.Column("provider", sa.String(64), nullable=False),
    sa.Column("whose", sa.LargeBinary(32)),
    sa.Column("event_us", BIG, nullable=False),
    sa.Column("reason", sa.String(64), nullable=False),
    sa.Index("watermarks_whose", "provider", "whose"),
    sqlite_autoincrement=True,
)
"""Up to when nothing counts any more: of one subject or session (a keyed hash), or of a whole provider."""

ERRANDS = sa.Table(
    "errands",
    METADATA,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("record", sa.LargeBinary, nullable=False),
    sa.Column("asked_us", BIG, nullable=False),
    sa.Column("kept", sa.Boolean, nullable=False, default=False),
)
"""Records that another process asks the gateway, which alone writes the trail, to keep."""


def _first(connection: sa.Connection) -> None:
    METADATA.create_all(connection)


MIGRATIONS: tuple[Callable[[sa.Connection], None], ...] = (_first,)
"""The n-th makes version n of n - 1."""
