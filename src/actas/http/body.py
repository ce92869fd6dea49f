"""A request's body: read at once where it is small, handed on as it comes where it is not; limited in size and time."""

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


async def small(receive: Receive, head: Head, limits: Limits) -> bytes | None:
    """Read a body that is small by its own word; None for one that is to be read later."""
    length = head.content_length
    if length is not None and length > limits.body.bytes:
        raise RequestTooLarge(what="body", allowed=limits.body.bytes)
    if length == 0:
        return b""
    if length is None or length > AT_ONCE:
        return None
    pieces = [piece async for piece in stream(receive, limits)]
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


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
