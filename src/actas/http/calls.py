"""The door for function calls: a bare ASGI callable in front of everything else (real-parts: the fastest way in).

``POST /call/{function}`` carries an event; a route of the settings carries a request. Both become a `Call` and
evidence, go through the gateway, and come back as an answer or a problem.
"""

import logging
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import anyio

from actas.errors import ActasError
from actas.gateway import Gateway
from actas.http import addresses, body, heads, problems
from actas.http.errors import MethodNotAllowed, NoSuchPath, NoToken, Overloaded, TooManyCalls
from actas.http.rates import Buckets
from actas.http.routes import Match, Routes
from actas.model import clock
from actas.model.call import Call, Headers, Route
from actas.model.evidence import BearerToken
from actas.model.ids import call_id
from actas.model.outcome import Answered, Outcome, Refused, Streamed
from actas.model.paths import CanonicalPath, canonical_path
from actas.settings.schema import Gateway as GatewaySettings

log = logging.getLogger("actas.http")
Send = Callable[[Any], Awaitable[None]]
_Arrived = tuple["Front", str, datetime, tuple[Match, CanonicalPath] | None]
_CALL = b"/call/"
_JSON = b"application/json"


class Unexpected(ActasError):
    """Something that we did not foresee; the log has it under the call's id."""

    code = "actas.unexpected"
    hint = "Report it with the call id; the log has the rest."

    def __init__(self) -> None:
        """State that it was not foreseen."""
        super().__init__("something went wrong that should not")


@dataclass(slots=True)
class Front:
    """What the door needs of one moment's settings; swapped whole when they change."""

    settings: GatewaySettings
    routes: Routes
    networks: Buckets = field(init=False)
    peers: addresses.Peers = field(init=False)

    def __post_init__(self) -> None:
        """Make the buckets that the settings ask for."""
        rate = self.settings.limits.rate
        self.networks = Buckets(rate=rate.network, burst=rate.burst)
        self.peers = addresses.Peers(self.settings.proxies)


