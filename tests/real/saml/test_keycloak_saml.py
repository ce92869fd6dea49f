"""Keycloak as a SAML provider: signed, encrypted, rolled over, left, with roles for AWS; to a function's answer."""

import base64
import os
import re
import subprocess
import sys
import time
from urllib.parse import urlsplit

import httpx
import pytest
from house import ROLE, House
from keycloak_client import client_of, mapper
from visitor import Visitor

from actas.cli.login_pkce import challenge_of

VERIFIER = "v" * 43
BACK = "http://127.0.0.1:9/callback"
GRANT = "urn:ietf:params:oauth:grant-type:saml2-bearer"
AWS = "https://aws.amazon.com/SAML/Attributes"
FINANCE = {"id": "finance", "who": {"provider": "corp", "groups": ["finance"]}, "may": ["report"], "as": "reader"}
CHOSEN = {
    "id": "chosen",
    "who": {"provider": "corp", "roles": ["deployer"]},
    "may": ["report"],
    "as": ["app-*"],
    "roles_from": "assertion",
    "accounts": ["111122223333"],
}


@pytest.fixture(scope="module")
def house(keycloak, tmp_path_factory):
    provider = {
        "preset": "keycloak-saml",
        "metadata": f"{keycloak.issuer}/protocol/saml/descriptor",
        "private": True,
        "idp_initiated": True,
        "require": {"signed_assertion": True, "signed_response": True},
    }
    rules = [FINANCE, CHOSEN]
    made = House(
        tmp_path_factory.mktemp("gateway"), provider, rules=rules, roles=("reader", "app-reader", "app-writer")
    )
    with made as running:
        running.keycloak = keycloak
        answer = keycloak.admin("POST", "/clients", client_of(running))
        assert answer.status_code == 201, answer.text
        running.client = answer.headers["location"].rpartition("/")[2]
        yield running
        keycloak.admin("DELETE", f"/clients/{running.client}")


def change(house, **attributes):
    """Change the client at Keycloak."""
    path = f"/clients/{house.client}"
    found = house.keycloak.admin("GET", path).json()
    found["attributes"] |= attributes
    answer = house.keycloak.admin("PUT", path, found)
    assert answer.status_code == 204, answer.text


def token_by_code(house, visitor, person):
    """Sign in as a command does: the browser brings a code to this machine."""
    query = httpx.QueryParams({"redirect": BACK, "state": "s" * 22, "challenge": challenge_of(VERIFIER)})
    try:
        visitor.sign_in(f"{house.doors.login}?{query}", person, f"{person}-pw", until="/callback")
    except httpx.ConnectError as nobody:  # nobody listens there: the address is all that is wanted
        found = str(nobody.request.url)
    code = httpx.URL(found).params["code"]
    form = {"grant_type": "authorization_code", "code": code, "code_verifier": VERIFIER, "redirect_uri": BACK}
    answer = httpx.post(house.doors.token, data=form, trust_env=False)
    assert answer.status_code == 200, answer.text
    return answer.json()["access_token"]


def response_in(visitor, part="/acs"):
    """Give the response that the browser carried last."""
    for method, address, answer in reversed(visitor.seen):
        if method == "POST" and urlsplit(address).path.endswith(part):
            return answer.request.read().decode()
    raise AssertionError([one[:2] for one in visitor.seen])


def test_a_person_signs_in_and_out(house, visitor):
    page = visitor.sign_in(house.doors.login, "ana", "ana-pw")

    assert page.status_code == 200
    assert "You are signed in at corp until" in page.text
    left = visitor.sign_out(house.doors.logout)
    assert "You are signed out here and at your identity provider." in left.text
    assert visitor.go("GET", house.doors.done).status_code == 403
    again = visitor.go("GET", house.doors.login)
    assert 'name="password"' in again.text  # Keycloak does not know them any more either


def test_a_person_runs_a_function_as_a_role_and_the_trail_holds(house, visitor):
    token = token_by_code(house, visitor, "ana")

    answer = house.call("report", token, {"n": 1})

    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert told["groups"] == ["analysts", "finance"]
    assert told["role"] == "reader"
    assert told["subject"].startswith("G-")  # Keycloak's persistent name
    decided = next(one for one in house.records() if one.get("call") == answer.headers["actas-call-id"])
    assert (decided["evidence"], decided["provider"], decided["verdict"]) == ("saml", "corp", "allow")
    checked = house.verified()
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_somebody_else_is_refused_with_reasons(house, visitor):
    refused = house.call("report", token_by_code(house, visitor, "ben"))

    assert refused.status_code == 403
    assert [one["code"] for one in refused.json()["reasons"]] == ["role-not-claimed"]


