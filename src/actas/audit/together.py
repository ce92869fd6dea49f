"""Ask the store for many at once: while one asks, the others gather, and the next asks for all of them."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Generic, TypeVar

import anyio

MOST = 500
"""How many are asked for at once; below what SQLite takes as variables of one statement."""
V = TypeVar("V")
R = TypeVar("R")


@dataclass(slots=True)
class _Waiting(Generic[V, R]):
    value: V
    answer: R | None = None
    is_answered: bool = False


class Together(Generic[V, R]):
    """Gives each who asks the answer to its own question.

    Where the work fails, it fails for the one who did it; each of the others then does it anew, for all that are left.
    """

    def __init__(self, work: Callable[[Mapping[bytes, V]], Awaitable[Mapping[bytes, R]]]) -> None:
        """Take the *work*: it gets what was asked by key, and must answer every key."""
        self._work = work
        self._waiting: dict[bytes, _Waiting[V, R]] = {}
        self._turn = anyio.Lock(fast_acquire=True)

    async def ask(self, key: bytes, value: V) -> R | None:
        """Have *key* answered together with all that wait; nobody else may ask the same key meanwhile."""
        mine = self._waiting[key] = _Waiting[V, R](value)
        try:
            async with self._turn:
                while not mine.is_answered:
                    await self._answer()
        finally:
            self._waiting.pop(key, None)
        return mine.answer

    async def _answer(self) -> None:
        batch = dict(islice(self._waiting.items(), MOST))
        answers = await self._work({key: one.value for key, one in batch.items()})
        for key, one in batch.items():
            one.answer, one.is_answered = answers.get(key), True
            self._waiting.pop(key, None)
