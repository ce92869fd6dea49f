"""A streamed answer of Lambda's on its way: messages come in, pieces of the function's answer go out."""

from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Final

import aiohttp
import msgspec

from actas.invoke import lambda_answers
from actas.invoke.errors import InvokeError
from actas.invoke.event_stream import Message, NotAStream, Reader
from actas.invoke.lambda_errors import LambdaMalformed, LambdaTimedOut, LambdaUnreachable, StreamFailed
from actas.model.call import Headers
from actas.model.outcome import Answered, Body, Streamed

_SIP: Final = 64 * 1024
Kept = Callable[[lambda_answers.Tail], None]
"""Takes the tail of the call's log."""


class Completed(msgspec.Struct, frozen=True):
    """What ``InvokeComplete`` says."""

    ErrorCode: str = ""
    ErrorDetails: str = ""
    LogResult: str = ""


class Pieces:
    """The pieces of an answer; ends when the function does, and fails where the function does."""

    def __init__(
        self, answer: aiohttp.ClientResponse, *, function: str, allowed: float, kept: Kept, over: Callable[[], None]
    ) -> None:
        self._answer, self._function, self._allowed, self._kept, self._over = answer, function, allowed, kept, over
        self._reader = Reader()
        self._waiting: deque[bytes] = deque()
        self._done = False
        self.completed: Completed | None = None
        self.log_hash: str | None = None

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        while not self._waiting:
            if self._done:
                raise StopAsyncIteration
            if self.completed is not None:
                await self.aclose()
                if self.completed.ErrorCode:
                    raise StreamFailed(function=self._function, found=_code(self.completed.ErrorCode))
                raise StopAsyncIteration
            await self._more()
        return self._waiting.popleft()

    async def first(self) -> bytes | None:
        """Give the first piece; None where the answer is over without one, and it failed or was empty."""
        while not self._waiting and self.completed is None:
            await self._more()
        return self._waiting.popleft() if self._waiting else None

    def put_back(self, piece: bytes) -> None:
        """Put what was taken too much in front again."""
        if piece:
            self._waiting.appendleft(piece)

    async def aclose(self) -> None:
        """Stop; a connection whose answer was not read to its end is not used again."""
        if not self._done:
            self._done = True
            if self.completed is None:
                self._answer.close()
            else:
                self._answer.release()
            self._over()

    async def _more(self) -> None:
        """Wait for what comes next and take the messages out of it."""
        try:
            octets = await self._answer.content.read(_SIP)
            if not octets:
                self._reader.end()
            for message in self._reader.feed(octets):
                self._take(message)
        except BaseException as wrong:
            await self.aclose()
            if isinstance(wrong, Exception) and not isinstance(wrong, InvokeError):
                raise self._translated(wrong) from wrong
            raise

    def _translated(self, wrong: Exception) -> Exception:
        match wrong:
            case NotAStream():
                return LambdaMalformed(function=self._function, why=str(wrong))
            case TimeoutError():
                return LambdaTimedOut(function=self._function, allowed=self._allowed)
            case aiohttp.ClientError() | OSError():
                return LambdaUnreachable(function=self._function, why=type(wrong).__name__)
            case _:
                return wrong

    def _take(self, message: Message) -> None:
        if self.completed is not None:
            raise NotAStream("there is more behind its end")
        kind = message.headers.get(":message-type")
        if kind != "event":
            code = message.headers.get(":exception-type") or message.headers.get(":error-code") or "an error"
            raise StreamFailed(function=self._function, found=_code(code))
        match message.headers.get(":event-type"):
            case "PayloadChunk":
                if message.payload:
                    self._waiting.append(message.payload)
            case "InvokeComplete":
                self.completed = _completed(message.payload)
                if (found := lambda_answers.tail(self.completed.LogResult)) is not None:
                    self.log_hash = found.hash
                    self._kept(found)
            case _:
                pass  # events that come later are not ours to refuse


def _completed(payload: bytes) -> Completed:
    try:
        return msgspec.json.decode(payload, type=Completed)
    except (msgspec.DecodeError, UnicodeDecodeError) as wrong:
        raise NotAStream("its end cannot be read") from wrong


def _code(text: str) -> str:
    return text if len(text) <= 80 and text.isascii() and text.replace(".", "").isalnum() else "an error"


async def outcome(pieces: Pieces, kind: str, *, function: str, routed: bool) -> Answered | Streamed:
    """Give the answer with its head: what fails before its first piece is the function's error, as if not streamed."""
    first = await pieces.first()
    ended = pieces.completed
    if first is None and ended is not None and ended.ErrorCode:
        await pieces.aclose()
        told = {"errorType": ended.ErrorCode, "errorMessage": ended.ErrorDetails}
        return Answered(payload=msgspec.json.encode(told), function_error="Unhandled", log_hash=pieces.log_hash)
    if first is not None:
        pieces.put_back(first)
    if routed and kind.partition(";")[0].strip().lower() == lambda_answers.HTTP_STREAM:
        status, headers = await _head(pieces, function)
        return Streamed(status=status, headers=headers, body=pieces)
    return Streamed(status=200, headers=(("Content-Type", kind or "application/octet-stream"),), body=pieces)


async def _head(pieces: Pieces, function: str) -> tuple[int, Headers]:
    """Take the head off a streamed HTTP answer."""
    held = b""
    while (end := held.find(lambda_answers.DELIMITER)) < 0:
        piece = await anext(aiter(_body(pieces)), None)
        if piece is None or len(held) > lambda_answers.LARGEST_HEAD:
            await pieces.aclose()
            raise LambdaMalformed(function=function, why="the head of its stream has no end")
        held += piece
    pieces.put_back(held[end + len(lambda_answers.DELIMITER) :])
    try:
        return lambda_answers.head(held[:end], function=function)
    except LambdaMalformed:
        await pieces.aclose()
        raise


def _body(pieces: Pieces) -> Body:
    return pieces
