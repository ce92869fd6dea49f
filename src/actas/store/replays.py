"""What was shown once and must not be taken again: in memory for one process, in the database for all replicas.

The database keeps a keyed hash and an end, and drops what has ended as new rows come.
"""

import hashlib
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from actas.store.errors import ReplaysFull
from actas.store.moments import kept
from actas.store.person_key import PersonKey

if TYPE_CHECKING:
    from actas.store.database import Store

MOST = 100_000
_MARGIN = timedelta(hours=1)
"""Rows stay this much longer: clocks of replicas differ, and whoever checks ages allows for it."""


class MemoryReplays:
    """Remembers in this process alone; full, it takes nothing rather than forget something."""

    def __init__(self, clock: Callable[[], datetime], *, most: int = MOST) -> None:
        self._clock, self._most = clock, most
        self._seen: dict[bytes, datetime] = {}

    async def first(self, *, issuer: str, id: str, until: datetime) -> bool:  # noqa: A002 - its name in SAML
        """Remember it and tell whether it is new; no other task runs in between."""
        name = hashlib.sha256(json.dumps([issuer, id]).encode()).digest()
        if name in self._seen:
            return False
        if len(self._seen) >= self._most:
            now = self._clock() - _MARGIN
            self._seen = {one: ends for one, ends in self._seen.items() if ends > now}
            if len(self._seen) >= self._most:
                raise ReplaysFull(limit=self._most)
        self._seen[name] = until
        return True


class StoredReplays:
    """Remembers in the database, for all who share it."""

    def __init__(self, store: "Store", key: PersonKey, clock: Callable[[], datetime]) -> None:
        self._store, self._key, self._clock = store, key, clock

    async def first(self, *, issuer: str, id: str, until: datetime) -> bool:  # noqa: A002 - its name in SAML
        """Insert it, or be refused by the row that is there: the primary key decides, not a look before."""
        from actas.store import replay_rows

        finder = self._key.shown(issuer, id)
        async with self._store.write() as connection:
            is_new = await replay_rows.add(connection, finder, kept(until))
            if is_new:
                await replay_rows.drop(connection, kept(self._clock() - _MARGIN))
            return is_new
