"""How many calls of one function run at once, and how many wait for their turn."""

import asyncio
from collections import deque

import anyio

from actas.invoke.local.errors import TooManyCalls, WaitedTooLong


class Gate:
    """Lets calls through, first come, first served; turns away what is more than may wait."""

    def __init__(self, function: str, *, at_once: int, waiting: int, patience: float) -> None:
        self._function, self._patience = function, patience
        self._at_once, self._may_wait = at_once, waiting
        self._running = 0
        self._queue: deque[asyncio.Future[None]] = deque()

    async def enter(self) -> None:
        """Take a place, waiting for one if need be."""
        if self._running < self._at_once and not self._queue:
            self._running += 1
            return
        if len(self._queue) >= self._may_wait:
            raise TooManyCalls(function=self._function, at_once=self._at_once, waiting=self._may_wait)
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append(turn)
        try:
            with anyio.fail_after(self._patience):
                await turn
        except BaseException as wrong:
            if turn.done() and not turn.cancelled():
                self.leave()  # our turn came while we were called away
            elif turn in self._queue:
                self._queue.remove(turn)
            if isinstance(wrong, TimeoutError):
                raise WaitedTooLong(function=self._function, seconds=self._patience) from wrong
            raise

    def leave(self) -> None:
        """Give the place to the next in line."""
        while self._queue:
            turn = self._queue.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._running -= 1