class CallDoor:
    """Takes function calls; gives everything else to *behind*."""

    def __init__(self, gateway: Gateway, front: Front, behind: Callable[[Any, Any, Any], Awaitable[None]]) -> None:
        self.gateway = gateway
        self.front = front
        self.in_flight = 0
        self.patience = body.Patience()
        self._behind = behind
        self._drained: anyio.Event | None = None

    async def __call__(self, scope: Any, receive: body.Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._behind(scope, receive, send)
            return
        path: bytes = scope["raw_path"]
        front = self.front
        found: tuple[Match, CanonicalPath] | None = None
        now = clock.now()
        name = call_id(now, secrets.token_bytes(10))
        self.in_flight += 1
        try:
            if not path.startswith(_CALL) and (found := _route(front, scope)) is None:
                await self._behind(scope, receive, send)
                return
            await self._carry(scope, receive, send, (front, name, now, found))
        except ActasError as error:
            if error.status >= 500:
                log.warning("call %s: %s: %s; %s", name, error.code, error, error.hint)
            await _answer(send, *problems.problem(error, name))
        except Exception as error:  # noqa: BLE001 - the outermost door
            await _answer(send, *problems.problem(unexpected(name, error), name))
        finally:
            self.in_flight -= 1
            if not self.in_flight and self._drained is not None:
                self._drained.set()

    async def drained(self) -> None:
        """Wait until no request is in flight."""
        if self.in_flight:
            self._drained = anyio.Event()
            await self._drained.wait()

    async def _carry(self, scope: Any, receive: body.Receive, send: Send, arrived: _Arrived) -> None:
        front, name, now, found = arrived
        limits = front.settings.limits
        if self.in_flight > limits.connections:
            raise Overloaded(allowed=limits.connections)
        head = heads.read_head(scope, limits)
        peer = scope["client"][0] if scope["client"] else ""
        address, network = front.peers.place(peer, scope["headers"])
        if wait := front.networks.take(network, time.monotonic()):
            raise TooManyCalls(whose="network", retry_after=wait)
        token = heads.bearer(head)
        if token is None:
            raise NoToken
        function, route = (found[0].function, _route_of(scope, *found)) if found else (_function(scope), None)
        payload = await self.patience.small(receive, head, limits)
        call = Call(
            id=name,
            function=function,
            payload=payload or b"",
            body=None if payload is not None else body.stream(receive, limits),
            received_at=now,
            route=route,
            address=address,
            requested_role=head.role,
            trace_id=head.trace,
        )
        await _deliver(send, name, await self.gateway.serve(call, BearerToken(shown=token)))


def unexpected(name: str, error: Exception) -> Unexpected:
    """Log what nobody foresaw under the call's id, and give what the caller is told instead."""
    log.error("call %s failed unexpectedly", name, exc_info=error)
    return Unexpected()


def _function(scope: Any) -> str:
    """Read the function's name out of ``/call/NAME``."""
    if scope["method"] != "POST":
        raise MethodNotAllowed(allowed=("POST",))
    segments = canonical_path(scope["raw_path"]).segments
    if len(segments) != 2 or scope["raw_path"].endswith(b"/"):
        raise NoSuchPath
    return segments[1]


def _route(front: Front, scope: Any) -> tuple[Match, CanonicalPath] | None:
    """Find the route; None where another door may serve the path."""
    path = canonical_path(scope["raw_path"])
    match, others = front.routes.find(scope["method"], path.segments)
    if match is None:
        if others:
            raise MethodNotAllowed(allowed=others)
        return None
    return match, path


def _route_of(scope: Any, match: Match, path: CanonicalPath) -> Route:
    return Route(
        template=match.template,
        method=scope["method"],
        path=path.path,
        raw_path=scope["raw_path"].decode("latin-1"),
        query=scope["query_string"].decode("latin-1"),
        headers=tuple((key.decode("latin-1"), value.decode("latin-1")) for key, value in scope["headers"]),
        parameters=match.parameters,
    )


async def _deliver(send: Send, name: str, outcome: Outcome) -> None:
    match outcome:
        case Answered(status=int(status)):
            await _answer(send, status, _routed(name, outcome), outcome.payload)
        case Answered(payload=payload, status=int(status), headers=headers):
            await _answer(send, status, _route_head(name, headers, len(payload)), payload)
        case Answered(payload=payload, function_error=wrong):
            head = problems.plain(name, len(payload), _JSON)
            if wrong:
                head.append((b"x-amz-function-error", wrong.encode()))
            await _answer(send, 200, head, payload)
        case Refused(decision=decision):
            await _answer(send, *problems.refusal(decision, name))
        case Streamed():
            await _stream(send, name, outcome)


def _routed(name: str, outcome: Answered) -> problems.Head:
    """Give the header fields of a route's answer: the function's own, its length, and our call id."""
    own = [(key.lower().encode("latin-1"), value.encode("latin-1")) for key, value in outcome.headers]
    return [*own, (b"content-length", str(len(outcome.payload)).encode()), (b"actas-call-id", name.encode())]


_NOT_THEIRS = frozenset(
    {"connection", "keep-alive", "transfer-encoding", "upgrade", "trailer", "te", "content-length", "actas-call-id"}
)
"""Fields that belong to the connection, or to us, whatever a function says."""


def _route_head(name: str, headers: Headers, length: int) -> problems.Head:
    """Give the header fields of a route's answer as the function wanted them."""
    head = [
        (key.lower().encode("latin-1"), value.encode("latin-1", "replace"))
        for key, value in headers
        if key.lower() not in _NOT_THEIRS
    ]
    return [*head, (b"content-length", str(length).encode()), (b"actas-call-id", name.encode())]


async def _stream(send: Send, name: str, outcome: Streamed) -> None:
    """Send an answer as it comes. The call ends with it, also where the caller hangs up half-way."""
    head = [(key.lower().encode("latin-1"), value.encode("latin-1")) for key, value in outcome.headers]
    try:
        head.append((b"actas-call-id", name.encode()))
        await send({"type": "http.response.start", "status": outcome.status, "headers": head})
        async for piece in outcome.body:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
    finally:
        await outcome.body.aclose()


async def _answer(send: Send, status: int, head: problems.Head, content: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": head})
    await send({"type": "http.response.body", "body": content, "more_body": False})
