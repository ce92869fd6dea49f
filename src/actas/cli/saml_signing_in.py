"""Sign in at a SAML provider by its own form, as a browser would, and bring back the response without using it.

The password goes to the provider's own host and to no other. Where the form needs scripts or a second factor this ends,
and a browser is opened instead.
"""

import os
import secrets
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urljoin, urlsplit

import httpx

from actas import saml
from actas.cli.errors import CliError
from actas.cli.login_errors import ProviderSilent
from actas.cli.login_web import LARGEST, PATIENCE, is_on_this_machine, is_safe
from actas.cli.saml_asking import SamlAsked
from actas.cli.saml_forms import Form, forms
from actas.identify.saml_profile import format_of
from actas.settings.schema import many

_MOST_PAGES = 12
PASSWORD = "ACTAS_SAML_PASSWORD"  # noqa: S105 - the name of a variable


class FormNotDriven(CliError):
    """The provider's pages need more than a name and a password."""

    code = "cli.form-not-driven"
    hint = "Sign in in the browser, keep the field SAMLResponse of the form that comes back, and give it by --response."
    exit_code = 3

    def __init__(self, *, host: str, why: str) -> None:
        """State whose pages, and where it ended."""
        super().__init__(f"the sign-in at {host} cannot be driven from here: {why}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Page:
    url: str
    form: Form


async def sign_in(asked: SamlAsked, provider: str, user: str | None, now: datetime) -> bytes:
    """Sign *user* in, and give the response that a browser would carry to us."""
    import anyio.to_thread

    request, fields = await _request(asked, provider, now)
    host = urlsplit(request).hostname or ""
    password = os.environ.get(PASSWORD, "") or await anyio.to_thread.run_sync(_ask, host)
    own, ca = is_on_this_machine(request), asked.asked.settings.providers[provider].ca
    trusted = ssl.create_default_context(cafile=None if ca is None else asked.asked.loaded.locate(ca))
    async with httpx.AsyncClient(timeout=PATIENCE, follow_redirects=False, trust_env=not own, verify=trusted) as client:
        try:
            return await _drive(_Browser(client=client, host=host), request, fields, (user or "", password))
        except FormNotDriven:
            _open(asked.providers.profile(provider).doors.login)
            raise


async def _request(asked: SamlAsked, provider: str, now: datetime) -> tuple[str, Mapping[str, str] | None]:
    """Ask for a sign-in as our door does; give where to go, and the form to send there if it is one."""
    profile, known = asked.providers.profile(provider), await asked.providers.known(provider, now=now)
    endpoint = known.entity.endpoint("SingleSignOnService", saml.REDIRECT, saml.POST)
    if endpoint is None:
        raise FormNotDriven(host=provider, why="its metadata has no SingleSignOnService that is spoken")
    wished = profile.request
    message = saml.authn_request(
        id=f"_{secrets.token_hex(16)}",
        issuer=profile.audience,
        destination=endpoint.location,
        now=now,
        acs=profile.doors.acs,
        binding=endpoint.binding,
        key=asked.keys.signing(now).private if asked.keys.keys else None,
        force_authn=wished.force,
        name_id_format=None if wished.name_id is None else format_of(wished.name_id),
        authn_contexts=many(wished.authn_contexts),
    )
    if endpoint.binding == saml.REDIRECT:
        return message.decode(), None
    return endpoint.location, {"SAMLRequest": saml.encode_post(message)}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Browser:
    client: httpx.AsyncClient
    host: str

    async def go(self, url: str, fields: Mapping[str, str] | None) -> tuple[str, str]:
        """Fetch a page, following where it leads; give its address and its text."""
        for _ in range(_MOST_PAGES):
            if not is_safe(url):
                raise FormNotDriven(host=self.host, why="an address is not https")
            try:
                answer = await self.client.request("GET" if fields is None else "POST", url, data=fields)
            except httpx.HTTPError as wrong:
                raise ProviderSilent(url=url, why=type(wrong).__name__) from wrong
            if is_on_this_machine(url):  # browsers show Secure cookies there in clear, and Keycloak rests on that
                for one in self.client.cookies.jar:
                    one.secure = False
            if answer.status_code not in {301, 302, 303, 307, 308}:
                if len(answer.content) > LARGEST:
                    raise ProviderSilent(url=url, why=f"the answer is longer than {LARGEST} bytes")
                return url, answer.text
            url = urljoin(url, answer.headers.get("location", ""))
            fields = fields if answer.status_code in {307, 308} and urlsplit(url).hostname == self.host else None
        raise FormNotDriven(host=self.host, why="it leads on and on")


async def _drive(browser: _Browser, url: str, fields: Mapping[str, str] | None, who: tuple[str, str]) -> bytes:
    has_sent = False
    for _ in range(_MOST_PAGES):
        url, page = await browser.go(url, fields)
        found = forms(page)
        for one in found:
            if "SAMLResponse" in one.fields:
                return saml.decode_post(one.fields["SAMLResponse"])
        if (form := _next(found)) is None:
            raise FormNotDriven(host=browser.host, why="a page has no form for a name and a password")
        if form.password is not None:
            if has_sent:
                raise FormNotDriven(host=browser.host, why="it asks for the password again, so it was not taken")
            has_sent = True
        target = urljoin(url, form.action)
        if urlsplit(target).hostname != browser.host:
            raise FormNotDriven(host=browser.host, why="a form goes to another host")
        fields, url = form.filled(*who), target
    raise FormNotDriven(host=browser.host, why="it takes too many pages")


def _next(found: Sequence[Form]) -> Form | None:
    """Choose the form for the password, else one for the name, else one that a script would send by itself."""
    by_rank = sorted(
        (form for form in found if form.method == "post"), key=lambda form: (form.password is None, not form.names)
    )
    return by_rank[0] if by_rank else None


def _ask(host: str) -> str:
    import getpass

    return getpass.getpass(f"Password at {host}: ")


def _open(url: str) -> None:
    import webbrowser

    webbrowser.open(url)
