"""One process for one version and one role session: shared with nobody, frozen between calls, gone in time."""
# ruff: noqa: ASYNC110, ASYNC240 - the state of processes is read from /proc, again and again

import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import anyio
import pytest

from actas.invoke.local.errors import (
    BackendClosed,
    EventNotJson,
    IsolationUnavailable,
    SessionOver,
    TooManyCalls,
    TooManyProcesses,
    WaitedTooLong,
)
from actas.invoke.local.machine import Machine
from actas.invoke.local.sandbox import Sandbox
from actas.settings.schema import Limits, Schedule
from actas.settings.values import Size, Span
from actas.testing.contracts.backend import delivery

pytestmark = pytest.mark.anyio

COUNT = "count = 0\ndef handler(event, context):\n    global count\n    count += 1\n    return count\n"
SLEEP = "import time\ndef handler(event, context):\n    time.sleep(event)\n    return 'slept'\n"


async def until(claim):
    with anyio.fail_after(10):
        while not claim():
            await anyio.sleep(0.01)


async def test_a_caller_meets_the_same_process_again_and_nobody_elses(bench):
    function = bench.function(COUNT)

    told = [await bench.value(function, subject=name) for name in ("ana", "ana", "ben", "ana", "ben")]

    assert told == [1, 2, 1, 3, 2]


async def test_calls_at_once_have_a_process_each(bench):
    function = bench.function(SLEEP)
    told = []

    async def one():
        told.append(await bench.value(function, 0.2))

    async with anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(one)

    assert told == ["slept"] * 3
    assert len(bench.shared.pool) == 3


async def test_a_process_does_nothing_between_calls(bench):
    code = """
import os, subprocess, threading, time
ticks = 0
def tick():
    global ticks
    while True:
        ticks += 1
        time.sleep(0.005)
threading.Thread(target=tick, daemon=True).start()
child = subprocess.Popen(["sleep", "60"], start_new_session=True)
def handler(event, context):
    time.sleep(event)
    return [ticks, child.poll()]
"""
    function = bench.function(code)
    before, _ = await bench.value(function, 0)
    (process,) = bench.shared.pool._all
    await until(lambda: process.idle)
    await anyio.sleep(0.3)
    frozen, alive = await bench.value(function, 0)
    ran, _ = await bench.value(function, 0.1)

    assert frozen - before < 20
    assert ran - frozen >= 5
    assert alive is None


async def test_what_a_function_has_left_running_is_frozen_too(bench, processes):
    code = """
import os, subprocess, time
def handler(event, context):
    for escape in (False, True):
        subprocess.Popen(["sh", "-c", "sleep 60 & sleep 60"], start_new_session=escape)
    while sum(name.isdigit() for name in os.listdir("/proc")) < 6:
        time.sleep(0.01)
"""
    function = bench.function(code)
    await bench.value(function)
    (process,) = bench.shared.pool._all
    await until(lambda: process.idle)

    everyone = processes(process.sandbox.init_id())

    def awake():
        facts = [Path(f"/proc/{one}/stat").read_text() for one in everyone]
        # D: a shell waits for a child that was stopped between vfork and exec
        return [fact for fact in facts if fact.rpartition(")")[2].split()[0] not in {"T", "Z", "D"}]

    with anyio.move_on_after(5):
        while awake():
            await anyio.sleep(0.01)
    assert awake() == []
    assert len(everyone) >= 5


async def test_an_idle_process_is_retired(bench):
    function = bench.function(COUNT, idle=Span(timedelta(seconds=0.1)))
    await bench.value(function)
    (process,) = bench.shared.pool._all
    number = process.sandbox.process_id()

    await until(lambda: len(bench.shared.pool) == 0)

    assert not Path(f"/proc/{number}").exists()
    assert await bench.value(function) == 1


async def test_a_process_ends_with_its_session(bench):
    function = bench.function(COUNT)
    await bench.value(function, lasts=timedelta(seconds=2))
    assert len(bench.shared.pool) == 1

    await until(lambda: len(bench.shared.pool) == 0)


async def test_a_call_whose_session_is_over_is_not_delivered(bench):
    function = bench.function(COUNT)

    with pytest.raises(SessionOver):
        await bench.call(function, lasts=timedelta(seconds=-1))
    assert await bench.value(function, lasts=timedelta(seconds=5)) == 1


