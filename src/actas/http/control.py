"""The control origin: health, metrics, keys, the admin API. Function calls are not taken here."""

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from actas.errors import ActasError
from actas.http import heads, problems
from actas.http.calls import Front
from actas.http.errors import MethodNotAllowed, NoSuchPath
from actas.model import clock
from actas.model.ids import RANDOM, call_id

_JWKS = "/.well-known/actas/jwks.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What can be told without asking who wants to know."""

    ready: Callable[[], Mapping[str, Any]]
    """The state of each part; ``ready`` in it says whether calls are taken, and is all that the public origin tells."""
    jwks: Callable[[], Mapping[str, Any]]
    issuer: str = ""
    """Our own name as an issuer; where it is empty, nobody can ask for our keys by it."""


def _pages(told: Told, state: Callable[[], Mapping[str, Any]]) -> list[Route]:
    """Give the pages that both origins have; *state* is how much of it this one tells."""

    async def healthz(_request: Request) -> Response:
        return JSONResponse({"alive": True})

    async def readyz(_request: Request) -> Response:
        now = state()
        return JSONResponse(now, status_code=200 if now["ready"] else 503)

    async def jwks(_request: Request) -> Response:
        return Response(
            json.dumps(told.jwks()), media_type="application/jwk-set+json", headers={"cache-control": "max-age=300"}
        )

    return [
        Route("/healthz", healthz),
        Route("/readyz", readyz),
        Route(_JWKS, jwks),
    ]


def issuer_pages(told: Told) -> list[Route]:
    """Tell where our keys are to whoever trusts us as an issuer, such as AWS (OpenID Connect Discovery 1.0, 4)."""
    found = {
        "issuer": told.issuer,
        "jwks_uri": told.issuer.rstrip("/") + _JWKS,
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
    }

    async def discovery(_request: Request) -> Response:
        signed_by = sorted({str(key["alg"]) for key in told.jwks()["keys"]})
        shown = {**found, "id_token_signing_alg_values_supported": signed_by}
        return JSONResponse(shown, headers={"cache-control": "max-age=300"})

    return [Route("/.well-known/openid-configuration", discovery)] if told.issuer else []


def public_app(told: Told, others: Sequence[Route] = ()) -> Starlette:
    """Give what the public origin serves beside calls.

    Anybody in the world may ask there: whom we trust, how they are and what is wrong with us is none of their business.
    """
    return _app([*_pages(told, lambda: {"ready": told.ready()["ready"]}), *others])


class ControlDoor:
    """The control origin: its pages, and nothing else. Calls are not taken here."""

    def __init__(self, told: Told, admin: Sequence[Route], front: Front) -> None:
        self.front = front
        self._root = next((one.app for one in admin if one.path == "/"), None)
        """What ``/`` itself is; found without asking every other page whether it is theirs."""
        self._pages = _app([*_pages(told, told.ready), *issuer_pages(told), *admin])

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request; its head is read as strictly as a call's."""
        flights = self.front.flights
        flights.now += 1
        try:
            if self._root is not None and scope["type"] == "http" and scope["raw_path"] == b"/":
                await self._root(scope, receive, send)  # it reads the head as strictly itself
                return
            if scope["type"] == "http":
                heads.read_head(scope, self.front.settings.limits)
            await self._pages(scope, receive, send)
        except ActasError as error:
            await answer(error)(scope, receive, send)
        finally:
            flights.land()


def answer(error: ActasError) -> Response:
    """Give the answer for a page that there is not."""
    status, head, content = problems.problem(error, call_id(clock.now(), secrets.token_bytes(RANDOM)))
    made = Response(content, status_code=status)
    made.raw_headers = head
    return made


def _app(routes: Sequence[Route]) -> Starlette:
    app = Starlette(routes=routes, exception_handlers={404: _no_such_path, 405: _no_such_method})
    app.router.redirect_slashes = False  # a redirection to whatever host the request named
    return app


async def _no_such_path(_request: Request, _error: Exception) -> Response:
    return answer(NoSuchPath())


async def _no_such_method(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    allowed = (error.headers or {}).get("Allow", "").split(", ")
    return answer(MethodNotAllowed(allowed=tuple(sorted(allowed))))
