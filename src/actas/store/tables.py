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
    sa.Column("heard_us", BIG),
    sa.Index("watermarks_whose", "provider", "whose"),
    sqlite_autoincrement=True,
)
"""Up to when nothing counts any more: of one subject or session (a keyed hash), or of a whole provider.

``heard_us`` is when we heard of it, by the database's clock; rows of older versions have none.
"""

ERRANDS = sa.Table(
    "errands",
    METADATA,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("record", sa.LargeBinary, nullable=False),
    sa.Column("asked_us", BIG, nullable=False),
    sa.Column("kept", sa.Boolean, nullable=False, default=False),
)
"""Records that another process asks the gateway, which alone writes the trail, to keep."""

OUTBOX = sa.Table(
    "outbox",
    METADATA,
    sa.Column("sequence", BIG, primary_key=True, autoincrement=True),
    sa.Column("id", sa.String(26), nullable=False, unique=True),
    sa.Column("queue", sa.String(64), nullable=False),
    sa.Column("key", sa.String(200)),
    sa.Column("lane", sa.String(200)),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("state", sa.SmallInteger, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("deaths", sa.Integer, nullable=False),
    sa.Column("put_us", BIG, nullable=False),
    sa.Column("due_us", BIG, nullable=False),
    sa.Column("lease", sa.String(32)),
    sa.Column("settled_us", BIG),
    sa.Column("why", sa.String(500)),
    sqlite_autoincrement=True,
)
"""Jobs. ``due_us`` of a leased one is when its lease ends; ``deaths`` counts leases that ended so."""

OPEN, DONE, DEAD = 0, 1, 2
_c = OUTBOX.c
sa.Index("outbox_key", _c.queue, _c.key, unique=True)
for _name, _columns, _where in (
    ("outbox_due", (_c.queue, _c.due_us), sa.and_(_c.state == OPEN, _c.lease.is_(None))),
    ("outbox_leased", (_c.queue, _c.due_us), sa.and_(_c.state == OPEN, _c.lease.is_not(None))),
    ("outbox_lane", (_c.queue, _c.lane, _c.sequence), _c.state == OPEN),
    ("outbox_settled", (_c.state, _c.settled_us), _c.settled_us.is_not(None)),
):
    sa.Index(_name, *_columns, sqlite_where=_where, postgresql_where=_where)

SHOWN = sa.Table(
    "shown_once",
    METADATA,
    sa.Column("finder", sa.LargeBinary(32), primary_key=True),
    sa.Column("until_us", BIG, nullable=False, index=True),
)
"""What may be shown once and was: a keyed hash, and when it ends."""

HEARD = sa.Table(
    "heard",
    METADATA,
    sa.Column("sequence", BIG, primary_key=True, autoincrement=True),
    sa.Column("finder", sa.LargeBinary(32), nullable=False, unique=True),
    sa.Column("source", sa.String(64), nullable=False),
    sa.Column("kind", sa.String(32), nullable=False),
    sa.Column("happened_us", BIG, nullable=False),
    sa.Column("heard_us", BIG, nullable=False, index=True),
    sa.Column("deliveries", sa.Integer, nullable=False),
    sa.Column("ended", sa.String(16), nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Index("heard_happened", "source", "happened_us"),
    sqlite_autoincrement=True,
)
"""Identity events, each once: a hash of source and id to find it, the event itself sealed."""

CURSORS = sa.Table(
    "cursors",
    METADATA,
    sa.Column("source", sa.String(64), primary_key=True),
    sa.Column("cursor", sa.Text),
    sa.Column("kept_us", BIG),
    sa.Column("missed", sa.Integer, nullable=False),
    sa.Column("poller", sa.String(32)),
    sa.Column("until_us", BIG, nullable=False),
)
"""How far each source was heard, and which gateway asks it now."""


def _first(connection: sa.Connection) -> None:
    METADATA.create_all(connection, tables=[PSEUDONYMS, ERASURES, WATERMARKS, ERRANDS])


def _outbox(connection: sa.Connection) -> None:
    METADATA.create_all(connection, tables=[OUTBOX])


def _shown(connection: sa.Connection) -> None:
    METADATA.create_all(connection, tables=[SHOWN])


def _heard(connection: sa.Connection) -> None:
    METADATA.create_all(connection, tables=[HEARD, CURSORS])


def _since(connection: sa.Connection) -> None:
    if "heard_us" not in {column["name"] for column in sa.inspect(connection).get_columns(WATERMARKS.name)}:
        connection.execute(sa.text("alter table watermarks add column heard_us bigint"))


MIGRATIONS: tuple[Callable[[sa.Connection], None], ...] = (_first, _outbox, _shown, _heard, _since)
"""The n-th makes version n of n - 1."""
