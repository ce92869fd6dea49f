"""Up to when nothing counts any more: what ends tokens and sessions at once.

A watermark is the provider's event time. A token is refused when its ``iat`` is not later (design.md, 8.5). Gateways
read the table once a second; one that has not read it for `STALE` refuses whatever it has cached.
"""

import contextlib
import math
import sqlite3
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import anyio

from actas.model.held import Mark
from actas.store.errors import StoreError
from actas.store.mark_names import MarkNames
from actas.store.moments import kept
from actas.store.person_key import PersonKey

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from actas.store.database import Store
    from actas.store.stamp import Stamp

STALE = timedelta(seconds=5)
EVERY = 1.0
CATCH_UP = 2.0
"""Seconds that whoever asks waits for a reader that is late."""
_LOOK = 0.02
TURN = 0x4163746D
"""The advisory lock of this table: without it a reader could see sequence 8 before 7 is committed, and miss 7."""
CHANNEL = "actas_watermarks"
NEVER = datetime.min.replace(tzinfo=UTC)
EVERYBODY = "*"
"""Stands where a provider's name does, for marks of a role and of all sessions; no provider can have this name."""
UNTOLD = 20_000
"""Marks of which it is remembered when they were heard, until somebody asks."""
UNNAMED = ""
"""Stands where a session's name does, for evidence that names none: no session can have this name."""
_PRIME = "select sequence, provider, whose, event_us from watermarks order by sequence"


