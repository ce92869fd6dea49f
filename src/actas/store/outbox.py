"""Durable jobs: what was put is worked on at least once, whatever is killed in between.

A job is leased, worked on, and settled by itself. Jobs of one lane are worked on in the order in which they were
put, other lanes in parallel. A job whose process dies `Outbox.deaths` times is set apart, with the reason. Jobs are
sealed at rest where the outbox is given `Seals`.
"""

import contextlib
import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from actas.errors import ActasError
from actas.model.ids import RANDOM, call_id
from actas.store import outbox_rows as rows
from actas.store.database import Store
from actas.store.errors import JobUnfit
from actas.store.gathered import Gathered
from actas.store.moments import moment
from actas.store.outbox_jobs import Again, Counts, Dead, DeadJob, Done, Job, Put, Verdict, Work
from actas.store.outbox_look import Lookout
from actas.store.outbox_run import Keeps, Runner
from actas.store.tables import DEAD, DONE

__all__ = ["Again", "Counts", "Dead", "DeadJob", "Done", "Job", "Outbox", "Put", "Seals", "Verdict", "Work"]

LARGEST = 16 * 1024 * 1024
"""Bytes of one body."""
LEASE = timedelta(seconds=10)
DEATHS = 5
_NAME, _KEY = 64, 200


class Seals(Protocol):
    """What keeps bodies at rest unreadable; *about* must be the same to open one."""

    def seal(self, body: bytes, about: bytes) -> bytes:
        """Seal *body*."""
        ...

    def open(self, sealed: bytes, about: bytes) -> bytes:
        """Open what was sealed, or raise an `actas.errors.ActasError`."""
        ...


class Outbox:
    """The queues of one database."""

    def __init__(
        self,
        store: Store,
        clock: Callable[[], datetime],
        *,
        seals: Seals | None = None,
        lease: timedelta = LEASE,
        deaths: int = DEATHS,
    ) -> None:
        """Take the open *store*; *clock* only turns a ``due`` into a delay, and names jobs."""
        self.store, self._clock, self._seals = store, clock, seals
        self.lease, self.deaths = lease, deaths
        self._puts: Gathered[tuple[str, Put], bool] = Gathered(self._put_all)
        self._wakes: dict[str, set[Callable[[], None]]] = {}
        self._lookout = Lookout(store)

    async def put(
        self, *, queue: str, body: bytes, key: str | None = None, lane: str | None = None, due: datetime | None = None
    ) -> str | None:
        """Keep a job; it is durable on return. Give its id, or None where *key* was already taken in this queue."""
        delay = timedelta() if due is None else due - self._clock()
        name = self.name()
        job = self.sealed(name, Put(queue=queue, body=body, key=key, lane=lane, delay=delay))
        return name if await self._puts.ask((name, job)) else None

    def name(self) -> str:
        """Make an id for a job."""
        return call_id(self._clock(), secrets.token_bytes(RANDOM))

    def sealed(self, name: str, job: Put) -> Put:
        """Seal a job that is to be put in a transaction of the caller's own, by `put_within`."""
        _check(job)
        body = job.body if self._seals is None else self._seals.seal(job.body, name.encode())
        return Put(queue=job.queue, body=body, key=job.key, lane=job.lane, delay=job.delay)

    async def put_within(self, connection: AsyncConnection, jobs: Sequence[tuple[str, Put]]) -> set[str]:
        """Put jobs in the caller's transaction; give the ids that are new. Call `wake` when it is committed."""
        return await rows.put(connection, jobs) if jobs else set()

    def wake(self, queue: str) -> None:
        """Say that there may be work in *queue*."""
        for wake in self._wakes.get(queue, ()):
            wake()

    async def run(self, queue: str, work: Work, *, at_once: int) -> None:
        """Work on the queue until cancelled; what is not done by then is given back."""
        wakes = self._wakes.setdefault(queue, set())
        keeps = Keeps(
            store=self.store,
            lease=self.lease,
            deaths=self.deaths,
            wakes=wakes,
            job=self._job,
            lookout=self._lookout,
        )
        await Runner(keeps, queue, work, at_once).run()

    async def listen(self) -> None:
        """Wake queues when another gateway puts something there; returns at once where there can be none."""
        await self.store.listen(rows.CHANNEL, self.wake)

    async def dead(self, queue: str | None = None, *, most: int = 100) -> list[DeadJob]:
        """Give what is set apart, the latest first."""
        async with self.store.read() as connection:
            found = await rows.dead(connection, queue, most)
        return [self._opened_dead(one) for one in found]

    async def replay(self, name: str) -> bool:
        """Open a dead job again, at the end of its lane; tell whether it was there."""
        async with self.store.write() as connection:
            queue = await rows.replay(connection, name)
        if queue is not None:
            self.wake(queue)
        return queue is not None

    async def counts(self, queue: str) -> Counts:
        """Count a queue."""
        async with self.store.read() as connection:
            return await rows.counts(connection, queue)

    async def purge(self, *, done: timedelta = timedelta(days=7), dead: timedelta = timedelta(days=60)) -> int:
        """Forget settled jobs, and their keys, after a while; give how many."""
        total = 0
        for state, older in ((DONE, done), (DEAD, dead)):
            count = 1000
            while count == 1000:  # short transactions: others write meanwhile
                async with self.store.write() as connection:
                    count = await rows.purge(connection, state, older, 1000)
                total += count
        return total

    async def _put_all(self, jobs: Sequence[tuple[str, Put]]) -> Sequence[bool]:
        async with self.store.write() as connection:
            fresh = await rows.put(connection, jobs)
        for queue in {job.queue for _, job in jobs}:
            self.wake(queue)
        return [name in fresh for name, _ in jobs]

    def _job(self, taken: rows.Taken) -> Job:
        return Job(
            id=taken.id,
            queue=taken.queue,
            key=taken.key,
            lane=taken.lane,
            body=self._opened(taken.id, taken.body),
            attempt=taken.attempts,
            put_at=moment(taken.put_us),
        )

    def _opened(self, name: str, body: bytes) -> bytes:
        return body if self._seals is None else self._seals.open(body, name.encode())

    def _opened_dead(self, one: DeadJob) -> DeadJob:
        body = b""
        with contextlib.suppress(ActasError):  # its key is gone: the job is there, what it was about is not
            body = self._opened(one.id, one.body)
        return replace(one, body=body)


def _check(job: Put) -> None:
    """Refuse what a database would refuse, before it spoils the others of its batch."""
    if len(job.body) > LARGEST:
        raise JobUnfit(why=f"its body has {len(job.body):,} bytes, at most {LARGEST:,} fit")
    for what, text, longest in (("queue", job.queue, _NAME), ("key", job.key, _KEY), ("lane", job.lane, _KEY)):
        if text is not None and (len(text) > longest or not text.isascii() or not text.isprintable()):
            raise JobUnfit(why=f"its {what} must be printable ASCII of at most {longest} characters")