async def test_a_session_that_ends_while_its_process_starts_is_not_delivered(bench):
    function = bench.function("import time\ntime.sleep(0.5)\n" + COUNT)

    with pytest.raises(SessionOver):
        await bench.call(function, lasts=timedelta(seconds=0.3))


async def test_old_code_ends_when_new_code_comes(bench):
    function = bench.function(COUNT)
    await bench.value(function)
    await bench.value(function, subject="ben")

    bench.write(COUNT + "# changed\n")

    assert await bench.value(function) == 1
    await until(lambda: len(bench.shared.pool) == 1)


async def test_a_call_that_runs_finishes_on_the_code_it_began_with(bench):
    function = bench.function(SLEEP)
    told = []

    async def slow():
        told.append(await bench.value(function, 0.5))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(slow)
        await bench.running()
        bench.write("def handler(event, context):\n    return 'new'\n")
        told.append(await bench.value(function, 0))

    assert told == ["new", "slept"]
    await until(lambda: len(bench.shared.pool) == 1)


async def test_at_the_cap_the_process_that_was_idle_longest_goes(bench):
    bench.open(limits=Limits(processes=2, processes_per_subject=2))
    function = bench.function(COUNT)
    for name in ("ana", "ben", "ana"):
        await bench.value(function, subject=name)

    await bench.value(function, subject="chidi")

    assert {process.whose[1] for process in bench.shared.pool._all} == {"ana", "chidi"}
    assert await bench.value(function, subject="ana") == 3


@pytest.mark.parametrize(
    ("limits", "per_subject"), [(Limits(processes=2), False), (Limits(processes_per_subject=2), True)]
)
async def test_at_the_cap_with_all_busy_the_call_is_refused(bench, limits, per_subject):
    bench.open(limits=limits)
    function = bench.function(SLEEP)

    async with anyio.create_task_group() as tasks:
        for _ in range(2):
            tasks.start_soon(bench.value, function, 0.6)
        await bench.running(2)
        with pytest.raises(TooManyProcesses) as refused:
            await bench.call(bench.function(SLEEP, name="other"), 0)

    assert (refused.value.status, refused.value.per_subject) == (429, per_subject)
    assert await bench.value(function, 0) == "slept"


async def test_a_caller_at_its_cap_does_not_stand_in_anothers_way(bench):
    bench.open(limits=Limits(processes=10, processes_per_subject=1))
    function = bench.function(SLEEP)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(bench.value, function, 0.5)
        await bench.running()
        assert await bench.value(function, 0, subject="ben") == "slept"


async def test_calls_beyond_the_schedule_wait_and_then_are_refused(bench):
    function = bench.function(SLEEP, schedule=Schedule(at_once=1, waiting=1))
    told = []

    async def one():
        told.append(await bench.value(function, 0.3))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(one)
        await bench.running()
        tasks.start_soon(one)
        await anyio.sleep(0.05)
        with pytest.raises(TooManyCalls) as refused:
            await bench.call(function, 0)

    assert refused.value.status == 429
    assert told == ["slept", "slept"]
    assert len(bench.shared.pool) == 1


async def test_a_call_does_not_wait_for_ever(bench, monkeypatch):
    monkeypatch.setattr("actas.invoke.backends.local._PATIENCE", 0.2)
    function = bench.function(SLEEP, schedule=Schedule(at_once=1, waiting=5))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(bench.value, function, 0.6)
        await bench.running()
        with pytest.raises(WaitedTooLong):
            await bench.call(function, 0)

    assert await bench.value(function, 0) == "slept"


async def test_a_caller_who_hangs_up_neither_ends_the_function_nor_keeps_its_place(bench):
    code = """
import time
done = []
def handler(event, context):
    time.sleep(event)
    done.append(event)
    return done
"""
    function = bench.function(code, schedule=Schedule(at_once=1, waiting=5))
    await bench.value(function, 0)

    with anyio.move_on_after(0.1):
        await bench.call(function, 0.4)
    told = await bench.value(function, 0.01)

    assert told == [0, 0.4, 0.01]


async def test_a_caller_who_hangs_up_while_a_process_starts_leaves_nothing_stuck(bench):
    function = bench.function("import time\ntime.sleep(0.2)\n" + COUNT, schedule=Schedule(at_once=1, waiting=1))

    for patience in (0.0, 0.01, 0.05, 0.1):
        with anyio.move_on_after(patience):
            await bench.call(function)

    assert await bench.value(function) >= 1


