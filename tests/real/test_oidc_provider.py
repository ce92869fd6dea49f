"""A second real provider that none of us wrote: npm's oidc-provider, by the same few lines of settings."""

import html
import re
from functools import partial
from urllib.parse import urljoin

import anyio
import httpx
import pytest
from gateway import Gateway

from actas.cli.login import client_for, sign_in, sign_in_by_device
from actas.cli.signins import sign_out, stored, token_for
from actas.identify import Identify, errors
from actas.model import clock
from actas.model.evidence import BearerToken
from actas.model.facts import Known
from actas.model.identity import Kind
from actas.settings.schema import Provider


@pytest.fixture(scope="module")
def provider(oidc_provider):
    return oidc_provider


@pytest.fixture
def settings(provider):
    return Provider(preset="oidc", issuer=provider.issuer, audience="actas", private=True)


@pytest.fixture
def believed(settings, tmp_path):
    room = Identify({"second": settings}, base_dir=tmp_path)

    def verify(token):
        from actas.model.secret import Secret

        shown = token if isinstance(token, Secret) else Secret(token)
        return anyio.run(partial(room.verify, BearerToken(shown=shown), now=clock.now()))

    return verify


class Person:
    """Goes through the provider's own pages as a browser does: sign in, consent, follow every redirect."""

    def __init__(self, name="ana"):
        self.name = name
        self.last = ""

    def __call__(self, url):
        with httpx.Client(timeout=30) as web:
            page = web.get(url)
            for _ in range(20):
                if page.is_redirect:
                    page = web.get(urljoin(str(page.url), page.headers["location"]))
                elif form := re.search(r"<form.*?</form>", page.text, re.DOTALL):
                    page = self._submit(web, page, form[0])
                else:
                    break
            self.last = page.text
        return True

    def _submit(self, web, page, form):
        action = html.unescape(re.search(r'action="([^"]*)"', form)[1])
        fields = dict(re.findall(r'name="([^"]+)"[^>]*?value="([^"]*)"', form))
        known = {"login": self.name, "password": "any"}
        fields |= {name: value for name, value in known.items() if f'name="{name}"' in form}
        return web.post(urljoin(str(page.url), action), data={k: html.unescape(v) for k, v in fields.items()})


@pytest.fixture
def signed_in(settings, tmp_path):
    client = client_for("second", settings, client_id="cli", scopes=("openid", "functions.invoke", "offline_access"))

    def go(flow=sign_in, **more):
        return anyio.run(partial(flow, client, "ana", tmp_path, say=lambda _text: None, **more))

    return go


def test_a_person_signs_in_and_is_believed(signed_in, believed, tmp_path):
    signed_in(opener=Person("ana"), limit=60)

    identity = believed(anyio.run(token_for, "ana", tmp_path))

    assert identity.subject == "ana"
    assert identity.kind != Known(Kind.SERVICE)
    assert identity.groups == Known(frozenset({"finance"}))
    assert identity.scopes == Known(frozenset({"functions.invoke"}))


def test_a_sign_in_is_renewed_and_ended(signed_in, believed, tmp_path):
    about = signed_in(opener=Person("ben"), limit=60)
    first = anyio.run(token_for, "ana", tmp_path)

    second = anyio.run(partial(token_for, "ana", tmp_path, now=lambda: about.expires_at))

    assert about.renewable
    assert first.reveal() != second.reveal()
    assert believed(second).subject == "ben"
    assert anyio.run(sign_out, "ana", tmp_path) is True
    assert stored(tmp_path) == ()


def test_a_device_is_connected(settings, believed, tmp_path):
    said = []
    person = Person("ana")
    client = client_for("second", settings, client_id="cli", scopes=("openid", "functions.invoke"))

    async def sleep(seconds):
        if person.last:
            await anyio.sleep(min(seconds, 1))
        else:
            await anyio.to_thread.run_sync(person, said[1].split()[2])

    anyio.run(partial(sign_in_by_device, client, "ana", tmp_path, say=said.append, sleep=sleep))

    assert believed(anyio.run(token_for, "ana", tmp_path)).subject == "ana"


def test_a_program_is_believed_as_itself(provider, believed):
    form = {"grant_type": "client_credentials", "scope": "functions.invoke"}
    answer = httpx.post(f"{provider.issuer}/token", data=form, auth=("robot", "robot-secret"))

    identity = believed(answer.json()["access_token"])

    assert (identity.subject, identity.kind) == ("robot", Known(Kind.SERVICE))


def test_a_token_that_was_changed_is_refused(provider, believed):
    form = {"grant_type": "client_credentials", "scope": "functions.invoke"}
    token = httpx.post(f"{provider.issuer}/token", data=form, auth=("robot", "robot-secret")).json()["access_token"]
    head, payload, signature = token.split(".")

    with pytest.raises(errors.IdentifyError):
        believed(f"{head}.{payload}.{signature[:-4]}AAAA")


@pytest.fixture(scope="module")
def gateway(provider, tmp_path_factory):
    corp = {"preset": "oidc", "issuer": provider.issuer, "audience": "actas", "private": True}
    settings = {
        "providers": {"corp": corp},
        "functions": {"report": {"python": "echo.py:handler"}},
        "roles": {"reader": {"arn": "arn:aws:iam::111122223333:role/reader"}},
        "rules": [
            {"id": "finance", "who": {"provider": "corp", "groups": ["finance"]}, "may": ["report"], "as": "reader"}
        ],
    }
    with Gateway(tmp_path_factory.mktemp("gateway"), settings) as running:
        yield running


@pytest.mark.parametrize(("name", "status"), [("ana", 200), ("ben", 403)])
def test_the_gateway_takes_its_tokens_and_decides_by_its_groups(gateway, signed_in, tmp_path, name, status):
    signed_in(opener=Person(name), limit=60)

    answer = gateway.call("report", anyio.run(token_for, "ana", tmp_path).reveal())

    assert answer.status_code == status, gateway.log()
    assert status != 200 or answer.json()["subject"] == name
