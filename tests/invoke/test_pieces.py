"""The pure pieces of local functions: places in a queue, versions of code, views, the filter, AWS's words."""

import os
import struct
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from actas.invoke.local import cgroups, code, faults, seccomp
from actas.invoke.local.errors import TooManyCalls
from actas.invoke.local.gate import Gate
from actas.invoke.local.logs import LARGEST_LOG, LogPump
from actas.invoke.local.node import find_node
from actas.invoke.local.view import TASK_ROOT, Visible, view
from actas.settings.schema import Function


def gate(at_once=1, waiting=1):
    return Gate("f", at_once=at_once, waiting=waiting, patience=5)


@pytest.mark.anyio
async def test_those_who_wait_go_in_the_order_in_which_they_came():
    door, order = gate(waiting=5), []
    await door.enter()

    async def one(number):
        await door.enter()
        order.append(number)
        door.leave()

    async with anyio.create_task_group() as tasks:
        for number in range(5):
            tasks.start_soon(one, number)
            await anyio.lowlevel.checkpoint()
        door.leave()

    assert order == [0, 1, 2, 3, 4]


@pytest.mark.anyio
async def test_who_gives_up_waiting_takes_nobodys_place():
    door = gate(waiting=2)
    await door.enter()
    with anyio.move_on_after(0.01):
        await door.enter()

    door.leave()

    with anyio.fail_after(1):
        await door.enter()


@pytest.mark.anyio
async def test_who_gives_up_as_the_turn_comes_passes_it_on():
    door = gate(waiting=2)
    await door.enter()

    async def one():
        await door.enter()
        door.leave()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(one)
        await anyio.sleep(0.01)
        door.leave()
        tasks.cancel_scope.cancel()

    with anyio.fail_after(1):
        await door.enter()


@pytest.mark.anyio
async def test_no_more_wait_than_may():
    door = gate(waiting=0)
    await door.enter()

    with pytest.raises(TooManyCalls):
        await door.enter()


@pytest.mark.parametrize(
    ("change", "differs"),
    [
        (lambda folder: (folder / "f.py").write_text("other"), True),
        (lambda folder: (folder / "inner/new.py").write_text("x"), True),
        (lambda folder: (folder / "inner/g.py").unlink(), True),
        (lambda folder: os.utime(folder / "inner/g.py", ns=(1, 1)), True),
        (lambda folder: (folder / "__pycache__").mkdir(), False),
        (lambda folder: (folder / ".git").mkdir(), False),
        (lambda folder: None, False),
    ],
    ids=["edited", "added", "removed", "touched", "compiled", "hidden", "nothing"],
)
def test_the_version_of_code_is_the_state_of_its_files(tmp_path, change, differs):
    (tmp_path / "inner").mkdir()
    for name in ("f.py", "inner/g.py"):
        (tmp_path / name).write_text("x = 1")
    before = code.digest(tmp_path)

    change(tmp_path)

    assert (code.digest(tmp_path) != before) is differs


@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        (Function(python="functions/report.py:handler"), ("python", "functions/report.py", "report.handler")),
        (Function(node="resize.mjs:run"), ("node", "resize.mjs", "resize.run")),
    ],
)
def test_where_the_code_is(tmp_path, settings, wanted):
    found = code.find(settings, tmp_path)

    assert (found.runtime, found.file.relative_to(tmp_path).as_posix(), found.handler) == wanted


def test_the_view_shows_the_code_and_covers_what_is_hidden_in_it(tmp_path):
    steps = view(Visible(code=tmp_path, hidden=(tmp_path / "deep/.actas", Path("/nowhere/else"))))

    assert ("bind", str(tmp_path.resolve()), TASK_ROOT) in steps
    assert [step for step in steps if step[0] == "hide"] == [("hide", "", f"{TASK_ROOT}/deep/.actas")]
    shown = {target for _kind, _source, target in steps}
    assert not shown & {"/", "/etc", "/home", "/root", "/var", "/run", "/sys", "/proc", "/dev", str(Path.home())}


def run(program, number, argument=0, architecture=0xC000003E):
    """Run a seccomp program as the kernel does; give what it returns."""
    data = struct.pack("=iIQ6Q", number, architecture, 0, argument, argument, 0, 0, 0, 0)
    steps, at, held = [struct.unpack("=HBBI", program[i : i + 8]) for i in range(0, len(program), 8)], 0, 0
    while True:
        what, then, otherwise, value = steps[at]
        at += 1
        match what:
            case 0x20:
                (held,) = struct.unpack_from("=I", data, value)
            case 0x54:
                held &= value
            case 0x15:
                at += then if held == value else otherwise
            case 0x35:
                at += then if held >= value else otherwise
            case 0x06:
                return value


ALLOW, KILL, EPERM, ENOSYS, EAFNOSUPPORT = 0x7FFF0000, 0x80000000, 0x50001, 0x50026, 0x50061


