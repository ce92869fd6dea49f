"""``actas login`` at a SAML provider: the browser signs in, the command gets a token, and nobody in between does."""

import base64
import json
import re
import secrets
import socket
import sys
import threading
from functools import partial
from urllib.parse import parse_qs, parse_qsl, urlsplit

import anyio
import httpx
import pytest

from actas.cli.login_errors import ProviderRefused
from actas.cli.login_pkce import challenge_of
from actas.cli.login_saml import sign_in_by_saml
from actas.cli.signins import sign_out, stored, token_for
from actas.identify.saml_profile import Doors
from actas.model import clock
from actas.saml.parsing import parse
from actas.testing.saml_idp import Said

VERIFIER = "v" * 43


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@pytest.fixture(scope="module")
def reached(running, with_saml):
    """A gateway whose control origin is where its settings say."""
    port = free_port()
    here = {"control_url": f"http://127.0.0.1:{port}", "control_listen": f"127.0.0.1:{port}"}
    with running(with_saml(gateway=here)) as one:
        yield one


@pytest.fixture
def visit(reached, ping, loose, asked_by_redirect, form_of):
    """Do what a person's browser does at the address that a command says; give where it ends up."""

    def go(address, provider="ping", **said):
        doors, idp = Doors.of(f"http://{reached.control}", provider), {"ping": ping, "loose": loose}[provider].idp
        with httpx.Client(trust_env=False, timeout=30) as client:
            sent = client.get(address)
            waiting = sent.headers["set-cookie"].partition(";")[0]
            asked = asked_by_redirect(sent.headers["location"])
            whole = {"attributes": {"groups": ("finance",)}} | said
            made = Said(recipient=doors.acs, audience=doors.metadata, answers=asked.id, **whole)
            form = {"SAMLResponse": form_of(idp.response(made, now=clock.now())), "RelayState": asked.relay}
            return client.post(doors.acs, data=form, headers={"Cookie": waiting})

    return go


def code_of(reached, visit, *, challenge=None):
    redirect = "http://127.0.0.1:54321/callback"
    query = httpx.QueryParams(
        {"redirect": redirect, "state": "s" * 43, "challenge": challenge or challenge_of(VERIFIER)}
    )
    ended = visit(f"http://{reached.control}/saml/ping/login?{query}")
    assert ended.status_code == 303
    found = parse_qs(urlsplit(ended.headers["location"]).query)
    assert ended.headers["location"].startswith(f"{redirect}?")
    assert found["state"] == ["s" * 43]
    return found["code"][0]


def trade(reached, code, *, provider="ping", **changes):
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "code_verifier": VERIFIER,
        "redirect_uri": "http://127.0.0.1:54321/callback",
    } | changes
    return reached.ask("POST", f"/saml/{provider}/token", control=True, data=form)


def test_a_command_signs_a_person_in_and_calls_as_them(reached, visit, service, tmp_path):
    def browser(address):
        def come_back():
            ended = visit(address)
            httpx.get(ended.headers["location"], trust_env=False)

        threading.Thread(target=come_back).start()
        return True

    said = []
    sign_in = partial(sign_in_by_saml, "ping", f"http://{reached.control}", "ana", tmp_path)
    about = anyio.run(partial(sign_in, say=said.append, opener=browser, keep_in="file", limit=60))
    token = anyio.run(token_for, "ana", tmp_path)
    called = reached.ask("GET", "/orders/7", token.reveal())

    assert (about.provider, about.renewable) == ("ping", False)
    assert 0 < (about.expires_at - clock.now()).total_seconds() <= 900
    assert (called.status_code, called.text) == (200, "hi")
    assert said[0].startswith("Sign in here:")


@pytest.fixture
def signed_in(reached, visit, tmp_path):
    """Sign in by the command; give the folder that holds the sign-in."""

    def run(provider="ping", **said):
        said = {"subject": f"f1a9-{secrets.token_hex(6)}", "session_index": secrets.token_hex(6)} | said

        def browser(address):
            def come_back():
                httpx.get(visit(address, provider=provider, **said).headers["location"], trust_env=False)

            threading.Thread(target=come_back).start()
            return True

        sign_in = partial(sign_in_by_saml, provider, f"http://{reached.control}", "ana", tmp_path)
        anyio.run(partial(sign_in, say=lambda _: None, opener=browser, keep_in="file", limit=60))
        return tmp_path

    return run


