"""A function that runs wild hurts neither the gateway nor other functions, and nothing of it is left."""
# ruff: noqa: ASYNC110 - the state of processes is read from /proc, again and again

import os
from dataclasses import replace

import anyio
import pytest

from actas.invoke.local.cgroups import NO_GROUPS
from actas.invoke.local.logs import LARGEST_LOG, PER_LINE
from actas.settings.values import Size

pytestmark = pytest.mark.anyio

TIMED_OUT = "Sandbox.Timedout"
BYSTANDER = "def handler(event, context):\n    return 'fine'\n"


async def run_beside_a_bystander(bench, code, **settings):
    """Run the wild function; give its error and how often another one answered meanwhile."""
    bystander = bench.function(BYSTANDER, name="bystander")
    await bench.value(bystander, subject="ben")
    wild = bench.function(code, name="wild", **{"seconds": 0.8, **settings})
    answered, over = [], anyio.Event()

    async def keep_calling():
        while not over.is_set():
            answered.append(await bench.value(bystander, subject="ben"))
            await anyio.sleep(0.02)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(keep_calling)
        error = await bench.error(wild)
        over.set()
    assert set(answered) == {"fine"}
    return error


async def gone(bench, processes):
    """Wait until the fork server has no child but the bystander's sandbox."""
    with anyio.fail_after(10):
        while len(processes(bench.shared._forks.pid)) > 2:
            await anyio.sleep(0.02)


RUNAWAYS = {
    "a fork bomb": """
    while True:
        try: os.fork()
        except OSError: pass
""",
    "an endless loop": """
    while True: pass
""",
    "one that ignores SIGTERM": """
    signal.signal(15, signal.SIG_IGN)
    while True: pass
""",
    "endless output without a line's end": """
    while True: os.write(1, b"x" * 65536)
""",
    "endless lines": """
    while True: print("again")
""",
    "endless empty lines": """
    while True: os.write(1, b"\\n" * 65536)
""",
    "one with a daemon": """
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            while True: time.sleep(1)
    while True: pass
""",
    "threads without end": """
    while True:
        try: threading.Thread(target=time.sleep, args=(60,)).start()
        except RuntimeError: pass
""",
    "connections without end": """
    while True:
        try: held.append(socket.create_connection(("127.0.0.1", 9001), 1))
        except OSError: pass
""",
}
PREAMBLE = "import os, signal, socket, threading, time\nheld = []\ndef handler(event, context):"


@pytest.mark.parametrize("code", RUNAWAYS.values(), ids=RUNAWAYS)
async def test_a_runaway_is_ended_and_others_go_on(bench, processes, code):
    error = await run_beside_a_bystander(bench, PREAMBLE + code)

    assert error["errorType"] in {TIMED_OUT, "Runtime.ExitError"}  # nonsense without end is ended early
    await gone(bench, processes)
    kept = sum(len(line) + 1 for _call, function, line in bench.logs if function == "wild")
    assert kept <= LARGEST_LOG + 200


async def test_output_past_its_limit_is_dropped_and_marked(bench):
    function = bench.function(
        "def handler(event, context):\n    for _ in range(event): print('x' * 1023)\n", seconds=10
    )

    await bench.value(function, LARGEST_LOG // 1024 + 500)
    cut = bench.lines()
    await bench.value(function, 3)

    assert len(cut) == -(-LARGEST_LOG // (1023 + PER_LINE))
    assert cut[-1] == f"[this call logged more than {LARGEST_LOG} bytes; the rest is dropped]"
    assert bench.lines() == ["x" * 1023] * 3


ALLOCATE = "def handler(event, context):\n    return len(b'x' * event)\n"


async def test_more_memory_than_allowed_ends_the_function(bench, machine):
    if not machine.groups.limits_memory:
        pytest.skip("this machine gives us no control groups")
    function = bench.function(ALLOCATE, memory=Size(64 * 1024 * 1024))

    error = await bench.error(function, 256 * 1024 * 1024)

    assert error == {
        "errorType": "Runtime.OutOfMemory",
        "errorMessage": f"RequestId: {bench.last.call.id} Error: Runtime exited with error: signal: killed",
    }
    assert await bench.value(function, 8 * 1024 * 1024) == 8 * 1024 * 1024


async def test_without_control_groups_memory_is_limited_by_the_process(bench, machine):
    bench.open(machine=replace(machine, groups=NO_GROUPS))
    function = bench.function(ALLOCATE, memory=Size(64 * 1024 * 1024))

    error = await bench.error(function, 256 * 1024 * 1024)

    assert error["errorType"] == "MemoryError"
    assert await bench.value(function, 8 * 1024 * 1024) == 8 * 1024 * 1024


async def test_a_full_tmp_is_the_functions_own_trouble(bench):
    code = "def handler(event, context):\n    with open('/tmp/x', 'wb') as file: file.write(b'x' * event)\n"
    function = bench.function(code, memory=Size(32 * 1024 * 1024))

    error = await bench.error(function, 33 * 1024 * 1024)

    assert error["errorType"] in {"OSError", "Runtime.OutOfMemory", "Runtime.ExitError"}


async def test_processes_are_limited_without_control_groups_too(bench, machine, processes):
    bench.open(machine=replace(machine, groups=NO_GROUPS))
    code = """
import os, time
def handler(event, context):
    made = 0
    try:
        while made < 1000:
            if os.fork() == 0:
                time.sleep(60)
            made += 1
    except OSError as wrong:
        return [made, wrong.strerror]
"""
    made, why = await bench.value(bench.function(code, seconds=10))

    assert 50 < made < 128
    assert why == "Resource temporarily unavailable"
    assert os.getpid() not in processes(bench.shared._forks.pid)
