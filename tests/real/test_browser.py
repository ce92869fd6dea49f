"""Signing in as a person does: the command prints an address, Chromium opens it, the command calls as that person."""

import json
import os
import re
import subprocess
import sys
import time

import pytest
from gateway import Gateway

from actas.testing.idp import Idp

pytestmark = pytest.mark.part("browser")
CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]


@pytest.fixture(scope="module")
def idp():
    with Idp(shape="oidc") as running:
        yield running


@pytest.fixture(scope="module")
def gateway(idp, tmp_path_factory):
    corp = {"preset": "oidc", "issuer": idp.issuer, "audience": "actas", "private": True}
    settings = {
        "providers": {"corp": corp},
        "functions": {"report": {"python": "echo.py:handler"}, "payroll": {"python": "echo.py:handler"}},
        "roles": {"reader": {"arn": "arn:aws:iam::111122223333:role/reader"}},
        "rules": [{"id": "all", "who": {"provider": "corp"}, "may": ["report"], "as": "reader"}],
    }
    with Gateway(tmp_path_factory.mktemp("gateway"), settings) as running:
        yield running


@pytest.fixture
def actas(gateway, tmp_path):
    """Run the command beside the gateway."""
    environment = {**os.environ, "HOME": str(tmp_path), "PYTHONUNBUFFERED": "1"}

    def run(*arguments):
        return subprocess.run(
            [sys.executable, "-m", "actas", *arguments],
            cwd=gateway.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


class Login:
    """``actas login`` on its way, with what it has said so far in two files."""

    def __init__(self, folder, logs, name):
        self.out, self.err = logs / "out", logs / "err"
        with self.out.open("wb") as out, self.err.open("wb") as err:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "actas", "login", name, "--client", "cli", "--no-browser", "--in-file"],
                cwd=folder,
                env={**os.environ, "HOME": str(logs), "PYTHONUNBUFFERED": "1"},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
            )

    def address(self):
        ends = time.monotonic() + 30
        while not (found := re.search(r"http://\S+(?=\n)", self.err.read_text())):
            assert self.process.poll() is None, self.err.read_text()
            assert time.monotonic() < ends, self.err.read_text()
            time.sleep(0.02)
        return found[0]

    def ended(self):
        return self.process.wait(30), self.out.read_text()


@pytest.fixture
def login(gateway, tmp_path):
    begun = []

    def begin(name):
        begun.append(Login(gateway.folder, tmp_path, name))
        return begun[-1]

    yield begin
    for one in begun:
        one.process.kill()
        one.process.wait()


@pytest.fixture
def page(tmp_path, monkeypatch):
    from playwright.sync_api import sync_playwright

    monkeypatch.setenv("HOME", str(tmp_path))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport={"width": 420, "height": 720})
        page.complaints = []
        page.on("console", lambda message: message.type == "error" and page.complaints.append(message.text))
        yield page
        browser.close()


def violations(page):
    """Ask axe what a person who cannot see or use a mouse would stumble over."""
    from axe_playwright_python.sync_playwright import Axe

    return [(one["id"], one["impact"]) for one in Axe().run(page).response["violations"]]


def test_a_person_signs_in_by_browser_and_calls_as_themselves(actas, login, idp, page, tmp_path):
    command = login("ana")
    page.goto(command.address())
    stumbled = violations(page)
    page.screenshot(path=tmp_path / "sign-in.png")
    page.get_by_label("Ana", exact=True).check()
    page.get_by_label("Password").fill(idp.people["ana"].password.reveal())
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="Signed in").wait_for()
    stumbled += violations(page)
    page.screenshot(path=tmp_path / "signed-in.png")

    assert command.ended() == (0, "signed in at corp as ana\n")
    assert (stumbled, page.complaints) == ([], [])

    called = actas("call", "report", "--as", "ana", "--payload", '{"n": 1}')
    assert (called.returncode, json.loads(called.stdout)["subject"]) == (0, idp.people["ana"].id), called.stderr
    denied = actas("call", "payroll", "--as", "ana")
    assert (denied.returncode, denied.stdout.split("\n")[0]) == (1, "denied")
    assert actas("logout", "ana").returncode == 0
    assert actas("call", "report", "--as", "ana").returncode == 2


def test_a_person_who_will_not_is_not_signed_in(login, page):
    command = login("ben")
    page.goto(command.address())
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("heading", name="Not signed in").wait_for()

    assert command.ended() == (3, "")
    assert "error[cli.provider-refused]" in command.err.read_text()
    assert violations(page) == []


def test_the_sign_in_page_works_by_keyboard_alone(login, idp, page):
    command = login("chidi")
    page.goto(command.address())
    page.get_by_label("Chidi", exact=True).focus()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.type(idp.people["chidi"].password.reveal())
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Signed in").wait_for()

    assert command.ended() == (0, "signed in at corp as chidi\n")
