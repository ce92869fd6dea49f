"""Whatever was started is gone when it should be: processes, control groups, descriptors, mounts."""
# ruff: noqa: ASYNC110, ASYNC220, ASYNC240 - the state of processes is read from /proc, again and again

import os
import signal
import subprocess
import sys
import textwrap
from contextlib import suppress
from pathlib import Path

import anyio
import pytest

pytestmark = pytest.mark.anyio

BUSY = """
import subprocess, time
subprocess.Popen(['sleep', '60'], start_new_session=True)
def handler(event, context):
    time.sleep(event)
"""
COUNT = "count = 0\ndef handler(event, context):\n    global count\n    count += 1\n    return count\n"


def descriptors():
    """Count what is open; the loop keeps one /dev/null in reserve from its first connection on."""
    found = []
    for one in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # the one that lists them is gone by now
            found.append(str(one.readlink()))
    return len([target for target in found if target != "/dev/null"])


def groups(machine):
    return [str(found) for _, parent in machine.groups.parents for found in parent.glob(f"actas-{os.getpid()}-*")]


async def test_closing_leaves_nothing(bench, processes):
    function = bench.function(BUSY)
    before, mounts = descriptors(), Path("/proc/self/mounts").read_text()
    others = set(groups(bench.machine))  # another test's gateway may live in this process
    for name in ("ana", "ben"):
        await bench.value(function, 0, subject=name)
    below = processes(bench.shared._forks.pid) | {bench.shared._forks.pid}
    made = set(groups(bench.machine)) - others

    await bench.shared.close()
    with anyio.move_on_after(5):
        while descriptors() > before:  # fewer is somebody else's doing
            await anyio.sleep(0.01)

    assert not [one for one in below if Path(f"/proc/{one}").exists()]
    assert made or not bench.machine.groups.parents
    assert not made & set(groups(bench.machine))
    assert Path("/proc/self/mounts").read_text() == mounts
    assert descriptors() <= before


async def test_closing_ends_a_call_that_runs(bench):
    function = bench.function(BUSY)
    told = []

    async def one():
        told.append(await bench.error(function, 60))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(one)
        await bench.running()
        await bench.shared.close()

    assert told[0]["errorType"] == "Runtime.ExitError"


async def test_many_starts_leave_no_descriptor_behind(bench):
    function = bench.function("import sys\ndef handler(event, context):\n    sys.exit(1)\n")
    await bench.error(function)
    await anyio.sleep(0.1)
    before = descriptors()

    for _ in range(15):
        await bench.error(function)
    with anyio.fail_after(5):
        while len(bench.shared.pool) or descriptors() > before:
            await anyio.sleep(0.01)

    assert descriptors() <= before


async def test_a_fork_server_that_dies_is_replaced_and_warm_functions_go_on(bench):
    function = bench.function(COUNT)
    await bench.value(function)

    os.kill(bench.shared._forks.pid, signal.SIGKILL)
    await anyio.sleep(0.1)

    assert await bench.value(function) == 2
    assert await bench.value(function, subject="ben") == 1


async def test_a_sandbox_that_is_killed_from_outside_fails_its_call_and_no_other(bench):
    function = bench.function("import time\ndef handler(event, context):\n    time.sleep(event)\n    return 1\n")

    from actas.invoke.local.errors import ProcessLost

    async def be_lost():
        with pytest.raises(ProcessLost):
            await bench.call(function, 5)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(be_lost)
        await bench.running()
        (process,) = bench.shared.pool._all
        os.kill(process.sandbox.init_id(), signal.SIGKILL)

    assert await bench.value(function, 0) == 1


GATEWAY = """
import sys
import anyio
from pathlib import Path
from actas.invoke.backends.local import LocalBackends
from actas.settings.schema import Function, Limits
from actas.testing.contracts.backend import delivery

async def main(folder):
    shared = LocalBackends(limits=Limits(), log=lambda *_: None)
    function = shared.backend("f", Function(python="f.py:handler", timeout=Function().idle), Path(folder))
    async with anyio.create_task_group() as tasks:
        await function.invoke(delivery(b"0"))
        tasks.start_soon(function.invoke, delivery(b"60", number=2, subject="ben"))
        await anyio.sleep(0.5)
        print("up", flush=True)
        await anyio.sleep(60)

anyio.run(main, sys.argv[1])
"""


async def test_a_gateway_that_is_killed_takes_everything_with_it(bench, processes, tmp_path):
    bench.function(BUSY)
    script = tmp_path / "gateway.py"
    script.write_text(textwrap.dedent(GATEWAY))
    with subprocess.Popen([sys.executable, script, bench.folder], stdout=subprocess.PIPE) as gateway:
        assert gateway.stdout.readline() == b"up\n"
        below = processes(gateway.pid)
        gateway.kill()
        gateway.wait()

    with anyio.fail_after(10):
        while [one for one in below if Path(f"/proc/{one}").exists()]:
            await anyio.sleep(0.02)
    assert len(below) >= 7  # the fork server, two inits, two runtimes, and what each of them had started


async def test_groups_that_a_killed_gateway_has_left_are_swept(machine):
    if not machine.groups.parents:
        pytest.skip("this machine gives us no control groups")
    from actas.invoke.local import cgroups

    with subprocess.Popen(["true"]) as ended:
        ended.wait()
    left = [parent / f"actas-{ended.pid}-7" for _, parent in machine.groups.parents]
    ours = [parent / f"actas-{os.getpid()}-7" for _, parent in machine.groups.parents]
    for folder in (*left, *ours):
        folder.mkdir()

    cgroups.sweep(machine.groups)

    assert [folder.exists() for folder in left] == [False] * len(left)
    assert [folder.exists() for folder in ours] == [True] * len(ours)
    for folder in ours:
        folder.rmdir()


async def test_a_call_whose_process_is_lost_before_it_got_it_has_another(bench):
    function = bench.function("import time\ntime.sleep(0.5)\ndef handler(event, context):\n    return 1\n")
    told = []

    async def one():
        told.append(await bench.value(function))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(one)
        with anyio.fail_after(10):
            while not any(process.sandbox._stands.done() for process in bench.shared.pool._all):
                await anyio.sleep(0.005)
        (process,) = bench.shared.pool._all
        os.kill(process.sandbox.init_id(), signal.SIGKILL)

    assert told == [1]
