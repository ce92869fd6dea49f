"""Work on one queue: take what is due, keep the leases, settle each job by itself, give back what is not done."""

import logging
import math
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import anyio
from anyio.abc import TaskGroup
from sqlalchemy.ext.asyncio import AsyncConnection

from actas.errors import ActasError
from actas.store import outbox_dues
from actas.store import outbox_rows as rows
from actas.store.database import Store
from actas.store.errors import StoreError
from actas.store.gathered import Gathered
from actas.store.outbox_jobs import Again, Dead, Done, Job, Verdict, Work
from actas.store.outbox_look import POLL, Lookout

log = logging.getLogger("actas")
LOOK_FOR_DROPPED = 0.5
"""Seconds between two looks for jobs whose lease ended."""
ALONE = 2
"""A job that died so often is worked on while no other such is: so the one that kills is told from its company."""
UNEXPECTED = 8
"""How often a job may end in an error that nobody foresaw."""
_LONGEST_WHY = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeps:
    """What the runner needs of the outbox."""

    store: Store
    lease: timedelta
    deaths: int
    wakes: set[Callable[[], None]]
    """Who wants to know that there may be work."""
    job: Callable[[rows.Taken], Job]
    lookout: Lookout


@dataclass(slots=True, eq=False)
class _Held:
    """A job that this process works on."""

    taken: rows.Taken
    token: str
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)


_Settled = tuple[_Held, Verdict]


