"""The admin API: every action is a call like any other, with an identity, a rule (``may: [admin:…]``) and a trail."""

import json
import secrets
import time
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from actas.errors import ActasError
from actas.gateway import Gateway
from actas.http import body, heads, openapi, problems
from actas.http.calls import Front, unexpected
from actas.http.errors import HttpError, MalformedRequest, NoToken, RequestTooLarge, Stopping, TooManyCalls
from actas.model import clock
from actas.model.call import Call
from actas.model.evidence import BearerToken
from actas.model.ids import RANDOM, call_id
from actas.model.outcome import Answered, Refused
from actas.settings.schema import Limits

LARGEST = 64 * 1024
_KINDS = {"metrics.read": "text/plain; version=0.0.4; charset=utf-8"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One thing that an administrator can do."""

    name: str
    method: str
    path: str
    told: str


ACTIONS = (
    Action(name="status.read", method="GET", path="/admin/v1/status", told="Tell the state of each part."),
    Action(name="metrics.read", method="GET", path="/metrics", told="Give the figures for Prometheus."),
    Action(name="explain", method="POST", path="/admin/v1/explain", told="Say what the rules would say of somebody."),
    Action(name="audit.read", method="GET", path="/admin/v1/calls/{call}", told="Give the trail of one call."),
    Action(
        name="denials.decode",
        method="POST",
        path="/admin/v1/denials",
        told="Open the encoded message that somebody got who was refused.",
    ),
    Action(
        name="events.read",
        method="GET",
        path="/admin/v1/events",
        told="Tell what was heard last, and which deliveries are set apart; nobody is named.",
    ),
    Action(
        name="events.replay",
        method="POST",
        path="/admin/v1/events/replays",
        told="Have deliveries tried again that are set apart.",
    ),
    Action(
        name="events.audit",
        method="POST",
        path="/admin/v1/events/audits",
        told="Compare what the providers list with what was heard.",
    ),
    Action(
        name="events.examine",
        method="GET",
        path="/admin/v1/events/sources",
        told="Say what stands between each provider and its source of events.",
    ),
    Action(
        name="sessions.revoke",
        method="POST",
        path="/admin/v1/revocations",
        told="Refuse from now on what was issued before a moment: to a subject, by a provider, for a role, or at all.",
    ),
)


class Admin:
    """The pages of the admin API."""

    def __init__(self, gateway: Gateway, front: Front) -> None:
        self.gateway, self.front = gateway, front

    def routes(self) -> list[Route]:
        """Give the pages; the document that describes them needs no token."""

        async def described(_request: Request) -> Response:
            return Response(json.dumps(openapi.document(ACTIONS)), media_type="application/json")

        pages = [Route(one.path, self._page(one), methods=[one.method]) for one in ACTIONS]
        return [Route("/openapi.json", described), *pages]

    def _page(self, action: Action) -> Any:
        async def page(request: Request) -> Response:
            now = clock.now()
            name = call_id(now, secrets.token_bytes(RANDOM))
            try:
                return await self._carry(action, request, name)
            except ActasError as error:
                return _response(*problems.problem(error, name))
            except Exception as error:  # noqa: BLE001 - the outermost door
                return _response(*problems.problem(unexpected(name, error), name))

        return page

    async def _carry(self, action: Action, request: Request, name: str) -> Response:
        settings = self.front.settings
        head = heads.read_head(request.scope, settings.limits)
        if self.front.is_stopping:
            raise Stopping
        peer = request.client.host if request.client else ""
        address, network = self.front.peers.place(peer, request.scope["headers"])
        if wait := self.front.networks.take(network, time.monotonic()):
            self.gateway.stranger(TooManyCalls.code, address)
            raise TooManyCalls(whose="network", retry_after=wait)
        token = heads.bearer(head, request.scope["query_string"])
        if token is None:
            self.gateway.stranger(NoToken.code, address)
            raise NoToken
        call = Call(
            id=name,
            function=f"admin:{action.name}",
            payload=await _payload(request, head, settings.limits),
            received_at=clock.now(),
            address=address,
            trace_id=head.trace,
            door="admin",
        )
        outcome = await self.gateway.serve(call, BearerToken(shown=token))
        if isinstance(outcome, Refused):
            return _response(*problems.refusal(outcome.decision, name))
        assert isinstance(outcome, Answered)
        kind = _KINDS.get(action.name, "application/json")
        status = outcome.status or 200
        return _response(status, problems.plain(name, len(outcome.payload), kind.encode()), outcome.payload)


async def _payload(request: Request, head: heads.Head, limits: Limits) -> bytes:
    """Give the body, or for a page that has none the path's parameters, as JSON."""
    if request.method in ("GET", "HEAD"):
        return json.dumps(request.path_params).encode()
    size, pieces = head.content_length or 0, []
    if size <= LARGEST:
        size = 0
        async for piece in body.Incoming(request.receive, limits):
            size += len(piece)
            pieces.append(piece)
            if size > LARGEST:
                break
    if size > LARGEST:
        raise RequestTooLarge(what="body", allowed=LARGEST)
    return b"".join(pieces)


def _response(status: int, head: problems.Head, content: bytes) -> Response:
    made = Response(content, status_code=status)
    made.raw_headers = head
    return made


class BadBody(MalformedRequest):
    """The body is not what this page takes."""

    code = "http.bad-body"
    hint = "Send the JSON object that /openapi.json describes."


class NoSuchCall(HttpError):
    """The trail has no call by this name."""

    code = "http.no-such-call"
    hint = "Take the name from the header Actas-Call-Id of the answer; older calls may be in another place."
    status = 404

    def __init__(self) -> None:
        """State what is missing."""
        super().__init__("the trail has no call by this name")