async def test_sixty_calls_one_after_the_other_need_one_process(bench):
    function = bench.function(COUNT)

    told = [await bench.value(function) for _ in range(60)]

    assert told == list(range(1, 61))


async def test_isolation_that_cannot_be_had_is_refused(bench):
    shared = bench.open(machine=Machine(namespaces=False, why="unshare: Operation not permitted"))

    with pytest.raises(IsolationUnavailable) as refused:
        await shared.open()
    with pytest.raises(IsolationUnavailable):
        await bench.call(bench.function(COUNT))

    assert "unshare: Operation not permitted" in refused.value.message
    assert len(shared.pool) == 0


async def test_weak_isolation_is_said_loudly(bench):
    shared = bench.open(machine=Machine(namespaces=False, why="no"), isolation="weak")

    machine = await shared.open()

    assert machine.state.startswith("WEAK:")


async def test_a_closed_backend_takes_no_calls(bench):
    function = bench.function(COUNT)
    await bench.value(function)
    await bench.shared.close()

    with pytest.raises(BackendClosed):
        await bench.call(function)


async def test_the_memory_of_a_process_never_held_anothers_secrets(bench):
    """The fork server, whose memory every process inherits, is no way from one caller's secrets to another."""
    code = """
def handler(event, context):
    found = []
    with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", buffering=0) as memory:
        for line in maps:
            start, end = (int(part, 16) for part in line.split()[0].split("-"))
            if "rw-p" in line and "vvar" not in line:
                memory.seek(start)
                found.append(bytes(memory.read(end - start)))
    everything = b"".join(found)
    return [name for name in ("ANA", "BEN", "CHIDI") if b"ASIA" + name.encode() in everything]
"""
    function = bench.function(code, seconds=10)

    told = [await bench.value(function, subject=name) for name in ("ana", "ben", "chidi")]

    assert told == [["ANA"], ["BEN"], ["CHIDI"]]


async def test_the_number_of_processes_is_what_the_kernel_says(bench, processes):
    function = bench.function(COUNT)
    for name in ("ana", "ben"):
        await bench.value(function, subject=name)

    assert len(processes(bench.shared._forks.pid)) == 4  # an init and a runtime each
    assert bench.shared._forks.pid in processes(os.getpid())


async def test_a_spare_serves_the_next_session_and_only_that(bench):
    bench.open(spares=True)
    function = bench.function(COUNT + "import os\nkey = os.environ['AWS_ACCESS_KEY_ID']\n")
    spares = bench.shared.pool.spares
    assert await bench.value(function) == 1
    await until(lambda: len(spares._ready) == 1)
    (spare,) = spares._ready.values()

    assert await bench.value(function, subject="ben") == 1

    assert spare in bench.shared.pool._all
    assert (spare.whose[1], spare.key.session) == ("ben", "session-of-ben")
    await until(lambda: len(spares._ready) == 1)
    assert spare not in spares._ready.values()


async def test_a_spare_has_run_nothing_of_the_function_and_holds_no_session(bench):
    bench.open(spares=True)
    function = bench.function("print('loaded')\n" + COUNT)
    await bench.value(function)
    await until(lambda: len(bench.shared.pool.spares._ready) == 1)
    (spare,) = bench.shared.pool.spares._ready.values()

    environment = Path(f"/proc/{spare.sandbox.process_id()}/environ").read_bytes()

    assert [line for _call, _function, line in bench.logs] == [b"loaded"]
    assert b"AWS" not in environment


async def test_a_spare_of_old_code_is_not_used(bench):
    bench.open(spares=True)
    function = bench.function(COUNT)
    await bench.value(function)
    await until(lambda: len(bench.shared.pool.spares._ready) == 1)
    (spare,) = bench.shared.pool.spares._ready.values()

    bench.write("def handler(event, context):\n    return 'new'\n")

    assert await bench.value(function, subject="ben") == "new"
    await until(spare.sandbox.gone.is_set)


async def test_a_spare_gives_way_where_room_is_needed_and_goes_when_nobody_comes(bench):
    bench.open(spares=True, limits=Limits(processes=2, processes_per_subject=2))
    function = bench.function(COUNT, idle=Span(timedelta(seconds=1)))
    await bench.value(function)
    spares = bench.shared.pool.spares
    await until(lambda: len(spares._ready) == 1)
    other = bench.function(COUNT, name="other")

    assert await bench.value(other) == 1
    assert len(bench.shared.pool) + len(spares) <= 2
    await until(lambda: len(bench.shared.pool) + len(spares) == 1)  # the idle one of `other` stays five minutes


