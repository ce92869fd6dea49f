"""Signing in by browser, against a real provider over real sockets."""

import re
import stat
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import anyio
import httpx
import pytest

from actas.cli.login import client_for, sign_in
from actas.cli.login_errors import (
    CannotListen,
    NobodyCame,
    NoClient,
    ProviderNotUsable,
    ProviderRefused,
    ProviderSilent,
    WrongIdToken,
    WrongResponse,
)
from actas.cli.login_provider import LoginClient
from actas.cli.signins import stored, token_for
from actas.settings.schema import Provider

pytestmark = pytest.mark.anyio


@pytest.fixture
def go(client, tmp_path, now, within):
    """Sign in as a test wants it."""

    async def sign(opener, **more):
        settings = {"say": lambda _text: None, "now": lambda: now} | more
        try:
            return await within(sign_in(settings.pop("client", client), "ana", tmp_path, opener=opener, **settings))
        finally:
            if opener is not None:
                await anyio.to_thread.run_sync(opener.settled)

    return sign


async def test_a_person_signs_in_by_browser_and_a_token_of_theirs_is_kept(go, browser, idp, tmp_path, now):
    about = await go(browser)

    token = await token_for("ana", tmp_path, now=lambda: now)
    assert stored(tmp_path) == (about,)
    userinfo = httpx_get(f"{idp.issuer}/userinfo", token)
    assert userinfo["sub"] == idp.people["ana"].id


def httpx_get(url, token):
    return httpx.get(url, headers={"Authorization": f"Bearer {token.reveal()}"}).json()


async def test_the_request_has_pkce_a_state_a_nonce_and_a_loopback_redirect(go, browser):
    await go(browser)

    asked = {name: values[0] for name, values in parse_qs(urlsplit(browser.opened[0]).query).items()}
    assert asked["code_challenge_method"] == "S256"
    assert re.fullmatch(r"http://127\.0\.0\.1:[0-9]+/callback", asked["redirect_uri"])
    assert len({asked["state"], asked["nonce"], asked["code_challenge"]}) == 3


async def test_two_sign_ins_share_no_random_text(go, browser):
    await go(browser)
    await go(browser)

    asked = [parse_qs(urlsplit(url).query) for url in browser.opened]
    assert all(asked[0][name] != asked[1][name] for name in ("state", "nonce", "code_challenge"))


async def test_the_last_page_says_that_it_may_be_closed_and_loads_nothing(go, browser):
    await go(browser)

    page = browser.pages[0]
    assert "You can close this page" in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert page.headers["cache-control"] == "no-store"
    assert not re.search(r"(src|href)=", page.text)


async def test_without_a_browser_the_address_is_said(go, browser):
    said = []
    heard = anyio.Event()

    def say(text):
        said.append(text)
        heard.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: go(None, say=say))
        await heard.wait()
        await anyio.to_thread.run_sync(browser, said[0].split()[-1])

    assert browser.opened[0].startswith("http://127.0.0.1:")


async def test_a_person_who_says_no_is_not_signed_in(go, idp, browser_of, tmp_path):
    browser = browser_of(idp, answer="no")

    with pytest.raises(ProviderRefused, match="access_denied"):
        await go(browser)

    assert stored(tmp_path) == ()
    assert "Not signed in" in browser.pages[0].text


async def test_nobody_who_comes_ends_the_wait(go):
    with pytest.raises(NobodyCame):
        await go(None, limit=0.2)


class Tampering:
    """Sends something else to the listener before the real answer."""

    def __init__(self, browser, *requests):
        self.browser, self.requests, self.answers = browser, requests, []
        browser.come_back = self.come_back

    def __call__(self, url):
        return self.browser(url)

    def settled(self):
        self.browser.settled()

    def come_back(self, web, location):
        port = urlsplit(location).port
        for method, path, headers in self.requests:
            self.answers.append(web.request(method, f"http://127.0.0.1:{port}{path}", headers=headers))
        self.answers.append(web.get(location))


@pytest.mark.parametrize(
    "wrong",
    [
        ("GET", "/callback?code=stolen&state=guess", {}),
        ("GET", "/callback?code=stolen", {}),
        ("GET", "/callback?error=access_denied&state=guess", {}),
        ("GET", "/callback?state=a&state=b", {}),
        ("GET", "/callback?x=%ff", {}),
        ("GET", "/", {}),
        ("GET", "/favicon.ico", {}),
        ("POST", "/callback?code=stolen&state=guess", {}),
        ("GET", "/callback?code=x", {"Host": "evil.example"}),
    ],
)
async def test_what_is_not_our_answer_is_turned_away_and_the_sign_in_goes_on(go, browser, wrong, tmp_path):
    tampering = Tampering(browser, wrong)

    await go(tampering)

    assert [answer.status_code for answer in tampering.answers] == [400, 200]
    assert len(stored(tmp_path)) == 1


async def test_a_connection_that_says_nothing_does_not_keep_the_browser_out(go, browser):
    real = browser.come_back

    def come_back(web, location):
        import socket

        with socket.create_connection(("127.0.0.1", urlsplit(location).port)):
            real(web, location)

    browser.come_back = come_back

    assert (await go(browser)).name == "ana"