def test_the_provider_begins_by_itself(house, visitor):
    address = f"{house.keycloak.issuer}/protocol/saml/clients/actas-{house.port}"

    page = visitor.sign_in(address, "chidi", "chidi-pw")

    assert "You are signed in at corp until" in page.text


def test_the_role_that_the_assertion_claims_is_taken(house, visitor):
    pair = f"{ROLE}/app-writer,arn:aws:iam::111122223333:saml-provider/corp"
    elsewhere = pair.replace("111122223333", "444455556666")
    fixed = {"attribute.name": f"{AWS}/Role", "attribute.nameformat": "URI Reference"}
    path = f"/clients/{house.client}/protocol-mappers/models"
    kind = "saml-hardcode-attribute-mapper"

    added = house.keycloak.admin("POST", path, mapper("aws", kind, **fixed, **{"attribute.value": pair}))
    assert added.status_code == 201, added.text
    place = added.headers["location"].partition("/admin/realms/corp")[2]
    taken = house.call("report", token_by_code(house, visitor, "ben"))
    changed = mapper("aws", kind, **fixed, **{"attribute.value": elsewhere}) | {"id": place.rpartition("/")[2]}
    assert house.keycloak.admin("PUT", place, changed).status_code == 204
    refused = house.call("report", token_by_code(house, visitor, "ben"))
    house.keycloak.admin("DELETE", place)

    assert (taken.status_code, taken.json()["role"]) == (200, "app-writer"), taken.text
    assert [one["code"] for one in refused.json()["reasons"]] == ["role-elsewhere"]


def test_encrypted_assertions_are_opened(house, visitor):
    certificate = base64.b64encode(house.metadata().encryption_certificates[0]).decode()
    change(house, **{"saml.encrypt": "true", "saml.encryption.certificate": certificate})

    answer = house.call("report", token_by_code(house, visitor, "ana"))
    change(house, **{"saml.encrypt": "false"})

    carried = base64.b64decode(httpx.QueryParams(response_in(visitor))["SAMLResponse"])
    assert b"EncryptedAssertion" in carried
    assert b"finance" not in carried
    assert answer.status_code == 200, answer.text


def test_a_response_without_the_signature_that_is_asked_for_is_refused(house, visitor):
    change(house, **{"saml.server.signature": "false"})
    refused = visitor.sign_in(house.doors.login, "ana", "ana-pw", until="/saml/corp/")
    change(house, **{"saml.server.signature": "true"})

    with Visitor() as another:
        taken = another.sign_in(house.doors.login, "ana", "ana-pw")

    assert refused.status_code == 403
    assert "You are signed in at corp" in taken.text


def test_the_provider_rolls_its_key_over(house, visitor):
    before = key_of(house)
    realm = house.keycloak.admin("GET", "").json()["id"]
    made = house.keycloak.admin(
        "POST",
        "/components",
        {
            "name": "rolled",
            "providerId": "rsa-generated",
            "providerType": "org.keycloak.keys.KeyProvider",
            "parentId": realm,
            "config": {"priority": ["200"], "enabled": ["true"], "active": ["true"], "keySize": ["2048"]},
        },
    )
    assert made.status_code == 201, made.text

    answer = house.call("report", token_by_code(house, visitor, "ana"))
    place = made.headers["location"].partition("/admin/realms/corp")[2]
    assert key_of(house) != before
    assert answer.status_code == 200, answer.text
    house.keycloak.admin("DELETE", place)


def key_of(house):
    found = httpx.get(f"{house.keycloak.issuer}/protocol/saml/descriptor", trust_env=False).text
    return re.findall(r"<(?:\w+:)?KeyName>([^<]+)<", found)


def test_an_administrator_ends_a_session_and_its_token_ends(house, visitor):
    change_client(house, frontchannelLogout=False)
    token = token_by_code(house, visitor, "chidi")
    before = house.call("report", token).status_code

    ended = house.keycloak.admin("POST", f"/users/{house.keycloak.person('chidi')}/logout")
    ends = time.monotonic() + 20
    while house.call("report", token).status_code != 401 and time.monotonic() < ends:
        time.sleep(0.1)
    after = house.call("report", token).status_code
    change_client(house, frontchannelLogout=True)

    assert ended.status_code == 204
    assert (before, after) == (200, 401)


