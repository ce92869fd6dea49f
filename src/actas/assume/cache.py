"""Sessions that are still good, shared by calls whose grants rest on the same things.

A hit is only for an equal key (`Rests`), so it can never cross callers, rules, actors or evidence. Live sessions are
capped for each subject and in all; the oldest that no call is using goes first, and where all are in use the caller
is turned away.
"""

from collections import OrderedDict
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import TracebackType

import anyio

from actas.assume.errors import AssumeError, TooManySessions
from actas.assume.interface import Broker
from actas.assume.key import Rests, rests
from actas.model.decision import Grant
from actas.model.session import NO_ROLE, Sessions

SPARE = timedelta(seconds=5)
"""A session that ends sooner is not handed out again: the function would get credentials about to die."""

SWEEP_EVERY = timedelta(seconds=1)
"""How often, at most, a full cache looks for sessions that have ended."""


@dataclass(slots=True)
class Taken(AbstractContextManager[Sessions]):
    """Sessions in use: leaving the block gives them back."""

    sessions: Sessions
    whose: tuple[str, str]
    ends_at: datetime
    in_use: int = 0

    def __enter__(self) -> Sessions:
        self.in_use += 1
        return self.sessions

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.in_use -= 1


@dataclass(slots=True)
class _Making:
    done: anyio.Event = field(default_factory=anyio.Event)
    failed: AssumeError | None = None
    """Why it came to nothing; whoever waited for it hears that too, and does not try one after the other."""


class SessionCache:
    """Takes roles through a broker, once for calls that rest on the same things."""

    def __init__(self, *, most: int, most_per_subject: int) -> None:
        self._most = most
        self._most_per_subject = most_per_subject
        self._live: OrderedDict[Rests, Taken] = OrderedDict()
        self._per_subject: dict[tuple[str, str], int] = {}
        self._making: dict[Rests, _Making] = {}
        self._by_grant: dict[int, tuple[Grant, Rests]] = {}
        self._next_sweep = datetime.min.replace(tzinfo=UTC)

    def __len__(self) -> int:
        return len(self._live)

    def known(self, grant: Grant, *, now: datetime) -> Taken | None:
        """Find sessions that stand for *grant*; None where they have to be made."""
        if grant.role is None:
            return _NOTHING
        key = self._rests(grant)
        found = self._live.get(key)
        if found is None or found.ends_at - now < SPARE:
            return None
        self._live.move_to_end(key)
        return found

    async def take(self, grant: Grant, broker: Broker, *, now: datetime) -> Taken:
        """Give sessions for *grant*, made by *broker* where there are none; one making at a time for equal grants."""
        while (found := self.known(grant, now=now)) is None:
            key = self._rests(grant)
            if (other := self._making.get(key)) is None:
                return await self._make(key, grant, broker, now=now)
            await other.done.wait()
            if other.failed is not None:
                raise other.failed.again()
        return found

    async def _make(self, key: Rests, grant: Grant, broker: Broker, *, now: datetime) -> Taken:
        whose = (key.issuer, key.subject)
        self._drop(key)
        self._make_room(whose, now=now)
        making = self._making[key] = _Making()
        self._count(whose, 1)  # before the wait, so that many makings at once cannot pass the caps
        try:
            sessions = await broker.issue(grant, now=now)
            assert sessions.work is not None
            taken = self._live[key] = Taken(sessions=sessions, whose=whose, ends_at=sessions.work.expires_at)
            return taken
        except AssumeError as wrong:
            making.failed = wrong
            raise
        finally:
            if key not in self._live:
                self._count(whose, -1)
            del self._making[key]
            making.done.set()

    def end(self, *, provider: str, subject: str | None = None) -> int:
        """Forget every session of a subject, or of all a provider's; tell how many there were."""
        gone = [key for key in self._live if key.provider == provider and (subject is None or key.subject == subject)]
        for key in gone:
            self._drop(key)
        return len(gone)

    def sweep(self, *, now: datetime) -> None:
        """Forget sessions that have ended."""
        for key in [key for key, taken in self._live.items() if taken.ends_at <= now]:
            self._drop(key)

    def _make_room(self, whose: tuple[str, str], *, now: datetime) -> None:
        if self._is_full(None) or self._is_full(whose):
            if now >= self._next_sweep:  # looking through all of them for each new one would cost more than it
                self._next_sweep = now + SWEEP_EVERY
                self.sweep(now=now)
            for crowd in (whose, None):
                if self._is_full(crowd):
                    self._evict(crowd, now=now)

    def _is_full(self, whose: tuple[str, str] | None) -> bool:
        if whose is None:
            return self._all() >= self._most
        return self._per_subject.get(whose, 0) >= self._most_per_subject

    def _all(self) -> int:
        return len(self._live) + len(self._making)

    def _evict(self, whose: tuple[str, str] | None, *, now: datetime) -> None:
        for key, taken in self._live.items():  # the oldest first
            if not taken.in_use and whose in (None, taken.whose):
                self._drop(key)
                return
        self.sweep(now=now)
        if self._is_full(whose):
            if whose is None:
                raise TooManySessions(live=self._all(), allowed=self._most, whose="in all")
            raise TooManySessions(live=self._per_subject[whose], allowed=self._most_per_subject, whose="by this caller")

    def _rests(self, grant: Grant) -> Rests:
        """Say what *grant* rests on; worked out once for a grant, which many calls share."""
        found = self._by_grant.get(id(grant))
        if found is None or found[0] is not grant:  # an id is used again when its object has gone
            if len(self._by_grant) >= 2 * self._most:
                self._by_grant.clear()
            found = self._by_grant[id(grant)] = grant, rests(grant)
        return found[1]

    def _drop(self, key: Rests) -> None:
        if (taken := self._live.pop(key, None)) is not None:
            self._count(taken.whose, -1)

    def _count(self, whose: tuple[str, str], more: int) -> None:
        now_there = self._per_subject.get(whose, 0) + more
        if now_there:
            self._per_subject[whose] = now_there
        else:
            del self._per_subject[whose]


_NOTHING = Taken(sessions=NO_ROLE, whose=("", ""), ends_at=datetime.max)  # noqa: DTZ901 - never compared
