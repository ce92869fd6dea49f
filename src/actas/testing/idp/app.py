"""The provider as one ASGI application: each shape's endpoints below its own issuer, and the pages for people."""

from collections.abc import Awaitable, Callable
from functools import partial
from urllib.parse import urlsplit

import anyio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from actas.testing.errors import OAuthRefused, UnknownName
from actas.testing.idp import device, sign_in
from actas.testing.idp.endpoints import Endpoints, addresses
from actas.testing.idp.facts import Shape
from actas.testing.idp.http import refusal
from actas.testing.idp.provider import Provider
from actas.testing.idp.shapes import SHAPES

GROUPS = "/people/{person}/groups/{group}"
"""DELETE takes a person out of a group: what an administrator would do, of whom there is none here."""
Handler = Callable[[Request, Shape], Awaitable[Response]]


class Guard:
    """Stands before everything: only our own host name is answered, and faults that hit every answer happen here."""

    def __init__(self, inner: ASGIApp, provider: Provider) -> None:
        self._inner, self._provider = inner, provider

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or not."""
        if scope["type"] != "http":
            return
        faults = self._provider.faults
        if faults.delay:
            await anyio.sleep(faults.delay)
        if not self._is_for_us(scope):  # a name that was rebound to this address is not ours
            await PlainTextResponse("not this host", 421)(scope, receive, send)
        elif faults.status is not None:
            await PlainTextResponse("broken on purpose", faults.status)(scope, receive, send)
        else:
            await self._inner(scope, receive, send)

    def _is_for_us(self, scope: Scope) -> bool:
        hosts = [value.decode("latin-1").lower() for name, value in scope["headers"] if name == b"host"]
        return hosts == [urlsplit(self._provider.base_url).netloc.lower()]


def build(provider: Provider) -> ASGIApp:
    """Put the application together; the routes do not depend on the provider's address."""
    signing_in, devices = sign_in.SigningIn(provider), device.Devices(provider)
    routes = [route for shape in SHAPES.values() for route in _routes(provider, shape)]
    routes += [
        Route(GROUPS, _leave(provider), methods=["DELETE"]),
        Route(sign_in.PATH, _plain(signing_in.answered), methods=["POST"]),
        Route(device.PATH, _plain(devices.show), methods=["GET"]),
        Route(device.PATH, _plain(devices.answered), methods=["POST"]),
    ]
    return Guard(Starlette(routes=routes), provider)


def _leave(provider: Provider) -> Callable[[Request], Awaitable[Response]]:
    async def left(request: Request) -> Response:
        try:
            provider.leave(request.path_params["person"], request.path_params["group"])
        except UnknownName as unknown:
            return PlainTextResponse(f"{unknown}\n", 404)
        return Response(status_code=204)

    return left


def _routes(provider: Provider, shape: Shape) -> list[Route]:
    programs = Endpoints(provider)
    handlers: dict[str, tuple[Handler, list[str]]] = {
        "keys": (programs.keys, ["GET"]),
        "authorize": (sign_in.SigningIn(provider).authorize, ["GET", "POST"]),
        "token": (programs.token, ["POST"]),
        "userinfo": (programs.userinfo, ["GET", "POST"]),
        "device": (device.Devices(provider).start, ["POST"]),
        "revoke": (programs.revoke, ["POST"]),
        "end_session": (programs.end_session, ["GET", "POST"]),
    }
    issuer = provider.issuer_of(shape.name)
    found = [
        Route(urlsplit(where).path, _shaped(handlers[name][0], shape), methods=handlers[name][1])
        for name, where in addresses(shape.paths, provider, shape).items()
    ]
    path = urlsplit(issuer).path.rstrip("/")
    document = shape.discovery.format(issuer=issuer, base=provider.base_of(shape.name))
    metadata = (document, f"/.well-known/oauth-authorization-server{path}")  # RFC 8414, section 3.1
    known = [Route(urlsplit(where).path, _shaped(programs.discovery, shape), methods=["GET"]) for where in metadata]
    return [*known, *found]


def _shaped(handler: Handler, shape: Shape) -> Callable[[Request], Awaitable[Response]]:
    return _plain(partial(_call, handler, shape))


async def _call(handler: Handler, shape: Shape, request: Request) -> Response:
    return await handler(request, shape)


def _plain(handler: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    async def answered(request: Request) -> Response:
        try:
            return await handler(request)
        except OAuthRefused as refused:
            return refusal(refused)

    return answered