def left(folder):
    """Sign out by the command; give whether it says that the provider is told, and what the browser was to open."""
    opened = []
    told = anyio.run(
        partial(sign_out, "ana", folder, say=lambda _: None, opener=lambda url: opened.append(url) or True)
    )
    return told, opened


def test_a_command_signs_out_here_at_once_and_by_its_browser_at_the_provider(reached, signed_in, asked_by_redirect):
    person = f"f1a9-{secrets.token_hex(6)}"
    folder = signed_in(subject=person, session_index=f"{person}-1")
    token = anyio.run(token_for, "ana", folder).reveal()
    assert reached.ask("GET", "/orders/7", token).status_code == 200

    told, (address,) = left(folder)

    assert (told, stored(folder)) == (True, ())
    assert reached.ask("GET", "/orders/7", token).status_code == 401
    page = httpx.get(address, trust_env=False)
    form = dict(re.findall(r'name="([a-z]+)" value="([^"]*)"', page.text))
    own = {"Sec-Fetch-Site": "same-origin"}
    sent = httpx.post(address.partition("?")[0], data=form, headers=own, trust_env=False)
    xml = parse(asked_by_redirect(sent.headers["location"]).xml)
    assert (page.status_code, sent.status_code) == (200, 303)
    assert xml.findtext("{urn:oasis:names:tc:SAML:2.0:assertion}NameID") == person
    assert xml.findtext("{urn:oasis:names:tc:SAML:2.0:protocol}SessionIndex") == f"{person}-1"
    assert sent.headers["set-cookie"].startswith("__Host-actas-saml-")


def test_only_our_own_page_signs_a_command_out_in_a_browser(reached, signed_in):
    folder = signed_in()
    _, (address,) = left(folder)
    form = dict(parse_qsl(urlsplit(address).query))

    refused = httpx.post(
        address.partition("?")[0], data=form, headers={"Sec-Fetch-Site": "cross-site"}, trust_env=False
    )

    assert refused.status_code == 403


@pytest.mark.parametrize("spoil", [lambda one: one[:-4] + "AAAA", lambda _: "x", lambda _: ""])
def test_what_signs_out_must_be_ours(reached, signed_in, spoil):
    _, (address,) = left(signed_in())
    ticket = dict(parse_qsl(urlsplit(address).query))["leave"]

    for place in ("ping", "loose"):
        door = f"http://{reached.control}/saml/{place}/logout"
        shown = spoil(ticket) if place == "ping" else ticket  # it is for one provider alone
        assert httpx.post(door, data={"leave": shown}, trust_env=False).status_code in (400, 403)


def test_it_is_not_a_token(reached, signed_in):
    folder = signed_in()
    _, (address,) = left(folder)
    ticket = dict(parse_qsl(urlsplit(address).query))["leave"]

    assert reached.ask("GET", "/orders/7", ticket).status_code == 401


def test_a_provider_without_a_place_for_it_cannot_be_told(signed_in):
    told, opened = left(signed_in(provider="loose"))

    assert (told, opened) == (False, [])


def test_the_cookie_of_a_sign_in_is_not_made_for_a_command(reached, visit):
    query = httpx.QueryParams(
        {"redirect": "http://127.0.0.1:54321/callback", "state": "s" * 43, "challenge": challenge_of(VERIFIER)}
    )
    ended = visit(f"http://{reached.control}/saml/ping/login?{query}")

    assert not [one for one in ended.headers.get_list("set-cookie") if one.startswith("__Host-actas-sign-in")]


def test_a_code_is_traded_once(reached, visit):
    code = code_of(reached, visit)

    answers = [trade(reached, code) for _ in range(2)]

    assert [one.status_code for one in answers] == [200, 400]
    assert answers[0].json()["token_type"] == "Bearer"
    assert answers[1].json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    "changes",
    [
        {"code_verifier": "w" * 43},
        {"redirect_uri": "http://127.0.0.1:54322/callback"},
        {"provider": "loose"},
    ],
    ids=["without the verifier", "for another port", "at another provider"],
)
def test_a_code_is_nothing(reached, visit, changes):
    code = code_of(reached, visit)

    refused, taken = trade(reached, code, **changes), trade(reached, code)

    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")
    assert taken.status_code == 200


