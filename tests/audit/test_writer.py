"""Decisions wait until they are durable, ends wait for nothing, and nothing is done that cannot be written down."""

import contextlib
import errno
import os
import threading
from contextlib import asynccontextmanager
from datetime import timedelta

import anyio
import pytest

from actas.audit import read
from actas.audit.errors import (
    AuditError,
    DiskFull,
    NotRunning,
    NotWritable,
    QueueFull,
    ReserveReached,
    TooSlow,
    Unrecordable,
)
from actas.audit.records import Checkpoint, Counted, Gap
from actas.audit.waiting import Limits
from actas.audit.writer import Writer
from actas.model.record import Decided, Ended

pytestmark = pytest.mark.anyio
SOON = timedelta(milliseconds=10)
QUICK = Limits(tick=SOON, linger=timedelta(milliseconds=1))
IMPATIENT = Limits(tick=SOON, linger=timedelta(milliseconds=1), slow=timedelta(milliseconds=300))


class Disk:
    """A sync that can be told to fail, or to hang until it is let go."""

    def __init__(self):
        self.wrong = None
        self.go = threading.Event()
        self.go.set()
        self.syncs = 0

    def sync(self, handle):
        self.syncs += 1
        self.go.wait(10)
        if self.wrong:
            raise OSError(self.wrong, os.strerror(self.wrong))
        os.fdatasync(handle)


@pytest.fixture
def disk():
    one = Disk()
    yield one
    one.go.set()


@pytest.fixture
def running(sink, disk, folder, now):
    @asynccontextmanager
    async def run(limits=QUICK, *, reserve=0, last=tuple, where=folder):
        one = sink(sync=disk.sync, reserve=reserve, where=where)
        one.open(now)
        writer = Writer(one, clock=lambda: now, limits=limits, last=last)
        async with anyio.create_task_group() as tasks:
            await tasks.start(writer.run)
            try:
                yield writer
            finally:
                disk.go.set()
                tasks.cancel_scope.cancel()
        one.close()

    return run


async def until(claim):
    with anyio.fail_after(10):
        while not claim():  # noqa: ASYNC110 - what we wait for is in another thread
            await anyio.sleep(0.002)


async def call_all(writer, records):
    for record in records:
        await writer.decided(record)


@pytest.fixture
def calls(folder):
    def found():
        return [one.entry for one in read.since(folder) if isinstance(one.entry, Decided | Ended | Gap)]

    return found


async def test_a_decision_is_on_the_disk_when_the_wait_is_over(running, calls, decided):
    async with running() as writer:
        await writer.decided(decided(1))

        assert calls() == [decided(1)]


async def test_a_decision_waits_as_long_as_the_disk_does(running, disk, decided):
    async with running(Limits()) as writer, anyio.create_task_group() as tasks:
        disk.go.clear()
        over = anyio.Event()

        async def call():
            await writer.decided(decided(1))
            over.set()

        tasks.start_soon(call)
        await anyio.sleep(0.05)
        waiting = writer.kept == 0 and not over.is_set()
        disk.go.set()

    assert waiting
    assert over.is_set()


async def test_an_end_is_written_without_anybody_waiting(running, calls, decided, ended):
    async with running() as writer:
        await writer.decided(decided(1))
        writer.ended(ended(1))
        await until(lambda: not writer.queued and writer.kept >= 2)

    assert calls() == [decided(1), ended(1)]


async def test_what_gathers_while_the_disk_works_is_one_batch(running, disk, calls, decided):
    async with running(Limits()) as writer, anyio.create_task_group() as tasks:
        disk.go.clear()
        before = disk.syncs
        tasks.start_soon(writer.decided, decided(0))
        await until(lambda: disk.syncs == before + 1)
        for number in range(1, 500):
            tasks.start_soon(writer.decided, decided(number))
        await until(lambda: writer.queued == 499)
        disk.go.set()

    assert writer.batches == 2
    assert calls() == [decided(number) for number in range(500)]


async def test_a_failing_disk_refuses_the_waiting_and_every_later_call(running, disk, calls, decided):
    async with running(Limits()) as writer:
        disk.wrong = errno.EIO
        with pytest.raises(NotWritable):
            await writer.decided(decided(1))
        with pytest.raises(NotWritable):
            await writer.decided(decided(2))

        assert isinstance(writer.trouble, NotWritable)
        disk.wrong = None

    assert calls() == []


async def test_each_refused_caller_has_an_error_of_its_own(running, disk, decided):
    errors = []

    async def call(writer, number):
        with pytest.raises(AuditError) as caught:
            await writer.decided(decided(number))
        errors.append(caught.value)

    async with running(Limits()) as writer:
        disk.wrong = errno.EIO
        async with anyio.create_task_group() as tasks:
            for number in range(5):
                tasks.start_soon(call, writer, number)

    assert len({id(error) for error in errors}) == 5
    assert len({str(error) for error in errors}) == 1


