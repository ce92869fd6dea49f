"""Read requests and write answers as OAuth wants them."""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from actas.testing.errors import OAuthRefused
from actas.testing.idp import parameters

_NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}


async def form(request: Request) -> Mapping[str, str]:
    """Read a form, no more of it than parameters may be long."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        raise OAuthRefused(error="invalid_request", why="the body must be application/x-www-form-urlencoded")
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > parameters.MAX_BYTES:
            raise OAuthRefused(error="invalid_request", why=f"the body is longer than {parameters.MAX_BYTES} bytes")
    return parameters.read(bytes(body))


def json(value: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Answer JSON that nobody keeps."""
    return JSONResponse(value, status, {**_NO_STORE, **(headers or {})})


def refusal(refused: OAuthRefused) -> Response:
    """Answer an error as RFC 6749, section 5.2, has it."""
    body: dict[str, Any] = {"error": refused.error, "error_description": refused.why}
    headers = {"WWW-Authenticate": 'Basic realm="actas-test-idp"'} if refused.http_status == 401 else {}
    return json(body, status=refused.http_status, headers=headers)
