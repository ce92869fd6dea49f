"""The whole line against a real Keycloak: every way to get a token, what ends it, and what is no token for us."""

import base64
import hashlib
import html
import re
import secrets
import threading
import time
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from gateway import Gateway

FORM = re.compile(r'<form[^>]*id="kc-form-login"[^>]*action="([^"]+)"')


def settings(keycloak):
    return {
        "providers": {
            "corp": {
                "preset": "keycloak",
                "issuer": keycloak.issuer,
                "audience": "actas",
                "private": True,
                "groups": {"absent": "empty"},
            }
        },
        "functions": {name: {"python": "echo.py:handler"} for name in ("report", "deploy", "nightly", "run")},
        "roles": {
            "reader": {"arn": "arn:aws:iam::111122223333:role/reader"},
            "robot": {"arn": "arn:aws:iam::111122223333:role/robot"},
        },
        "rules": [
            {"id": "finance", "who": {"provider": "corp", "groups": ["/finance"]}, "may": ["report"], "as": "reader"},
            {"id": "never", "who": {"provider": "corp", "groups": ["/contractors"]}, "may_not": ["report"]},
            {"id": "deployers", "who": {"provider": "corp", "roles": ["deployer"]}, "may": ["deploy"], "as": "reader"},
            {
                "id": "runners",
                "who": {"provider": "corp", "roles": ["actas:reports.run"]},
                "may": ["run"],
                "as": "reader",
            },
            {
                "id": "robots",
                "who": {"provider": "corp", "kind": "service", "clients": ["robot"]},
                "may": ["nightly"],
                "as": "robot",
            },
        ],
    }


@pytest.fixture(scope="module")
def gateway(keycloak, tmp_path_factory):
    with Gateway(tmp_path_factory.mktemp("gateway"), settings(keycloak)) as running:
        yield running


def answered(answer, gateway):
    assert answer.status_code == 200, answer.text + gateway.log()
    assert "x-amz-function-error" not in answer.headers, answer.text
    return answer.json()


def codes(answer):
    assert answer.status_code == 403, answer.text
    return [reason["code"] for reason in answer.json()["reasons"]]


def is_refused(answer):
    """One generic answer: nothing says why."""
    challenge = answer.headers.get("www-authenticate")
    body = set(answer.json())
    return (answer.status_code, challenge, body) == (
        401,
        'Bearer realm="actas", error="invalid_token"',
        {"type", "title", "status", "call"},
    )


def test_somebody_in_finance_runs_the_report_as_the_reader(gateway, keycloak):
    found = answered(gateway.call("report", keycloak.password("ana")["access_token"], {"month": "2026-10"}), gateway)

    assert found["event"] == {"month": "2026-10"}
    assert found["subject"] == keycloak.person("ana")
    assert found["role"] == "reader"
    assert found["key"].startswith("ASIA")


def test_somebody_else_is_refused_and_told_why(gateway, keycloak):
    assert codes(gateway.call("report", keycloak.password("ben")["access_token"])) == ["no-rule-allows"]


def test_an_objection_outweighs_a_consent(gateway, keycloak):
    assert codes(gateway.call("report", keycloak.password("chidi")["access_token"])) == ["rule-forbids"]


def test_a_realm_role_and_a_client_role_open_their_own_doors(gateway, keycloak):
    ana, ben = keycloak.password("ana")["access_token"], keycloak.password("ben")["access_token"]

    assert answered(gateway.call("deploy", ben), gateway)["role"] == "reader"
    assert codes(gateway.call("deploy", ana)) == ["no-rule-allows"]
    assert answered(gateway.call("run", ana), gateway)["role"] == "reader"
    assert codes(gateway.call("run", ben)) == ["no-rule-allows"]


def test_a_service_account_is_a_service(gateway, keycloak):
    robot = keycloak.client("robot")["access_token"]

    assert answered(gateway.call("nightly", robot), gateway)["role"] == "robot"
    assert codes(gateway.call("nightly", keycloak.password("ana")["access_token"])) == ["no-rule-allows"]


def test_a_refreshed_token_is_as_good_as_the_first(gateway, keycloak):
    first = keycloak.password("ana")
    second = keycloak.refresh(first["refresh_token"])

    assert second["access_token"] != first["access_token"]
    assert answered(gateway.call("report", second["access_token"]), gateway)["role"] == "reader"


def test_a_token_from_the_sign_in_page_is_taken(gateway, keycloak):
    assert answered(gateway.call("report", _by_code(keycloak, "ana")), gateway)["role"] == "reader"


def _by_code(keycloak, person):
    """Sign in as a browser does: authorization code with PKCE."""
    verifier = secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    back = "http://127.0.0.1:9/callback"
    base = f"{keycloak.issuer}/protocol/openid-connect"
    with httpx.Client(timeout=20) as browser:
        page = browser.get(
            f"{base}/auth",
            params={
                "response_type": "code",
                "client_id": "cli",
                "redirect_uri": back,
                "scope": "openid",
                "state": "s",
                "code_challenge": challenge,
                "code_challenge_method": "S256",
            },
        )
        # A browser keeps Secure cookies of a loopback origin; httpx does not.
        cookies = "; ".join(line.split(";")[0] for line in page.headers.get_list("set-cookie"))
        sent = browser.post(
            html.unescape(FORM.search(page.text)[1]),
            data={"username": person, "password": f"{person}-pw"},
            headers={"Cookie": cookies},
        )
    code = parse_qs(urlsplit(sent.headers["location"]).query)["code"][0]
    form = {"grant_type": "authorization_code", "client_id": "cli", "redirect_uri": back, "code": code}
    return keycloak.token(**form, code_verifier=verifier)["access_token"]


