"""One sandbox of each function kept ready, so that a new role session does not wait for its walls.

A spare has the function's code in view and its limits set, and waits for its environment: it holds no session and
has run no line of the function. It is given to one session and is then a process like any other. A spare is made
after a cold start, lasts as long as the function's processes may be idle, and gives way wherever room is needed.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from actas.invoke.errors import InvokeError
from actas.invoke.local.process import FunctionProcess

_AFTER: Final = 0.02
"""When a spare is begun after the cold start that asks for it: the call itself comes first."""

Of = tuple[str, str]
"""A function and its version."""


class Spares:
    """The spares of all functions; at most one of each version."""

    def __init__(self, *, wanted: bool) -> None:
        self._wanted = wanted
        self._ready: dict[Of, FunctionProcess] = {}
        self._timers: dict[Of, asyncio.TimerHandle] = {}
        self._making: dict[Of, asyncio.Task[None]] = {}

    def __len__(self) -> int:
        return len(self._ready) + len(self._making)

    def take(self, of: Of) -> FunctionProcess | None:
        """Hand the spare over, if there is one."""
        self._forget_timer(of)
        process = self._ready.pop(of, None)
        return process if process and not process.ending else None

    def want(self, of: Of, make: Callable[[], Awaitable[FunctionProcess]], *, lasts: float) -> None:
        """Have a spare made soon, unless there is one."""
        if self._wanted and of not in self._ready and of not in self._making:
            self._making[of] = asyncio.get_running_loop().create_task(self._make(of, make, lasts))

    def give_way(self) -> FunctionProcess | None:
        """End one spare for the sake of a call; None where there is none."""
        if not self._ready:
            return None
        return self._end(next(iter(self._ready)))

    def retire(self, function: str, *, but: str) -> None:
        """End the spares of a function's other versions, also those that are being made."""
        for of, task in self._making.items():
            if of[0] == function and of[1] != but:
                task.cancel()
        for of in [of for of in self._ready if of[0] == function and of[1] != but]:
            self._end(of)

    async def close(self) -> None:
        """End them all."""
        self._wanted = False
        making = tuple(self._making.values())
        for task in making:
            task.cancel()
        await asyncio.gather(*making, return_exceptions=True)
        for process in [self._end(of) for of in tuple(self._ready)]:
            await process.sandbox.wait_gone()

    async def _make(self, of: Of, make: Callable[[], Awaitable[FunctionProcess]], lasts: float) -> None:
        try:
            await asyncio.sleep(_AFTER)
            with suppress(InvokeError):  # a call that needs one builds its own, and is told what went wrong
                process = await make()
                process.on_gone = lambda _: self._gone(of, process)
                self._ready[of] = process
                self._timers[of] = asyncio.get_running_loop().call_later(lasts, self._end, of)
        finally:
            self._making.pop(of, None)

    def _end(self, of: Of) -> FunctionProcess:
        self._forget_timer(of)
        process = self._ready.pop(of)
        process.end()
        return process

    def _gone(self, of: Of, process: FunctionProcess) -> None:
        if self._ready.get(of) is process:
            self._forget_timer(of)
            self._ready.pop(of)

    def _forget_timer(self, of: Of) -> None:
        if timer := self._timers.pop(of, None):
            timer.cancel()