@pytest.mark.parametrize("rounds", range(0, 24, 3), ids=lambda rounds: f"{rounds} turns of the loop later")
async def test_a_spare_that_is_retired_while_it_is_made_leaves_nothing_behind(bench, processes, rounds):
    """Whatever it was about: not begun, waiting, forking, being built, ready."""
    shared = bench.open(spares=True)
    function = bench.function(COUNT)
    await bench.value(function)
    spares = shared.pool.spares
    await anyio.sleep(0.001 * rounds)
    for _ in range(rounds):
        await anyio.lowlevel.checkpoint()

    spares.retire(lambda _: True)

    assert len(spares) == 0
    await bench.value(function, subject="ben")  # there is room for another, and it is made
    await until(lambda: len(spares._ready) == 1)
    below = processes(shared._forks.pid)
    await shared.close()
    assert not [one for one in below if Path(f"/proc/{one}").exists()]
    assert not spares._tasks | spares._leaving


async def test_a_spare_that_is_retired_before_it_is_begun_does_not_take_anybodys_place(bench):
    shared = bench.open(spares=True)
    function = bench.function(COUNT)
    await bench.value(function)
    spares = shared.pool.spares
    await until(lambda: len(spares._ready) == 1)
    ((of, spare),) = spares._ready.items()
    spares.take(of)
    spare.end()

    spares.want(of, lambda: pytest.fail("it was retired"), lambda _: anyio.lowlevel.checkpoint(), lasts=60)
    spares.retire(lambda one: one == of)
    await anyio.sleep(0.05)

    assert len(spares) == 0


@pytest.mark.parametrize("by", ["closing its backend", "making room", "an edit", "its time"])
async def test_closing_waits_for_spares_that_were_given_up_before(bench, processes, by):
    """One that nobody waited for left its server to a loop that closed, which uvloop does not survive in every case."""
    shared = bench.open(spares=True)
    function = bench.function(COUNT)
    await bench.value(function)
    spares = shared.pool.spares
    await until(lambda: len(spares._ready) == 1)
    ((of, spare),) = spares._ready.items()
    below = processes(shared._forks.pid)

    match by:
        case "closing its backend":
            await function.close()
        case "making room":
            spares.give_way()
        case "an edit":
            shared.pool.functions("f", version="another", idle=60)
        case "its time":
            spares._end(of)
    await shared.close()

    assert spare.sandbox.gone.is_set()
    assert not spare.server.is_serving()
    assert not [one for one in below if Path(f"/proc/{one}").exists()]


async def test_what_is_ours_of_a_process_that_does_not_end_is_closed_with_the_gateway(bench, monkeypatch):
    monkeypatch.setattr("actas.invoke.local.sandbox._GONE_WITHIN", 0.05)
    monkeypatch.setattr(Sandbox, "end", lambda _sandbox: None)
    shared = bench.open(spares=True)
    shared.doors.public = shared.doors.control = lambda *_: None
    await bench.value(bench.function(COUNT))
    spares = shared.pool.spares
    await until(lambda: len(spares._ready) == 1)
    left = [*shared.pool._all, *spares._ready.values()]

    await shared.pool.close()

    assert [one.server.is_serving() for one in left] == [False, False]
    assert [listener.fileno() for one in left for listener in one.relay._listeners.values()] == [-1] * 4
    for one in left:
        one.sandbox.kill()
        await one.sandbox.wait_gone()


async def test_a_spare_for_which_there_is_no_place_is_waited_for(bench):
    shared = bench.open(spares=True, limits=Limits(processes=3, processes_per_subject=1))
    function = bench.function("import time\ndef handler(event, context):\n    time.sleep(event)\n")
    await bench.value(function, 0)
    await until(lambda: len(shared.pool.spares._ready) == 1)
    (spare,) = shared.pool.spares._ready.values()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(bench.value, function, 0.5)
        await bench.running()
        made = delivery(b"0", number=99)
        with pytest.raises(TooManyProcesses):
            await function.invoke(replace(made, sessions=replace(made.sessions, id="another")))
    await shared.close()

    assert spare.sandbox.gone.is_set()


