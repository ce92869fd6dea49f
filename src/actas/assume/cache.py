"""Sessions that are still good, shared by calls whose grants rest on the same things.

A hit is only for an equal key (`Rests`), so it can never cross callers, rules, actors or evidence. Live sessions are
capped for each subject and in all; the oldest that no call is using goes first, and where all are in use the caller
is turned away. A session about to end is made anew beside the calls that still use it, by the grant of the call that
found it so; a refusal is remembered for a few seconds, so that a party that said no is not asked for every call.
"""

import logging
from collections import OrderedDict
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import TracebackType

import anyio
from anyio.abc import TaskGroup, TaskStatus

from actas.assume.errors import AssumeError, TooManySessions
from actas.assume.interface import Broker
from actas.assume.key import Rests, rests, shown
from actas.model.decision import Grant
from actas.model.evidence import Evidence
from actas.model.session import NO_ROLE, Sessions

SPARE = timedelta(seconds=5)
"""A session that ends sooner is not handed out again: the function would get credentials about to die."""

AHEAD = timedelta(minutes=5)
"""How long before its end a session is made anew, at most; never sooner than in the last fifth of its life."""

NEXT_TRY = timedelta(seconds=10)
"""How long after a renewal that came to nothing the next one is tried."""

MOST_REFUSALS = 10_000
"""How many refusals are remembered; beyond, the oldest go."""

SWEEP_EVERY = timedelta(seconds=1)
"""How often, at most, a full cache looks for sessions that have ended."""


NEVER = datetime.max.replace(tzinfo=UTC)
log = logging.getLogger("actas.assume")


