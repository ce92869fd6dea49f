"""Hear every source: ask those that are asked, read what those that push bring, and know how each does.

Of several gateways one asks a source; which one is kept with the source's cursor, for as long as it keeps asking.
"""

import logging
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import anyio
from sqlalchemy.ext.asyncio import AsyncConnection

from actas.errors import ActasError
from actas.events.errors import Backlogged, EventMalformed, NoSuchSource, SourceSlow
from actas.events.inbox import Inbox, Told
from actas.events.interface import Health, Polls, Pushed, Receives, Reply, Source
from actas.events.normal import IdentityEvent
from actas.store import heard_rows
from actas.store.database import Store
from actas.store.errors import StoreError
from actas.store.stamp import Stamp

log = logging.getLogger("actas.events")
LIMIT = 60.0
"""Seconds that one question to a source may take in all."""
SPARE = timedelta(seconds=5)
"""How long a gateway stays the one who asks when its next question is due: then another takes over.

Should both ask, the same comes twice and counts once.
"""
LONGEST = 60.0
"""Seconds between two questions to a source in trouble, at most."""
_Times = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """How one source does."""

    source: str
    provider: str
    health: Health
    trouble: str | None
    """The code of what went wrong last, in hearing it; None where nothing did."""
    last_happened: datetime | None
    last_heard: datetime | None
    missed: int
    """How often something may have been missed, by what the source itself noticed."""

    def lag(self) -> float | None:
        """Give the seconds from the last event to its being heard."""
        if self.last_happened is None or self.last_heard is None:
            return None
        return max(0.0, (self.last_heard - self.last_happened).total_seconds())


class Hearing:
    """The sources of this moment."""

    def __init__(self, inbox: Inbox, store: Store, clock: Callable[[], datetime]) -> None:
        self.inbox = inbox
        self._store, self._clock = store, clock
        self._sources: Mapping[str, Source] = {}
        self._troubles: dict[str, str] = {}
        self._changed = anyio.Event()
        self._me = secrets.token_hex(16)
        self._kept: Mapping[str, tuple[_Times | None, int]] = {}
        """Of each source what the database last said: its last event, and how often something may have been missed."""
        self._stamp: Stamp | None = None

    @property
    def sources(self) -> Mapping[str, Source]:
        """The sources, by name."""
        return self._sources

    async def replace(self, sources: Mapping[str, Source]) -> None:
        """Hear these from now on; those that are not among them any more are closed."""
        before, self._sources = self._sources, dict(sources)
        self._troubles = {name: code for name, code in self._troubles.items() if name in sources}
        changed, self._changed = self._changed, anyio.Event()
        changed.set()
        for name, source in before.items():
            if self._sources.get(name) is not source:
                await source.close()

    async def run(self) -> None:
        """Ask every source that is asked, until cancelled."""
        while True:
            changed = self._changed
            async with anyio.create_task_group() as tasks:
                for name, source in self._sources.items():
                    if isinstance(source, Polls):
                        tasks.start_soon(self._ask, name, source)
                await changed.wait()
                tasks.cancel_scope.cancel()

    async def pushed(self, name: str, pushed: Pushed) -> Reply:
        """Read what came to the address of *name*; what it told is durable on return."""
        source = self._sources.get(name)
        if source is None or not isinstance(source, Receives):
            raise NoSuchSource(name=name)
        reply = await source.receive(pushed, now=pushed.received_at)
        if reply.events:
            _check(source, reply.events)
            await self.inbox.take(Told(source=name, events=reply.events))
        return reply

    async def states(self) -> list[State]:
        """Tell how each source does."""
        sources, stamp = dict(self._sources), self._store.stamp()
        if stamp is None or stamp != self._stamp or sources.keys() != self._kept.keys():
            async with self._store.read() as connection:
                self._kept = {name: await _kept(connection, name) for name in sources}
            self._stamp = stamp
        return [self._state(name, source, *self._kept[name]) for name, source in sources.items()]

    def _state(self, name: str, source: Source, last: _Times | None, missed: int) -> State:
        return State(
            source=name,
            provider=source.provider,
            health=source.health(),
            trouble=self._troubles.get(name),
            last_happened=None if last is None else last[0],
            last_heard=None if last is None else last[1],
            missed=missed,
        )

    async def _ask(self, name: str, source: Polls) -> None:
        """Ask one source again and again; one in trouble ever more rarely."""
        pause = every = source.every.total_seconds()
        try:
            while True:
                try:
                    more = await self._once(name, source)
                    pause = 0.0 if more else every
                    self._troubles.pop(name, None)
                except Backlogged as full:
                    pause = float(full.retry_after)
                except ActasError as wrong:
                    if self._troubles.get(name) != wrong.code:
                        log.warning("%s: the source %s: %s", wrong.code, name, wrong)
                    self._troubles[name] = wrong.code
                    pause = min(LONGEST, max(every, 1.0, pause * 2))
                await anyio.sleep(pause)
        finally:
            await self._let_go(name)

    async def _once(self, name: str, source: Polls) -> bool:
        """Ask once, if it is for us to ask; tell whether there is more at once."""
        async with self._store.write() as connection:
            if not await heard_rows.claim(connection, name, self._me, source.every + SPARE):
                return False
            reached = await heard_rows.reached(connection, name)
        try:
            with anyio.fail_after(LIMIT):
                batch = await source.poll(reached.cursor, now=self._clock())
        except TimeoutError as late:
            raise SourceSlow(source=name, allowed=LIMIT) from late
        _check(source, batch.events)
        if batch.events or batch.missed or batch.cursor != reached.cursor:
            told = Told(source=name, events=batch.events, cursor=batch.cursor, missed=batch.missed)
            await self.inbox.take(told)
        return batch.more

    async def _let_go(self, name: str) -> None:
        try:
            async with self._store.write() as connection:
                await heard_rows.release(connection, name, self._me)
        except StoreError as wrong:
            log.warning("%s: another gateway has to wait until it may ask %s", wrong.code, name)


async def _kept(connection: AsyncConnection, name: str) -> tuple[_Times | None, int]:
    return await heard_rows.last(connection, name), (await heard_rows.reached(connection, name)).missed


def _check(source: Source, events: tuple[IdentityEvent, ...]) -> None:
    """Refuse events that speak for others than their source may."""
    if any((one.source, one.provider) != (source.name, source.provider) for one in events):
        raise EventMalformed(why="it names another source or provider than the one it came from")