def test_a_code_that_was_changed_is_none(reached, visit):
    code = code_of(reached, visit)
    raw = bytearray(base64.urlsafe_b64decode(code + "=" * (-len(code) % 4)))
    raw[-1] ^= 1
    changed = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

    assert trade(reached, changed).status_code == 400
    assert trade(reached, code).status_code == 200


def test_a_command_whose_code_is_taken_by_another_hears_so(reached, visit, tmp_path):
    def thief(address):
        def come_back():
            ended = visit(address)
            httpx.get(ended.headers["location"].replace("code=", "code=A"), trust_env=False)

        threading.Thread(target=come_back).start()
        return True

    sign_in = partial(sign_in_by_saml, "ping", f"http://{reached.control}", "ana", tmp_path)
    with pytest.raises(ProviderRefused):
        anyio.run(partial(sign_in, say=lambda _: None, opener=thief, keep_in="file", limit=60))


class TestWho:
    """`actas who` and `actas explain`, for a response in a file and for a token of ours."""

    def actas(self, reached, *words):
        import subprocess

        command = [sys.executable, "-m", "actas", *words, "--settings", str(reached.file)]
        return subprocess.run(
            command, check=False, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL
        )

    def write(self, ping, reached, folder, **said):
        doors = Doors.of(f"http://{reached.control}", "ping")
        plain = {"recipient": doors.acs, "audience": doors.metadata, "attributes": {"groups": ("finance",)}}
        file = folder / "response.xml"
        file.write_bytes(ping.idp.response(Said(**plain | said), now=clock.now()))
        return file

    def test_a_response_is_told_step_by_step(self, reached, ping, tmp_path, pair):
        role = "https://aws.amazon.com/SAML/Attributes/Role"
        attributes = {"groups": ("finance",), "department": ("x",), role: (pair("app-reader"),)}
        file = self.write(ping, reached, tmp_path, attributes=attributes)

        told = self.actas(reached, "who", "--response", str(file))

        assert told.returncode == 0, told.stderr
        assert told.stdout.startswith("believed\n")
        for sentence in (
            "the issuer is https://ping.example/, which is the provider ping (preset pingfederate-saml)",
            "it is for the door of browsers",
            "the caller is named by the NameID",
            "1 values in groups and memberOf",
            "it claims 1 roles for AWS and 0 session tags, and no RoleSessionName, which AWS wants",
            "attributes that nothing reads: department",
            "an assertion counts once; this look did not use it up",
            "rule finance allows it as reader",
            "claims    arn:aws:iam::111122223333:role/app-reader",
        ):
            assert sentence in told.stdout
        assert "f1a9" not in told.stdout.partition("the rules see")[0]

    def test_the_base64_of_a_form_is_taken_too(self, reached, ping, tmp_path):
        file = self.write(ping, reached, tmp_path)
        file.write_bytes(base64.encodebytes(file.read_bytes()))

        assert self.actas(reached, "who", "--response", str(file)).returncode == 0

    def test_what_is_wrong_is_said(self, reached, ping, tmp_path):
        file = self.write(ping, reached, tmp_path, audience="https://another.example/")

        told = self.actas(reached, "who", "--response", str(file), "--json")

        assert told.returncode == 3
        assert [one["code"] for one in json.loads(told.stdout)["steps"]] == ["identify.saml-refused"]
        assert "saml.wrong-audience" in told.stdout

    def test_a_response_may_be_explained_against_a_function(self, reached, ping, tmp_path):
        file = self.write(ping, reached, tmp_path)

        allowed = self.actas(reached, "explain", "web:GET /orders/{id}", "--response", str(file))
        other = self.write(ping, reached, tmp_path, attributes={"groups": ("hr",)})
        refused = self.actas(reached, "explain", "web:GET /orders/{id}", "--response", str(other))

        assert (allowed.returncode, refused.returncode) == (0, 1), allowed.stderr + refused.stderr
        assert allowed.stdout.startswith("allow")

    def test_a_token_of_ours_is_told_where_the_gateway_runs(self, reached, visit):
        token = trade(reached, code_of(reached, visit)).json()["access_token"]

        told = self.actas(reached, "who", token)

        assert told.returncode == 0, told.stderr
        assert "it is our own token for somebody of the SAML provider ping" in told.stdout
        assert token not in told.stdout
