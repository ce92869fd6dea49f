"""Stop a sandbox's processes between calls and let them go on with the next.

The function's own process is stopped by its pidfd: one system call. Whatever else it has left running, in its own
process group or out of it, is looked for through `/proc`, from the top down, so that a stopped process has no
children that we do not know of.
"""

import os
import signal
from contextlib import suppress

from actas.invoke.local.sandbox import Sandbox

_MOST_ROUNDS = 8


def stop(sandbox: Sandbox, process: int, init: int) -> bool:
    """Stop everything in *sandbox* but its init; *process* and *init* are the machine's numbers of the two.

    Tell whether another number was found than the last time: a stop takes a moment to reach another processor,
    and what was not stopped yet may have started something, so ask again then.
    """
    if sandbox.runtime is None:
        return False
    _signal(sandbox.runtime, signal.SIGSTOP)
    known = {process, init}
    before = _forget(sandbox)
    for _ in range(_MOST_ROUNDS):
        found = [child for parent in tuple(known) for child in _children(parent) if child not in known]
        if not found:
            break
        for child in found:
            known.add(child)
            with suppress(OSError):
                handle = os.pidfd_open(child)
                _signal(handle, signal.SIGSTOP)
                sandbox.stopped_with.append(handle)
    return len(sandbox.stopped_with) != before


def _forget(sandbox: Sandbox) -> int:
    """Let go of the processes that were stopped before, which does not start them; tell how many they were."""
    count = len(sandbox.stopped_with)
    while sandbox.stopped_with:
        os.close(sandbox.stopped_with.pop())
    return count


def go_on(sandbox: Sandbox) -> None:
    """Let everything run that `stop` stopped."""
    if sandbox.runtime is None:
        return
    while sandbox.stopped_with:
        handle = sandbox.stopped_with.pop()
        _signal(handle, signal.SIGCONT)
        os.close(handle)
    _signal(sandbox.runtime, signal.SIGCONT)


def _signal(handle: int, number: int) -> None:
    with suppress(ProcessLookupError):
        signal.pidfd_send_signal(handle, number)


def _children(parent: int) -> list[int]:
    found: list[int] = []
    with suppress(OSError):
        for thread in os.listdir(f"/proc/{parent}/task"):  # noqa: PTH208 - after each call; pathlib costs as much again
            with open(f"/proc/{parent}/task/{thread}/children", "rb", buffering=0) as listed:  # noqa: PTH123 - as above
                found += [int(number) for number in listed.read().split()]
    return found
