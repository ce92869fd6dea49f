"""Run an invocation as its caller wishes, and write what came of it as Lambda does."""

import base64
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import replace
from typing import Final, Protocol

from actas.gateway import Gateway, Instead
from actas.http import problems
from actas.http.lambda_api import frames
from actas.http.lambda_api.asking import LARGEST, Asking, Mode, event
from actas.http.lambda_api.errors import LaterNotHere
from actas.http.lambda_api.wording import Answer, plain
from actas.model.call import Call, Headers
from actas.model.held import Held
from actas.model.outcome import Answered, Outcome, Streamed

_TOO_LARGE: Final = (
    b'{"errorType":"Function.ResponseSizeTooLarge",'
    b'"errorMessage":"Response payload size exceeded maximum allowed payload size (6291556 bytes)."}'
)
_STATUS: Final = {Mode.NOW: 200, Mode.LATER: 202, Mode.NOT_AT_ALL: 204}


class Keeps(Protocol):
    """Where events are kept that are to be run later."""

    async def keep(self, call: Call, held: Held) -> None:
        """Return when the event is durable."""
        ...


def prepared(call: Call, wish: Asking) -> Call:
    """See that the body is an event that may be run so."""
    payload = event(call.payload, wish.mode)
    return replace(call, payload=payload, client_context=wish.client_context, wants_log=wish.wants_log)


async def carry(gateway: Gateway, call: Call, held: Held, wish: Asking, later: Keeps | None) -> Outcome:
    """Have it decided; then run it, or keep it, or leave it at that."""
    match wish.mode:
        case Mode.NOW:
            return await gateway.serve_session(call, held)
        case Mode.NOT_AT_ALL:
            return await gateway.serve_session(call, held, Instead(outcome="dry-run", do=_nothing))
        case Mode.LATER:
            if later is None:
                raise LaterNotHere

            async def keep(decided: Call) -> None:
                await later.keep(decided, held)

            return await gateway.serve_session(call, held, Instead(outcome="accepted", do=keep))


async def _nothing(_call: Call) -> None:
    """Run nothing."""


async def answer(outcome: Answered | Streamed, call: Call, wish: Asking) -> Answer:
    """Write the answer of an invocation."""
    if isinstance(outcome, Streamed):
        outcome = await gathered(outcome)
    head: problems.Head = [(name.lower().encode(), value.encode()) for name, value in told(call)]
    if outcome.function_error:
        head.append((b"x-amz-function-error", outcome.function_error.encode()))
    if wish.wants_log:
        head.append((b"x-amz-log-result", base64.b64encode(outcome.log_tail)))
    status = _STATUS[wish.mode]
    fields = plain(call.id, len(outcome.payload))
    if status == 204:  # RFC 9110, section 8.6: it has no length
        fields = [field for field in fields if field[0] not in (b"content-length", b"content-type")]
    return status, [*head, *fields], outcome.payload


def told(call: Call) -> Headers:
    """Give the fields that tell which version ran."""
    return (("X-Amz-Executed-Version", call.qualifier),)


async def gathered(outcome: Streamed) -> Answered:
    """Read what an HTTP function answered: Lambda's callers get one document, and a bad status is a failure."""
    pieces, size = [], 0
    try:
        async for piece in outcome.body:
            size += len(piece)
            if size > LARGEST:
                return Answered(payload=_TOO_LARGE, function_error="Unhandled")
            pieces.append(piece)
    finally:
        await outcome.body.aclose()
    return Answered(payload=b"".join(pieces), function_error=_failed(outcome))


def _failed(outcome: Streamed) -> str | None:
    return "Unhandled" if outcome.status >= 400 else None


def streamed(outcome: Answered | Streamed, wish: Asking, head: Headers) -> Streamed:
    """Give the answer of a streamed invocation, in frames."""
    return Streamed(status=200, headers=head, body=_Frames(outcome, wish))


class _Frames:
    """Frames as they come; closing it closes what they are made of."""

    def __init__(self, outcome: Answered | Streamed, wish: Asking) -> None:
        self._outcome, self._made = outcome, _frames(outcome, wish)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        return await anext(self._made)

    async def aclose(self) -> None:
        """Stop."""
        await self._made.aclose()
        if isinstance(self._outcome, Streamed):
            await self._outcome.body.aclose()


async def _frames(outcome: Answered | Streamed, wish: Asking) -> AsyncGenerator[bytes]:
    log = base64.b64encode(outcome.log_tail).decode() if isinstance(outcome, Answered) and wish.wants_log else None
    if isinstance(outcome, Streamed):
        async for piece in outcome.body:
            for frame in frames.chunks(piece):
                yield frame
        yield frames.complete(error_code=_failed(outcome))
    elif outcome.function_error:
        details = outcome.payload.decode("utf-8", "replace")
        yield frames.complete(error_code=outcome.function_error, error_details=details, log_result=log)
    else:
        for frame in frames.chunks(outcome.payload):
            yield frame
        yield frames.complete(log_result=log)
