"""The door for function calls: a bare ASGI callable in front of everything else (real-parts: the fastest way in).

``POST /call/{function}`` carries an event; a route of the settings carries a request. Both become a `Call` and
evidence, go through the gateway, and come back as an answer or a problem.
"""

import logging
import re
import time
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

from actas.errors import ActasError
from actas.gateway import Gateway
from actas.http import addresses, answers, body, heads, problems
from actas.http.drawn import Random
from actas.http.errors import (
    MalformedRequest,
    MethodNotAllowed,
    NoSuchPath,
    NoToken,
    Overloaded,
    Stopping,
    TooManyCalls,
)
from actas.http.flights import Flights
from actas.http.rates import Buckets
from actas.http.routes import Match, Routes
from actas.invoke import origins
from actas.model import clock
from actas.model.call import Call, Route
from actas.model.evidence import BearerToken
from actas.model.ids import call_id
from actas.model.outcome import Streamed
from actas.model.paths import CanonicalPath, canonical_path
from actas.model.secret import Secret
from actas.settings.meaning.routes import BUILT_IN
from actas.settings.schema import Gateway as GatewaySettings

log = logging.getLogger("actas.http")
_Found = tuple[Match, CanonicalPath]
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_CALL = b"/call/"


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
    flights: Flights = field(init=False, default_factory=Flights)
    is_stopping: bool = False

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
        self.patience = body.Patience()
        self._behind = behind
        self._random = Random()

    async def __call__(self, scope: Any, receive: body.Receive, send: body.Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._behind(scope, receive, send)
            return
        front = self.front
        flights = front.flights
        now = clock.now()
        name = call_id(now, self._random.take())
        flights.now += 1
        try:
            head = heads.read_head(scope, front.settings.limits)
            found = None
            if not scope["raw_path"].startswith(_CALL) and (found := _route(front, scope)) is None:
                await self._behind(scope, receive, send)
                return
            call, shown, incoming = await self._arrived(front, scope, receive, head, (name, now, found))
            outcome = await self.gateway.serve(call, BearerToken(shown=shown))
            if isinstance(outcome, Streamed):
                to = answers.Caller(
                    send=send,
                    receive=receive,
                    incoming=incoming,
                    patience=self.patience,
                    limits=front.settings.limits,
                )
                await answers.stream(to, name, outcome)
            else:
                await answers.deliver(send, name, outcome)
        except ActasError as error:
            if error.status >= 500:
                log.warning("call %s: %s: %s; %s", name, error.code, error, error.hint)
            await answers.tell(send, *problems.problem(error, name))
        except Exception as error:  # noqa: BLE001 - the outermost door
            await answers.tell(send, *problems.problem(unexpected(name, error), name))
        finally:
            flights.land()

    async def _arrived(
        self, front: Front, scope: Any, receive: body.Receive, head: heads.Head, at: tuple[str, datetime, _Found | None]
    ) -> tuple[Call, Secret, body.Incoming | None]:
        """Give the call, what its caller shows, and its body where that is still coming."""
        name, now, found = at
        limits = front.settings.limits
        origin = origins.of(scope)
        if front.is_stopping and origin.root is None:  # what calls in flight need may still begin
            raise Stopping
        if front.flights.now > limits.connections:
            raise Overloaded(allowed=limits.connections)
        peer = scope["client"][0] if scope["client"] else ""
        address, network = (origin.address, peer) if origin.root else front.peers.place(peer, scope["headers"])
        if wait := front.networks.take(network, time.monotonic()):
            self.gateway.stranger(TooManyCalls.code, address)
            raise TooManyCalls(whose="network", retry_after=wait)
        token = heads.bearer(head, scope["query_string"])
        if token is None:
            self.gateway.stranger(NoToken.code, address)
            raise NoToken
        function, route = (found[0].function, _route_of(scope, *found)) if found else (_function(scope), None)
        payload = await self.patience.small(receive, head, limits)
        incoming = body.Incoming(receive, limits) if payload is None else None
        call = Call(
            id=name,
            function=function,
            payload=payload or b"",
            body=incoming,
            received_at=now,
            route=route,
            address=address,
            requested_role=head.role,
            trace_id=head.trace,
            root=origin.root,
            depth=origin.depth,
        )
        return call, token, incoming


def unexpected(name: str, error: Exception) -> Unexpected:
    """Log what nobody foresaw under the call's id, and give what the caller is told instead.

    Where it happened is logged, and not what it says: that may repeat what the caller sent.
    """
    where = "".join(traceback.format_tb(error.__traceback__))
    log.error("call %s failed unexpectedly: %s\n%s", name, type(error).__name__, where)
    return Unexpected()


def _function(scope: Any) -> str:
    """Read the function's name out of ``/call/NAME``."""
    if scope["method"] != "POST":
        raise MethodNotAllowed(allowed=("POST",))
    return _named(scope["raw_path"])


@lru_cache(maxsize=1024)  # the same few paths come again and again
def _named(raw: bytes) -> str:
    segments = canonical_path(raw).segments
    if len(segments) != 2 or raw.endswith(b"/"):
        raise NoSuchPath
    if not _NAME.fullmatch(segments[1]):  # nothing that the settings could name; the trail keeps names, not texts
        raise NoSuchPath
    return segments[1]


def _route(front: Front, scope: Any) -> _Found | None:
    """Find the route; None where another door may serve the path."""
    path = canonical_path(scope["raw_path"])
    if path.segments and path.segments[0] in BUILT_IN:
        if path.segments[0] == "call":  # spelt in another way than the one that the door for calls takes
            raise NoSuchPath
        return None
    if not scope["method"].isupper():  # RFC 9110, section 9.1: methods are case-sensitive; backends' readers may not be
        raise MalformedRequest(why="its method is not written in capital letters")
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