async def test_calls_are_taken_again_when_the_disk_is(running, disk, calls, folder, decided):
    async with running() as writer:
        disk.wrong = errno.ENOSPC
        with pytest.raises(AuditError):
            await writer.decided(decided(1))
        disk.wrong = None
        await until(lambda: writer.trouble is None)

        await writer.decided(decided(2))

    assert calls() == [decided(2)]
    assert read.verify_folder(folder).holds


async def test_an_end_that_could_not_be_kept_comes_late_behind_a_marked_gap(
    running, disk, calls, folder, decided, ended
):
    async with running() as writer:
        await writer.decided(decided(1))
        disk.wrong = errno.ENOSPC
        writer.ended(ended(1))
        await until(lambda: writer.trouble is not None)
        disk.wrong = None
        await until(lambda: writer.trouble is None)

    _, gap, late = calls()
    report = read.verify_folder(folder)
    assert (gap.because, gap.late, gap.lost, late) == ("audit.disk-full", 1, 0, ended(1))
    assert report.holds
    assert [found for _, found in report.gaps] == [gap]


async def test_a_disk_that_is_really_full_refuses_calls_until_there_is_room(running, small_disk, fill, decided, ended):
    where = small_disk / "audit"
    async with running(where=where) as writer:
        await writer.decided(decided(1))
        ballast = fill(small_disk)
        with pytest.raises(DiskFull):  # a tmpfs fills by pages: a few records may still fit into the last one
            await call_all(writer, [decided(number) for number in range(2, 100)])
        writer.ended(ended(1))
        await anyio.sleep(0.1)
        refusing = writer.trouble
        ballast.unlink()
        await until(lambda: writer.trouble is None)
        await writer.decided(decided(200))

    entries = [one.entry for one in read.since(where)]
    assert isinstance(refusing, DiskFull)
    assert ended(1) in entries
    assert any(isinstance(entry, Gap) for entry in entries)
    assert decided(200) in entries
    assert read.verify_folder(where).holds


async def test_ends_beyond_what_is_held_are_lost_and_the_gap_names_them(running, disk, calls, decided, ended):
    limits = Limits(tick=SOON, linger=timedelta(milliseconds=1), held=3)
    async with running(limits) as writer:
        await writer.decided(decided(1))
        disk.wrong = errno.EROFS
        for number in range(1, 6):
            writer.ended(ended(number))
        await until(lambda: writer.trouble is not None)
        disk.wrong = None
        await until(lambda: writer.trouble is None)
        await writer.decided(decided(9))

    _, gap, *late, last = calls()
    assert (gap.late, gap.lost, gap.calls) == (3, 2, (ended(4).call, ended(5).call))
    assert late == [ended(1), ended(2), ended(3)]
    assert last == decided(9)


async def test_a_bad_while_without_an_end_to_keep_leaves_no_gap(running, disk, calls, decided, ended):
    async with running() as writer:
        disk.wrong = errno.EIO
        with pytest.raises(AuditError):
            await writer.decided(decided(1))
        disk.wrong = None
        await until(lambda: writer.trouble is None)
        await writer.decided(decided(2))
        writer.ended(ended(2))

    assert calls() == [decided(2), ended(2)]


async def test_below_the_reserve_calls_are_refused_and_running_ones_still_end(running, calls, decided, ended):
    async with running(reserve=1 << 62) as writer:
        with pytest.raises(ReserveReached):
            await writer.decided(decided(1))
        writer.ended(ended(0))
        await until(lambda: writer.kept)
        with pytest.raises(ReserveReached):
            await writer.decided(decided(2))

    assert calls() == [ended(0)]


async def test_nobody_waits_for_a_disk_that_does_not_answer(running, disk, decided):
    async with running(IMPATIENT) as writer:
        disk.go.clear()
        with pytest.raises(TooSlow):
            await writer.decided(decided(1))
        with pytest.raises(TooSlow):
            await writer.decided(decided(2))


async def test_a_decision_that_came_too_late_is_closed_in_the_trail(running, disk, calls, decided, now):
    async with running(IMPATIENT) as writer:
        disk.go.clear()
        with pytest.raises(TooSlow):
            await writer.decided(decided(1))
        disk.go.set()
        await until(lambda: writer.trouble is None)
        await writer.decided(decided(2))

    found = calls()
    assert found[0] == decided(1)
    assert Ended(call=decided(1).call, at=now, outcome="failed", error="audit.too-slow") in found
    assert found[-1] == decided(2)


async def test_a_full_queue_refuses_calls(running, disk, decided):
    async with running(Limits(waiting=2)) as writer, anyio.create_task_group() as tasks:
        disk.go.clear()
        before = disk.syncs
        tasks.start_soon(writer.decided, decided(0))
        await until(lambda: disk.syncs == before + 1)
        for number in (1, 2):
            tasks.start_soon(writer.decided, decided(number))
        await until(lambda: writer.queued == 2)

        with pytest.raises(QueueFull):
            await writer.decided(decided(9))
        disk.go.set()


