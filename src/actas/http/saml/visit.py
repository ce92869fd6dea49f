"""One request at these doors: when, from whom as far as is known, to which provider, and what stands at the moment."""

import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from actas import saml
from actas.assume.passed_on import PassedOn
from actas.gateway import Gateway
from actas.http import arrivals, heads
from actas.http.body import Patience
from actas.http.calls import Front
from actas.http.saml import forms, pages
from actas.http.saml.errors import NoWayThere
from actas.identify import Identify
from actas.identify.saml_profile import SamlProfile
from actas.model.call import Address
from actas.model.facts import Fact
from actas.saml.signing import SigningKey
from actas.secrets.sealed import Ring


class Ends(Protocol):
    """Ends what rests on somebody's sign-in at a provider, here and at every replica."""

    async def __call__(self, *, provider: str, subject: str | None, session: str | None, at: datetime) -> None:
        """End it: of a subject, of one of its sessions, or of a session whose subject is not known."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class OurKeys:
    """Our SAML keys of this moment."""

    signs: SigningKey = field(repr=False)
    published: tuple[bytes, ...] = field(repr=False)
    """Certificates of the keys that sign, DER."""
    encryption: tuple[bytes, ...] = field(repr=False)
    """Certificates of the keys that may be encrypted to, DER."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Now:
    """What the doors work with, as it stands at one request."""

    front: Front
    gateway: Gateway
    patience: Patience
    identify: Identify
    seals: Ring
    keys: Callable[[datetime], OurKeys]
    once: Callable[[str, str, datetime], Awaitable[bool]]
    """Remembers a name of an issuer until a moment, and tells whether it is new: in one store for all replicas."""
    ends: Ends
    passed_on: PassedOn
    """Keeps assertions that the settings let be passed on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One request."""

    request: Request
    head: heads.Head
    house: Now
    at: datetime
    call: str
    profile: SamlProfile
    address: Fact[Address] = field(repr=False)
    cookies: dict[str, str] = field(repr=False)

    @property
    def is_https(self) -> bool:
        """Whether people reach us by https."""
        return self.profile.doors.acs.startswith("https://")

    async def form(self) -> Mapping[str, str]:
        """Read the form of a POST."""
        house, request = self.house, self.request
        body = await arrivals.whole(house.patience, request.receive, self.head, house.front, most=forms.LARGEST)
        return forms.read(request.scope["headers"], body)

    def query(self) -> Mapping[str, str]:
        """Read the query."""
        return forms.pairs(self.request.scope["query_string"])

    async def endpoint(self, service: str, *, binding: str | None = None) -> saml.Endpoint:
        """Find where the provider takes *service*; by one binding, or by whichever it has."""
        known = await self.house.identify.saml.known(self.profile.name, now=self.at)
        wanted = {"redirect": (saml.REDIRECT,), "post": (saml.POST,)}.get(binding or "", (saml.REDIRECT, saml.POST))
        found = known.entity.endpoint(service, *wanted)
        if found is None or not found.location.startswith(("https://", "http://")):
            raise NoWayThere(provider=self.profile.name, service=service)
        return found

    def page(
        self,
        title: str,
        *sentences: str,
        status: int = 200,
        form: pages.Form | None = None,
        leads_to: tuple[str, ...] = (),
    ) -> Response:
        """Write a page for a person."""
        return pages.page(
            title,
            sentences,
            nonce=secrets.token_urlsafe(16),
            call=self.call,
            status=status,
            form=form,
            leads_to=leads_to,
            https=self.is_https,
        )

    def send_on(self, message: bytes, endpoint: str, binding: str, *, parameter: str, relay: str | None) -> Response:
        """Send a message to the provider through the browser: as an address, or as a form."""
        if binding == saml.REDIRECT:
            return self.go(message.decode("ascii"))
        fields = {parameter: saml.encode_post(message)} | ({} if relay is None else {"RelayState": relay})
        form = pages.Form(action=endpoint, button="Go on", fields=fields, sent=True)
        return self.page("One moment", "Your browser goes on to your identity provider.", form=form)

    def go(self, address: str) -> Response:
        """Send the browser on, with a GET."""
        response = RedirectResponse(address, status_code=303)
        pages.secure(response, self.call, https=self.is_https)
        return response


def set_cookies(response: Response, *lines: str) -> Response:
    """Add cookies to *response*."""
    for line in lines:
        response.raw_headers.append((b"set-cookie", line.encode("ascii")))
    return response
