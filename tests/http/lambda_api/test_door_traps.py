"""The traps of gateways, proxies and HTTP at the doors of functions, each test named by its trap."""

import json
import logging

import httpx
import pytest

from actas import sigv4
from actas.model import clock


@pytest.fixture(scope="module")
def house(running, settings):
    one = running(
        settings(
            local=True,
            functions={
                "shown": {"python": "traps.py:shown", "timeout": "10s", "url": "any"},
                "keys": {"python": "traps.py:keys", "timeout": "10s"},
                "other": {"python": "traps.py:shown"},
            },
            rules=[
                {
                    "id": "shown",
                    "who": {"provider": "corp", "groups": ["finance"]},
                    "may": ["shown", "keys"],
                    "as": "reader",
                },
            ],
        )
    )
    (one.folder / "traps.py").write_text(
        "import os\n\n\n"
        "def shown(event, context):\n    return event\n\n\n"
        "def keys(event, context):\n"
        "    return [os.environ[f'AWS_{name}'] for name in ('ACCESS_KEY_ID', 'SECRET_ACCESS_KEY', 'SESSION_TOKEN')]\n"
    )
    with one:
        yield one


@pytest.fixture(scope="module")
def credentials(house, tokens):
    return sigv4.Credentials(*house.call("keys", tokens["ana"]).json())


@pytest.fixture
def ask(house, credentials):
    def asked(method, path, *headers, body=b""):
        signed = sigv4.sign(
            method, f"http://{house.public}{path}", [("Host", house.public), *headers], body, credentials,
            region="us-east-1", service="lambda", now=clock.now(),
        )  # fmt: skip
        return httpx.request(
            method, signed.url, headers=list(signed.headers), content=body, trust_env=False, timeout=30
        )

    return asked


SPEAK = [
    "X-Forwarded-User", "X_Forwarded_User", "x-forwarded-for", "X-Real-IP", "Remote-User", "Actas-Caller",
    "actas_role", "X-Amzn-Oidc-Identity", "X_Amz_Forged", "Forwarded", "DPoP", "Proxy-Authorization",
    "X-Remote-User", "X_Remote_Groups", "Client-Cert", "X-Client-Cert", "X-Auth-Request-Email",
]  # fmt: skip


@pytest.mark.parametrize("name", SPEAK)
def test_client_sets_identity_headers(name, house, tokens):
    answer = house.ask("GET", "/function-url/shown", tokens["ana"], headers={name: "forged", "X-Own": "kept"})

    assert answer.status_code == 200, answer.text
    headers = answer.json()["headers"]
    assert headers["x-own"] == "kept"
    assert "forged" not in json.dumps(answer.json())


def test_token_pass_through(house, tokens, credentials, ask):
    shown = house.ask("GET", "/function-url/shown", tokens["ana"], headers={"Cookie": "session=abc"})
    signed = ask("GET", "/function-url/shown", ("X-Own", "1"))

    assert tokens["ana"] not in shown.text
    assert "session=abc" not in shown.text
    assert credentials.session_token not in signed.text
    assert credentials.secret_access_key not in signed.text
    assert "AWS4-HMAC-SHA256" not in signed.text


def test_x_forwarded_uri_method_host_believed(ask):
    answer = ask(
        "POST", "/2015-03-31/functions/other/invocations",
        ("X-Forwarded-Uri", "/2015-03-31/functions/shown/invocations"), ("X-Original-URL", "/function-url/shown"),
        ("X-HTTP-Method-Override", "GET"), ("X-Forwarded-Host", "functions.example"), body=b"{}",
    )  # fmt: skip

    assert answer.status_code == 403


@pytest.mark.parametrize("query", ["?/functions/shown/invocations", "?FunctionName=shown", "?Qualifier=shown"])
def test_allow_list_regex_sees_query_string(query, ask):
    assert ask("POST", f"/2015-03-31/functions/other/invocations{query}", body=b"{}").status_code == 403


def test_role_choice_by_the_client(ask, house, tokens):
    signed = ask("GET", "/function-url/shown", ("Actas-Role", "admin"))
    shown = house.ask("GET", "/function-url/shown", tokens["ana"], headers={"Actas-Role": "admin"})

    assert (signed.status_code, shown.status_code) == (403, 403)
    assert ask("GET", "/function-url/shown", ("Actas-Role", "reader")).status_code == 200


@pytest.mark.parametrize("name", ["shown*", "*", "sh?wn", "${aws:username}", "shown\u017f", "SHOWN"])
def test_policy_variable_wildcard_injection(name, ask):
    from urllib.parse import quote

    answer = ask("POST", f"/2015-03-31/functions/{quote(name, safe='')}/invocations", body=b"{}")

    assert answer.status_code in (400, 403)


@pytest.mark.parametrize(
    "twice",
    ["Authorization: AWS4-HMAC-SHA256 x\r\nAuthorization: AWS4-HMAC-SHA256 x\r\n", "Host: b\r\n"],
    ids=["two authorizations", "two hosts"],
)
def test_request_smuggling_duplicate_authorization_host_content_length(twice, house):
    head = f"POST /2015-03-31/functions/shown/invocations HTTP/1.1\r\nHost: a\r\n{twice}Content-Length: 0\r\n\r\n"

    with house.wire() as wire:
        answer = wire.say(head.encode()).answer()

    assert answer is None or answer.status == 400


def test_secrets_in_logs(ask, credentials, caplog):
    with caplog.at_level(logging.DEBUG, logger="actas"):
        ask("POST", "/2015-03-31/functions/other/invocations", body=b'{"who": "Chidi"}')
        ask("POST", "/2015-03-31/functions/shown/invocations", body=b"{'who': 'Chidi'}")

    for secret in (credentials.session_token, credentials.secret_access_key, "Chidi"):
        assert secret not in caplog.text


def test_timing_oracle_of_auth_errors(house):
    """One answer for whoever shows nothing, whatever they ask for."""
    paths = ("/2015-03-31/functions/shown/invocations", "/2015-03-31/functions/nothing/invocations",
             "/2015-03-31/functions", "/2026-07-09/resource-policy/x", "/2015-03-31/nothing")  # fmt: skip
    answers = [house.ask("POST", path) for path in paths]

    assert {(one.status_code, one.headers["x-amzn-errortype"], one.text) for one in answers} == {
        (403, "MissingAuthenticationTokenException", '{"message": "Missing Authentication Token"}')
    }


def test_health_check_bypass_by_user_agent(house):
    answer = house.ask("GET", "/function-url/shown", headers={"User-Agent": "GoogleHC/1.0"})

    assert answer.status_code == 403