async def test_a_caller_who_hangs_up_while_waiting_does_not_leave_the_call_open(running, disk, calls, decided, now):
    async with running(Limits()) as writer:
        disk.go.clear()
        with anyio.move_on_after(0.05):
            await writer.decided(decided(1))
        disk.go.set()

    assert calls() == [decided(1), Ended(call=decided(1).call, at=now, outcome="hung-up")]


async def test_a_caller_who_hung_up_on_a_decision_that_is_not_kept_leaves_nothing(running, disk, calls, decided):
    async with running() as writer:
        disk.go.clear()
        disk.wrong = errno.EIO
        with anyio.move_on_after(0.02):
            await writer.decided(decided(1))
        disk.go.set()
        await until(lambda: writer.trouble is not None)
        disk.wrong = None
        await until(lambda: writer.trouble is None)
        await writer.decided(decided(2))

    assert calls() == [decided(2)]


async def test_one_record_without_a_written_form_spoils_no_other(running, disk, calls, decided):
    async def bad(writer):
        with pytest.raises(Unrecordable):
            await writer.decided(decided(2, function="\ud800"))

    async with running(Limits()) as writer, anyio.create_task_group() as tasks:
        disk.go.clear()
        tasks.start_soon(writer.decided, decided(0))
        await anyio.sleep(0.01)
        tasks.start_soon(writer.decided, decided(1))
        tasks.start_soon(bad, writer)
        tasks.start_soon(writer.decided, decided(3))
        await anyio.sleep(0.01)
        disk.go.set()

    assert calls() == [decided(0), decided(1), decided(3)]
    assert writer.trouble is None


async def test_an_end_without_a_written_form_is_a_marked_gap(running, calls, decided, ended):
    async with running() as writer:
        await writer.decided(decided(1))
        writer.ended(ended(1, error="\ud800"))
        await until(lambda: writer.gaps == 0 and not writer.queued)
        await writer.decided(decided(2))
        await writer.decided(decided(3))

    (gap,) = [entry for entry in calls() if isinstance(entry, Gap)]
    assert (gap.because, gap.lost, gap.calls) == ("audit.unrecordable", 1, (ended(1).call,))


async def test_what_waits_at_the_end_is_written_and_the_head_is_signed(running, folder, calls, decided, ended, now):
    counted = Counted(at=now, reason="identify.no-token", network="192.0.2.0/24", count=3)
    async with running(Limits(), last=lambda: [counted]) as writer:
        await writer.decided(decided(1))
        writer.ended(ended(1))

    entries = [one.entry for one in read.tail(folder, 3)]
    assert entries[:2] == [ended(1), counted]
    assert isinstance(entries[2], Checkpoint)
    assert (folder / "head.json").exists()


async def test_the_head_is_signed_again_and_again_also_under_load(running, folder, decided):
    limits = Limits(tick=SOON, checkpoint=timedelta(milliseconds=20))
    async with running(limits) as writer:
        for number in range(200):
            await writer.decided(decided(number))
            if number % 20 == 0:
                await anyio.sleep(0.02)

    assert sum(isinstance(one.entry, Checkpoint) for one in read.since(folder)) >= 5
    assert read.verify_folder(folder).holds


async def test_nothing_is_kept_before_the_writer_runs_or_after_it_ended(sink, running, now, decided):
    with pytest.raises(NotRunning):
        await Writer(sink(), clock=lambda: now).decided(decided(1))
    async with running() as writer:
        pass
    with pytest.raises(NotRunning):
        await writer.decided(decided(1))


async def test_callers_that_come_and_go_at_random_leave_a_trail_that_holds(running, folder, disk, decided, ended):
    import random

    dice = random.Random(8)
    acknowledged = []

    async def caller(writer, first):
        for number in range(first, first + 40):
            with anyio.move_on_after(dice.choice((0.0005, 5))), contextlib.suppress(AuditError):
                await writer.decided(decided(number))
                acknowledged.append(decided(number).call)
                writer.ended(ended(number))

    async def weather():
        for _ in range(6):
            await anyio.sleep(0.02)
            disk.wrong = dice.choice((None, errno.EIO, errno.ENOSPC))
        disk.wrong = None

    async with running() as writer, anyio.create_task_group() as tasks:
        tasks.start_soon(weather)
        for first in range(0, 1000, 40):
            tasks.start_soon(caller, writer, first)

    kept = [one.entry for one in read.since(folder)]
    decisions = {entry.call for entry in kept if isinstance(entry, Decided)}
    ends = [entry.call for entry in kept if isinstance(entry, Ended)]
    assert read.verify_folder(folder).holds
    assert decisions >= set(acknowledged)
    assert sorted(ends) == sorted(decisions)
