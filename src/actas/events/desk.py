"""What people ask of events: what was heard, what is set apart, what is missing, what stands in the way."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

import anyio
import msgspec

from actas.errors import ActasError
from actas.events.inbox import finder
from actas.events.interface import Advice, Begins, Compares, Examines, Listed, Mends, Source
from actas.events.jobs import QUEUE, Delivered
from actas.events.normal import IdentityEvent
from actas.model.secret import Secret
from actas.store import heard_rows
from actas.store.heard_rows import Heard
from actas.store.outbox import Outbox, Seals

SETTLES = timedelta(seconds=90)
"""What happened since then may still be under way: the gap detector looks at nothing younger."""
PATIENCE = 600.0
"""Seconds that one source may take to list what it has, or to be examined."""
SHOWN = 20
"""How many missing events are named."""
APART = timedelta(hours=1)
"""How far clocks may be apart where it counts what is kept no more."""
About = Callable[[bytes], tuple[str, str, str]]
"""Says of a job's body: the function, who caused it, what it is."""


Bound = Literal["began", "forgotten-here", "forgotten-there"]
"""Before it only what ends access was brought; before it nothing is kept any more, by us or by the provider."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A delivery that is set apart."""

    id: str
    key: str | None
    function: str
    source: str
    kind: str
    attempts: int
    why: str
    died_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """What a provider lists, and what of it was heard."""

    source: str
    asked: datetime
    """Since when it was to be compared."""
    since: datetime
    """Since when it was."""
    until: datetime
    bound: Bound | None = None
    """Why not since it was asked for."""
    listed: int = 0
    missing: int = 0
    examples: tuple[Listed, ...] = field(default=())
    trouble: str | None = None
    """The code of why it could not be compared; ``cannot`` where the source has nothing to compare with."""

    @property
    def is_proved(self) -> bool:
        """Tell whether it was compared as far back as the source ever heard everything."""
        return self.trouble is None and self.bound in (None, "began")


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """What a source says about its provider's settings."""

    source: str
    advice: tuple[Advice, ...] = ()
    trouble: str | None = None


class Desk:
    """Answers for one database and the sources of one moment."""

    def __init__(
        self,
        outbox: Outbox,
        seals: Seals,
        sources: Mapping[str, Source],
        others: Mapping[str, About] | None = None,
        *,
        keep: timedelta,
    ) -> None:
        """Take the database and the sources; *others* are queues of other rooms, and what says what lies in them.

        What was heard is kept for *keep*: before that nothing can be compared.
        """
        self._outbox, self._seals, self._sources, self._keep = outbox, seals, sources, keep
        self._queues: dict[str, About] = {QUEUE: _about, **(others or {})}

    @property
    def sources(self) -> Collection[str]:
        """Name the sources that there are."""
        return self._sources.keys()

    async def latest(self, *, after: int = -1, most: int = 20, source: str | None = None) -> list[Heard]:
        """Give what was heard, oldest first: after a number, or the last of it."""
        async with self._outbox.store.read() as connection:
            return await heard_rows.latest(connection, after=after, most=most, source=source)

    async def event(self, number: int) -> tuple[Heard, IdentityEvent] | None:
        """Open one event; whoever may do this sees whom it is about."""
        async with self._outbox.store.read() as connection:
            found = await heard_rows.one(connection, number)
        if found is None:
            return None
        return found, msgspec.json.decode(self._seals.open(found.body, found.finder), type=IdentityEvent)

    async def dead(self, *, most: int = 100) -> list[Letter]:
        """Give what is set apart, the latest first."""
        letters = [
            Letter(
                id=one.id,
                key=one.key,
                function=function,
                source=source,
                kind=kind,
                attempts=one.attempts,
                why=one.why,
                died_at=one.died_at,
            )
            for queue, read in self._queues.items()
            for one in await self._outbox.dead(queue, most=most)
            for function, source, kind in (read(one.body),)
        ]
        return sorted(letters, key=lambda one: one.died_at, reverse=True)[:most]

    async def replay(self, names: Sequence[str]) -> list[str]:
        """Have deliveries tried again that are set apart; give those that were."""
        return [name for name in names if await self._outbox.replay(name)]

    async def compare(self, since: datetime, *, now: datetime, only: str | None = None) -> list[Compared]:
        """Compare what every provider lists with what was heard."""
        asked = [(name, source) for name, source in self._sources.items() if only in (None, name)]
        return [await self._compared(name, source, since, now) for name, source in asked]

    async def examine(self, *, now: datetime, only: str | None = None) -> list[Examined]:
        """Ask every source what stands between its provider and it."""
        found: list[Examined] = []
        for name, source in self._sources.items():
            if only not in (None, name):
                continue
            if not isinstance(source, Examines):
                found.append(Examined(source=name, trouble="cannot"))
                continue
            try:
                with anyio.fail_after(PATIENCE):
                    found.append(Examined(source=name, advice=await source.examine(now=now)))
            except ActasError as wrong:
                found.append(Examined(source=name, trouble=wrong.code))
            except TimeoutError:
                found.append(Examined(source=name, trouble="late"))
        return found

    async def mend(self, name: str, administrator: Secret, *, now: datetime) -> tuple[Advice, ...] | None:
        """Put right what can be, with an administrator's own token; None where the source cannot."""
        source = self._sources.get(name)
        if not isinstance(source, Mends):
            return None
        return await source.mend(administrator, now=now)

    async def _began(self, name: str, source: Source) -> datetime | None:
        """Give the moment from which on the source brings everything, where that is known."""
        if not isinstance(source, Begins):
            return None
        async with self._outbox.store.read() as connection:
            cursor = (await heard_rows.reached(connection, name)).cursor
        return None if cursor is None else source.began(cursor)

    async def _compared(self, name: str, source: Source, asked: datetime, now: datetime) -> Compared:
        until = now - SETTLES
        found = Compared(source=name, asked=asked, since=asked, until=until)
        if not isinstance(source, Compares):
            return replace(found, trouble="cannot")
        bounds: list[tuple[datetime, Bound]] = [(now - self._keep + APART, "forgotten-here")]
        if (began := await self._began(name, source)) is not None:
            bounds.append((began, "began"))
        found = _bound(found, bounds)
        try:
            with anyio.fail_after(PATIENCE):
                listed = {one.id: one async for one in source.compare(found.since, until=until)}
        except ActasError as wrong:
            return replace(found, trouble=wrong.code)
        except TimeoutError:
            return replace(found, trouble="late")
        if (reach := source.health().reaches_back) is not None:  # known by now at the latest
            found = _bound(found, [(now - reach, "forgotten-there")])
        finders = {finder(name, event): one for event, one in listed.items()}
        async with self._outbox.store.read() as connection:
            known = await heard_rows.known(connection, list(finders))
        missing = sorted((one for key, one in finders.items() if key not in known), key=lambda one: one.happened_at)
        return replace(found, listed=len(listed), missing=len(missing), examples=tuple(missing[:SHOWN]))


def _bound(found: Compared, bounds: Sequence[tuple[datetime, Bound]]) -> Compared:
    """Say the latest moment before which nothing can be told, and why."""
    since, why = max(bounds)
    return replace(found, since=min(since, found.until), bound=why) if since > found.since else found


def _about(body: bytes) -> tuple[str, str, str]:
    """Say what a delivery was about; where it cannot be read any more, that nothing is known."""
    try:
        wanted = msgspec.json.decode(body, type=Delivered)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return "?", "?", "?"
    return wanted.function, wanted.source, wanted.kind
