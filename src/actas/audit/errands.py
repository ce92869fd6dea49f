"""Have the gateway keep a record for another process: it alone writes the trail, the store carries the wish.

A record that was kept but not yet settled when the gateway died is kept again: twice said is better than not at all.
"""

import secrets
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TYPE_CHECKING

import anyio

from actas.audit import records
from actas.audit.errors import NotRecorded
from actas.audit.records import Entry
from actas.store.moments import kept

if TYPE_CHECKING:
    from actas.store.database import Store

LIMIT = 10.0
"""Seconds a command waits for the gateway."""
_EVERY = 0.2


async def ask(store: "Store", entry: Entry, *, now: datetime) -> None:
    """Return when the gateway has kept *entry*; otherwise take the wish back and raise `NotRecorded`."""
    from actas.store import rows

    name = secrets.token_hex(16)
    async with store.write() as connection:
        await rows.ask(connection, name, records.encode(entry), kept(now))
    try:
        with anyio.fail_after(LIMIT):
            while not await _is_kept(store, name):  # noqa: ASYNC110 - who keeps it is another process
                await anyio.sleep(_EVERY)
    except TimeoutError as late:
        raise NotRecorded(allowed=LIMIT) from late
    finally:
        with anyio.CancelScope(shield=True):
            async with store.write() as connection:
                await rows.withdraw(connection, name)


async def run(store: "Store", keep: Callable[[Entry], Awaitable[None]]) -> None:
    """Keep what is asked for, oldest first."""
    from actas.store import rows

    async with store.read() as connection:
        asked = await rows.asked(connection)
    for name, record in asked:
        await keep(records.decode(record))
        async with store.write() as connection:
            await rows.settle(connection, name)


async def _is_kept(store: "Store", name: str) -> bool:
    from actas.store import rows

    async with store.read() as connection:
        return await rows.is_kept(connection, name)