@pytest.mark.parametrize(
    ("number", "argument", "wanted"),
    [
        (0, 0, ALLOW),  # read
        (101, 0, EPERM),  # ptrace
        (165, 0, EPERM),  # mount
        (272, 0, EPERM),  # unshare
        (310, 0, EPERM),  # process_vm_readv
        (435, 0, ENOSYS),  # clone3
        (56, 0x01200011, ALLOW),  # clone as fork does it
        (56, 0x10000011, EPERM),  # clone with a user namespace
        (56, 0x40000011, EPERM),  # clone with a network namespace
        (41, 2, ALLOW),  # socket, AF_INET
        (41, 40, EAFNOSUPPORT),  # socket, AF_VSOCK
        (41, 38, EAFNOSUPPORT),  # socket, AF_ALG
        (16, 0x5412, EPERM),  # ioctl, TIOCSTI
        (16, 0x5401, ALLOW),  # ioctl, TCGETS
        (0x40000000, 0, EPERM),  # read by its x32 number
    ],
)
def test_the_filter_refuses_what_reaches_out(number, argument, wanted):
    assert run(seccomp.program("x86_64"), number, argument) == wanted


def test_the_filter_ends_a_process_that_speaks_another_architecture():
    assert run(seccomp.program("x86_64"), 0, architecture=0x40000003) == KILL
    assert run(seccomp.program("aarch64"), 63, architecture=0xC00000B7) == ALLOW
    assert run(seccomp.program("aarch64"), 117, architecture=0xC00000B7) == EPERM
    assert seccomp.program("riscv64") is None


@pytest.mark.parametrize(
    ("status", "ending"),
    [
        (0, "Runtime exited without providing a reason"),
        (3 << 8, "Runtime exited with error: exit status 3"),
        (255 << 8, "Runtime exited with error: exit status 255"),
        (9, "Runtime exited with error: signal: killed"),
        (11 | 0x80, "Runtime exited with error: signal: segmentation fault"),
        (40, "Runtime exited with error: signal: signal 40"),
    ],
)
def test_an_ending_is_put_as_go_puts_it(status, ending):
    assert ending.encode() in faults.exited("c", status, out_of_memory=False)


@pytest.mark.parametrize(("seconds", "text"), [(3, "3.00"), (0.5, "0.50"), (900, "900.00")])
def test_a_timeout_is_told_in_seconds_with_two_digits(seconds, text):
    assert f"RequestId: c Error: Task timed out after {text} seconds".encode() in faults.timed_out("c", seconds)


@pytest.mark.anyio
async def test_lines_are_whole_however_they_are_written():
    reading, writing = os.pipe()
    kept = []
    pump = LogPump(reading, "f", lambda call, _function, line: kept.append((call, line)))
    pump.begin("first")
    for piece in (b"on", b"e\ntw", b"o\n\nth", b"ree"):
        os.write(writing, piece)
        await anyio.sleep(0.005)
    pump.end()
    pump.begin("second")
    os.write(writing, b"four\n")
    os.close(writing)
    pump.close()

    assert kept == [("first", b"one"), ("first", b"two"), ("first", b""), ("first", b"three"), ("second", b"four")]


@pytest.mark.anyio
async def test_a_line_without_end_is_cut_into_pieces_and_bounded():
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    kept = []
    pump = LogPump(reading, "f", lambda _call, _function, line: kept.append(line))
    pump.begin("first")
    sent = 0
    with anyio.move_on_after(2):
        while sent < 2 * LARGEST_LOG:
            try:
                sent += os.write(writing, b"x" * 65536)
            except BlockingIOError:
                await anyio.sleep(0.001)
    pump.close()
    os.close(writing)

    assert max(len(line) for line in kept) <= 256 * 1024 + 65536
    assert sum(len(line) for line in kept) <= LARGEST_LOG


def test_a_machine_without_groups_limits_nothing_and_says_so():
    group = cgroups.make(cgroups.NO_GROUPS, "actas-x", memory=1)

    group.add(os.getpid())

    assert (group.folders, group.killed(), cgroups.NO_GROUPS.limits_memory) == ((), False, False)
    group.remove()


def test_node_is_looked_for_where_one_says(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("NODE_PATH", raising=False)
    node = tmp_path / "node"
    node.write_text("#!/bin/sh\n")
    node.chmod(0o755)
    assert find_node(tmp_path) is None
    client = tmp_path / "modules/aws-lambda-ric"
    client.mkdir(parents=True)
    (client / "index.mjs").write_text("")

    monkeypatch.setenv("ACTAS_NODE_RIC", str(tmp_path / "modules"))

    found = find_node(tmp_path)
    assert found is not None
    assert (found.program, found.modules) == (node.resolve(), (tmp_path / "modules").resolve())
