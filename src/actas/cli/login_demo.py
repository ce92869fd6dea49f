"""The people of the demo: who they are, and signing in as one of them without a browser.

``actas up`` writes ``demo.json`` into the state folder, readable by its owner alone. The passwords in it are made
for one run of the demo's own provider, which listens on loopback only; they are sent nowhere else.
"""

from collections.abc import Callable
from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import msgspec

from actas import private_files
from actas.cli import login_files as files
from actas.cli.login_errors import NoDemo, WrongResponse
from actas.cli.login_pkce import authorization_url, code_from, new_attempt, parameters
from actas.cli.login_provider import LoginClient, discover
from actas.cli.login_tokens import from_code
from actas.cli.login_web import Web, is_on_this_machine, web
from actas.model.secret import Secret

FILE = "demo.json"
PROVIDER = "demo"
"""``--as demo/ana`` means the demo's Ana also where somebody else is signed in as ana."""
_REDIRECT = "http://127.0.0.1:1/callback"
"""Nobody goes there: the code is read from the redirect itself."""


class DemoPerson(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One person of the demo."""

    password: str

    def __repr__(self) -> str:
        return "DemoPerson(...)"


class Demo(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The demo that runs here: its provider, the client to use there, its people by name."""

    issuer: str
    client_id: str
    people: dict[str, DemoPerson]
    scopes: tuple[str, ...] = ("openid",)


def write_demo(state: Path, demo: Demo) -> None:
    """Say that the demo runs."""
    files.safe_folder(state)
    private_files.write(state / FILE, msgspec.json.encode(demo))


def withdraw_demo(state: Path) -> None:
    """Say that it runs no more."""
    (state / FILE).unlink(missing_ok=True)


def read_demo(state: Path) -> Demo | None:
    """Read about the demo that runs here, if one does."""
    found = files.read(state / FILE)
    if found is None:
        return None
    try:
        demo = msgspec.json.decode(found, type=Demo)
    except (msgspec.DecodeError, UnicodeDecodeError) as wrong:
        raise NoDemo(why=f"{FILE} is not as 'actas up' writes it") from wrong
    if not is_on_this_machine(demo.issuer):
        raise NoDemo(why="its provider is not on this machine, and passwords are sent nowhere else")
    return demo


async def demo_token(demo: Demo, name: str, *, clock: Callable[[], datetime]) -> Secret:
    """Sign in as a person of the demo, by the same conversation that a browser has."""
    client = LoginClient(provider=PROVIDER, issuer=demo.issuer, client_id=demo.client_id, scopes=demo.scopes)
    async with web(demo.issuer) as visitor:
        found = await discover(client, visitor)
        if not all(is_on_this_machine(address) for address in found.endpoints()):
            raise NoDemo(why="its provider names an address that is not on this machine")
        attempt = new_attempt(_REDIRECT)
        form = await _sign_in_form(authorization_url(client, found, attempt), visitor)
        answer = {"ticket": form.ticket, "person": name, "password": demo.people[name].password, "answer": "yes"}
        back = await visitor.post(form.action, answer)
        location = back.headers.get("location", "")
        if back.status_code != 303 or not location.startswith(f"{_REDIRECT}?"):
            raise WrongResponse(why=f"the demo's sign-in page answered with status {back.status_code}")
        code = code_from(parameters(urlsplit(location).query), found, attempt)
        tokens = await from_code(client, found, attempt, code, visitor, now=clock())
    return tokens.shown


class _Form(HTMLParser):
    """The two things of the sign-in page that its answer needs."""

    def __init__(self) -> None:
        super().__init__()
        self.action = ""
        self.ticket = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Read a form's address and its ticket."""
        found = dict(attrs)
        if tag == "form":
            self.action = found.get("action") or ""
        elif tag == "input" and found.get("name") == "ticket":
            self.ticket = found.get("value") or ""


async def _sign_in_form(url: str, visitor: Web) -> _Form:
    response, body = await visitor.get(url)
    form = _Form()
    form.feed(body.decode("utf-8", "replace"))
    form.action = urljoin(url, form.action)
    if response.status_code != 200 or not form.ticket or not is_on_this_machine(form.action):
        raise WrongResponse(why=f"the demo's provider showed no sign-in page, but status {response.status_code}")
    return form
