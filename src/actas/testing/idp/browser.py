"""What both pages for people have in common: who they are, and that their form is the one they were shown.

Each form holds a ticket that works once, and only in the browser that got it, so that no other site can send it.
"""

import secrets
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from actas.model.secret import Secret
from actas.testing.idp.people import Person
from actas.testing.idp.provider import Provider
from actas.testing.idp.shelf import digest

COOKIE = "actas-test-idp"
WRONG_PASSWORD = "That is not this person's password."  # noqa: S105 - what is said about one
TOO_OLD = "This page is too old or was sent already. Go back to where you came from and start again."
_NOBODY = Secret("")


def cookie_of(request: Request) -> str:
    """Give the browser's cookie, a new one where it has none."""
    return request.cookies.get(COOKIE) or secrets.token_urlsafe(32)


def is_same_browser(request: Request, kept: bytes) -> bool:
    """Say whether the browser is the one that the hash *kept* speaks of."""
    return secrets.compare_digest(kept, digest(request.cookies.get(COOKIE, "")))


def with_cookie(shown: Response, cookie: str) -> Response:
    """Hand the cookie to the browser; scripts and other sites' forms do not get to use it."""
    shown.set_cookie(COOKIE, cookie, path="/", httponly=True, samesite="lax")
    return shown


def who(provider: Provider, said: Mapping[str, str]) -> Person | None:
    """Believe the person, or not; takes the same time for a name that is not known."""
    person = provider.people.get(said.get("person", ""))
    is_right = (person.password if person else _NOBODY).matches(said.get("password", ""))
    return person if is_right else None
