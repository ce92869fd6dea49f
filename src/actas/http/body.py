"""A request's body: read at once where it is small, handed on as it comes where it is not; limited in size and time."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import anyio

from actas.http.errors import CallerWentAway, RequestTooLarge, RequestTooSlow
from actas.http.heads import Head
from actas.settings.schema import Limits

Receive = Callable[[], Awaitable[Any]]
AT_ONCE = 64 * 1024
"""Bytes; a body that says it is no longer is read before the caller is known."""
EVERY = 0.5


class Patience:
    """Ends what reads for too long. One look at all readers twice a second costs less than a timer for each."""

    def __init__(self) -> None:
        self._until: dict[asyncio.Task[Any], float] = {}
        self._late: set[asyncio.Task[Any]] = set()

    async def small(self, receive: Receive, head: Head, limits: Limits) -> bytes | None:
        """Read a body that is small by its own word; None for one that is to be read later."""
        length = head.content_length
        if length == 0:
            return b""
        if length is None or length > AT_ONCE:
            if length is not None and length > limits.body.bytes:
                raise RequestTooLarge(what="body", allowed=limits.body.bytes)
            return None
        task = asyncio.current_task()
        assert task is not None
        self._until[task] = time.monotonic() + limits.request_time.seconds
        try:
            return await _small(receive, min(length, limits.body.bytes))
        except asyncio.CancelledError:
            if task not in self._late:
                raise
            self._late.discard(task)
            task.uncancel()
            raise RequestTooSlow(allowed=limits.request_time.seconds) from None
        finally:
            del self._until[task]

    async def run(self) -> None:
        """Look at the readers until cancelled."""
        while True:
            await anyio.sleep(EVERY)
            now = time.monotonic()
            for task, until in self._until.items():
                if until < now and task not in self._late:
                    self._late.add(task)
                    task.cancel()


async def _small(receive: Receive, length: int) -> bytes:
    message = await receive()
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


async def stream(receive: Receive, limits: Limits) -> AsyncIterator[bytes]:
    """Give the body piece by piece, or raise where it is too large, too slow or cut short."""
    size, allowed = 0, limits.request_time.seconds
    ends = time.monotonic() + allowed
    more = True
    while more:
        try:
            with anyio.fail_after(max(0.0, ends - time.monotonic())):
                message = await receive()
        except TimeoutError as late:
            raise RequestTooSlow(allowed=allowed) from late
        if message["type"] == "http.disconnect":
            raise CallerWentAway
        piece, more = message.get("body", b""), message.get("more_body", False)
        size += len(piece)
        if size > limits.body.bytes:
            raise RequestTooLarge(what="body", allowed=limits.body.bytes)
        if piece:
            yield bytes(piece)