class Runner:
    """Works on one queue for as long as `run` does."""

    def __init__(self, keeps: Keeps, queue: str, work: Work, at_once: int) -> None:
        self._keeps, self._queue, self._work, self._at_once = keeps, queue, work, at_once
        self._held: dict[str, _Held] = {}
        self._asked = 0
        """Places that are being filled at this moment."""
        self._settling: Gathered[_Settled, None] = Gathered(self._settle_all)
        self._woken = anyio.Event()
        self._look_for_dropped_at = -math.inf
        self._tasks: TaskGroup | None = None

    def wake(self) -> None:
        """Look again: something was put, or may be taken now."""
        self._woken.set()

    async def run(self) -> None:
        """Work until cancelled."""
        wake = self.wake
        self._keeps.wakes.add(wake)
        try:
            async with anyio.create_task_group() as tasks:
                self._tasks = tasks
                tasks.start_soon(self._renew)
                while True:
                    await self._round()
        finally:
            self._keeps.wakes.discard(wake)
            await self._give_back()

    async def _round(self) -> None:
        """Take what is due and there is room for; then wait for a reason to look again.

        That a job is over is none: what settles it takes the next one in the same transaction.
        """
        told, self._woken = self._woken.is_set(), anyio.Event()
        pause = POLL
        if (room := self._room()) > 0:
            self._asked += room
            try:
                if not told:
                    pause = await self._keeps.lookout.pause(self._queue)
                if told or not pause:
                    async with self._keeps.store.write() as connection:
                        taken = await self._take(connection, room)
                    if self._begin(taken) == room:
                        return
                    pause = await self._pause()
            except StoreError as wrong:
                log.warning("%s: the queue %s waits", wrong.code, self._queue)
            finally:
                self._asked -= room
        with anyio.move_on_after(pause):
            await self._woken.wait()

    def _room(self, leaving: int = 0) -> int:
        return max(0, self._at_once - len(self._held) - self._asked + leaving)

    async def _take(self, connection: AsyncConnection, room: int) -> list[_Held]:
        """Lease what is due in the caller's transaction; `_begin` it when that is kept."""
        chosen: list[int] = []
        if anyio.current_time() >= self._look_for_dropped_at:
            self._look_for_dropped_at = anyio.current_time() + LOOK_FOR_DROPPED
            is_free = not any(one.taken.deaths >= ALONE for one in self._held.values())
            chosen = await rows.dropped(connection, self._queue, room, alone=ALONE, is_free=is_free)
        if len(chosen) < room:
            chosen += await rows.fresh(connection, self._queue, room - len(chosen))
        if not chosen:
            return []
        token = secrets.token_hex(16)
        return [_Held(one, token) for one in await rows.take(connection, chosen, token, self._keeps.lease)]

    def _begin(self, taken: Sequence[_Held]) -> int:
        assert self._tasks is not None
        for held in taken:
            self._held[held.taken.id] = held
            self._tasks.start_soon(self._one, held)
        return len(taken)

    async def _pause(self) -> float:
        """Tell how long nothing comes due beside what is due and waits for its lane."""
        async with self._keeps.store.read() as connection:
            due = await outbox_dues.next_due(connection, self._queue)
        return POLL if due is None else min(POLL, due.total_seconds())

    async def _one(self, held: _Held) -> None:
        """Work on one job and settle it; one whose lease is lost is left to whoever has it now."""
        try:
            with held.scope:
                verdict = await self._verdict(held)
                await self._finish(held, verdict)
        finally:
            if held.scope.cancelled_caught:
                self._held.pop(held.taken.id, None)
                self.wake()

    async def _verdict(self, held: _Held) -> Verdict:
        taken = held.taken
        if taken.deaths >= self._keeps.deaths:
            return Dead(f"the process that worked on it died {taken.deaths} times")
        try:
            return await self._work(self._keeps.job(taken))
        except ActasError as wrong:
            return _after_error(taken.attempts, wrong.code)
        except Exception as error:  # the outermost door of a job
            log.error("store.job-crashed: a job of %s", self._queue, exc_info=error)  # noqa: TRY400 - at the door
            return _after_error(taken.attempts, "an unexpected error")

    async def _finish(self, held: _Held, verdict: Verdict) -> None:
        """Keep the verdict; where the store is away, for as long as the lease lasts."""
        pause = 0.05
        while True:
            try:
                await self._settling.ask((held, verdict))
            except StoreError:
                await anyio.sleep(pause)
                pause = min(1.0, pause * 2)
            else:
                return

    async def _settle_all(self, batch: Sequence[_Settled]) -> Sequence[None]:
        """Keep verdicts, and take as many jobs as are over now."""
        room = 0
        try:
            async with self._keeps.store.write() as connection:
                await _settle(connection, batch)
                self._asked += (room := self._room(len(batch)))
                taken = await self._take(connection, room) if room else []
            for one, verdict in batch:
                self._held.pop(one.taken.id, None)
                if isinstance(verdict, Again) or one.taken.deaths >= ALONE:  # something comes due that nobody waits for
                    self.wake()
            self._begin(taken)
        finally:
            self._asked -= room
        return [None] * len(batch)

    async def _renew(self) -> None:
        """Prolong the leases; where that cannot be done in time, stop working on what others may take."""
        lease = self._keeps.lease.total_seconds()
        kept_at = anyio.current_time()
        while True:
            await anyio.sleep(lease / 3)
            began, held = anyio.current_time(), [(one.taken.id, one.token) for one in self._held.values()]
            try:
                if held:
                    async with self._keeps.store.write() as connection:
                        await rows.renew(connection, held, self._keeps.lease)
                kept_at = began
            except StoreError:
                if anyio.current_time() - kept_at > lease * 2 / 3:
                    for one in tuple(self._held.values()):
                        one.scope.cancel()

    async def _give_back(self) -> None:
        """Let others take what was begun; that it cannot be said only costs them the lease."""
        if held := [(one.taken.id, one.token) for one in self._held.values()]:
            try:
                async with self._keeps.store.write() as connection:
                    await rows.release(connection, held)
            except StoreError as wrong:
                log.warning("%s: jobs of %s wait for their leases to end", wrong.code, self._queue)


def _after_error(attempt: int, why: str) -> Verdict:
    if attempt >= UNEXPECTED:
        return Dead(f"{why}, {attempt} times")
    return Again(timedelta(seconds=min(60.0, 0.5 * 2**attempt)), why)


def _fit(why: str) -> str:
    return why.replace("\0", "")[:_LONGEST_WHY]


async def _settle(connection: AsyncConnection, batch: Sequence[_Settled]) -> None:
    if done := [(one.taken.id, one.token) for one, verdict in batch if isinstance(verdict, Done)]:
        await rows.done(connection, done)
    for one, verdict in batch:
        match verdict:
            case Done():
                pass
            case Again(after=after, why=why):
                await rows.again(connection, one.taken.id, one.token, after, _fit(why))
            case Dead(why=why):
                await rows.bury(connection, one.taken.id, one.token, _fit(why))
