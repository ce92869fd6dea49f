"""The control origin: health, metrics, keys, the admin API. Function calls are not taken here."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the control origin can tell without asking who wants to know."""

    ready: Callable[[], Mapping[str, Any]]
    """The state of each part; ``ready`` in it says whether calls are taken."""
    jwks: Callable[[], Mapping[str, Any]]


def public_pages(told: Told) -> list[Route]:
    """Give the pages that both origins have."""

    async def healthz(_request: Request) -> Response:
        return JSONResponse({"alive": True})

    async def readyz(_request: Request) -> Response:
        state = told.ready()
        return JSONResponse(state, status_code=200 if state["ready"] else 503)

    async def jwks(_request: Request) -> Response:
        return Response(
            json.dumps(told.jwks()), media_type="application/jwk-set+json", headers={"cache-control": "max-age=300"}
        )

    return [
        Route("/healthz", healthz),
        Route("/readyz", readyz),
        Route("/.well-known/actas/jwks.json", jwks),
    ]


def public_app(told: Told) -> Starlette:
    """Give what the public origin serves beside calls."""
    return Starlette(routes=public_pages(told))


def control_app(told: Told, admin: Sequence[Route]) -> Starlette:
    """Give what the control origin serves: calls are not taken here."""
    return Starlette(routes=[*public_pages(told), *admin])
