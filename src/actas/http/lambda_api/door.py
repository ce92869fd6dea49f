"""The door of the Lambda API: functions invoked, and listed, by callers who sign with a session of ours.

``POST /2015-03-31/functions/{function}/invocations`` and its like, on the public origin. The signature is verified
before anything of the request is believed, and every answer is in AWS's words (`wording`).
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final, Protocol

from actas.errors import ActasError
from actas.gateway import Gateway
from actas.http import answers, arrivals
from actas.http.body import Patience, Receive, Send, is_small
from actas.http.calls import Front
from actas.http.errors import RequestTooLarge
from actas.http.lambda_api import asking, frames, invoking, pages, signatures, wording
from actas.http.lambda_api.directory import Directory, Known
from actas.http.lambda_api.errors import EventTooLarge, NotDoneHere
from actas.http.lambda_api.invoking import Keeps
from actas.http.lambda_api.names import FunctionName, function_name
from actas.http.lambda_api.operations import Done, Operation, operation
from actas.http.signature_errors import SignatureError, SignatureMissing
from actas.invoke import origins
from actas.model import clock
from actas.model.call import Call
from actas.model.held import Held
from actas.model.ids import RANDOM, call_id
from actas.model.outcome import Refused
from actas.model.paths import canonical_path

SERVICE: Final = "lambda"


class Holds(Protocol):
    """Finds the session that signed a request."""

    def glance(self, scope: Any, *, now: datetime) -> None:
        """Raise a `SignatureError` where no session of ours is shown at all."""
        ...

    async def held(self, scope: Any, body: bytes, *, service: str, now: datetime) -> Held:
        """Give it, or raise a `SignatureError`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Now:
    """What stands at the moment of a request."""

    front: Front
    gateway: Gateway
    signed: Holds
    directory: Directory
    patience: Patience
    later: Keeps | None
    """Where events are kept that are to be run later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request whose caller is known."""

    held: Held
    operation: Operation
    named: FunctionName | None
    known: Known | None
    call: Call
    query: dict[str, str]

    def arn(self, now: Now) -> str:
        """Write the ARN that answers name."""
        return now.directory.arn(self.named) if self.named else "*"


class LambdaDoor:
    """Takes requests of the Lambda API."""

    def __init__(self, now: Callable[[], Now]) -> None:
        """Take what tells what stands at the moment."""
        self._now = now

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Answer one request."""
        now, at = self._now(), clock.now()
        name = call_id(at, secrets.token_bytes(RANDOM))
        work = self._answer(now, (scope, receive, send), name, at)
        answer = await arrivals.answered(name, work, partial(_told, name))
        if answer is not None:
            await answers.tell(send, *answer)

    async def _answer(
        self, now: Now, ends: tuple[Any, Receive, Send], name: str, at: datetime
    ) -> wording.Answer | None:
        scope, receive, send = ends
        arrived = arrivals.arrive(now.front, now.gateway, scope, origins.of(scope))
        try:
            if not arrivals.is_signed(arrived.head, scope["query_string"]):
                raise SignatureMissing
            if not is_small(arrived.head):
                now.signed.glance(scope, now=at)
            body = await _body(now, receive, arrived)
            held = await now.signed.held(scope, body, service=SERVICE, now=at)
        except SignatureError as stranger:
            now.gateway.stranger(stranger.code, arrived.address)
            raise
        asked = _asked(now, scope, held, body, (name, at, arrived))
        match asked.operation.done:
            case Done.INVOKE:
                return await self._invoke(now, asked, scope)
            case Done.STREAM:
                return await self._stream(now, asked, (scope, receive, send))
            case Done.LIST:
                return pages.functions(now.gateway, now.directory, asked.call, held, asked.query)
            case Done.GET | Done.CONFIGURATION | Done.POLICY as page:
                return pages.function(now.gateway, asked.call, held, asked.known, page=page, arn=asked.arn(now))
            case None:
                raise NotDoneHere(user=held.arn, action=asked.operation.action, resource=asked.arn(now))

    async def _invoke(self, now: Now, asked: Asked, scope: Any) -> wording.Answer:
        wish = asking.asking(scope["headers"], asked.query)
        call = invoking.prepared(asked.call, wish)
        outcome = await invoking.carry(now.gateway, call, asked.held, wish, now.later)
        if isinstance(outcome, Refused):
            return _refused(now, asked, outcome)
        return await invoking.answer(outcome, call, wish)

    async def _stream(self, now: Now, asked: Asked, ends: tuple[Any, Receive, Send]) -> wording.Answer | None:
        scope, receive, send = ends
        wish = asking.asking(scope["headers"], asked.query, streams=True)
        call = invoking.prepared(asked.call, wish)
        outcome = await invoking.carry(now.gateway, call, asked.held, wish, None)
        if isinstance(outcome, Refused):
            return _refused(now, asked, outcome)
        if wish.mode is not asking.Mode.NOW:
            return await invoking.answer(outcome, call, wish)
        to = answers.Caller(
            send=send, receive=receive, incoming=None, patience=now.patience, limits=now.front.settings.limits
        )
        head = (*invoking.told(call), ("X-Amzn-RequestId", call.id), ("Content-Type", frames.CONTENT_TYPE))
        await answers.stream(to, call.id, invoking.streamed(outcome, wish, head))
        return None


def _told(name: str, error: ActasError) -> wording.Answer | None:
    return signatures.told(error, name, service=SERVICE) or wording.told(error, name)


async def _body(now: Now, receive: Receive, arrived: arrivals.Arrived) -> bytes:
    try:
        return await arrivals.whole(now.patience, receive, arrived.head, now.front, most=asking.LARGEST)
    except RequestTooLarge as wrong:
        allowed = min(asking.LARGEST, now.front.settings.limits.body.bytes)
        raise EventTooLarge(allowed=allowed, later=False) from wrong


def _asked(now: Now, scope: Any, held: Held, body: bytes, at: tuple[str, datetime, arrivals.Arrived]) -> Asked:
    """Say what a caller who is known asks for."""
    name, received_at, arrived = at
    found = operation(scope["method"], canonical_path(scope["raw_path"]).segments)
    query = asking.query(scope["query_string"])
    named = None if found.function is None else function_name(found.function, query.get("Qualifier"))
    known = None if named is None else now.directory.find(named)
    call = Call(
        id=name,
        # A name that is nobody's goes on as its ARN, which no function of the settings file can be called.
        function=known.name if known else ("" if named is None else now.directory.arn(named)),
        payload=body,
        received_at=received_at,
        address=arrived.address,
        qualifier=known.qualifier if known else "$LATEST",
        trace_id=arrived.head.trace,
        door="lambda",
        root=arrived.origin.root,
        depth=arrived.origin.depth,
    )
    return Asked(held=held, operation=found, named=named, known=known, call=call, query=query)


def _refused(now: Now, asked: Asked, outcome: Refused) -> wording.Answer:
    resource, action = asked.arn(now), asked.operation.action
    return wording.refused(outcome.decision, asked.call.id, user=asked.held.arn, action=action, resource=resource)
