"""Bring records to a sink in batches: a decision waits until it is durable, an end waits for nothing.

While one batch is being written the next one gathers, so the slower the disk, the larger the batches. When the sink
cannot keep a batch, its decisions are refused (their calls must not happen) and so is every new one at once; ends
are held and written as soon as the sink can again, behind a `Gap` that says so.
"""

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Protocol

import anyio
from anyio.abc import TaskStatus

from actas.audit.errors import AuditError, NotRunning, QueueFull, ReserveReached, TooSlow, Unrecordable
from actas.audit.interface import Anchors, Guards, Sink
from actas.audit.records import Entry, Gap
from actas.audit.spells import Spell
from actas.audit.waiting import Limits, Wait
from actas.audit.worker import Worker
from actas.model.record import Decided, Ended


class GuardedSink(Sink, Guards, Anchors, Protocol):
    """What the writer writes to."""


class Writer:
    """One per sink. Nothing is written before `run` runs; it belongs into the outermost task group.

    It uses asyncio's futures and events directly: this is the hot path, and one future a waiting call, set a batch
    at a time, costs a third of an anyio event.
    """

    def __init__(
        self,
        sink: GuardedSink,
        *,
        clock: Callable[[], datetime],
        limits: Limits | None = None,
        last: Callable[[], Iterable[Entry]] = tuple,
    ) -> None:
        """Take the sink; what *last* gives is written when `run` ends, behind all that waits."""
        self._sink, self._clock, self._limits, self._last = sink, clock, limits or Limits(), last
        self._queue: list[Entry] = []
        self._waiting: list[Wait] = []
        self._in_flight: list[Wait] = []
        self._since: float | None = None
        """When the batch in flight set out, by the loop's clock."""
        self._loop: asyncio.AbstractEventLoop | None = None
        """None where `run` does not run."""
        self._wake = asyncio.Event()
        self._awake = self._lingering = self._paused = self._probe = False
        self._spell: Spell | None = None
        self._orphans: list[str] = []
        """Calls whose decision came too late for its caller but may be kept yet."""
        self._worker = Worker("actas-audit")
        self._checkpoint_at = 0.0
        self._unsigned = False
        """Records were written since the last checkpoint."""
        self.trouble: AuditError | None = None
        """Why decisions are refused now; None where they are taken."""
        self.kept = self.gaps = self.batches = 0
        self.busy = 0.0
        """Seconds spent waiting for the sink."""

    @property
    def is_running(self) -> bool:
        """Tell whether `run` runs."""
        return self._loop is not None

    @property
    def queued(self) -> int:
        """How many records wait."""
        return len(self._queue)

    async def decided(self, record: Decided) -> None:
        """Return when *record* is durable; raise `AuditError` where it is not, and then the call must not happen.

        Where this raises or is cancelled the trail gets the call's end, if it needs one, without the caller.
        """
        await self.keep(record)

    async def keep(self, entry: Entry) -> None:
        """Return when *entry* is durable; raise `AuditError` where it is not."""
        if self.trouble is not None:
            raise self.trouble.again()
        if self._loop is None:
            raise NotRunning
        if len(self._queue) >= self._limits.waiting:
            raise QueueFull(waiting=len(self._queue))
        future = self._loop.create_future()
        self._queue.append(entry)
        self._waiting.append(wait := Wait(entry, future))
        if not self._awake:
            self._awake = True
            self._wake.set()
        try:
            await future
        except asyncio.CancelledError:
            if isinstance(entry, Decided) and not wait.refused:
                self.ended(Ended(call=entry.call, at=self._clock(), outcome="hung-up"))
            raise

    def ended(self, entry: Entry) -> None:
        """Keep *entry* soon; where that cannot be, the trail gets a marked gap."""
        if len(self._queue) >= self._limits.held:
            self._lose(entry, self.trouble.code if self.trouble else QueueFull.code)
            return
        self._queue.append(entry)
        if not (self._awake or self._lingering) and self._loop is not None:
            self._lingering = True
            self._loop.call_later(self._limits.linger.total_seconds(), self._rouse)

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Write until cancelled; then write what waits and sign the head."""
        self._loop = asyncio.get_running_loop()
        self._worker.start()
        self._checkpoint_at = self._loop.time() + self._limits.checkpoint.total_seconds()
        if self._queue:
            self._rouse()
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._tick)
                task_status.started()
                await self._flush_on()
        finally:
            self._loop = None
            with anyio.move_on_after(self._limits.slow.total_seconds(), shield=True):
                await self._finish()
            self._worker.stop()
            self._refuse_queued(NotRunning())

    async def _flush_on(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while not self._paused and (self._queue or self._is_due()):
                if self._queue:
                    await self._flush()
                if self._is_due():
                    await self._sign()
            self._awake = False

    def _is_due(self) -> bool:
        if self.trouble is not None:
            return self._probe
        return self._unsigned and asyncio.get_running_loop().time() >= self._checkpoint_at

    async def _flush(self) -> None:
        """Write all that waits as one batch."""
        entries, waiting = self._queue, self._waiting
        self._queue, self._waiting, self._in_flight = [], [], waiting
        spell = self._spell
        gap = spell.gap(self._clock(), len(entries) - len(waiting)) if spell else None
        batch = [gap, *entries] if gap else entries
        try:
            with anyio.CancelScope(shield=True):  # a batch taken from the queue is written, whoever is cancelled
                await self._in_thread(self._sink.write, batch)
        except Unrecordable as wrong:
            self._leave_out(entries[wrong.index - (gap is not None)], wrong, entries, waiting)
        except AuditError as wrong:
            self._failed(wrong, entries, waiting)
        except BaseException:
            self._refuse(waiting, NotRunning())
            raise
        else:
            self.kept += len(batch)
            self._kept(waiting)
            self._end_spell(gap)
        finally:
            self._in_flight = []

    def _kept(self, waiting: list[Wait]) -> None:
        self.batches += 1
        self._unsigned = True
        for wait in waiting:
            wait.keep()
        now = self._clock()
        self._queue += [Ended(call=c, at=now, outcome="failed", error=TooSlow.code) for c in self._orphans]
        self._orphans = []
        if isinstance(self.trouble, TooSlow):
            self.trouble = None

    def _end_spell(self, gap: Gap | None) -> None:
        """Forget the bad while once the trail tells of it, or once it turns out that it left nothing to tell."""
        if self._spell is None:
            return
        if gap:
            self.gaps += 1
            self._spell.told(gap)
        if not self._spell.lost and (gap or not self._queue):
            self._spell = None

    def _failed(self, wrong: AuditError, entries: list[Entry], waiting: list[Wait]) -> None:
        """Refuse the decisions of a batch; hold the rest for later."""
        self.trouble = wrong
        self._orphans = []
        self._queue, self._waiting = [*entries, *self._queue], [*waiting, *self._waiting]
        self._refuse_queued(wrong)
        if not isinstance(wrong, ReserveReached):
            self._paused = True
            self._spell = self._spell or Spell(self._clock(), wrong.code)

    def _leave_out(self, entry: Entry, wrong: AuditError, entries: list[Entry], waiting: list[Wait]) -> None:
        """Refuse the one record that cannot be written and go on with the others."""
        found = [wait for wait in waiting if wait.entry is entry]
        self._refuse(found, wrong)
        self._queue = [*(e for e in entries if e is not entry), *self._queue]
        self._waiting = [*(wait for wait in waiting if wait.entry is not entry), *self._waiting]
        if not found:
            self._lose(entry, wrong.code)

    def _lose(self, entry: Entry, because: str) -> None:
        self._spell = self._spell or Spell(self._clock(), because)
        self._spell.lose(entry)

    def _refuse_queued(self, wrong: AuditError) -> None:
        refused = {id(wait.entry) for wait in self._waiting}
        calls = {wait.entry.call for wait in self._waiting if isinstance(wait.entry, Decided)}
        # A call that hung up while it waited needs no end either: it was never begun.
        self._queue = [e for e in self._queue if id(e) not in refused and not (type(e) is Ended and e.call in calls)]
        self._refuse(self._waiting, wrong)
        self._waiting = []

    def _refuse(self, waiting: list[Wait], wrong: AuditError) -> None:
        for wait in waiting:
            wait.refuse(wrong)

    async def _in_thread(self, work: Callable[..., None], *what: object) -> None:
        self._since = asyncio.get_running_loop().time()
        try:
            await self._worker.do(work, *what)
        finally:
            self.busy += asyncio.get_running_loop().time() - self._since
            self._since = None

    async def _sign(self) -> None:
        """Sign the head; where decisions are refused, this is how we learn that they can be kept again."""
        self._probe = False
        now, wait = asyncio.get_running_loop().time(), self._limits.checkpoint
        try:
            await self._in_thread(self._sink.check)
            await self._in_thread(self._sink.checkpoint, self._clock())
        except AuditError as wrong:
            self.trouble, wait = wrong, self._limits.tick
        else:
            self.trouble, self._unsigned = None, False
            self._end_spell(None)
        self._checkpoint_at = now + wait.total_seconds()

    async def _tick(self) -> None:
        while True:
            await anyio.sleep(self._limits.tick.total_seconds())
            now = asyncio.get_running_loop().time()
            if self._since is not None and now - self._since > self._limits.slow.total_seconds():
                self._give_up()
            self._paused, self._probe = False, True
            self._rouse()

    def _give_up(self) -> None:
        """Let nobody wait for a disk that does not answer; the batch in flight may still be kept."""
        wrong = TooSlow(allowed=self._limits.slow.total_seconds())
        late = [wait for wait in self._in_flight if not wait.future.done()]
        self._orphans += [wait.entry.call for wait in late if isinstance(wait.entry, Decided)]
        self._refuse(late, wrong)
        self._refuse_queued(wrong)
        self.trouble = self.trouble or wrong
        self._spell = self._spell or Spell(self._clock(), wrong.code)

    def _rouse(self) -> None:
        self._lingering = False
        if not self._awake:
            self._awake = True
            self._wake.set()

    async def _finish(self) -> None:
        self._paused = False
        self._queue += self._last()
        while self._queue and not self._paused:
            await self._flush()
        if self._unsigned and not self.trouble:
            await self._sign()
