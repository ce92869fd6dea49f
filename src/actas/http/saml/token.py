"""Tokens of ours: for an assertion in the body (RFC 7522), and for the one-time code of a command's sign-in.

Nothing is read from a header or a query: what travels there is logged on the way. A refusal says no more than that
there was one; the log has the rest under the call's id.
"""

import json
import logging
import re
from collections.abc import Mapping
from typing import Final

from starlette.responses import Response

from actas.errors import ActasError
from actas.http.saml import codes, pages
from actas.http.saml.errors import BadForm
from actas.http.saml.visit import Visit
from actas.identify.own import Minted
from actas.identify.saml_errors import SignInOver
from actas.model.evidence import SamlResponse
from actas.model.secret import Secret

log = logging.getLogger("actas.saml")
ASSERTION: Final = "urn:ietf:params:oauth:grant-type:saml2-bearer"
CODE: Final = "authorization_code"
_BASE64URL: Final = re.compile(r"[A-Za-z0-9_-]+={0,2}")
_BASE64: Final = re.compile(r"[A-Za-z0-9+/ \r\n]++={0,2}[ \r\n]*+")
"""Possessive: a megabyte of blanks that end in something else would keep the gateway for hours otherwise."""
_CODE: Final = "code"


async def token(visit: Visit) -> Response:
    """Answer a token request."""
    if visit.head.authorization is not None:
        raise BadForm(why="it shows something in a header: assertions are taken from the body alone")
    if visit.request.scope["query_string"]:
        raise BadForm(why="it has a query: assertions are taken from the body alone")
    form = await visit.form()
    more: Mapping[str, str] = {}
    match form.get("grant_type"):
        case str() as grant if grant == ASSERTION:
            minted = await _of_assertion(visit, form)
        case str() as grant if grant == CODE:
            minted, more = await _of_code(visit, form)
        case _:
            return _answer(visit, {"error": "unsupported_grant_type"}, status=400)
    lasts = int((minted.expires_at - visit.at).total_seconds())
    body = {"access_token": minted.shown.reveal(), "token_type": "Bearer", "expires_in": lasts, **more}
    return _answer(visit, body)


async def _of_assertion(visit: Visit, form: Mapping[str, str]) -> Minted:
    shown = form.get("assertion")
    if not shown or form.get("scope"):
        raise BadForm(why="it has no assertion, or asks for scopes, which an assertion does not give")
    profile, identify = visit.profile, visit.house.identify
    evidence = SamlResponse(
        shown=Secret(_plain(shown)),
        provider=profile.name,
        recipient=profile.passed_on or profile.doors.token,
        asked_elsewhere=True,
    )
    believed = await identify.signed_in(evidence, now=visit.at)
    if profile.passed_on is not None:
        until = believed.identity.expires_at
        visit.house.passed_on.remember(believed.identity.evidence_id, evidence, until=until)
    log.info("call %s: token for evidence %s", visit.call, believed.identity.evidence_id)
    assert identify.own is not None
    # RFC 7521, section 4.1: not beyond the assertion's own end
    return identify.own.mint(believed.identity, profile.digest, until=believed.identity.expires_at, now=visit.at)


def _plain(shown: str) -> str:
    """Write base64url (RFC 7522, section 2.1) as base64, which providers' pages have."""
    if _BASE64URL.fullmatch(shown):
        text = shown.rstrip("=").replace("-", "+").replace("_", "/")
        return text + "=" * (-len(text) % 4)
    if not _BASE64.fullmatch(shown):
        raise BadForm(why="the assertion is not base64url")
    return shown


async def _of_code(visit: Visit, form: Mapping[str, str]) -> tuple[Minted, Mapping[str, str]]:
    code, verifier, redirect = form.get("code"), form.get("code_verifier"), form.get("redirect_uri")
    if not code or not verifier or not redirect:
        raise BadForm(why="it lacks code, code_verifier or redirect_uri")
    found = codes.opened(
        visit.house.seals, code, provider=visit.profile.name, redirect=redirect, verifier=verifier, now=visit.at
    )
    if found is None or not await visit.house.once(_CODE, found.id, found.until):
        raise SignInOver(why="its code is none, was used, or belongs to somebody else")
    return Minted(shown=Secret(found.token), expires_at=found.expires_at), {"leave": found.leave}


def refused(error: ActasError, call: str, *, https: bool) -> Response:
    """Say no as OAuth does (RFC 6749, section 5.2); whoever asks is a stranger."""
    if error.code.startswith("http.") and error.status < 500 and error.status != 429:
        body = {"error": "invalid_request", "error_description": error.message}
    elif error.status == 401 or error.code.startswith(("saml.", "identify.")):
        body = {"error": "invalid_grant", "error_description": "what was shown is not taken"}
    else:
        body = {"error": "temporarily_unavailable"}
    status = 400 if error.status in (401, 403) else error.status
    response = _written({**body, "call": call}, call, status=status, https=https)
    if (later := getattr(error, "retry_after", 5 if status == 503 else None)) is not None:
        response.headers["retry-after"] = str(later)
    return response


def _answer(visit: Visit, body: Mapping[str, object], *, status: int = 200) -> Response:
    return _written(body, visit.call, status=status, https=visit.is_https)


def _written(body: Mapping[str, object], call: str, *, status: int, https: bool) -> Response:
    response = Response(json.dumps(body), status_code=status, media_type="application/json")
    pages.secure(response, call, https=https)
    response.headers["pragma"] = "no-cache"
    return response