def change_client(house, **changes):
    path = f"/clients/{house.client}"
    answer = house.keycloak.admin("PUT", path, house.keycloak.admin("GET", path).json() | changes)
    assert answer.status_code == 204, answer.text


def test_a_machine_trades_the_assertion_that_its_provider_gave(house, visitor):
    change(house, saml_assertion_consumer_url_post=house.doors.token)
    visitor.sign_in(
        f"{house.keycloak.issuer}/protocol/saml/clients/actas-{house.port}", "ana", "ana-pw", until="/token"
    )
    change(house, saml_assertion_consumer_url_post=house.doors.acs)
    shown = httpx.QueryParams(response_in(visitor, "/token"))["SAMLResponse"]

    form = {"grant_type": GRANT, "assertion": shown}
    answers = [httpx.post(house.doors.token, data=form, trust_env=False) for _ in range(2)]
    called = house.call("report", answers[0].json()["access_token"])

    assert [one.status_code for one in answers] == [200, 400]
    assert called.status_code == 200


class TestBrowser:
    """The same once with a screen: what Chromium keeps of our cookies, and what its person sees."""

    pytestmark = pytest.mark.part("browser")

    def test_a_person_signs_in_for_a_command_and_calls_as_themselves(self, house, tmp_path, monkeypatch):
        from playwright.sync_api import sync_playwright

        monkeypatch.setenv("HOME", str(tmp_path))
        environment = {**os.environ, "HOME": str(tmp_path), "PYTHONUNBUFFERED": "1"}
        said = tmp_path / "said"
        with said.open("wb") as file:
            command = subprocess.Popen(
                [sys.executable, "-m", "actas", "login", "ana", "--no-browser", "--in-file"],
                cwd=house.folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=file,
            )
        try:
            ends = time.monotonic() + 30
            while not (found := re.search(r"http://\S+(?=\n)", said.read_text())):
                assert time.monotonic() < ends, said.read_text()
                time.sleep(0.02)
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(
                    executable_path="/usr/bin/chromium",
                    args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
                )
                page = browser.new_page()
                page.goto(found[0])
                page.get_by_label("Username or email").fill("ana")
                page.locator("#password").fill("ana-pw")
                page.locator("#kc-login").click()
                page.get_by_role("heading", name="Signed in").wait_for(timeout=30_000)
                assert command.wait(30) == 0, said.read_text()
                self._calls(house, environment)
                self._leaves(house, environment, page)
                self._signs_in_and_out(house, page)
                browser.close()
        finally:
            command.kill()
            command.wait()

    def _calls(self, house, environment):
        called = subprocess.run(
            [sys.executable, "-m", "actas", "call", "report", "--as", "ana"],
            cwd=house.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        assert (called.returncode, '"reader"' in called.stdout) == (0, True), called.stdout + called.stderr

    def _leaves(self, house, environment, page):
        """Sign the command out: the gateway by itself, Keycloak by the person's browser."""
        left = subprocess.run(
            [sys.executable, "-m", "actas", "logout", "ana", "--no-browser"],
            cwd=house.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        assert left.returncode == 0, left.stdout + left.stderr
        page.goto(re.search(r"http://\S+", left.stderr)[0])
        page.get_by_role("button", name="Sign out").click()
        page.get_by_text("You are signed out here and at your identity provider.").wait_for(timeout=30_000)

    def _signs_in_and_out(self, house, page):
        """Sign in for the browser itself: Keycloak does not know the person any more."""
        complaints = []
        page.on("console", lambda message: message.type == "error" and complaints.append(message.text))
        page.goto(house.doors.login)
        page.get_by_label("Username or email").fill("ana")
        page.locator("#password").fill("ana-pw")
        page.locator("#kc-login").click()
        page.get_by_text("You are signed in at corp until").wait_for(timeout=30_000)
        kept = {one["name"]: one for one in page.context.cookies()}
        ours = kept["__Host-actas-sign-in"]
        assert (ours["httpOnly"], ours["secure"], ours["sameSite"], ours["path"]) == (True, True, "Lax", "/")
        assert not [name for name in kept if name.startswith("__Host-actas-saml-")]
        page.get_by_role("button", name="Sign out").click()
        page.get_by_text("You are signed out here and at your identity provider.").wait_for(timeout=30_000)
        assert "__Host-actas-sign-in" not in {one["name"] for one in page.context.cookies()}
        assert complaints == []
