"""The door of function URLs: ``/function-url/{function}/…`` on the public origin, any method, any path behind it.

A function takes requests here where its settings say so (``url:``): signed by a session of ours, as AWS_IAM wants it,
or with a bearer token, which AWS does not have. Whoever shows nothing learns nothing, not even which functions there
are: every name gives the same answer until somebody is known.
"""

import json
import logging
import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from actas.errors import ActasError
from actas.http import answers, arrivals, cors, heads, problems
from actas.http.body import Receive, Send, is_small
from actas.http.calls import unexpected
from actas.http.errors import MalformedRequest, NoSuchPath, RequestTooLarge
from actas.http.function_url_events import Asked, answer, event
from actas.http.lambda_api import signatures, wording
from actas.http.lambda_api.asking import LARGEST
from actas.http.lambda_api.door import SERVICE, Now
from actas.http.signature_errors import SignatureError, SignatureMissing
from actas.identify.errors import IdentifyError
from actas.invoke import origins
from actas.model import clock
from actas.model.call import Call
from actas.model.evidence import BearerToken
from actas.model.held import Held
from actas.model.ids import RANDOM, call_id
from actas.model.outcome import Outcome, Refused, Streamed
from actas.model.paths import PathError, canonical_path
from actas.model.secret import Secret
from actas.settings.schema import Function

log = logging.getLogger("actas.http")
_BY: Final = {"aws-iam": frozenset({"aws-iam", "any"}), "bearer": frozenset({"bearer", "any"})}
"""What ``url:`` must be for each way to show who calls."""
_ACTION: Final = ("lambda:InvokeFunctionUrl",)
"""Beside lambda:InvokeFunction, since October 2025 (Lambda Developer Guide, urls-auth)."""
_FORBIDDEN: Final = json.dumps({"Message": "Forbidden"}).encode()


class FunctionUrls:
    """Takes requests to functions' URLs."""

    def __init__(self, now: Callable[[], Now], *, domain: Callable[[], str], account: Callable[[], str]) -> None:
        """Take what tells what stands at the moment, and where functions are said to be."""
        self._now, self._domain, self._account = now, domain, account

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Answer one request; a page of another origin is told that it may read the answer, where it may."""
        now = self._now()
        settings = _settings(now, scope)
        if settings is None or settings.cors is None:
            await self._answered(now, scope, receive, send)
            return
        asking = cors.origin(settings.cors, scope["headers"])
        is_preflight = asking is not None and cors.is_preflight(scope["method"], scope["headers"])
        said = cors.preflight(settings.cors, asking) if asking and is_preflight else cors.fields(settings.cors, asking)

        async def told(message: Any) -> None:
            if message["type"] == "http.response.start":
                kept = [pair for pair in cors.without(message["headers"]) if pair not in said]
                message = {**message, "headers": [*kept, *said]}
            await send(message)

        await self._answered(now, scope, receive, told, is_preflight=is_preflight)

    async def _answered(
        self, now: Now, scope: Any, receive: Receive, send: Send, *, is_preflight: bool = False
    ) -> None:
        at = clock.now()
        name = call_id(at, secrets.token_bytes(RANDOM))
        is_signed = False
        try:
            arrived = arrivals.arrive(now.front, now.gateway, scope, origins.of(scope))
            if is_preflight:  # nobody shows who they are by it, and nothing is run for it
                await answers.tell(send, 204, [(b"actas-call-id", name.encode())], b"")
                return
            is_signed = arrivals.is_signed(arrived.head, scope["query_string"])
            outcome = await self._carry(now, (scope, receive), arrived, (name, at))
            if isinstance(outcome, Refused):
                said = _forbidden(name) if is_signed else problems.refusal(outcome.decision, name)
                await answers.tell(send, *said)
            elif isinstance(outcome, Streamed):
                limits = now.front.settings.limits
                to = answers.Caller(send=send, receive=receive, incoming=None, patience=now.patience, limits=limits)
                await answers.stream(to, name, outcome)
            else:
                await answers.deliver(send, name, answer(outcome))
        except SignatureMissing:
            await answers.tell(send, *_forbidden(name))
        except ActasError as error:
            if error.status >= 500:
                log.warning("call %s: %s: %s; %s", name, error.code, error, error.hint)
            await answers.tell(send, *_told(error, name, is_signed=is_signed))
        except Exception as error:  # noqa: BLE001 - the outermost door
            await answers.tell(send, *problems.problem(unexpected(name, error), name))

    async def _carry(
        self, now: Now, ends: tuple[Any, Receive], arrived: arrivals.Arrived, at: tuple[str, datetime]
    ) -> Outcome:
        scope, receive = ends
        token = heads.bearer(arrived.head, scope["query_string"])
        is_signed = arrivals.is_signed(arrived.head, scope["query_string"])
        if token is None and not is_signed:
            now.gateway.stranger(SignatureMissing.code, arrived.address)
            raise SignatureMissing
        if token is not None and is_signed:  # a bearer token beside a presigned query: which of the two is it?
            raise MalformedRequest(why="it is signed and shows a token")
        asked = _asked(scope)
        if not is_small(arrived.head):
            await _glance(now, scope, token, arrived, at[1])
        body = await arrivals.whole(now.patience, receive, arrived.head, now.front, most=LARGEST)
        call = _call(now, asked, body, arrived, at, by="aws-iam" if is_signed else "bearer")
        if token is not None:
            call.payload = self._event(asked, call, None)
            return await now.gateway.serve(call, BearerToken(shown=token))
        try:
            held = await now.signed.held(scope, body, service=SERVICE, now=at[1])
        except SignatureError as stranger:
            now.gateway.stranger(stranger.code, arrived.address)
            raise
        call.payload = self._event(asked, call, held)
        return await now.gateway.serve_session(call, held)

    def _event(self, asked: Asked, call: Call, held: Held | None) -> bytes:
        made = event(asked, call, domain=self._domain(), account=self._account(), held=held)
        if len(made) > LARGEST:
            raise RequestTooLarge(what="event", allowed=LARGEST)
        return made


async def _glance(now: Now, scope: Any, token: Secret | None, arrived: arrivals.Arrived, at: datetime) -> None:
    """See that somebody is known before a large body is held for them."""
    try:
        if token is None:
            now.signed.glance(scope, now=at)
        else:
            await now.gateway.house.identify.verify(BearerToken(shown=token), now=at)
    except (SignatureError, IdentifyError) as stranger:
        now.gateway.stranger(stranger.code, arrived.address)
        raise


def _settings(now: Now, scope: Any) -> Function | None:
    """Find the settings of the function whose URL is asked for; None where it has none, or the path cannot be read."""
    try:
        segments = canonical_path(scope["raw_path"]).segments
    except PathError:
        return None
    known = now.directory.by_name.get(segments[1]) if len(segments) > 1 else None
    return known.settings if known is not None and known.settings.url != "none" else None


def _asked(scope: Any) -> Asked:
    """Read the target: the function's name, and the path behind it."""
    if not scope["method"].isupper():  # RFC 9110, section 9.1: methods are case-sensitive
        raise MalformedRequest(why="its method is not written in capital letters")
    path = canonical_path(scope["raw_path"])
    if len(path.segments) < 2:
        raise NoSuchPath
    front = "/".join(path.path.split("/")[:3])
    return Asked(
        function=path.segments[1],
        method=scope["method"],
        path=path.path.removeprefix(front) or "/",
        query=_without_proof(scope["query_string"]),
        protocol=f"HTTP/{scope['http_version']}",
        headers=tuple((key.decode("latin-1"), value.decode("latin-1")) for key, value in scope["headers"]),
    )


