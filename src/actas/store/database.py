"""Open the database, bring its tables up to date, and lend connections with a limit on each wait."""

import os
import stat
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import anyio
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from actas import private_files
from actas.store.errors import StoreExposed, StoreLate, StoreTooNew, StoreUnavailable
from actas.store.stamp import Stamp, Stamps
from actas.store.tables import MIGRATIONS, VERSION

LIMIT = 5.0
"""Seconds that one statement, or the wait for a connection, may take.

The driver keeps it, not a cancellation: a driver that is cancelled in the middle of a statement leaves a task behind
that never ends (tried: aiosqlite under SQLAlchemy 2.1). So work with the database is shielded, and short.
"""
RELISTEN = 1.0
"""Seconds until listening is tried again."""
_WRITES = "actas_writes"
_MIGRATING = 0x41637461
"""The advisory lock that keeps two gateways from migrating at once; `WATERMARKS` is the one of that table."""
_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON")
_LATE = frozenset({"SQLITE_BUSY", "57014"})
"""A lock that was not given in time; PostgreSQL's query_canceled."""


class Store:
    """An open database."""

    def __init__(self, engine: AsyncEngine, stamps: Stamps | None = None) -> None:
        self._engine, self._stamps = engine, stamps

    @property
    def is_sqlite(self) -> bool:
        """Tell whether there is one writer at a time."""
        return self._engine.dialect.name == "sqlite"

    def stamp(self) -> Stamp | None:
        """Give what stays the same as long as nothing is committed; None where that cannot be told for nothing."""
        return None if self._stamps is None else self._stamps.read()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """Lend a connection that sees one moment."""
        with _Work():
            async with self._engine.connect() as connection:
                yield connection

    @asynccontextmanager
    async def write(self, lock: int | None = None) -> AsyncIterator[AsyncConnection]:
        """Lend a connection whose work is kept when the block ends well; *lock* makes holders of it take turns."""
        with _Work():
            async with self._engine.connect() as plain:
                connection = await plain.execution_options(**{_WRITES: True})
                async with connection.begin():
                    if lock is not None and not self.is_sqlite:
                        await connection.execute(sa.select(sa.func.pg_advisory_xact_lock(lock)))
                    yield connection

    async def listen(self, channel: str, heard: Callable[[str], object]) -> None:
        """Tell *heard* what other gateways NOTIFY on *channel*, until cancelled; returns at once on SQLite.

        It only wakes: who relies on it looks at the table now and then all the same.
        """
        while not self.is_sqlite:
            with suppress(SQLAlchemyError, OSError):
                await self._hear(channel, heard)
            await anyio.sleep(RELISTEN)

    async def _hear(self, channel: str, heard: Callable[[str], object]) -> None:
        """Listen for as long as one connection lives."""
        gone = anyio.Event()
        async with self._engine.connect() as connection:
            raw = (await connection.get_raw_connection()).driver_connection
            assert raw is not None
            raw.add_termination_listener(lambda _: gone.set())
            await raw.add_listener(channel, lambda *told: heard(told[-1]))
            try:
                await gone.wait()
            finally:
                raw.terminate()  # not to be lent with its listener

    async def close(self) -> None:
        """Let go of the database."""
        if self._stamps is not None:
            self._stamps.close()
        with anyio.CancelScope(shield=True), anyio.move_on_after(LIMIT):
            await self._engine.dispose()


async def open_store(path: Path, url: str | None) -> Store:
    """Open the file at *path*, or the database at *url*, and bring its tables up to date."""
    store = Store(_postgresql(url)) if url else Store(_sqlite(path), Stamps(path))
    try:
        async with store.write(_MIGRATING) as connection:
            await connection.run_sync(_migrate)
    except BaseException:
        await store.close()
        raise
    return store


class _Work:
    """Shield work with the database, and turn the library's errors into ours, once, at this border."""

    def __enter__(self) -> None:
        self._scope = anyio.CancelScope(shield=True)
        self._scope.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        swallowed = self._scope.__exit__(kind, error, trace)
        match error:
            case TimeoutError() | PoolTimeout():
                raise StoreLate(allowed=LIMIT) from error
            case OSError():  # a server that cannot be reached
                raise StoreUnavailable(why=error.strerror or "it cannot be reached") from error
            case SQLAlchemyError() if _why(error) in _LATE:
                raise StoreLate(allowed=LIMIT) from error
            case SQLAlchemyError():
                raise StoreUnavailable(why=_why(error)) from error
            case _:
                return swallowed


def _why(error: SQLAlchemyError) -> str:
    """Say what failed in a word; the library's own text may hold values from rows."""
    cause = getattr(error, "orig", None)
    return getattr(cause, "sqlite_errorname", None) or getattr(cause, "sqlstate", None) or type(error).__name__


def _postgresql(url: str) -> AsyncEngine:
    limits = {"timeout": LIMIT, "command_timeout": LIMIT}
    return create_async_engine(url, pool_size=5, pool_timeout=LIMIT, connect_args=limits)


def _sqlite(path: Path) -> AsyncEngine:
    _make_private(path)
    limits = {"timeout": LIMIT}
    engine = create_async_engine(f"sqlite+aiosqlite:///{path}", pool_size=5, pool_timeout=LIMIT, connect_args=limits)

    @event.listens_for(engine.sync_engine, "connect")
    def _connected(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # SQLAlchemy's begin event below speaks BEGIN, nobody else
        cursor = connection.cursor()
        for pragma in _PRAGMAS:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _begun(connection: sa.Connection) -> None:
        # A writer takes its turn at once: one that began as a reader could not wait, only fail.
        connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get(_WRITES) else "BEGIN")

    return engine


def _make_private(path: Path) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as wrong:
        raise StoreUnavailable(why=wrong.strerror or "it cannot be opened") from wrong
    try:
        private_files.check(os.fstat(handle), stat.S_IFREG)
    except private_files.NotPrivate as wrong:
        raise StoreExposed(name=path.name, why=str(wrong)) from wrong
    finally:
        os.close(handle)


def _migrate(connection: sa.Connection) -> None:
    VERSION.create(connection, checkfirst=True)
    found = connection.execute(sa.select(sa.func.max(VERSION.c.version))).scalar() or 0
    if found > len(MIGRATIONS):
        raise StoreTooNew(found=found, wanted=len(MIGRATIONS))
    for number, migration in enumerate(MIGRATIONS[found:], found + 1):
        migration(connection)
        connection.execute(VERSION.insert().values(version=number))