@dataclass(slots=True)
class Taken(AbstractContextManager[Sessions]):
    """Sessions in use: leaving the block gives them back."""

    sessions: Sessions
    whose: tuple[str, str]
    ends_at: datetime
    renew_at: datetime
    """From then on they are made anew beside whoever uses these; never, where new ones could not live longer."""
    grant: Grant | None = None
    """What they were made of; None where there is nothing."""
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
        self._refused: OrderedDict[Rests, tuple[datetime, AssumeError]] = OrderedDict()
        self._by_grant: dict[int, tuple[Grant, str, Rests]] = {}
        self._next_sweep = datetime.min.replace(tzinfo=UTC)
        self._beside: TaskGroup | None = None
        """Where renewals run; None while `run` does not."""
        self._renewing: set[Rests] = set()

    def __len__(self) -> int:
        return len(self._live)

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Let sessions be made anew in the background, until cancelled."""
        try:
            async with anyio.create_task_group() as tasks:
                self._beside = tasks
                task_status.started()
                await anyio.sleep_forever()
        finally:
            self._beside = None

    def known(self, grant: Grant, broker: Broker, *, now: datetime, evidence: Evidence | None = None) -> Taken | None:
        """Find sessions that stand for *grant*; None where they have to be made."""
        if grant.role is None:
            return _NOTHING
        key = self._rests(grant, broker, evidence)
        found = self._live.get(key)
        if found is None or found.ends_at - now < SPARE:
            return None
        self._live.move_to_end(key)
        if now >= found.renew_at and self._beside is not None and key not in self._renewing:
            found.renew_at = now + NEXT_TRY
            self._renewing.add(key)
            self._beside.start_soon(self._renew, key, grant, broker, now, evidence)
        return found

    async def take(self, grant: Grant, broker: Broker, *, now: datetime, evidence: Evidence | None = None) -> Taken:
        """Give sessions for *grant*, made by *broker* where there are none; one making at a time for equal grants.

        *evidence* is what this call's caller showed; it goes to brokers that pass it on, and is never kept.
        """
        while (found := self.known(grant, broker, now=now, evidence=evidence)) is None:
            key = self._rests(grant, broker, evidence)
            if (other := self._making.get(key)) is None:
                self._raise_refusal(key, now)
                return await self._make(key, grant, broker, now=now, evidence=evidence)
            await other.done.wait()
            if other.failed is not None:
                raise other.failed.again()
        return found

    async def _make(
        self, key: Rests, grant: Grant, broker: Broker, *, now: datetime, evidence: Evidence | None
    ) -> Taken:
        whose = (key.issuer, key.subject)
        self._drop(key)
        self._make_room(whose, now=now)
        making = self._making[key] = _Making()
        self._count(whose, 1)  # before the wait, so that many makings at once cannot pass the caps
        try:
            sessions = await broker.issue(grant, now=now, evidence=evidence)
            taken = self._live[key] = _taken(sessions, whose, grant, now)
            return taken
        except AssumeError as wrong:
            making.failed = wrong
            self._remember_refusal(key, wrong, now)
            raise
        finally:
            if key not in self._live:
                self._count(whose, -1)
            del self._making[key]
            making.done.set()

    async def _renew(self, key: Rests, grant: Grant, broker: Broker, now: datetime, evidence: Evidence | None) -> None:
        """Put new sessions in the place of those about to end, unless those were ended meanwhile."""
        try:
            sessions = await broker.issue(grant, now=now, evidence=evidence)
        except AssumeError as wrong:  # those there still hold: the next call tries again
            log.info("a session could not be renewed: %s", wrong.code)
        else:
            if (before := self._live.get(key)) is not None:
                self._live[key] = _taken(sessions, before.whose, grant, now)
        finally:
            self._renewing.discard(key)

    def _raise_refusal(self, key: Rests, now: datetime) -> None:
        """Tell a no that was heard moments ago again."""
        if (found := self._refused.get(key)) is not None:
            if now < found[0]:
                raise found[1].again()
            del self._refused[key]

    def _remember_refusal(self, key: Rests, wrong: AssumeError, now: datetime) -> None:
        if wrong.holds_for:
            self._refused[key] = now + timedelta(seconds=wrong.holds_for), wrong
            if len(self._refused) > MOST_REFUSALS:
                self._refused.popitem(last=False)

    def end(self, *, provider: str, subject: str | None = None) -> int:
        """Forget every session of a subject, or of all a provider's; tell how many there were."""
        gone = [key for key in self._live if key.provider == provider and (subject is None or key.subject == subject)]
        for key in gone:
            self._drop(key)
        return len(gone)

    def end_where(self, is_over: Callable[[Grant, datetime | None], bool]) -> frozenset[str]:
        """Forget every session whose grant, made then, does not stand any more; give their names."""
        gone = [
            key
            for key, taken in self._live.items()
            if taken.grant is not None and is_over(taken.grant, taken.sessions.began)
        ]
        names = frozenset(self._live[key].sessions.id for key in gone)
        for key in gone:
            self._drop(key)
        return names

    def sweep(self, *, now: datetime) -> None:
        """Forget sessions that have ended."""
        for key in [key for key, taken in self._live.items() if taken.ends_at <= now]:
            self._drop(key)
        for key in [key for key, (until, _) in self._refused.items() if until <= now]:
            del self._refused[key]

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

    def _rests(self, grant: Grant, broker: Broker, evidence: Evidence | None) -> Rests:
        """Say what *grant* rests on; worked out once for a grant, which many calls share."""
        shape = broker.shape
        found = self._by_grant.get(id(grant))
        if found is None or found[0] is not grant or found[1] != shape:  # an id is used again when its object has gone
            if len(self._by_grant) >= 2 * self._most:
                self._by_grant.clear()
            found = self._by_grant[id(grant)] = grant, shape, rests(grant, broker=shape)
        if not broker.shows_evidence:
            return found[2]
        return rests(grant, broker=shape, evidence=shown(evidence))

    def _drop(self, key: Rests) -> None:
        if (taken := self._live.pop(key, None)) is not None:
            self._count(taken.whose, -1)

    def _count(self, whose: tuple[str, str], more: int) -> None:
        now_there = self._per_subject.get(whose, 0) + more
        if now_there:
            self._per_subject[whose] = now_there
        else:
            del self._per_subject[whose]


def _taken(sessions: Sessions, whose: tuple[str, str], grant: Grant, now: datetime) -> Taken:
    """Say how long sessions are shared, and from when on they are made anew."""
    assert sessions.work is not None
    ends = sessions.work.expires_at
    could = min(grant.expires_at, grant.identity.expires_at)
    renew_at = ends - min(AHEAD, (ends - now) / 5) if could - ends > SPARE else NEVER
    sessions = replace(sessions, began=now)
    return Taken(sessions=sessions, whose=whose, ends_at=ends, renew_at=renew_at, grant=grant)


_NOTHING = Taken(sessions=NO_ROLE, whose=("", ""), ends_at=NEVER, renew_at=NEVER)