class Watermarks:
    """The table, in memory, and the one that reads it."""

    def __init__(self, key: PersonKey, clock: Callable[[], datetime]) -> None:
        self._names, self._clock = MarkNames(key), clock
        self._marks: dict[str, dict[bytes | None, float]] = {}
        """By provider and whose (None for all of it): microseconds since 1970."""
        self.read_at = NEVER
        self.sequence = 0
        """The last row read; grows with each change."""
        self.on_change: Callable[[], None] = lambda: None
        """Called when something was read that is new."""
        self._told = anyio.Event()
        self._is_read = False
        """Whether somebody reads it over and over, and could the last time."""
        self._stamp: Stamp | None = None
        """Of what was read."""
        self._heard: deque[float] = deque(maxlen=UNTOLD)

    def refuses(
        self,
        *,
        provider: str,
        subject: str,
        session: str | None,
        issued_at: datetime | None,
        address: str | None = None,
        acting: Sequence[str] = (),
    ) -> bool:
        """Tell whether evidence issued then has ended; evidence that does not say when counts as old.

        It ends with its subject, and with everybody who is *acting* for the subject.
        """
        if not (marks := self._marks.get(provider)):
            return False
        mark = marks.get(None, -math.inf)
        if len(marks) > 1 or None not in marks:
            whose: list[tuple[str | None, str | None]] = [(subject, None), (subject, UNNAMED)]
            if session is not None:
                whose = [(subject, None), (subject, session), (None, session)]
            whose += [(actor, None) for actor in acting]
            mark = max(mark, *(marks.get(self._names.of(provider, *one), -math.inf) for one in whose))
            if address is not None:
                mark = max(mark, *(marks.get(one, -math.inf) for one in self._addressed(provider, address, session)))
        if issued_at is None:
            return mark > -math.inf
        return kept(issued_at) <= mark

    def _addressed(self, provider: str, address: str, session: str | None) -> list[bytes]:
        """Name the marks of somebody with this address; one of a session counts for what names no session."""
        sessions = (None, UNNAMED) if session is None else (None,)
        return [self._names.of_address(provider, address, one) for one in sessions]

    def of(
        self,
        *,
        provider: str,
        subject: str,
        session: str | None,
        issued_at: datetime | None,
        began: datetime,
        address: str | None = None,
        acting: Sequence[str] = (),
    ) -> tuple[Mark, ...]:
        """List the marks that end a session of *subject* that *began* then, from evidence that was *issued_at* then."""
        whose = [None, self._names.of(provider, subject, None)]
        whose.append(self._names.of(provider, subject, UNNAMED if session is None else session))
        if session is not None:
            whose.append(self._names.of(provider, None, session))
        if address is not None:
            whose += self._addressed(provider, address, session)
        whose += [self._names.of(provider, actor, None) for actor in acting]
        return (*[Mark(provider, one, issued_at) for one in whose], Mark(EVERYBODY, None, began))

    def of_role(self, role_arn: str, began: datetime) -> Mark:
        """Give the mark that ends sessions of a role that *began* then."""
        return Mark(EVERYBODY, self._names.of_role(role_arn), began)

    def of_session(self, role_arn: str, began: datetime) -> tuple[Mark, ...]:
        """List the marks that end a session of a role that *began* then, whoever has it."""
        return Mark(EVERYBODY, None, began), self.of_role(role_arn, began)

    def ended(self, marks: Iterable[Mark]) -> bool:
        """Tell whether one of *marks* has been passed; also where there are none, since then nothing could end it."""
        nothing = True
        for mark in marks:
            nothing = False
            at = self._marks.get(mark.provider, {}).get(mark.whose, -math.inf)
            if at > -math.inf and (mark.since is None or kept(mark.since) <= at):
                return True
        return nothing

    def heard(self) -> Sequence[float]:
        """Give when what was read since the last time was heard, by `anyio.current_time`, to measure how long it took.

        Whoever heard it may have been another gateway.
        """
        found = tuple(self._heard)
        self._heard.clear()
        return found

    def fresh(self, now: datetime) -> bool:
        """Tell whether the table was read lately enough to rely on anything cached."""
        return self.read_at != NEVER and abs(now - self.read_at) <= STALE

    async def caught_up(self, now: datetime) -> None:
        """Return when it was read lately, or is not about to be.

        A machine that slept, or had no time for us, wakes with a reading that is too old and a reader that is due:
        what came first would be refused for nothing. Where reading fails nobody waits.
        """
        if not self._is_due(now):
            return
        self._told.set()
        with anyio.move_on_after(CATCH_UP):
            while self._is_due(now):  # noqa: ASYNC110 - at the start it is a thread that reads
                await anyio.sleep(_LOOK)

    def _is_due(self, now: datetime) -> bool:
        return self._is_read and not self.fresh(now)

    async def append(
        self,
        store: "Store",
        *,
        provider: str,
        at: datetime,
        reason: str,
        subject: str | None = None,
        session: str | None = None,
        role_arn: str | None = None,
    ) -> int:
        """Add a watermark: of a *subject*, of a *session*, or of the whole provider; give its sequence.

        With `EVERYBODY` for a provider: of all sessions of the role *role_arn*, or of all there are.
        """
        async with self.turn(store) as connection:
            sequence = await self.append_within(
                connection, provider=provider, at=at, reason=reason, subject=subject, session=session, role_arn=role_arn
            )
        await self.read(store)
        return sequence

    def turn(self, store: "Store") -> "AbstractAsyncContextManager[AsyncConnection]":
        """Begin a transaction in which `append_within` may be used; `read` when it is over."""
        return store.write(TURN)

    async def append_within(
        self,
        connection: "AsyncConnection",
        *,
        provider: str,
        at: datetime,
        reason: str,
        subject: str | None = None,
        session: str | None = None,
        role_arn: str | None = None,
        address: str | None = None,
        waited: timedelta = timedelta(),
    ) -> int:
        """Add a watermark, as `append` does, together with whatever else its transaction keeps.

        It was heard *waited* ago. With an *address*: of who is named by it; an empty one is that of all evidence that
        names none.
        """
        from actas.store import rows

        whose = None if subject is None and session is None else self._names.of(provider, subject, session)
        if address is not None:
            whose = self._names.of_address(provider, address, session)
        if role_arn is not None:
            whose = self._names.of_role(role_arn)
        return await rows.add_watermark(connection, provider, whose, kept(at), reason, waited=waited)

    async def forget(self, store: "Store", before: datetime) -> None:
        """Forget whose access ended before a moment, and end whatever their providers issued up to it: none revives."""
        from actas.store import rows

        async with self.turn(store) as connection:
            for provider in await rows.forget_watermarks(connection, kept(before)):
                await rows.add_watermark(connection, provider, None, kept(before), "forgotten", waited=None)
        await self.read(store)

    async def read(self, store: "Store") -> None:
        """Take in what was added since the last time."""
        from actas.store import rows

        began, before, stamp = self._clock(), self.sequence, store.stamp()
        if stamp is None or stamp != self._stamp:  # else nothing was committed since it was read
            async with store.read() as connection:
                found = await rows.watermarks_since(connection, before)
            at = anyio.current_time()
            for sequence, provider, whose, event_us, ago in found:
                self._take(sequence, provider, whose, event_us)
                if ago is not None and self.read_at != NEVER:  # else it ended before there was anything here to end
                    self._heard.append(at - ago.total_seconds())
            self._stamp = stamp
        self.read_at = began
        if self.sequence != before:
            self.on_change()

    def prime(self, file: Path) -> None:
        """Read the table before the store is open: a gateway that starts must not wait for a library to be imported.

        Where that cannot be done the table stays unread, and whoever asks refuses until `run` has read it.
        """
        began = self._clock()
        if not file.exists():  # a new gateway: nothing was ever revoked here
            self.read_at, self._is_read = began, True
            return
        with contextlib.suppress(sqlite3.Error):
            connection = sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=1)
            try:
                for row in connection.execute(_PRIME):
                    self._take(*row)
            finally:
                connection.close()
            self.read_at, self._is_read = began, True

    async def run(self, store: "Store") -> None:
        """Read once a second, and when another gateway says so, until cancelled.

        A store that fails makes the table stale, not the reader end.
        """
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(store.listen, CHANNEL, lambda _: self._told.set())
            while True:
                self._told = anyio.Event()
                try:
                    await self.read(store)
                except StoreError:  # `fresh` tells it, and everything that asks refuses
                    self._is_read = False
                else:
                    self._is_read = True
                with anyio.move_on_after(EVERY):
                    await self._told.wait()

    def _take(self, sequence: int, provider: str, whose: bytes | None, event_us: int) -> None:
        marks = self._marks.setdefault(provider, {})
        marks[whose] = max(marks.get(whose, -math.inf), event_us)
        if whose is None:  # what ends everybody's ends each one's
            for one in [one for one, at in marks.items() if one is not None and at <= event_us]:
                del marks[one]
        self.sequence = sequence
