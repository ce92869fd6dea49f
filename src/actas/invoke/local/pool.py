"""Every function process there is: who may have one, who is given up for another, who is retired.

A process belongs to one key (function, version, role session) for life. At a cap the process that has been idle
longest goes; where none is idle, a call waits for a process of its own key, and without one its caller gets 429.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable

import anyio

from actas.invoke.local.errors import TooManyProcesses
from actas.invoke.local.job import Key
from actas.invoke.local.process import FunctionProcess
from actas.invoke.local.sandbox import all_gone
from actas.invoke.local.spares import Spares
from actas.invoke.local.starts import Starts
from actas.model import clock

_MOST_EVICTIONS = 1000


class Pool:
    """The processes of all local functions."""

    def __init__(self, *, most: int, most_per_subject: int, spares: Spares) -> None:
        self.spares = spares
        self._most, self._most_per_subject = most, most_per_subject
        self._by_key: defaultdict[Key, list[FunctionProcess]] = defaultdict(list)
        self._all: dict[FunctionProcess, None] = {}  # in the order in which they were last given a call
        self._idle: dict[FunctionProcess, asyncio.TimerHandle] = {}
        self._waiting: defaultdict[Key, deque[asyncio.Future[None]]] = defaultdict(deque)
        self._versions: dict[str, str] = {}
        self._spans: dict[str, float] = {}
        self.starts = Starts(self._wake)

    def __len__(self) -> int:
        return len(self._all)

    def functions(self, function: str, *, version: str, idle: float) -> None:
        """Learn which version of *function* is current and how long its processes may be idle; older ones go."""
        self._spans[function] = idle
        if self._versions.get(function) != version:
            self._versions[function] = version
            self.spares.retire(lambda of: of[0] == function and of[1] != version)
            for process in tuple(self._idle):
                if process.key.function == function and process.key.version != version:
                    self._retire(process)

    def take(self, key: Key) -> FunctionProcess | None:
        """Find a process that can take a call of *key* now; the one used last, which is the warmest."""
        for process in reversed(self._by_key.get(key, ())):
            if process.takes_next:
                if timer := self._idle.pop(process, None):
                    timer.cancel()
                self._all[process] = self._all.pop(process)
                return process
        return None

    def may_wait(self, key: Key) -> bool:
        """Whether a process of *key* is there that will be free again."""
        return any(not process.ending for process in self._by_key.get(key, ()))

    async def freed(self, key: Key, *, patience: float) -> bool:
        """Wait until a process of *key* is free or gone; False where that took longer than *patience*."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[key].append(turn)
        try:
            with anyio.move_on_after(patience):
                await turn
                return True
            return False
        finally:
            if turn in (waiting := self._waiting.get(key, deque())):
                waiting.remove(turn)
            if not waiting:
                self._waiting.pop(key, None)

    def _wake(self, key: Key) -> None:
        waiting = self._waiting.get(key)
        while waiting:
            turn = waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._waiting.pop(key, None)

    async def add(self, process: FunctionProcess) -> None:
        """Enter a new process, making room for it."""
        for _ in range(_MOST_EVICTIONS):
            if self._count(process.whose) >= self._most_per_subject:
                await self._evict(process.whose)
            elif len(self._all) + len(self.spares) >= self._most and (spare := self.spares.give_way()):
                await spare.sandbox.wait_gone()
            elif len(self._all) >= self._most:
                await self._evict(None)
            else:
                break
        process.on_idle, process.on_gone = self._now_idle, self._now_gone
        self._all[process] = None
        self._by_key[process.key].append(process)

    def give_up(self, function: str, version: str) -> None:
        """End the processes of *function* whose version holds *version*, those that are busy after their call."""
        for process in tuple(self._all):
            if process.key.function == function and version in process.key.version:
                if process.takes_next:
                    self._retire(process)
                process.is_last_call = True
        self.spares.retire(lambda of: of[0] == function and version in of[1])

    def end_where(self, is_over: Callable[[FunctionProcess], bool]) -> int:
        """End the processes of which that is so, those that are busy after their call; tell how many."""
        gone = [process for process in self._all if not process.ending and is_over(process)]
        for process in gone:
            if process.takes_next:
                self._retire(process)
            process.is_last_call = True
        return len(gone)

    async def close(self) -> None:
        """End every process and wait until all are gone."""
        await self.spares.close()
        everyone = tuple(self._all)
        for process in everyone:
            process.end()
        await all_gone(process.sandbox for process in everyone)
        for process in everyone:
            process.let_go()

    @property
    def has_room(self) -> bool:
        """Whether there may be one more process without anybody's giving way."""
        return len(self._all) + len(self.spares) < self._most

    def _count(self, whose: tuple[str, str]) -> int:
        return sum(process.whose == whose for process in self._all)

    async def _evict(self, whose: tuple[str, str] | None) -> None:
        theirs = [one for one in self._all if whose is None or one.whose == whose]
        leaving = [one for one in theirs if one.ending]  # its place comes free without anybody losing one
        for process in (*leaving, *theirs):
            if process.ending or process.takes_next:
                self._retire(process)
                await process.sandbox.wait_gone()
                return
        limit = self._most if whose is None else self._most_per_subject
        raise TooManyProcesses(limit=limit, per_subject=whose is not None)

    def _now_idle(self, process: FunctionProcess) -> None:
        if process.is_last_call or process.key.version != self._versions.get(process.key.function):
            process.end()
            return
        span = self._spans.get(process.key.function, 0.0)
        if process.expires_at:
            span = min(span, (process.expires_at - clock.now()).total_seconds())
        self._idle[process] = asyncio.get_running_loop().call_later(max(0.0, span), self._retire, process)
        same = self._by_key[process.key]
        same.append(same.pop(same.index(process)))
        self._wake(process.key)

    def _retire(self, process: FunctionProcess) -> None:
        if timer := self._idle.pop(process, None):
            timer.cancel()
        process.end()

    def _now_gone(self, process: FunctionProcess) -> None:
        if timer := self._idle.pop(process, None):
            timer.cancel()
        self._all.pop(process, None)
        same = self._by_key.get(process.key, [])
        if process in same:
            same.remove(process)
        if not same:
            self._by_key.pop(process.key, None)
        self._wake(process.key)
