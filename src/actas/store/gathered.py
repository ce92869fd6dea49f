"""One transaction for all who wait: while one batch is kept, the next gathers."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import anyio

from actas.store.errors import StoreError

MOST = 500
V = TypeVar("V")
R = TypeVar("R")


@dataclass(slots=True, eq=False)
class _Waiting(Generic[V, R]):
    value: V
    answer: R | None = None
    failure: StoreError | None = None
    is_over: bool = False


class Gathered(Generic[V, R]):
    """Gives each who asks the answer to its own question; where the work fails, it fails for its whole batch."""

    def __init__(self, work: Callable[[Sequence[V]], Awaitable[Sequence[R]]], *, most: int = MOST) -> None:
        """Take the *work*: it gets what was asked, and answers in the same order."""
        self._work, self._most = work, most
        self._waiting: list[_Waiting[V, R]] = []
        self._turn = anyio.Lock(fast_acquire=True)

    async def ask(self, value: V) -> R:
        """Have *value* worked on together with all that wait.

        An asker that is cancelled while it waits may still be worked on.
        """
        mine = _Waiting[V, R](value)
        self._waiting.append(mine)
        try:
            async with self._turn:
                while not mine.is_over:
                    await self._work_on_a_batch()
        finally:
            if not mine.is_over and mine in self._waiting:  # else another works on it already
                self._waiting.remove(mine)
        if mine.failure is not None:
            raise mine.failure.again()
        return mine.answer  # type: ignore[return-value] # the work has set it

    async def _work_on_a_batch(self) -> None:
        batch, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
        try:
            answers = await self._work([one.value for one in batch])
        except StoreError as failure:
            for one in batch:
                one.failure, one.is_over = failure, True
        except BaseException:  # cancelled before anything was kept: the others go on with the next batch
            self._waiting = batch + self._waiting
            raise
        else:
            for one, answer in zip(batch, answers, strict=True):
                one.answer, one.is_over = answer, True
