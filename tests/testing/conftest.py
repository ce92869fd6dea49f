"""A client that talks to the testing provider the way a careful one does, over real sockets."""

import base64
import re
from collections.abc import Iterator
from hashlib import sha256
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from actas.testing.idp import Idp

REDIRECT = "http://127.0.0.1:49152/callback"
VERIFIER = "v" * 43


def challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()


class Talk:
    """One browser and one program, talking to one provider."""

    def __init__(self, idp: Idp, shape: str | None = None) -> None:
        self.idp = idp
        self.web = httpx.Client()
        self.issuer = idp.issuer_of(shape or idp.shape)
        self.found = self.web.get(f"{self.issuer.rstrip('/')}/.well-known/openid-configuration").json()

    def ask(self, **changes: str | None) -> httpx.Response:
        """Go to the authorization endpoint; a change to None leaves a parameter out."""
        asked = {
            "response_type": "code",
            "client_id": "cli",
            "redirect_uri": REDIRECT,
            "scope": "openid profile",
            "state": "a-state",
            "nonce": "a-nonce",
            "code_challenge": challenge(VERIFIER),
            "code_challenge_method": "S256",
        } | changes
        said = {name: value for name, value in asked.items() if value is not None}
        return self.web.get(self.found["authorization_endpoint"], params=said)

    def answer(self, page: httpx.Response, **changes: str) -> httpx.Response:
        """Send the form of a page that was shown."""
        ticket = re.search(r'name="ticket" value="([^"]+)"', page.text)
        action = re.search(r'action="([^"]+)"', page.text)
        said = {"ticket": ticket[1], "person": "ana", "password": self.password("ana"), "answer": "yes"} | changes
        return self.web.post(f"{self.idp.base_url}{action[1]}", data=said)

    def password(self, name: str) -> str:
        return self.idp.people[name].password.reveal()

    def code(self, **changes: str | None) -> str:
        """Sign Ana in and give the code."""
        return back(self.answer(self.ask(**changes)))["code"]

    def trade(self, code: str, **changes: str | None) -> httpx.Response:
        """Trade the code for tokens."""
        form = {
            "grant_type": "authorization_code",
            "client_id": "cli",
            "code": code,
            "redirect_uri": REDIRECT,
            "code_verifier": VERIFIER,
        } | changes
        return self.token({name: value for name, value in form.items() if value is not None})

    def token(self, form: dict[str, str], **more: object) -> httpx.Response:
        return self.web.post(self.found["token_endpoint"], data=form, **more)


def back(response: httpx.Response) -> dict[str, str]:
    """Read what a redirect carries back to the program."""
    assert response.status_code == 303, response.text
    return dict(parse_qsl(urlsplit(response.headers["location"]).query, strict_parsing=True))


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture(scope="session")
def shared_idp() -> Iterator[Idp]:
    """Start one provider for the tests that change nothing about it."""
    with Idp() as idp:
        yield idp


@pytest.fixture
def talk(shared_idp) -> Iterator[Talk]:
    """Open a fresh browser on the shared provider."""
    found = Talk(shared_idp)
    yield found
    found.web.close()


@pytest.fixture
def talk_to():
    """Open browsers on other providers."""
    opened = []

    def to(idp: Idp, shape: str | None = None) -> Talk:
        opened.append(Talk(idp, shape))
        return opened[-1]

    yield to
    for one in opened:
        one.web.close()


@pytest.fixture
def carried():
    """Give the function that reads what a redirect carries back."""
    return back
