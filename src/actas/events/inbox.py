"""Take events in: each once, durable before anybody is told so, with all that follows from it in one transaction.

What an event ends, the deliveries to functions, and how far its source was heard are kept together with the event, or
not at all. So a gateway that is killed at any instant has either heard an event, with everything that follows, or
not heard it, and its source tells it again.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from actas.events import cuts
from actas.events.ends import Cut
from actas.events.errors import Backlogged
from actas.events.jobs import QUEUE, Delivered
from actas.events.normal import IdentityEvent
from actas.events.subscriptions import Subscription, facts
from actas.store import heard_rows, outbox_rows
from actas.store.gathered import Gathered
from actas.store.heard_rows import Hears
from actas.store.moments import EPOCH, kept
from actas.store.outbox import Outbox, Put, Seals
from actas.store.person_key import PersonKey
from actas.store.watermarks import UNNAMED, Watermarks

NOBODY = "nobody"
"""Whose access an event ended that names somebody in a way that nothing here bears."""
RETRY = 5
"""Seconds after which a source that was told to wait may come again."""
_COUNT_EVERY, _COUNT_AGAIN = timedelta(milliseconds=250), timedelta(milliseconds=10)


class Means(Protocol):
    """What an event means by the settings of this moment."""

    def deliveries(self, event: IdentityEvent) -> Sequence[Subscription]:
        """Give the subscriptions that it runs."""
        ...

    def cut(self, event: IdentityEvent) -> Cut | None:
        """Say what it ends."""
        ...

    def is_lost(self, event: IdentityEvent) -> bool:
        """Tell whether it takes access away from somebody whom nothing here is matched by."""
        ...

    def cuts(self, event: IdentityEvent) -> Sequence[str]:
        """Name the roles whose sessions at AWS it cuts."""
        ...

    @property
    def backlog(self) -> int:
        """How many deliveries may wait."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a source told at once."""

    source: str
    events: tuple[IdentityEvent, ...]
    cursor: str | None = field(default=None, repr=False)
    missed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenIn:
    """What was new of it."""

    fresh: int
    repeated: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ready:
    """One event with everything that follows from it."""

    row: Hears
    cut: Cut | None
    jobs: tuple[tuple[str, Put], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where things are kept, and by which keys."""

    outbox: Outbox
    marks: Watermarks
    key: PersonKey
    seals: Seals
    clock: Callable[[], datetime]


class Inbox:
    """Where every source brings what it heard."""

    def __init__(self, places: Places, means: Means) -> None:
        self._places, self.means = places, means
        self._keeping: Gathered[Told, TakenIn] = Gathered(self._keep, most=64)
        self._waiting, self._counted_at = 0, EPOCH
        self.fresh = self.repeated = self.turned_away = 0
        """Events since the start: new ones, ones that were known, ones that their source has to keep for now."""
        self.unmatched: Counter[str] = Counter()
        """By source, since the start: events that take access away from somebody who was not found by them."""

    async def take(self, told: Told) -> TakenIn:
        """Keep what is new of it, and end what it ends; both are durable on return.

        Raise `Backlogged` where too much waits already: nothing is kept then, but what the events end is ended.
        """
        try:
            await self._has_room(len(told.events))
        except Backlogged:
            self.turned_away += len(told.events)
            await self._cut_only(told)
            raise
        found = await self._keeping.ask(told)
        self.fresh += found.fresh
        self.repeated += found.repeated
        return found

    async def _has_room(self, more: int) -> None:
        """Raise `Backlogged` where functions are too far behind.

        It is counted a few times a second; in between, what is put here counts, and what is done does not, so that it
        is counted anew before somebody is turned away.
        """
        now = self._places.clock()
        if now - self._counted_at > (_COUNT_AGAIN if self._waiting > self.means.backlog else _COUNT_EVERY):
            self._counted_at = now
            async with self._places.outbox.store.read() as connection:
                self._waiting = await outbox_rows.open_(connection, QUEUE)
        if more and self._waiting > self.means.backlog:
            raise Backlogged(waiting=self._waiting, allowed=self.means.backlog, retry_after=RETRY)

    async def _cut_only(self, told: Told) -> None:
        cuts = _fewest([found for event in told.events if (found := self.means.cut(event))])
        if cuts:
            async with self._places.marks.turn(self._places.outbox.store) as connection:
                await self._cut(connection, cuts, min(event.heard_at for event in told.events))
            await self._places.marks.read(self._places.outbox.store)

    async def _keep(self, batch: Sequence[Told]) -> Sequence[TakenIn]:
        places = self._places
        ready = {one.row.finder: one for told in batch for event in told.events for one in (self._ready(event),)}
        async with places.marks.turn(places.outbox.store) as connection:
            rows = [one.row for one in ready.values()]
            fresh = await heard_rows.hear(connection, rows) if rows else set()
            new = [ready[finder] for finder in ready if finder in fresh]  # in the order in which they came
            cuts = _fewest([one.cut for one in new if one.cut is not None])
            self.unmatched.update(one.row.source for one in new if one.row.ended == NOBODY)
            await self._cut(
                connection, cuts, min((event.heard_at for told in batch for event in told.events), default=EPOCH)
            )
            await places.outbox.put_within(connection, [job for one in new for job in one.jobs])
            for told in batch:
                if told.cursor is not None:
                    await heard_rows.keep_cursor(connection, told.source, told.cursor, missed=told.missed)
        if cuts:
            await places.marks.read(places.outbox.store)
        queues = Counter(put.queue for one in new for _, put in one.jobs)
        for queue in queues:
            places.outbox.wake(queue)
        self._waiting += queues[QUEUE]
        return _shared(batch, fresh)

    async def _cut(self, connection: AsyncConnection, cuts: Sequence[Cut], heard_at: datetime) -> None:
        waited = max(timedelta(), self._places.clock() - heard_at)
        for one in cuts:
            for subject, session, address in _whose(one):
                await self._places.marks.append_within(
                    connection, provider=one.provider, at=one.at, reason=one.reason, subject=subject, session=session,
                    address=address, waited=waited,
                )  # fmt: skip

    def _ready(self, event: IdentityEvent) -> _Ready:
        found = finder(event.source, event.id)
        ends = self.means.cut(event)
        deliveries = tuple(self._job(event, found, one) for one in self.means.deliveries(event))
        cutting = () if ends is None else tuple(self._cutting(event, role) for role in self.means.cuts(event))
        row = Hears(
            finder=found,
            source=event.source,
            kind=event.kind.value,
            happened_us=kept(event.happened_at),
            heard_us=kept(event.heard_at),
            deliveries=len(deliveries),
            ended=ends.what if ends is not None else NOBODY if self.means.is_lost(event) else "",
            body=self._places.seals.seal(msgspec.json.encode(event), found),
        )
        return _Ready(row=row, cut=ends, jobs=(*deliveries, *cutting))

    def _cutting(self, event: IdentityEvent, role: str) -> tuple[str, Put]:
        outbox, (key, body) = self._places.outbox, cuts.job(role, event.heard_at)
        name = outbox.name()
        return name, outbox.sealed(name, Put(queue=cuts.QUEUE, body=msgspec.json.encode(body), key=key, lane=role))

    def _job(self, event: IdentityEvent, found: bytes, wanted: Subscription) -> tuple[str, Put]:
        outbox, key = self._places.outbox, f"{found.hex()[:32]}-{wanted.id}"
        body = Delivered(
            function=wanted.function,
            role=wanted.role,
            source=event.source,
            kind=event.kind.value,
            heard_at=event.heard_at,
            format=wanted.format,
            data=facts(event, wanted.payload),
        )
        name = outbox.name()
        put = Put(queue=QUEUE, body=msgspec.json.encode(body), key=key, lane=self._lane(event, wanted))
        return name, outbox.sealed(name, put)

    def _lane(self, event: IdentityEvent, wanted: Subscription) -> str | None:
        """Name the queue of one subject at one function, so that nobody can read in it who that is."""
        subject = event.subject or next(iter(event.named), None)
        if subject is None:
            return None
        mark = self._places.key.mark(event.provider, subject, None)
        function = hashlib.sha256(wanted.function.encode()).hexdigest()[:12]  # whichever entries of `on` run it
        return f"{hashlib.sha256(b'lane' + mark).hexdigest()[:32]}-{function}"


def finder(source: str, event: str) -> bytes:
    """Name an event so that it is known again."""
    return hashlib.sha256(json.dumps([source, event]).encode()).digest()


def _whose(one: Cut) -> list[tuple[str | None, str | None, str | None]]:
    """List the watermarks of a cut: each by its subject, its session and its address."""
    named = UNNAMED if one.session is not None else None  # of a session also what names none: it may be of this one
    addresses = (*one.addresses, "") if one.addresses else ()
    whose: list[tuple[str | None, str | None, str | None]] = [(None, named, address) for address in addresses]
    if one.subject is not None:
        # A name that may be a session's or a person's ends both.
        whose.append((one.subject, None if one.subject == one.session else named, None))
    if one.session is not None:
        # A provider knows its sessions by their names alone, whatever a token's subject is read from.
        whose.append((None, one.session, None))
    return whose or [(None, None, None)]


def _fewest(cuts: Sequence[Cut]) -> list[Cut]:
    """Leave out cuts that say no more than others do."""
    last: dict[tuple[str, str | None, str | None, tuple[str, ...]], Cut] = {}
    for one in cuts:
        about = (one.provider, one.subject, one.session, one.addresses)
        if about not in last or last[about].at < one.at:
            last[about] = one
    return list(last.values())


def _shared(batch: Sequence[Told], fresh: set[bytes]) -> list[TakenIn]:
    """Tell each who asked what was new of theirs; what several told at once was new to the first."""
    found: list[TakenIn] = []
    left = set(fresh)
    for told in batch:
        mine = {finder(event.source, event.id) for event in told.events} & left
        left -= mine
        found.append(TakenIn(fresh=len(mine), repeated=len(told.events) - len(mine)))
    return found
