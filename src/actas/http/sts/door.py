"""The door of STS: ``POST /`` of the control origin, where ``AWS_ENDPOINT_URL_STS`` sends AWS's clients.

Web identities and assertions come unsigned, as everywhere; all else is signed by a session of ours. ``GET /`` is
taken too, for presigned requests. Every answer is in STS's words (`wording`).
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final, Protocol

from actas.errors import ActasError
from actas.gateway import Gateway
from actas.http import answers, arrivals, problems
from actas.http.body import Patience, Receive, Send
from actas.http.calls import Front
from actas.http.errors import MethodNotAllowed, NoSuchPath
from actas.http.signature_errors import SignatureError, SignatureMissing
from actas.http.sts import acting, forms, parameters, wording
from actas.http.sts.answers import result
from actas.http.sts.errors import AccessDenied, InvalidAction, MalformedQueryString, StsError
from actas.invoke import origins
from actas.model import clock
from actas.model.call import Call
from actas.model.held import Held
from actas.model.ids import RANDOM, call_id

SERVICE: Final = "sts"
UNSIGNED: Final = frozenset({"AssumeRoleWithWebIdentity", "AssumeRoleWithSAML"})


class Holds(Protocol):
    """Finds the session that signed a request."""

    async def held(self, scope: Any, body: bytes, *, service: str, now: datetime) -> Held:
        """Give it, or raise a `SignatureError`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Now:
    """What stands at the moment of a request."""

    front: Front
    gateway: Gateway
    signed: Holds
    patience: Patience
    means: acting.Means


class StsDoor:
    """Takes requests of STS."""

    def __init__(self, now: Callable[[], Now]) -> None:
        """Take what tells what stands at the moment."""
        self._now = now

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Answer one request."""
        now, at = self._now(), clock.now()
        name = call_id(at, secrets.token_bytes(RANDOM))
        asks = _Asks()
        call = Call(id=name, function="", payload=b"", received_at=at)
        work = self._answer(now, (scope, receive), call, asks)
        await answers.tell(send, *await arrivals.answered(name, work, partial(_told, name, asks)))

    async def _answer(self, now: Now, ends: tuple[Any, Receive], call: Call, asks: "_Asks") -> problems.Answer:
        scope, receive = ends
        origin = origins.of(scope)
        arrived = arrivals.arrive(now.front, now.gateway, scope, origin)
        call.address, call.trace_id, call.door = arrived.address, arrived.head.trace, "sts"
        call.root, call.depth = origin.root, origin.depth
        try:
            body, form = await _form(now, scope, receive, arrived)
            asks.action = forms.action(form)
            call.function = f"sts:{asks.action}"
            if asks.action not in parameters.ACTIONS:
                raise InvalidAction(action=asks.action, version=forms.VERSION)
            held = None if asks.action in UNSIGNED else await _held(now, arrived, scope, body, call)
            asked = parameters.asked(asks.action, form)
        except (SignatureError, StsError) as stranger:
            now.gateway.stranger(stranger.code, arrived.address)
            raise
        return result(asks.action, await _done(now.means, asked, call, held), call.id)


def _told(name: str, asks: "_Asks", error: ActasError) -> problems.Answer:
    if isinstance(error, NoSuchPath | MethodNotAllowed):
        return problems.problem(error, name)
    return wording.told(error, name, action=asks.action)


async def _form(now: Now, scope: Any, receive: Receive, arrived: arrivals.Arrived) -> tuple[bytes, dict[str, str]]:
    """Read the form, of the body or of the query; what signs the request is no part of it."""
    query: bytes = scope["query_string"]
    said = forms.pairs(query) if query else {}
    beside = {name: value for name, value in said.items() if not name.lower().startswith("x-amz-")}
    if scope["method"] == "GET":
        if "Action" not in beside:  # somebody who looks for a page
            raise NoSuchPath
        return b"", beside
    if scope["method"] != "POST":
        raise MethodNotAllowed(allowed=("GET", "POST"))
    if beside:
        raise MalformedQueryString(sent="the request has a query beside its form")
    body = await arrivals.whole(now.patience, receive, arrived.head, now.front, most=forms.LARGEST)
    kind = next((value for name, value in scope["headers"] if name == b"content-type"), None)
    return body, forms.read(kind, body)


@dataclass(slots=True)
class _Asks:
    """What was asked for, as far as the request was read."""

    action: str = ""


async def _held(now: Now, arrived: arrivals.Arrived, scope: Any, body: bytes, call: Call) -> Held:
    if not arrivals.is_signed(arrived.head, scope["query_string"]):
        raise SignatureMissing
    return await now.signed.held(scope, body, service=SERVICE, now=call.received_at)


async def _done(means: acting.Means, asked: parameters.Asked, call: Call, held: Held | None) -> acting.Result:
    if held is None:
        by = acting.by_token if asked.action == "AssumeRoleWithWebIdentity" else acting.by_assertion
        return await by(means, asked, call)
    if asked.action == "AssumeRole":
        return await acting.by_session(means, asked, call, held)
    if asked.action == "DecodeAuthorizationMessage":
        return await acting.decode(means, asked, call, held)
    means.gateway.meet(call, held)
    if asked.action == "GetCallerIdentity":
        return acting.caller(held)
    if asked.action == "GetAccessKeyInfo":
        return acting.key_info(asked)
    raise AccessDenied(sent=f"Cannot call {asked.action} with session credentials")  # as AWS says it
