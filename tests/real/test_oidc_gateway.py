"""The whole line against a second real provider, npm's oidc-provider: programs, people, and what is no token for us."""

import base64
import hashlib
import html
import json
import re
import secrets
import threading
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx
import pytest
from gateway import Gateway

from actas import jose
from actas.model import clock

BACK = "http://127.0.0.1:9/callback"


@pytest.fixture(scope="module")
def gateway(oidc_provider, tmp_path_factory):
    shape = {"preset": "oidc", "issuer": oidc_provider.issuer, "private": True, "leeway": "0s"}
    robots = {"provider": "corp", "kind": "service", "clients": ["robot"], "scopes": ["functions.invoke"]}
    settings = {
        "providers": {"corp": {**shape, "audience": "actas"}},
        "functions": {name: {"python": "echo.py:handler"} for name in ("report", "nightly")},
        "roles": {
            "reader": {"arn": "arn:aws:iam::111122223333:role/reader"},
            "robot": {"arn": "arn:aws:iam::111122223333:role/robot"},
        },
        "rules": [
            {"id": "finance", "who": {"provider": "corp", "groups": ["finance"]}, "may": ["report"], "as": "reader"},
            {"id": "robots", "who": robots, "may": ["nightly"], "as": "robot"},
        ],
    }
    with Gateway(tmp_path_factory.mktemp("gateway"), settings) as running:
        yield running


@pytest.fixture
def robot(oidc_provider):
    def token(resource="https://actas.example/", scope="functions.invoke"):
        form = {"grant_type": "client_credentials", "scope": scope, "resource": resource}
        answer = httpx.post(f"{oidc_provider.issuer}/token", data=form, auth=("robot", "robot-secret"))
        assert answer.status_code == 200, answer.text
        return answer.json()["access_token"]

    return token


def by_code(issuer, person):
    """Sign in as a browser does: authorization code with PKCE; give what the token endpoint gives."""
    verifier = secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    asked = {
        "response_type": "code",
        "client_id": "cli",
        "redirect_uri": BACK,
        "scope": "openid functions.invoke",
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    with httpx.Client(timeout=20) as browser:
        page = browser.get(f"{issuer}/auth", params=asked)
        while True:
            if page.is_redirect:
                to = urljoin(str(page.url), page.headers["location"])
                if to.startswith(BACK):
                    break
                page = browser.get(to)
                continue
            form = re.search(r"<form.*?</form>", page.text, re.DOTALL)[0]
            action = html.unescape(re.search(r'action="([^"]*)"', form)[1])
            fields = dict(re.findall(r'name="([^"]+)"[^>]*?value="([^"]*)"', form))
            page = browser.post(urljoin(str(page.url), action), data={**fields, "login": person, "password": "any"})
        code = parse_qs(urlsplit(to).query)["code"][0]
        form = {"grant_type": "authorization_code", "client_id": "cli", "redirect_uri": BACK, "code": code}
        answer = browser.post(f"{issuer}/token", data={**form, "code_verifier": verifier})
    assert answer.status_code == 200, answer.text
    return answer.json()


def claims_of(token):
    return json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))


def answered(answer, gateway):
    assert answer.status_code == 200, answer.text + gateway.log()
    assert "x-amz-function-error" not in answer.headers, answer.text
    return answer.json()


def is_refused(answer):
    """One generic answer: nothing says why."""
    return (answer.status_code, answer.headers.get("www-authenticate"), set(answer.json())) == (
        401,
        'Bearer realm="actas", error="invalid_token"',
        {"type", "title", "status", "call"},
    )


def test_a_program_runs_its_function_as_its_role(gateway, robot):
    found = answered(gateway.call("nightly", robot(), {"n": 1}), gateway)

    assert (found["event"], found["subject"], found["role"]) == ({"n": 1}, "robot", "robot")
    assert found["key"].startswith("ASIA")


def test_a_program_without_the_scope_is_denied(gateway, robot):
    answer = gateway.call("nightly", robot(scope=""))

    assert answer.status_code == 403
    assert [reason["code"] for reason in answer.json()["reasons"]] == ["no-rule-allows"]


def test_a_person_by_code_and_pkce_runs_what_their_group_may(gateway, oidc_provider):
    token = by_code(oidc_provider.issuer, "ana")["access_token"]

    assert answered(gateway.call("report", token), gateway)["groups"] == ["finance"]
    assert gateway.call("nightly", token).status_code == 403


def test_a_person_of_another_group_is_denied(gateway, oidc_provider):
    assert gateway.call("report", by_code(oidc_provider.issuer, "ben")["access_token"]).status_code == 403


def test_a_token_for_another_audience_is_refused(gateway, robot):
    token = robot("https://another.example/")

    assert claims_of(token)["aud"] == "another"
    assert is_refused(gateway.call("nightly", token))


def test_an_id_token_is_refused(gateway, oidc_provider):
    assert is_refused(gateway.call("report", by_code(oidc_provider.issuer, "ana")["id_token"]))


def test_an_id_token_for_an_audience_of_ours_is_refused_by_its_type(oidc_provider, robot, tmp_path):
    """This provider's ID tokens have nonce and at_hash only where they were asked for; their type tells them apart."""
    shape = {"preset": "oidc", "issuer": oidc_provider.issuer, "private": True, "typ": "at+jwt"}
    settings = {
        "providers": {"corp": {**shape, "audience": ["actas", "cli"]}},
        "functions": {"report": {"python": "echo.py:handler"}},
        "rules": [{"id": "all", "who": {"provider": "corp"}, "may": ["report"]}],
    }

    with Gateway(tmp_path, settings) as strict:
        assert is_refused(strict.call("report", by_code(oidc_provider.issuer, "ana")["id_token"]))
        assert strict.call("report", robot()).status_code == 200


def test_a_token_is_refused_when_it_has_expired(gateway, robot):
    token = robot("https://brief.example/")
    while clock.now().timestamp() < claims_of(token)["exp"]:
        threading.Event().wait(0.05)

    assert is_refused(gateway.call("nightly", token))


def test_the_same_claims_under_another_key_are_refused(gateway, robot):
    token = robot()
    head = json.loads(base64.urlsafe_b64decode(token.split(".")[0] + "=="))
    key = jose.Key.generate("RS256")
    header = {"typ": head["typ"], "kid": head["kid"]}

    forged = jose.sign(claims_of(token), key, algorithm="RS256", header=header)

    assert is_refused(gateway.call("nightly", forged))
    assert gateway.call("nightly", token).status_code == 200
