"""Answers on their way out: in one piece, or as they come, noticing when nobody takes them."""

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass

from actas.http import problems
from actas.http.body import Incoming, Patience, Receive, Send
from actas.http.errors import BadStatus
from actas.model.call import Headers
from actas.model.outcome import Answered, Refused, Streamed
from actas.settings.schema import Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who takes the answer: the two ends of the connection, and what is still coming in on it."""

    send: Send
    receive: Receive
    incoming: Incoming | None
    patience: Patience
    limits: Limits


async def stream(to: Caller, name: str, outcome: Streamed) -> None:
    """Send *outcome*; the call ends with it, also where the caller hangs up half-way."""
    task = asyncio.current_task()
    assert task is not None
    patience, send = to.patience, to.send
    allowed = to.limits.request_time.seconds
    patience.begin(task, to.receive, to.incoming)
    try:
        head = _head(name, outcome.status, outcome.headers)
        await send({"type": "http.response.start", "status": outcome.status, "headers": head})
        async for piece in outcome.body:
            patience.until[task] = time.monotonic() + allowed
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            del patience.until[task]
        await send({"type": "http.response.body", "body": b"", "more_body": False})
    except asyncio.CancelledError:
        if not patience.ended(task):
            raise
        task.uncancel()  # what was begun is not finished: the server closes the connection, so nobody takes it as whole
    finally:
        patience.end(task)
        await outcome.body.aclose()


async def deliver(send: Send, name: str, outcome: Answered | Refused) -> None:
    """Answer with what the function gave, or with the no."""
    match outcome:
        case Refused(decision=decision):
            await _answer(send, *problems.refusal(decision, name))
        case Answered(payload=payload) if outcome.status is None:
            head = problems.plain(name, len(payload), b"application/json")
            if outcome.function_error:
                head.append((b"x-amz-function-error", outcome.function_error.encode()))
            await _answer(send, 200, head, payload)
        case Answered(payload=payload, headers=headers):
            status = outcome.status or 200
            head = _head(name, status, headers, _NOT_THEIRS)
            head.append((b"content-length", str(len(payload)).encode()))
            await _answer(send, status, head, payload)


_NOT_THEIRS = frozenset(
    {
        *("connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade", "trailer", "te"),
        *("content-length", "actas-call-id", "actas-caller", "actas-role"),
    }
)
"""Fields that belong to the connection, or to us, whatever a function says."""


def _head(name: str, status: int, headers: Headers, without: frozenset[str] = frozenset()) -> problems.Head:
    """Give the header fields of a route's answer as its function wanted them, and our call id."""
    if not 200 <= status <= 999:  # the server would abort the whole process on a number that is no status
        raise BadStatus(status=status)
    head = [
        (key.lower().encode("latin-1"), value.encode("latin-1", "replace"))
        for key, value in headers
        if key.lower() not in without
    ]
    head.append((b"actas-call-id", name.encode()))
    return head


async def tell(send: Send, status: int, head: problems.Head, content: bytes) -> None:
    """Answer with a problem. Where an answer has begun the connection is cut instead, so nobody takes it as whole."""
    with suppress(RuntimeError):
        await _answer(send, status, head, content)


async def _answer(send: Send, status: int, head: problems.Head, content: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": head})
    await send({"type": "http.response.body", "body": content, "more_body": False})
