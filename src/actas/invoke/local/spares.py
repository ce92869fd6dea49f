"""One sandbox of each function kept ready, so that a new role session does not wait for its walls.

A spare has the function's code in view and its limits set, and waits for its environment: it holds no session and
has run no line of the function. It is given to one session and is then a process like any other. A spare is made
after a cold start, lasts as long as the function's processes may be idle, and gives way wherever room is needed.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Final

from actas.invoke.errors import InvokeError
from actas.invoke.local.process import FunctionProcess
from actas.invoke.local.sandbox import all_gone

_AFTER: Final = 0.02
"""When a spare is begun after the cold start that asks for it: the call itself comes first."""

Of = tuple[str, str]
"""A function and its version."""
Prepare = Callable[[FunctionProcess], Awaitable[None]]


class Spares:
    """The spares of all functions; at most one of each version."""

    def __init__(self, *, wanted: bool) -> None:
        self._wanted = wanted
        self._ready: dict[Of, FunctionProcess] = {}
        self._timers: dict[Of, asyncio.TimerHandle] = {}
        self._making: dict[Of, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._leaving: set[FunctionProcess] = set()

    def __len__(self) -> int:
        return len(self._ready) + len(self._making)

    def take(self, of: Of) -> FunctionProcess | None:
        """Hand the spare over, if there is one."""
        self._forget_timer(of)
        process = self._ready.pop(of, None)
        return process if process and not process.ending else None

    def want(self, of: Of, process: Callable[[], FunctionProcess], prepare: Prepare, *, lasts: float) -> None:
        """Have a spare made soon, unless there is one: *prepare* builds the sandbox of what *process* gives."""
        if self._wanted and of not in self._ready and of not in self._making:
            making = asyncio.get_running_loop().create_task(self._make(of, process, prepare, lasts))
            self._making[of] = making
            self._tasks.add(making)
            # Not by the task itself: one that is cancelled before its first step never runs.
            making.add_done_callback(partial(self._made, of))

    def give_way(self) -> FunctionProcess | None:
        """End one spare for the sake of a call; None where there is none."""
        if not self._ready:
            return None
        return self._end(next(iter(self._ready)))

    def retire(self, is_old: Callable[[Of], bool]) -> None:
        """End the spares that *is_old* says so of, also those that are being made."""
        for of in [of for of in self._making if is_old(of)]:
            self._making.pop(of).cancel()  # forgotten at once, so that another may be begun
        for of in [of for of in self._ready if is_old(of)]:
            self._end(of)

    def leave(self, process: FunctionProcess) -> None:
        """End a process that has no other place, and remember it until it is gone: `close` waits for it."""
        if not process.sandbox.gone.is_set():
            self._leaving.add(process)
            process.on_gone = partial(self._left, process.on_gone)
        process.end()

    async def close(self) -> None:
        """End them all, and wait until all are gone that ever were made."""
        self._wanted = False
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for of in tuple(self._ready):
            self._end(of)
        await all_gone(process.sandbox for process in tuple(self._leaving))
        for process in tuple(self._leaving):
            process.let_go()

    async def _make(self, of: Of, new: Callable[[], FunctionProcess], prepare: Prepare, lasts: float) -> None:
        await asyncio.sleep(_AFTER)
        process = new()
        with suppress(InvokeError):  # a call that needs one builds its own, and is told what went wrong
            try:
                await prepare(process)
            except BaseException:
                self.leave(process)
                raise
            process.on_gone = lambda _: self._gone(of, process)
            self._making.pop(of, None)  # it is not retired, or this would not be reached
            self._ready[of] = process
            self._timers[of] = asyncio.get_running_loop().call_later(lasts, self._end, of)

    def _made(self, of: Of, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if self._making.get(of) is task:
            del self._making[of]

    def _end(self, of: Of) -> FunctionProcess:
        self._forget_timer(of)
        process = self._ready.pop(of)
        self.leave(process)
        return process

    def _left(self, earlier: Callable[[FunctionProcess], None], process: FunctionProcess) -> None:
        self._leaving.discard(process)
        earlier(process)

    def _gone(self, of: Of, process: FunctionProcess) -> None:
        if self._ready.get(of) is process:
            self._forget_timer(of)
            self._ready.pop(of)

    def _forget_timer(self, of: Of) -> None:
        if timer := self._timers.pop(of, None):
            timer.cancel()