@pytest.mark.parametrize(
    ("fault", "value", "error", "says"),
    [
        ("response_issuer", "https://other.example", WrongResponse, "another provider"),
        ("discovery_issuer", "https://other.example", ProviderNotUsable, "other.example"),
        ("discovery_body", b"<html>", ProviderSilent, "standard"),
        ("discovery_body", b"[" * 100_000, ProviderSilent, "standard"),
        ("discovery_body", b" " * 2_000_000, ProviderSilent, "longer"),
        ("discovery_redirect", "http://192.0.2.1/", ProviderSilent, "status 302"),
        ("status", 503, ProviderSilent, "status 503"),
    ],
)
async def test_a_provider_that_is_not_what_it_should_be_is_refused(go, browser, idp, fault, value, error, says):
    setattr(idp.faults, fault, value)

    with pytest.raises(error, match=re.escape(says)):
        await go(browser)


@pytest.mark.parametrize(
    ("fault", "value"),
    [
        ("nonce", "other"),
        ("foreign_key", True),
        ("algorithm", "none"),
        ("token_issuer", "https://other.example"),
        ("skew", timedelta(minutes=-10)),
        ("keys_body", b"{"),
    ],
)
async def test_an_id_token_that_is_not_what_it_should_be_is_refused(go, browser, idp, fault, value, tmp_path):
    setattr(idp.faults, fault, value)

    with pytest.raises(WrongIdToken):
        await go(browser)

    assert stored(tmp_path) == ()


async def test_issuer_mix_up_a_provider_that_promises_to_name_itself_must_do_so(go, idp, browser):
    promised = browser.come_back

    def come_back(web, location):
        promised(web, re.sub(r"&iss=[^&]+", "", location))

    browser.come_back = come_back

    with pytest.raises(WrongResponse, match="does not say which provider"):
        await go(browser)


async def test_a_provider_that_does_not_promise_it_need_not(go, idp, browser):
    idp.faults.response_issuer = ""

    assert (await go(browser)).name == "ana"


async def test_no_error_holds_a_token_a_code_or_a_state(go, browser, idp):
    idp.faults.nonce = "other"

    with pytest.raises(WrongIdToken) as raised:
        await go(browser)

    asked = parse_qs(urlsplit(browser.opened[0]).query)
    for secret in (asked["state"][0], asked["nonce"][0], "eyJ"):
        assert secret not in f"{raised.value!r} {raised.value}"


async def test_a_fixed_port_that_is_taken_is_said(go, browser):
    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as taken:
        port = taken.extra(anyio.abc.SocketAttribute.local_port)

        with pytest.raises(CannotListen, match=str(port)):
            await go(browser, port=port)


async def test_a_provider_far_away_must_be_encrypted(go, browser):
    far = LoginClient(provider="corp", issuer="http://idp.example", client_id="cli")

    with pytest.raises(ProviderNotUsable, match="https"):
        await go(browser, client=far)


async def test_a_sign_in_is_readable_by_its_owner_alone(go, browser, tmp_path):
    await go(browser)

    folder = tmp_path / "sign-ins"
    (file,) = folder.glob("*.json")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


class TestClientFor:
    @pytest.mark.parametrize(
        ("provider", "scopes", "use"),
        [
            (
                Provider(preset="oidc", issuer="https://id.example", audience="actas"),
                ("openid", "offline_access"),
                "access",
            ),
            (
                Provider(preset="entra", tenant="0f5a3c1e-7d2b-4b6a-9c8e-1d2f3a4b5c6d", audience="api"),
                ("openid", "offline_access", "api/.default"),
                "access",
            ),
            (Provider(preset="google", audience="cli"), ("openid", "email"), "id"),
            (
                Provider(preset="keycloak", issuer="https://id.example/realms/a", audience="actas"),
                ("openid",),
                "access",
            ),
        ],
        ids=["oidc", "entra", "google", "keycloak"],
    )
    def test_each_preset_says_what_is_asked_for(self, provider, scopes, use):
        client = client_for("corp", provider, client_id="cli")

        assert (client.scopes, client.use) == (scopes, use)

    def test_the_standard_asks_for_consent_with_offline_access(self):
        provider = Provider(preset="oidc", issuer="https://id.example", audience="actas")

        assert client_for("corp", provider, client_id="cli").extra == {"prompt": "consent"}

    def test_auth0_is_told_the_audience(self):
        provider = Provider(preset="auth0", issuer="https://acme.eu.auth0.example/", audience="https://api.example")

        assert client_for("corp", provider, client_id="cli").extra == {"audience": "https://api.example"}

    def test_the_only_client_of_the_settings_is_taken(self):
        provider = Provider(preset="oidc", issuer="https://id.example", audience="actas", clients="desk")

        assert client_for("corp", provider).client_id == "desk"

    @pytest.mark.parametrize("clients", [None, ("a", "b")])
    def test_without_a_client_there_is_no_sign_in(self, clients):
        provider = Provider(preset="oidc", issuer="https://id.example", audience="actas", clients=clients)

        with pytest.raises(NoClient):
            client_for("corp", provider)
