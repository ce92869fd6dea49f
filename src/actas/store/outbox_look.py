"""Look for jobs that come due: for all queues at once, and only when something may have changed.

A gateway in which nothing happens asks its database hardly anything: on SQLite it looks when something was committed,
by whichever process; on PostgreSQL once a second for all queues together, beside being notified.
"""

import math
from typing import TYPE_CHECKING

import anyio

from actas.store import outbox_dues

if TYPE_CHECKING:
    from actas.store.database import Store
    from actas.store.stamp import Stamp

POLL = 1.0
"""Seconds after which it is looked again though nobody said that there is work: another process may have put it."""
ANYWAY = 30.0
"""Seconds after which it is looked though nothing was committed: a clock may have been set."""


class Lookout:
    """What comes due in each queue, as of the last look."""

    def __init__(self, store: "Store", *, every: float = POLL) -> None:
        """Take the store, and how many seconds are between two looks."""
        self._store, self._every = store, every
        self._turn = anyio.Lock(fast_acquire=True)
        self._queues: tuple[str, ...] = ()
        self._due: dict[str, float] = {}
        """When something comes due, by `anyio.current_time`."""
        self._stamp: Stamp | None = None
        self._asked_at = self._looked_at = -math.inf

    async def pause(self, queue: str) -> float:
        """Tell for how long nothing of *queue* comes due; 0 where something is, if only behind another of its lane."""
        async with self._turn:
            now = anyio.current_time()
            if queue not in self._queues:
                self._queues = (*self._queues, queue)
                self._asked_at = self._looked_at = -math.inf
            if now >= self._asked_at + self._every:
                await self._look(now)
            due = min(self._due.get(queue, math.inf), self._asked_at + self._every)
        return max(0.0, due - now)

    async def _look(self, now: float) -> None:
        stamp = self._store.stamp()  # before the look: what is committed meanwhile is seen at the next
        if stamp is None or stamp != self._stamp or now >= self._looked_at + ANYWAY:
            async with self._store.read() as connection:
                found = await outbox_dues.next_dues(connection, self._queues)
            self._due = {queue: now + wait.total_seconds() for queue, wait in found.items()}
            self._stamp, self._looked_at = stamp, now
        self._asked_at = now
