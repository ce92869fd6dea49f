"""Identity events, wired: what hears them, what they end, and what takes them to functions."""

import logging
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from typing import Any, Protocol

import anyio

from actas.errors import ActasError
from actas.events import cuts
from actas.events.courier import Courier, Manner
from actas.events.desk import Desk
from actas.events.hearing import Hearing, State
from actas.events.inbox import Inbox, Places
from actas.events.interface import Source
from actas.events.jobs import QUEUE
from actas.events.meaning import Meaning
from actas.gateway import Gateway
from actas.http.metrics import Spread
from actas.invoke.local.process import FunctionProcess
from actas.model import clock
from actas.model.decision import Grant
from actas.settings.reader import Loaded
from actas.settings.schema import Provider, Settings
from actas.settings.schema_events import SAYS_WHO, EventSource
from actas.store import heard_rows
from actas.store.errors import StoreError
from actas.store.moments import kept
from actas.store.outbox import Counts, Outbox
from actas.store.stamp import Stamp
from actas.wiring import ears_told
from actas.wiring import sources as making
from actas.wiring.cutting import Cuts
from actas.wiring.event_desk import others
from actas.wiring.over import is_over
from actas.wiring.parts import Parts

log = logging.getLogger("actas.events")
LOOK = 1.0
"""Seconds between two looks at whether the settings were changed."""
ASK = 3
"""Every so many looks it is asked how the sources do."""
FORGET = 3600.0
ENDS = (0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0)
"""Seconds by which ends of access are counted."""
REAP = 0.1
"""Seconds in which ends of access are put together before everything that lives is looked through."""


class Stands(Protocol):
    """What stands at the moment."""

    @property
    def loaded(self) -> Loaded:
        """The settings as they were read."""
        ...

    @property
    def settings(self) -> Settings:
        """The settings."""
        ...


class House(Protocol):
    """What the ears are made with; `doors.Standing` says it of all doors."""

    parts: Parts
    gateway: Gateway

    @property
    def furnished(self) -> Stands:
        """The house of this moment."""
        ...


