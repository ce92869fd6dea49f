"""The room as others use it: open it, run it, hand it what happened.

``run`` belongs into the outermost task group: it is the last to end, and it writes what waits when it does.
"""

import contextlib
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
from anyio import to_thread
from anyio.abc import TaskStatus

from actas import store
from actas.audit import errands, officers
from actas.audit.checkpoints import Keys
from actas.audit.errors import AuditError, TrailInUse
from actas.audit.following import Following
from actas.audit.interface import Follower
from actas.audit.pruning import STAYS, Plan, Pruning
from actas.audit.pseudonyms import Pseudonyms
from actas.audit.records import Entry, Reloaded
from actas.audit.sinks.jsonl import Jsonl
from actas.audit.strangers import Strangers
from actas.audit.waiting import Limits
from actas.audit.writer import Writer
from actas.model import clock as clocks
from actas.model.call import Address
from actas.model.facts import Fact
from actas.model.record import Ended
from actas.settings.schema import Audit as AuditSettings
from actas.store import person_key
from actas.store.errors import StoreError

if TYPE_CHECKING:
    from actas.store.database import Store

KEYS = Path("keys", "audit.json")
PERSON_KEY = Path("keys", "persons.key")
FOLLOWERS = "followers"
LAST_COPIES = 5.0
"""Seconds that those who keep a copy get at the end."""
PATIENCE = 2.0
"""Seconds that a gateway which starts gives another writer to end: its predecessor, or a command."""
PRUNED_AFTER, PRUNED_EVERY = 60.0, 3600.0
"""Seconds until the first look for old segments and between two that found some, and between those that found none."""
PRUNED_AT_ONCE = 4
"""Segments: to prove one takes a second of a thread that calls would like to have."""
_EVERY = 1.0
_EVER = timedelta(days=366 * 1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """How the room does: for `/readyz` and metrics."""

    trouble: AuditError | None
    """Why calls are refused now; None where they are taken."""
    queued: int
    kept: int
    """Records written since the start; ``gaps`` and ``batches`` likewise."""
    gaps: int
    batches: int
    busy: float
    """Seconds spent waiting for the disk since the start; by `batches` it is what one write takes."""
    seq: int
    """The number of the last record."""
    store_open: bool
    behind: int
    """Lines that somebody who keeps a copy has yet to take, the slowest one's; 0 where nobody keeps one."""
    failing: tuple[str, ...]
    """Those who keep a copy and do not take lines now."""
    officers: int
    """Below two, nobody can ever be unmasked."""
    unpruned: AuditError | None
    """Why old segments stay that should go; None where none should or the last try was good."""


class Audit:
    """The trail of one gateway."""

    def __init__(
        self,
        settings: AuditSettings,
        state_dir: Path,
        clock: Callable[[], datetime] = clocks.now,
        *,
        base: Path | None = None,
        database: str | None = None,
    ) -> None:
        """Take the settings; their paths start at *base*, and *database* is another store than the file."""
        base = base or Path()
        self.folder = base / settings.jsonl.path if settings.jsonl.path else state_dir / "audit"
        self._state_dir, self._database, self._clock = state_dir, database, clock
        self._keys = Keys(state_dir / KEYS)
        self._sink = Jsonl(
            self.folder, segment=settings.jsonl.segment.bytes, reserve=settings.reserve.bytes, signer=self._keys
        )
        self._strangers = Strangers()
        self._writer = Writer(
            self._sink,
            clock=clock,
            limits=Limits(checkpoint=settings.jsonl.checkpoint.time),
            last=lambda: self._strangers.take(clock() + _EVER),
        )
        self._officers = dict(officers.read_public(base / path) for path in settings.officers)
        self.people = person_key.read(state_dir / PERSON_KEY)
        self.pseudonyms = Pseudonyms(self.people, self._officers, epoch=settings.epoch.time, clock=clock)
        self._keep = None if settings.keep is None else settings.keep.time
        self._pruning = Pruning(
            folder=self.folder,
            archive=None if settings.archive is None else base / settings.archive,
            places=tuple(state_dir / FOLLOWERS / f"{name}.json" for name in _copies(settings)),
        )
        self._announced = 0
        self._unpruned: AuditError | None = None
        self._store: Store | None = None
        self._store_open = anyio.Event()
        self.decided, self.ended = self._writer.decided, self._writer.ended
        self._followings: list[Following] = []
        self.known, self.of = self.pseudonyms.known, self.pseudonyms.of

    async def open(self) -> None:
        """Go on with the trail; calls that a crash left without an end are closed as ``unknown``."""
        await to_thread.run_sync(self._open, PATIENCE)

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Keep records until cancelled."""
        async with anyio.create_task_group() as tasks:
            await tasks.start(self._writer.run)
            tasks.start_soon(self._serve_store)
            tasks.start_soon(self._tell_strangers)
            for one in self._followings:
                tasks.start_soon(one.run)
            if self._keep is not None:
                tasks.start_soon(self._prune_on)
            task_status.started()

    @property
    def is_local(self) -> bool:
        """Whether the store is the file in the state folder."""
        return self._database is None

    async def store(self) -> "Store":
        """Give the open store; it is opened beside everything else, shortly after the start."""
        await self._store_open.wait()
        assert self._store is not None
        return self._store

    @asynccontextmanager
    async def attended(self) -> AsyncIterator["Store"]:
        """Open the store for as long as the block lasts: all that a command beside the gateway needs."""
        self._store = opened = await store.open(self._state_dir, url=self._database)
        try:
            self.pseudonyms.attach(opened)
            self._store_open.set()
            yield opened
        finally:
            await opened.close()

    async def keep(self, entry: Entry) -> None:
        """Keep one record: as the gateway, from a command through the gateway, or as a command where none runs."""
        if self._writer.is_running:
            await self._writer.keep(entry)
            return
        try:
            await to_thread.run_sync(self._open, 0)
        except TrailInUse:
            await errands.ask(await self.store(), entry, now=self._clock())
            return
        try:
            await to_thread.run_sync(self._sink.write, (entry,))
            await to_thread.run_sync(self._sink.checkpoint, self._clock())
        finally:
            await self.close()

    def stranger(self, reason: str, address: Fact[Address]) -> None:
        """Count a call that never became an identity."""
        self._strangers.count(reason, address, self._clock())

    def reloaded(self, generation: str) -> None:
        """Say that other rules decide from here on."""
        self._writer.ended(Reloaded(at=self._clock(), generation=generation))

    def state(self) -> State:
        """Tell how the room does."""
        writer = self._writer
        return State(
            trouble=writer.trouble,
            queued=writer.queued,
            kept=writer.kept,
            gaps=writer.gaps,
            batches=writer.batches,
            busy=writer.busy,
            seq=self._sink.head.seq,
            store_open=self._store is not None,
            behind=max((one.behind for one in self._followings), default=0),
            failing=tuple(one.name for one in self._followings if one.trouble is not None),
            officers=len(self._officers),
            unpruned=self._unpruned,
        )

    @property
    def keeps_since(self) -> datetime | None:
        """From when on records are kept; None where they are for good."""
        return None if self._keep is None else self._clock() - self._keep

    async def prunable(self, before: datetime, most: int | None = None) -> Plan | None:
        """Find whole segments, *most* of them, in which every record is from before *before*, and prove them."""
        youngest = self._clock() - STAYS
        return await to_thread.run_sync(self._pruning.plan, min(before, youngest), most)

    async def prune(self, plan: Plan) -> None:
        """Take off the trail what *plan* says: into the archive, into the trail itself, and only then from the disk."""
        await to_thread.run_sync(self._pruning.keep_copies, plan)
        if self._announced != plan.head.seq:  # said once, though deleting may take several tries
            if not self._writer.is_running:
                await to_thread.run_sync(self._keys.load)
            await self.keep(self._pruning.record(plan, self._keys, self._clock()))
            self._announced = plan.head.seq
        await to_thread.run_sync(self._pruning.remove, plan)

    def follow(self, followers: Iterable[Follower], *, every: float) -> None:
        """Let *followers* keep a copy, from where each of them is; before `run`, after `open`."""
        state = self._state_dir / FOLLOWERS
        self._followings = [
            Following(self.folder, state, one, durable=lambda: self._sink.head.seq, every=every) for one in followers
        ]

    @property
    def chain(self) -> str:
        """The id of the chain that the files hold; known once it is open."""
        return self._sink.chain

    async def close(self) -> None:
        """Hand on what is left, for a moment, and let go of the folder; `run` has ended before."""
        with anyio.move_on_after(LAST_COPIES):
            for one in self._followings:
                with contextlib.suppress(AuditError):  # it is handed on at the next start
                    await one.catch_up()
        for one in self._followings:
            await one.close()
        await to_thread.run_sync(self._sink.close)

    def _open(self, patience: float) -> None:
        now = self._clock()
        self._keys.rotate(now)
        left = self._sink.open(now, patience=patience)
        try:
            self._sink.write([Ended(call=call, at=now, outcome="unknown") for call in sorted(left)])
            self._sink.keep_public(self._keys.public())
        except BaseException:
            self._sink.close()
            raise

    async def _prune_on(self) -> None:
        pause = PRUNED_AFTER
        while True:
            await anyio.sleep(pause)
            pause = PRUNED_EVERY
            try:
                plan = await self.prunable(since, PRUNED_AT_ONCE) if (since := self.keeps_since) else None
                if plan is not None:
                    await self.prune(plan)
                    pause = PRUNED_AFTER
                self._unpruned = None
            except AuditError as wrong:
                self._unpruned = wrong

    async def _tell_strangers(self) -> None:
        while True:
            await anyio.sleep(_EVERY)
            if self._writer.trouble is None:  # queue and disk belong to identified calls first
                for counted in self._strangers.take(self._clock()):
                    self._writer.ended(counted)

    async def _serve_store(self) -> None:
        """Open the store, then do what other processes ask through it."""
        async with self.attended() as opened:
            done = None
            while True:
                with contextlib.suppress(StoreError, AuditError):  # asked again in a second
                    if (stamp := opened.stamp()) is None or stamp != done:
                        await self.pseudonyms.forget_erased()
                        await errands.run(opened, self._writer.keep)
                    done = stamp
                await anyio.sleep(_EVERY)


def _copies(settings: AuditSettings) -> tuple[str, ...]:
    """Name those who keep a copy, as `wiring.followers` makes them."""
    if settings.cloudwatch is None:
        return ()
    return ("cloudwatch",) if settings.cloudwatch.metrics is None else ("cloudwatch", "cloudwatch-metrics")
