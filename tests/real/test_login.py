"""Signing in with a real browser, at our own testing provider and at a real Keycloak."""

from pathlib import Path

import anyio
import httpx
import pytest

from actas import jose
from actas.cli.login import sign_in, sign_in_by_device
from actas.cli.login_provider import LoginClient
from actas.cli.signins import sign_out, stored, token_for
from actas.model import clock

CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
pytestmark = pytest.mark.part("browser")


@pytest.fixture(autouse=True)
def _writable_home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))


class Visit:
    """Opens an address in Chromium and does there what a person does; notes every complaint of the browser."""

    def __init__(self, act) -> None:
        self.act, self.complaints, self.last, self.found = act, [], "", []

    def __call__(self, url: str) -> bool:
        from playwright.sync_api import sync_playwright

        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            page = browser.new_page()
            page.on("console", lambda message: message.type == "error" and self.complaints.append(message.text))
            page.goto(url)
            self.act(page, self)
            self.last = page.inner_text("body")
            browser.close()
        return True


def at_ours(idp, person="ana", *, wrong_first=False):
    """Sign in on the testing provider's page, by what a person reads there."""

    def act(page, visit):
        visit.found += violations(page)
        if wrong_first:
            page.get_by_label(person.capitalize(), exact=True).check()
            page.get_by_label("Password").fill("guess")
            page.get_by_role("button", name="Sign in").click()
            page.get_by_role("alert").wait_for()
            visit.found += violations(page)
        page.get_by_label(person.capitalize(), exact=True).check()
        page.get_by_label("Password").fill(idp.people[person].password.reveal())
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("heading", name="Signed in").wait_for()
        visit.found += violations(page)

    return act


def violations(page):
    """Ask axe what a person who cannot see or use a mouse would stumble over."""
    from axe_playwright_python.sync_playwright import Axe

    return [found["id"] for found in Axe().run(page).response["violations"]]


def at_keycloak(person="ana", heading="Signed in"):
    def act(page, _visit):
        page.locator("#username").fill(person)
        page.locator("#password").fill(f"{person}-pw")
        page.locator("#kc-login").click()
        page.get_by_role("heading", name=heading).wait_for()

    return act


def signed_in(client, state: Path, visit: Visit):
    return anyio.run(lambda: sign_in(client, "ana", state, say=lambda _text: None, opener=visit, limit=60))


def test_a_person_signs_in_with_a_browser_and_nothing_is_in_their_way(make_actas_idp, tmp_path):
    idp = make_actas_idp()
    visit = Visit(at_ours(idp, wrong_first=True))
    client = LoginClient(provider="corp", issuer=idp.issuer, client_id="cli")

    signed_in(client, tmp_path, visit)

    token = anyio.run(token_for, "ana", tmp_path)
    keys = jose.KeySet.from_json(idp.jwks())
    claims = jose.verify_jwt(token.reveal(), keys, issuer=idp.issuer, audience="actas", now=clock.now())
    assert claims["sub"] == idp.people["ana"].id
    assert visit.found == []
    assert [one for one in visit.complaints if "status of 4" not in one] == []  # a wrong password is answered by 401


def test_a_person_connects_a_device_with_a_browser(make_actas_idp, tmp_path):
    idp = make_actas_idp()
    said: list[str] = []
    client = LoginClient(provider="corp", issuer=idp.issuer, client_id="cli")

    def act(page, visit):
        visit.found += violations(page)
        page.get_by_label("Ben", exact=True).check()
        page.get_by_label("Password").fill(idp.people["ben"].password.reveal())
        page.get_by_role("button", name="Allow").click()
        page.get_by_role("heading", name="Connected").wait_for()

    visit = Visit(act)

    async def sleep(_seconds):
        if not visit.last:
            await anyio.to_thread.run_sync(visit, said[1].split()[2])

    anyio.run(lambda: sign_in_by_device(client, "ben", tmp_path, say=said.append, sleep=sleep))

    assert [one.name for one in stored(tmp_path)] == ["ben"]
    assert visit.found == []


@pytest.fixture
def at_corp(keycloak):
    return LoginClient(provider="corp", issuer=keycloak.issuer, client_id="cli", scopes=("openid",))


def test_a_person_signs_in_at_keycloak_and_stays_signed_in(keycloak, at_corp, tmp_path):
    about = signed_in(at_corp, tmp_path, Visit(at_keycloak()))
    first = anyio.run(token_for, "ana", tmp_path)

    later = about.expires_at
    second = anyio.run(lambda: token_for("ana", tmp_path, now=lambda: later))

    keys = jose.KeySet.from_json(httpx.get(f"{keycloak.issuer}/protocol/openid-connect/certs").content)
    claims = [
        jose.verify_jwt(token.reveal(), keys, issuer=keycloak.issuer, audience="actas", now=clock.now())
        for token in (first, second)
    ]
    assert first.reveal() != second.reveal()
    assert {one["sub"] for one in claims} == {keycloak.person("ana")}


def test_signing_out_ends_the_session_at_keycloak(keycloak, at_corp, tmp_path):
    signed_in(at_corp, tmp_path, Visit(at_keycloak()))

    assert anyio.run(sign_out, "ana", tmp_path) is True
    assert stored(tmp_path) == ()


def test_a_device_is_connected_at_keycloak(at_corp, tmp_path):
    said: list[str] = []

    def act(page, visit):
        page.locator("#username").fill("ana")
        page.locator("#password").fill("ana-pw")
        page.locator("#kc-login").click()
        page.get_by_role("button", name="Yes").click()
        page.get_by_text("Device Login Successful").wait_for()

    visit = Visit(act)

    async def sleep(_seconds):
        if visit.last:
            await anyio.sleep(_seconds)
        else:
            await anyio.to_thread.run_sync(visit, said[1].split()[2])

    anyio.run(lambda: sign_in_by_device(at_corp, "ana", tmp_path, say=said.append, sleep=sleep))

    assert [one.name for one in stored(tmp_path)] == ["ana"]
