"""The device grant: a code for the device, and a page on which a person connects it (RFC 8628)."""

import secrets
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from actas.testing.errors import OAuthRefused
from actas.testing.idp import authorize, parameters
from actas.testing.idp.browser import TOO_OLD, WRONG_PASSWORD, cookie_of, is_same_browser, who, with_cookie
from actas.testing.idp.facts import Shape
from actas.testing.idp.grants import DEVICE_LIFE, SIGN_IN_LIFE, TRIES, Device, Grant
from actas.testing.idp.html import message, page
from actas.testing.idp.http import form, json
from actas.testing.idp.people import DEVICE_CODE
from actas.testing.idp.provider import Provider
from actas.testing.idp.shelf import digest
from actas.testing.idp.tokens import client_of

PATH = "/device"
LETTERS = "BCDFGHJKLMNPQRSTVWXZ"  # RFC 8628, section 6.1: no vowels, so no words; no digits to mix up
_LENGTH = 8


def user_code() -> str:
    """Make a code that a person can type."""
    letters = "".join(secrets.choice(LETTERS) for _ in range(_LENGTH))
    return f"{letters[:4]}-{letters[4:]}"


def plain(code: str) -> str:
    """Read a typed code: case and everything between the letters do not matter."""
    return "".join(letter for letter in code.upper() if letter in LETTERS)


class Devices:
    """Connects devices."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    async def start(self, request: Request, shape: Shape) -> Response:
        """Give a device its codes."""
        said, now = await form(request), self._provider.now()
        client = client_of(request.headers.get("authorization"), said, self._provider.clients)
        if DEVICE_CODE not in client.grants:
            raise OAuthRefused(error="unauthorized_client", why="this client may not use the device grant")
        device = Device(
            client=client,
            shape=shape,
            scopes=authorize.scopes(said, client),
            resource=said.get("resource") or said.get("audience"),
            user_code=user_code(),
            interval=self._provider.device_interval,
            challenge=authorize.challenge_in(said) if "code_challenge" in said else None,
        )
        handle = self._provider.shelves.devices.put(device, until=now + DEVICE_LIFE)
        self._provider.shelves.user_codes.put(device, until=now + DEVICE_LIFE, handle=plain(device.user_code))
        return json(self._told(device, handle))

    def _told(self, device: Device, handle: str) -> dict[str, Any]:
        page_address = f"{self._provider.base_url}{PATH}"
        return {
            "device_code": handle,
            "user_code": device.user_code,
            "verification_uri": page_address,
            "verification_uri_complete": f"{page_address}?user_code={device.user_code}",
            "expires_in": int(DEVICE_LIFE.total_seconds()),
            "interval": int(device.interval.total_seconds()),
        }

    async def show(self, request: Request) -> Response:
        """Show the page on which a person connects a device."""
        try:
            code = parameters.read(request.scope["query_string"]).get("user_code", "")
        except OAuthRefused:
            code = ""
        return self._ask(cookie_of(request), code)

    async def answered(self, request: Request) -> Response:
        """Take the page's form."""
        said, now = await form(request), self._provider.now()
        browser = self._provider.shelves.forms.take(said.get("ticket", ""), now=now)
        if browser is None or not is_same_browser(request, browser):
            return message("Start again", TOO_OLD, status=400)
        code, cookie, chosen = said.get("user_code", ""), cookie_of(request), said.get("person")
        device = self._provider.shelves.user_codes.look(plain(code), now=now)
        if device is None or device.state != "pending":
            return self._ask(cookie, code, chosen, "No device is waiting with this code.")
        if said.get("answer") == "no" or self._provider.faults.access_denied:
            device.state = "denied"
            return message("Refused", "The device was told no. You can close this page.")
        person = who(self._provider, said)
        if person is None:
            return self._wrong_password(device, cookie, chosen)
        device.state = Grant(
            shape=device.shape,
            client=device.client,
            person=person,
            scopes=device.scopes,
            resource=device.resource,
            authenticated=now,
        )
        return message("Connected", "Your device is signed in. You can close this page.")

    def _wrong_password(self, device: Device, cookie: str, chosen: str | None) -> Response:
        device.tries += 1
        if device.tries >= TRIES:
            device.state = "denied"
            return message("Refused", "Too many wrong passwords. Start again on your device.", status=400)
        return self._ask(cookie, device.user_code, chosen, WRONG_PASSWORD)

    def _ask(self, cookie: str, code: str, chosen: str | None = None, problem: str | None = None) -> Response:
        ticket = self._provider.shelves.forms.put(digest(cookie), until=self._provider.now() + SIGN_IN_LIFE)
        shown = page(
            "device",
            status=200 if problem is None else 400,
            action=PATH,
            ticket=ticket,
            user_code=code,
            people=tuple(self._provider.people.values()),
            chosen=chosen,
            problem=problem,
        )
        return with_cookie(shown, cookie)
