"""The doors under ``/saml/{provider}``: what each request goes through before and after its page."""

import logging
import secrets
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from actas.errors import ActasError
from actas.http import arrivals
from actas.http.calls import unexpected
from actas.http.errors import NoSuchPath
from actas.http.saml import acs, cookies, login, logout, metadata, pages, token
from actas.http.saml.visit import Now, Visit
from actas.identify.errors import IdentifyError
from actas.identify.saml_errors import NoSamlProvider, SamlRefused
from actas.invoke import origins
from actas.model import clock
from actas.model.ids import RANDOM, call_id

log = logging.getLogger("actas.saml")
Work = Callable[[Visit], Awaitable[Response]]


class Refuses(Protocol):
    """Says no to whoever came."""

    def __call__(self, error: ActasError, call: str, /, *, https: bool) -> Response:
        """Write the answer for *error*."""
        ...


_WHAT_IT_MEANS = {
    "identify.assertion-used": "This sign-in was used before.",
    "identify.no-stable-name": "Your identity provider does not name you in a way that can be relied on here.",
    "identify.revoked": "Your access has been ended.",
    "identify.saml-unavailable": "Your identity provider is not known well enough here at the moment.",
    "identify.sign-in-over": "Your sign-in is over.",
}
_SAID_NO = "saml.status-not-success"


class SamlDoors:
    """Makes the pages; asks at each request what stands."""

    def __init__(self, now: Callable[[], Now]) -> None:
        self._now = now

    def routes(self) -> list[Route]:
        """Give the pages, each one visible line."""
        return [
            Route("/saml/{provider}/login", self._page(login.login, _for_people), methods=["GET"]),
            Route("/saml/{provider}/acs", self._page(acs.acs, _for_people), methods=["POST"]),
            Route("/saml/{provider}/logout", self._page(logout.by_query, _for_people), methods=["GET"]),
            Route("/saml/{provider}/logout", self._page(logout.by_form, _for_people), methods=["POST"]),
            Route("/saml/{provider}/signed-in", self._page(login.done, _for_people), methods=["GET"]),
            Route("/saml/{provider}/metadata", self._page(metadata.metadata, _for_people), methods=["GET"]),
            Route("/saml/{provider}/token", self._page(token.token, _for_machines), methods=["POST"]),
        ]

    def _page(self, work: Work, refuses: Refuses) -> Any:
        async def page(request: Request) -> Response:
            at = clock.now()
            name = call_id(at, secrets.token_bytes(RANDOM))
            house = self._now()
            https = house.front.settings.control_url.startswith("https://")
            try:
                arrived = arrivals.arrive(house.front, house.gateway, request.scope, origins.of(request.scope))
                visit = Visit(
                    request=request,
                    head=arrived.head,
                    house=house,
                    at=at,
                    call=name,
                    profile=_profile(house, request),
                    address=arrived.address,
                    cookies=cookies.read(request.scope["headers"]),
                )
                try:
                    return await work(visit)
                except IdentifyError as stranger:
                    house.gateway.stranger(stranger.code, arrived.address)
                    raise
            except ActasError as error:
                log.log(_level(error), "call %s: %s: %s", name, error.code, error)
                return refuses(error, name, https=https)
            except Exception as error:  # noqa: BLE001 - the outermost door
                return refuses(unexpected(name, error), name, https=https)

        return page


def _profile(house: Now, request: Request) -> Any:
    try:
        return house.identify.saml.profile(str(request.path_params["provider"]))
    except NoSamlProvider:
        raise NoSuchPath from None


def _level(error: ActasError) -> int:
    return logging.WARNING if error.status >= 500 else logging.INFO


def _for_people(error: ActasError, call: str, /, *, https: bool) -> Response:
    """Say in a sentence what happened, and by which call an administrator finds the rest; nothing of anybody."""
    if error.code.startswith("http."):
        sentences = [f"{error.message[:1].upper()}{error.message[1:]}.", error.hint]
    elif isinstance(error, SamlRefused) and error.found == _SAID_NO:
        sentences = ["Your identity provider did not sign you in.", "Try again, or ask your administrator."]
    else:
        what = _WHAT_IT_MEANS.get(error.code, "What your identity provider sent is not accepted here.")
        if not isinstance(error, IdentifyError):
            what = "Something went wrong here."
        sentences = [what, "Start again; if it stays so, give your administrator the call below."]
    return pages.page(
        "This did not work",
        sentences,
        nonce=secrets.token_urlsafe(16),
        call=call,
        status=403 if error.status == 401 else error.status,  # no browser should ask for a password
        https=https,
    )


def _for_machines(error: ActasError, call: str, /, *, https: bool) -> Response:
    return token.refused(error, call, https=https)