async def test_closing_takes_no_longer_for_many_that_do_not_end_than_for_one(bench, monkeypatch):
    """Ten seconds for each, one after the other, would be minutes for a full pool."""
    waiting = []

    async def wait_gone(sandbox):
        waiting.append(sandbox)
        await until(lambda: len(waiting) == 3)
        await sandbox.gone.wait()

    shared = bench.open()
    function = bench.function(COUNT)
    for name in ("ana", "ben", "chidi"):
        await bench.value(function, subject=name)
    monkeypatch.setattr(Sandbox, "wait_gone", wait_gone)

    await shared.pool.close()

    assert len(waiting) == 3


async def test_closing_ends_spares_too(bench, processes):
    shared = bench.open(spares=True)
    await bench.value(bench.function(COUNT))
    await until(lambda: len(shared.pool.spares._ready) == 1)
    below = processes(shared._forks.pid)

    await shared.close()

    assert not [one for one in below if Path(f"/proc/{one}").exists()]
    assert len(shared.pool.spares) == 0


@pytest.mark.parametrize("change", [{"environment": {"TABLE": "new"}}, {"memory": Size(256 * 1024 * 1024)}])
async def test_settings_that_a_process_is_made_of_make_a_new_one(bench, change):
    before = bench.function(COUNT, environment={"TABLE": "old"})
    assert [await bench.value(before), await bench.value(before)] == [1, 2]

    after = bench.function(None, **{"environment": {"TABLE": "old"}, **change})

    assert await bench.value(after) == 1
    await until(lambda: len(bench.shared.pool) == 1)


async def test_settings_that_no_process_is_made_of_keep_it(bench):
    before = bench.function(COUNT, environment={"TABLE": "old"})
    await bench.value(before)

    after = bench.function(None, environment={"TABLE": "old"}, schedule=Schedule(at_once=3))

    assert await bench.value(after) == 2


async def test_at_the_cap_a_call_waits_for_a_process_of_its_own(bench):
    bench.open(limits=Limits(processes_per_subject=2))
    function = bench.function(SLEEP)
    told = []

    async def one():
        told.append(await bench.value(function, 0.1))

    async with anyio.create_task_group() as tasks:
        for _ in range(8):
            tasks.start_soon(one)

    assert told == ["slept"] * 8
    assert len(bench.shared.pool) == 2
    assert not bench.shared.pool._waiting


async def test_a_call_that_waits_for_a_process_finds_its_end(bench):
    """The process that it waits for crashes; then there is room for a new one."""
    bench.open(limits=Limits(processes_per_subject=1))
    function = bench.function(
        "import os, time\ndef handler(event, context):\n    time.sleep(0.3)\n    os._exit(event)\n"
    )

    async with anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(bench.error, function, 1)

    assert not bench.shared.pool._waiting


async def test_a_backend_that_is_closed_ends_its_processes_and_lets_a_call_finish(bench):
    bench.open(spares=True)
    function, other = bench.function(SLEEP), bench.function(COUNT, name="other")
    await bench.value(other)
    await bench.value(function, 0, subject="ben")
    told = []

    async def one():
        told.append(await bench.value(function, 0.3))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(one)
        await bench.running()
        await function.close()

    assert told == ["slept"]
    await until(lambda: {process.key.function for process in bench.shared.pool._all} == {"other"})
    await until(lambda: {name for name, _version in bench.shared.pool.spares._ready} == {"other"})


async def test_closing_a_backend_leaves_the_spare_of_its_successor(bench):
    bench.open(spares=True)
    before = bench.function(COUNT)
    await bench.value(before)
    after = bench.function(None, memory=Size(160 * 1024 * 1024))
    await bench.value(after)
    spares = bench.shared.pool.spares
    await until(lambda: len(spares._ready) == 1)
    (spare,) = spares._ready.values()

    await before.close()

    assert spare in spares._ready.values()
    assert not spare.ending


async def test_closing_a_backend_leaves_what_its_successor_uses(bench):
    before = bench.function(COUNT)
    await bench.value(before)
    after = bench.function(None, schedule=Schedule(at_once=3))

    await before.close()

    assert await bench.value(after) == 2


async def test_a_call_that_is_refused_gives_its_place_back(bench):
    function = bench.function(COUNT, schedule=Schedule(at_once=1, waiting=0))

    for _ in range(3):
        with pytest.raises(EventNotJson):
            await bench.call(function, payload=b"{")

    assert await bench.value(function) == 1