class Ears:
    """Everything of one gateway that has to do with identity events."""

    def __init__(self, house: House, outbox: Outbox) -> None:
        self._house, self._outbox = house, outbox
        parts = house.parts
        places = Places(outbox=outbox, marks=parts.marks, key=parts.audit.people, seals=parts.resting, clock=clock.now)
        self.hearing = Hearing(Inbox(places, Meaning(house.furnished.settings)), outbox.store, clock.now)
        self._made: dict[str, tuple[EventSource, Provider, Source]] = {}
        self._heard: Loaded | None = None
        self.states: list[State] = []
        self.counts: Counts | None = None
        self._counted: Stamp | None = None
        self.broken: dict[str, str] = {}
        """Sources that cannot be made, with the code of why."""
        self._end = anyio.Event()
        self.ended = 0
        """Sessions and processes that ended before their time because of what was heard or revoked."""
        self.ends = Spread(ENDS)
        """How long it took from hearing of an end to its being everywhere here: the objective is a second."""
        self.cuts = Cuts(parts, lambda: (house.furnished.loaded, house.furnished.settings))
        self.courier = Courier(house.gateway, self._manner, clock.now, random.SystemRandom().random)

    async def run(self) -> None:
        """Hear, deliver and end until cancelled."""
        await self._follow()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._reap)
            tasks.start_soon(self.hearing.run)
            tasks.start_soon(partial(self._outbox.run, QUEUE, self.courier.work, at_once=self._events.at_once))
            tasks.start_soon(partial(self._outbox.run, cuts.QUEUE, self.cuts.work, at_once=2))
            tasks.start_soon(self._watch)
            tasks.start_soon(self._forget)

    async def _reap(self) -> None:
        """End sessions and warm processes as soon as what they rest on has ended, until cancelled."""
        parts = self._house.parts
        before, parts.marks.on_change = parts.marks.on_change, _both(parts.marks.on_change, self._wake_reaper)
        try:
            while True:
                await self._end.wait()
                self._end = anyio.Event()
                names = parts.sessions.end_where(self._is_over)
                self.ended += len(names) + parts.pool.pool.end_where(partial(self._must_end, names))
                for heard in parts.marks.heard():
                    self.ends.add(max(0.0, anyio.current_time() - heard))
                await anyio.sleep(REAP)
        finally:
            parts.marks.on_change = before

    def _wake_reaper(self) -> None:
        self._end.set()

    def _must_end(self, names: frozenset[str], process: FunctionProcess) -> bool:
        return process.key.session in names or (
            process.grant is not None and self._is_over(process.grant, process.began)
        )

    def desk(self) -> Desk:
        """Give what answers people."""
        parts = self._house.parts
        return Desk(self._outbox, parts.resting, self.hearing.sources, others(), keep=self._events.keep.time)

    def gauges(self) -> dict[str, float]:
        """Give the figures of all sources together."""
        inbox, courier, counts = self.hearing.inbox, self.courier, self.counts
        lags = [lag for one in self.states if (lag := one.lag()) is not None]
        heard = [one.last_heard for one in self.states if one.last_heard is not None]
        return {
            "events_heard": inbox.fresh,
            "events_repeated": inbox.repeated,
            "events_turned_away": inbox.turned_away,
            "events_unmatched": inbox.unmatched.total(),
            "events_delivered": courier.delivered,
            "events_again": courier.again,
            "events_dead": 0 if counts is None else counts.dead,
            "events_waiting": 0 if counts is None else counts.waiting,
            "events_oldest_seconds": 0.0 if counts is None else counts.oldest.total_seconds(),
            "events_lag_seconds": max(lags, default=0.0),
            "events_last_seconds": min(((clock.now() - one).total_seconds() for one in heard), default=-1.0),
            "events_missed": sum(one.missed for one in self.states),
            "event_sources_troubled": len(self.broken) + sum(ears_told.trouble(one) is not None for one in self.states),
            "access_ended": self.ended,
            "revocations_read_seconds": self._read_ago(),
        }

    def by_source(self) -> dict[str, dict[str, float]]:
        """Give the figures of each source."""
        return ears_told.by_source(self.states, self.broken, self.hearing.inbox.unmatched, now=clock.now())

    def ready(self) -> dict[str, Any]:
        """Tell how each source does, and by what each provider's callers lose their access."""
        return {
            "sources": ears_told.sources(self.states, self.broken, self.hearing.inbox.unmatched),
            "deliveries": None if self.counts is None else ears_told.deliveries(self.counts),
            "revocation": self._revocation(),
        }

    @property
    def _events(self) -> Any:
        return self._house.furnished.settings.events

    def _manner(self) -> Manner:
        settings = self._house.furnished.settings
        return Manner(
            attempts=settings.events.attempts, account=settings.gateway.account, region=settings.gateway.region
        )

    def _is_over(self, grant: Grant, began: datetime | None) -> bool:
        return is_over(self._house.parts.marks, grant, began)

    def _revocation(self) -> dict[str, str]:
        from actas.identify.told import ends_by_events

        settings = self._house.furnished.settings
        ending = [one for one in settings.events.sources.values() if one.ends]
        heard, said = {one.provider for one in ending}, {one.provider for one in ending if one.kind in SAYS_WHO}
        return {
            name: "events" if name in said or (name in heard and ends_by_events(provider)) else "expiry only"
            for name, provider in settings.providers.items()
        }

    def _read_ago(self) -> float:
        return max(0.0, (clock.now() - self._house.parts.marks.read_at).total_seconds())

    async def _watch(self) -> None:
        """Take changed settings into use, and see how everything does."""
        for look in count():
            await self._follow()
            await anyio.sleep(LOOK)
            if look % ASK:
                continue
            try:
                self.states = await self.hearing.states()
                await self._count()
            except StoreError as wrong:
                log.warning("%s: how the sources do is not known", wrong.code)

    async def _count(self) -> None:
        """Count the deliveries, unless none waits and nothing was committed since that was known."""
        stamp, counts = self._outbox.store.stamp(), self.counts
        if stamp is None or stamp != self._counted or counts is None or counts.waiting or counts.running:
            self.counts, self._counted = await self._outbox.counts(QUEUE), stamp

    async def _follow(self) -> None:
        """Make the sources of the settings, those anew whose settings changed."""
        stands = self._house.furnished
        if stands.loaded is self._heard:
            return
        self._heard, settings = stands.loaded, stands.settings
        self.hearing.inbox.means = Meaning(settings)
        made: dict[str, tuple[EventSource, Provider, Source]] = {}
        self.broken = {}
        for name, source in settings.events.sources.items():
            provider = settings.providers[source.provider]
            before = self._made.get(name)
            if before is not None and before[:2] == (source, provider):
                made[name] = before
                continue
            try:
                made[name] = source, provider, making.made(name, source, stands.loaded, settings)
            except ActasError as wrong:
                log.warning("%s: the source %s: %s", wrong.code, name, wrong)
                self.broken[name] = wrong.code
        self._made = made
        await self.hearing.replace({name: source for name, (_, _, source) in made.items()})

    async def _forget(self) -> None:
        """Forget what was heard, and what became of it, after a while."""
        while True:
            keep = self._events.keep.time
            try:
                await self._outbox.purge(done=max(keep, timedelta(days=1)))
                before = kept(clock.now() - keep)
                gone = 1000
                while gone == 1000:
                    async with self._outbox.store.write() as connection:
                        gone = await heard_rows.purge(connection, before, 1000)
                await self._house.parts.marks.forget(self._outbox.store, clock.now() - self._events.remember.time)
            except StoreError as wrong:
                log.warning("%s: what is old is forgotten later", wrong.code)
            await anyio.sleep(FORGET)


def _both(first: Callable[[], None], then: Callable[[], None]) -> Callable[[], None]:
    def call() -> None:
        first()
        then()

    return call