def _without_proof(query: bytes) -> str:
    """Leave out what signs a presigned request: who has it may send it again, and it is for the gateway alone."""
    if b"%" not in query and b"x-amz-" not in query.lower():
        return query.decode("latin-1")
    names = ((part, unquote_to_bytes(part.partition(b"=")[0]).lower()) for part in query.split(b"&"))
    return b"&".join([part for part, name in names if not name.startswith(b"x-amz-")]).decode("latin-1")


def _call(now: Now, asked: Asked, body: bytes, arrived: arrivals.Arrived, at: tuple[str, datetime], *, by: str) -> Call:
    """Make the call; of a function without a URL for this kind of caller it is one that nobody may make."""
    known = now.directory.by_name.get(asked.function)
    takes = known is not None and known.settings.url in _BY[by]
    return Call(
        id=at[0],
        function=asked.function if takes else f"{_named(asked.function)}:url",
        payload=body,
        received_at=at[1],
        address=arrived.address,
        qualifier=known.qualifier if known else "$LATEST",
        requested_role=arrived.head.role,
        trace_id=arrived.head.trace,
        door=f"function-url/{by}",
        is_url=True,
        root=arrived.origin.root,
        depth=arrived.origin.depth,
        also=_ACTION if by == "aws-iam" else (),
    )


def _named(text: str) -> str:
    """Give a name for the trail, which keeps names, not texts."""
    return text if text.isascii() and text.replace("-", "").replace("_", "").isalnum() and len(text) <= 64 else ""


def _forbidden(name: str) -> wording.Answer:
    """Say what Lambda says to whoever may not, and to whoever it does not know; and how one could show a token."""
    head = [(b"x-amzn-errortype", b"AccessDeniedException"), (b"www-authenticate", b'Bearer realm="actas"')]
    head.append((b"vary", b"Origin"))  # as where there is a function that pages of other origins may ask
    return 403, [*head, *wording.plain(name, len(_FORBIDDEN))], _FORBIDDEN


def _told(error: ActasError, name: str, *, is_signed: bool) -> wording.Answer:
    if is_signed:
        return signatures.told(error, name, service=SERVICE) or wording.told(error, name)
    return problems.problem(error, name)