@pytest.mark.parametrize("kind", ["id_token", "refresh_token"])
def test_what_is_no_access_token_is_refused(gateway, keycloak, kind):
    assert is_refused(gateway.call("report", keycloak.password("ana")[kind]))


def test_a_token_for_another_audience_is_refused(gateway, keycloak):
    assert is_refused(gateway.call("report", keycloak.password("ana", client="stranger")["access_token"]))


def test_a_token_of_another_realm_is_refused(gateway, keycloak):
    form = {"grant_type": "password", "client_id": "admin-cli", "username": "admin", "password": "admin"}

    assert is_refused(gateway.call("report", keycloak.token(realm="master", **form)["access_token"]))


def test_a_token_with_one_changed_character_is_refused(gateway, keycloak):
    token = keycloak.password("ana")["access_token"]
    head, body, signature = token.split(".")
    changed = body[:-1] + ("A" if body[-1] != "A" else "B")

    assert is_refused(gateway.call("report", f"{head}.{changed}.{signature}"))
    assert is_refused(gateway.call("report", f"{head}.{body}.{signature[:-4]}AAAA"))
    assert gateway.call("report", token).status_code == 200


def test_a_group_taken_away_ends_it_as_soon_as_the_token_says_so(gateway, keycloak):
    first = keycloak.password("ana")
    person = keycloak.person("ana")
    finance = next(one for one in keycloak.admin("GET", f"/users/{person}/groups").json() if one["path"] == "/finance")
    assert gateway.call("report", first["access_token"]).status_code == 200

    keycloak.admin("DELETE", f"/users/{person}/groups/{finance['id']}").raise_for_status()
    try:
        second = keycloak.refresh(first["refresh_token"])["access_token"]

        assert codes(gateway.call("report", second)) == ["no-rule-allows"]
    finally:
        keycloak.admin("PUT", f"/users/{person}/groups/{finance['id']}").raise_for_status()
    assert gateway.call("report", keycloak.password("ana")["access_token"]).status_code == 200


def test_the_trail_has_every_call_and_no_name(gateway, keycloak):
    token = keycloak.password("ana")["access_token"]
    call = gateway.call("report", token).headers["actas-call-id"]
    ends = time.monotonic() + 5
    while not [one for one in gateway.records() if one["type"] == "ended" and one["call"] == call]:
        assert time.monotonic() < ends
        time.sleep(0.05)
    text = str(gateway.records())

    assert [one["verdict"] for one in gateway.records() if one.get("call") == call and "verdict" in one] == ["allow"]
    for private in ("ana@people.example", keycloak.person("ana"), token, "127.0.0.1"):
        assert private not in text


def test_keys_rotated_under_traffic_fail_no_call(gateway, keycloak):
    realm = keycloak.admin("GET", "").json()["id"]
    failed, done, stop = [], [], threading.Event()

    def traffic():
        while not stop.is_set():
            answer = gateway.call("report", keycloak.password("ana")["access_token"])
            (done if answer.status_code == 200 else failed).append(answer.text)

    thread = threading.Thread(target=traffic)
    thread.start()
    try:
        before = _kid(keycloak)
        new = {
            "name": f"rotated-{secrets.token_hex(4)}",
            "providerId": "rsa-generated",
            "providerType": "org.keycloak.keys.KeyProvider",
            "parentId": realm,
            "config": {"priority": ["200"], "enabled": ["true"], "active": ["true"], "algorithm": ["RS256"]},
        }
        keycloak.admin("POST", "/components", new).raise_for_status()
        ends = time.monotonic() + 20
        while _kid(keycloak) == before:
            assert time.monotonic() < ends
        seen = len(done)
        while len(done) < seen + 5:
            assert time.monotonic() < ends + 20
            time.sleep(0.05)
    finally:
        stop.set()
        thread.join()

    assert failed == []


def _kid(keycloak):
    head = keycloak.password("ana")["access_token"].split(".")[0]
    return base64.urlsafe_b64decode(head + "==")


def test_with_keycloak_down_known_keys_go_on_and_unknown_fail_closed(keycloak, tmp_path):
    token = keycloak.password("ana")["access_token"]
    with Gateway(tmp_path, settings(keycloak)) as running:
        assert running.call("report", token).status_code == 200
        fresh = keycloak.password("ana")["access_token"]
        keycloak.stop()
        try:
            assert running.call("report", token).status_code == 200
            assert running.call("report", fresh).status_code == 200
            ready = httpx.get(f"{running.control}/readyz").json()
            assert ready["providers"][0]["ready"]

            with Gateway(tmp_path_of(tmp_path), settings(keycloak)) as later:
                answer = later.call("report", token)
                assert answer.status_code in {401, 503}
                assert not httpx.get(f"{later.control}/readyz").json()["providers"][0]["ready"]
        finally:
            keycloak.start()


def tmp_path_of(folder):
    later = folder / "later"
    later.mkdir()
    return later
