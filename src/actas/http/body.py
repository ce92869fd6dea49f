"""A request's body: read at once where it is small, handed on as it comes where it is not; limited in size and time."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import anyio
from anyio.abc import TaskGroup

from actas.http.errors import CallerWentAway, HttpError, RequestTooLarge, RequestTooSlow
from actas.http.heads import Head
from actas.settings.schema import Limits

Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
AT_ONCE = 64 * 1024
"""Bytes; a body that says it is no longer is read before the caller is known."""
EVERY = 0.5


@dataclass(slots=True)
class _Leaving:
    """An answer on its way."""

    receive: Receive
    incoming: "Incoming | None"
    """The request's body, where it may not be whole yet: then somebody else is receiving."""
    watch: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    is_watched: bool = False


class Patience:
    """Ends what waits for a client for too long, or for one that is gone.

    One look at all of them twice a second costs less than a timer, or a task, for each.
    """

    def __init__(self) -> None:
        self.until: dict[asyncio.Task[Any], float] = {}
        """Until when a task may wait for its client."""
        self._late: set[asyncio.Task[Any]] = set()
        self._leaving: dict[asyncio.Task[Any], _Leaving] = {}

    async def small(self, receive: Receive, head: Head, limits: Limits) -> bytes | None:
        """Read a body that is small by its own word; None for one that is to be read later."""
        length = head.content_length
        if length == 0:
            return b""
        if length is None or length > AT_ONCE:
            if length is not None and length > limits.body.bytes:
                raise RequestTooLarge(what="body", allowed=limits.body.bytes)
            return None
        if length > limits.body.bytes:
            raise RequestTooLarge(what="body", allowed=limits.body.bytes)
        task = asyncio.current_task()
        assert task is not None
        self.until[task] = time.monotonic() + limits.request_time.seconds
        try:
            message = await receive()  # nearly always all of it
            content: bytes = message.get("body", b"")
            if len(content) == length and not message.get("more_body", False):
                return content
            return await _rest(receive, message, length)
        except asyncio.CancelledError:
            if not self.ended(task):
                raise
            task.uncancel()
            raise RequestTooSlow(allowed=limits.request_time.seconds) from None
        finally:
            del self.until[task]

    def begin(self, task: asyncio.Task[Any], receive: Receive, incoming: "Incoming | None") -> None:
        """Take note that *task* sends an answer as it comes."""
        self._leaving[task] = _Leaving(receive, incoming)

    def end(self, task: asyncio.Task[Any]) -> None:
        """Take note that the answer is over."""
        self.until.pop(task, None)
        self._leaving.pop(task).watch.cancel()

    def ended(self, task: asyncio.Task[Any]) -> bool:
        """Tell, once, whether it was us who cancelled *task*."""
        ours = task in self._late
        self._late.discard(task)
        return ours

    async def run(self) -> None:
        """Look at everybody until cancelled."""
        async with anyio.create_task_group() as tasks:
            while True:
                await anyio.sleep(EVERY)
                self._look(tasks)

    def _look(self, tasks: TaskGroup) -> None:
        now = time.monotonic()
        for task, until in self.until.items():
            if until < now:
                self._cancel(task)
        for task, one in self._leaving.items():
            if one.incoming is not None and one.incoming.is_broken:
                self._cancel(task)
            elif not one.is_watched and (one.incoming is None or one.incoming.is_over):
                one.is_watched = True
                tasks.start_soon(self._watch, task, one)

    async def _watch(self, task: asyncio.Task[Any], one: _Leaving) -> None:
        """Wait until the caller hangs up, or the answer is over."""
        with one.watch:
            while (await one.receive())["type"] != "http.disconnect":
                pass
            if self._leaving.get(task) is one:
                self._cancel(task)

    def _cancel(self, task: asyncio.Task[Any]) -> None:
        if task not in self._late:
            self._late.add(task)
            task.cancel()


def is_small(head: Head) -> bool:
    """Tell whether a body says that it is small enough to be read before anything is known of the caller."""
    return head.content_length is not None and head.content_length <= AT_ONCE


async def _rest(receive: Receive, message: Any, length: int) -> bytes:
    """Read on after *message*, the first one, until there are *length* bytes."""
    content: bytes = message.get("body", b"")
    while message.get("more_body", False):
        message = await receive()
        content += message.get("body", b"")
        if len(content) > length:
            break
    if message["type"] == "http.disconnect" or len(content) < length:
        raise CallerWentAway
    if len(content) > length:
        raise RequestTooLarge(what="body", allowed=length)
    return content


class Incoming:
    """A body piece by piece; raises where it is too large, too slow or cut short."""

    def __init__(self, receive: Receive, limits: Limits) -> None:
        self.is_over = False
        """Whether all of it was read."""
        self.is_broken = False
        """Whether the rest will never come."""
        self._receive, self._limits = receive, limits
        self._ends = time.monotonic() + limits.request_time.seconds
        self._size = 0

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        while not self.is_over:
            try:
                piece = await self._next()
            except HttpError:
                self.is_broken = True
                raise
            if piece:
                return piece
        raise StopAsyncIteration

    async def _next(self) -> bytes:
        try:
            with anyio.fail_after(max(0.0, self._ends - time.monotonic())):
                message = await self._receive()
        except TimeoutError as late:
            raise RequestTooSlow(allowed=self._limits.request_time.seconds) from late
        if message["type"] == "http.disconnect":
            raise CallerWentAway
        piece: bytes = message.get("body", b"")
        self._size += len(piece)
        if self._size > self._limits.body.bytes:
            raise RequestTooLarge(what="body", allowed=self._limits.body.bytes)
        self.is_over = not message.get("more_body", False)
        return piece
