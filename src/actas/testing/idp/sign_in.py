"""The authorization endpoint and the sign-in page behind it (RFC 6749, section 4.1, with RFC 7636 and RFC 9207)."""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from actas.testing.errors import OAuthRefused, Untrusted
from actas.testing.idp import authorize, parameters
from actas.testing.idp.browser import TOO_OLD, WRONG_PASSWORD, cookie_of, is_same_browser, who, with_cookie
from actas.testing.idp.facts import Shape
from actas.testing.idp.grants import CODE_LIFE, SIGN_IN_LIFE, TRIES, Code, Grant, SignIn
from actas.testing.idp.html import message, page
from actas.testing.idp.http import form
from actas.testing.idp.people import Person
from actas.testing.idp.provider import Provider
from actas.testing.idp.shelf import digest

PATH = "/sign-in"


class SigningIn:
    """Lets people sign in."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    async def authorize(self, request: Request, shape: Shape) -> Response:
        """Show the sign-in page, or say what is wrong with the request."""
        try:
            said = await form(request) if request.method == "POST" else parameters.read(request.scope["query_string"])
            client, redirect = authorize.trusted(said, self._provider.clients)
        except (OAuthRefused, Untrusted) as refused:
            return message("This sign-in cannot go on", f"The application asked wrongly: {refused.why}.", status=400)
        try:
            asked = authorize.read(said, client, redirect)
        except OAuthRefused as refused:
            wrong = {"error": refused.error, "error_description": refused.why}
            return self._redirect(shape, redirect, said.get("state"), wrong)
        cookie = cookie_of(request)
        return self._ask(SignIn(asked=asked, shape=shape, browser=digest(cookie)), cookie, chosen=asked.hint)

    async def answered(self, request: Request) -> Response:
        """Take the sign-in form and send the browser back with a code."""
        said = await form(request)
        sign_in = self._provider.shelves.sign_ins.take(said.get("ticket", ""), now=self._provider.now())
        if sign_in is None or not is_same_browser(request, sign_in.browser):
            return message("Start again", TOO_OLD, status=400)
        if said.get("answer") == "no" or self._provider.faults.access_denied:
            return self._denied(sign_in, "the person said no")
        if person := who(self._provider, said):
            return self._send_back(sign_in, person)
        sign_in.tries += 1
        if sign_in.tries >= TRIES:
            return self._denied(sign_in, "too many wrong passwords")
        return self._ask(sign_in, cookie_of(request), chosen=said.get("person"), problem=WRONG_PASSWORD)

    def _ask(self, sign_in: SignIn, cookie: str, *, chosen: str | None, problem: str | None = None) -> Response:
        ticket = self._provider.shelves.sign_ins.put(sign_in, until=self._provider.now() + SIGN_IN_LIFE)
        shown = page(
            "sign_in",
            status=200 if problem is None else 401,
            leads_to=sign_in.asked.redirect,
            action=PATH,
            ticket=ticket,
            client=sign_in.asked.client.id,
            people=tuple(self._provider.people.values()),
            chosen=chosen,
            problem=problem,
        )
        return with_cookie(shown, cookie)

    def _denied(self, sign_in: SignIn, why: str) -> Response:
        wrong = {"error": "access_denied", "error_description": why}
        return self._redirect(sign_in.shape, sign_in.asked.redirect, sign_in.asked.state, wrong)

    def _send_back(self, sign_in: SignIn, person: Person) -> Response:
        now, asked = self._provider.now(), sign_in.asked
        grant = Grant(
            shape=sign_in.shape,
            client=asked.client,
            person=person,
            scopes=asked.scopes,
            resource=asked.resource,
            authenticated=now,
            nonce=asked.nonce,
        )
        code = Code(grant=grant, redirect=asked.redirect, challenge=asked.challenge)
        handle = self._provider.shelves.codes.put(code, until=now + CODE_LIFE)
        return self._redirect(sign_in.shape, asked.redirect, asked.state, {"code": handle})

    def _redirect(self, shape: Shape, redirect: str, state: str | None, said: Mapping[str, str]) -> Response:
        faults = self._provider.faults
        issuer = self._provider.issuer_of(shape.name) if faults.response_issuer is None else faults.response_issuer
        told = {"state": state if faults.state is None else faults.state, "iss": issuer or None}
        return RedirectResponse(authorize.answer(redirect, {**said, **told}), 303, {"Cache-Control": "no-store"})
