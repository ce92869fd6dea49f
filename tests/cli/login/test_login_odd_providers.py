"""Providers that answer, but not as the standards have it."""

import json
import webbrowser
from datetime import timedelta

import anyio
import pytest

from actas.cli.login import client_for, sign_in, sign_in_by_device
from actas.cli.login_errors import ProviderNotUsable, ProviderRefused, ProviderSilent, WrongIdToken
from actas.cli.login_files import safe_folder
from actas.cli.login_provider import LoginClient, Metadata
from actas.cli.login_tokens import UNSAID_LIFE, TokenAnswer, _end, submit
from actas.cli.login_web import web
from actas.settings.schema import Provider
from actas.testing.idp.serving import InThread, reserve

pytestmark = pytest.mark.anyio


@pytest.fixture
def odd():
    """Serve the answers that a test gives: a path, and a status with a value or bytes."""
    started, kept = [], []

    def serve(answers):
        async def app(scope, _receive, send):
            status, said = answers.get(scope["path"], (404, {}))
            body = said if isinstance(said, bytes) else json.dumps(said).encode()
            await send({"type": "http.response.start", "status": status, "headers": []})
            await send({"type": "http.response.body", "body": body})

        kept.append(reserve("127.0.0.1", 0))
        port = kept[-1].getsockname()[1]
        started.append(InThread(app, "127.0.0.1", port))
        started[-1].start()
        return f"http://127.0.0.1:{port}"

    yield serve
    for one in started:
        one.stop()
    for one in kept:
        one.close()


async def ask(base, *, doing="the sign-in"):
    client = LoginClient(provider="corp", issuer=base, client_id="cli")
    found = Metadata(issuer=base, jwks_uri=f"{base}/keys", token_endpoint=f"{base}/token")
    async with web(base) as visitor:
        return await submit(client, found, {"grant_type": "x"}, visitor, doing=doing)


@pytest.mark.parametrize(
    ("status", "said", "error"),
    [
        (200, {"access_token": "t", "token_type": "DPoP"}, ProviderSilent),
        (200, {"access_token": "", "token_type": "Bearer"}, ProviderSilent),
        (200, {"token_type": "Bearer"}, ProviderSilent),
        (200, [], ProviderSilent),
        (200, b"<html>", ProviderSilent),
        (200, b"\xff", ProviderSilent),
        (400, b"<html>", ProviderSilent),
        (400, {"error": "Sorry, dear token eyJ..."}, ProviderRefused),
        (400, {}, ProviderRefused),
        (302, b"", ProviderSilent),
        (500, {"error": "invalid_grant"}, ProviderSilent),
    ],
)
async def test_a_token_answer_is_of_the_standard_or_refused(odd, status, said, error):
    base = odd({"/token": (status, said)})

    with pytest.raises(error) as raised:
        await ask(base)

    assert "eyJ" not in raised.value.message


async def test_a_token_answer_of_the_standard_is_taken(odd):
    base = odd({"/token": (200, {"access_token": "t", "token_type": "bearer", "more": [1]})})

    assert (await ask(base)).access_token == "t"


@pytest.mark.parametrize(
    ("said", "life"),
    [
        (300, timedelta(seconds=300)),
        ("300", timedelta(seconds=300)),
        (0.5, timedelta(seconds=0.5)),
        (0, timedelta()),
        (None, UNSAID_LIFE),
        (-1, timedelta()),
        ("soon", timedelta()),
        ("nan", timedelta()),
        (10**30, timedelta()),
    ],
)
def test_a_token_lives_as_long_as_the_provider_says_and_no_nonsense_makes_it_live_longer(now, said, life):
    answer = TokenAnswer(access_token="t", token_type="Bearer", expires_in=said)

    assert _end(answer, now) == now + life


def test_an_answer_does_not_print_its_tokens():
    assert "secret" not in repr(TokenAnswer(access_token="secret", token_type="Bearer"))


DEVICE = {"device_code": "d", "user_code": "BDFH-JLNP", "verification_uri": "https://idp.example/d", "expires_in": 60}


@pytest.mark.parametrize(
    "wrong",
    [
        {"user_code": "\x1b[2J"},
        {"user_code": "x" * 65},
        {"verification_uri": "javascript:alert(1)"},
        {"verification_uri": "http://idp.example/d"},
        {"verification_uri_complete": "https://idp.example/\x1b[2J"},
        {"expires_in": "soon"},
    ],
)
async def test_a_device_code_that_is_not_fit_for_a_terminal_is_not_shown(odd, tmp_path, wrong):
    said = []
    answers = {"/device": (200, DEVICE | wrong)}
    base = odd(answers)
    answers["/.well-known/openid-configuration"] = (
        200,
        {"issuer": base, "jwks_uri": f"{base}/keys", "device_authorization_endpoint": f"{base}/device"},
    )
    client = LoginClient(provider="corp", issuer=base, client_id="cli")

    with pytest.raises(ProviderSilent):
        await sign_in_by_device(client, "ana", tmp_path, say=said.append)

    assert said == []


@pytest.mark.parametrize("flow", [sign_in, sign_in_by_device])
async def test_a_provider_without_this_kind_of_sign_in_says_so(odd, tmp_path, flow):
    answers = {}
    base = odd(answers)
    answers["/.well-known/openid-configuration"] = (200, {"issuer": base, "jwks_uri": f"{base}/keys"})
    client = LoginClient(provider="corp", issuer=base, client_id="cli")

    with pytest.raises(ProviderNotUsable, match="it has no sign-in"):
        await flow(client, "ana", tmp_path, say=lambda _text: None)


async def test_without_an_id_token_nobody_is_believed(client, browser, tmp_path):
    from dataclasses import replace

    with pytest.raises(WrongIdToken, match="there is none"):
        await sign_in(replace(client, scopes=("profile",)), "ana", tmp_path, say=lambda _text: None, opener=browser)


class Absent:
    """A machine without a browser: opening one fails, and a person opens the address elsewhere."""

    def __init__(self, browser, error=None):
        self.browser, self.error = browser, error

    def __call__(self, url):
        self.browser(url)
        if self.error is not None:
            raise self.error
        return False


@pytest.mark.parametrize("error", [None, webbrowser.Error("none")])
async def test_a_browser_that_cannot_be_opened_is_no_obstacle(client, browser, tmp_path, error):
    about = await sign_in(client, "ana", tmp_path, say=lambda _text: None, opener=Absent(browser, error))

    assert about.name == "ana"


async def test_a_browser_that_cannot_be_opened_is_said(client, tmp_path):
    said = []
    heard = anyio.Event()

    def say(text):
        said.append(text)
        if len(said) > 1:
            heard.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: sign_in(client, "ana", tmp_path, say=say, opener=lambda _url: False))
        await heard.wait()
        tasks.cancel_scope.cancel()

    assert "open the address yourself" in said[1]


def test_one_cannot_sign_in_at_several_tenants_at_once():
    tenant = "0f5a3c1e-7d2b-4b6a-9c8e-1d2f3a4b5c6d"
    provider = Provider(preset="entra", tenant="organizations", tenants=(tenant,), audience="api")

    with pytest.raises(ProviderNotUsable, match="several tenants"):
        client_for("corp", provider, client_id="cli")


def test_a_folder_that_somebody_left_open_is_refused(tmp_path):
    from actas.cli.login_errors import SignInsUnsafe

    (tmp_path / "open").mkdir(mode=0o755)

    with pytest.raises(SignInsUnsafe, match="0755"):
        safe_folder(tmp_path / "open")
    assert safe_folder(tmp_path / "made").stat().st_mode & 0o777 == 0o700
