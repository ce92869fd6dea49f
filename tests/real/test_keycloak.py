"""The whole line against a real Keycloak."""

import pytest
from gateway import Gateway


@pytest.fixture(scope="module")
def gateway(keycloak, tmp_path_factory):
    settings = {
        "providers": {
            "corp": {
                "preset": "keycloak",
                "issuer": keycloak.issuer,
                "audience": "actas",
                "private": True,
                "groups": {"absent": "empty"},
            }
        },
        "functions": {"report": {"python": "echo.py:handler"}},
        "roles": {"reader": {"arn": "arn:aws:iam::111122223333:role/reader"}},
        "rules": [
            {"id": "finance", "who": {"provider": "corp", "groups": ["/finance"]}, "may": ["report"], "as": "reader"},
            {"id": "never", "who": {"provider": "corp", "groups": ["/contractors"]}, "may_not": ["report"]},
        ],
    }
    with Gateway(tmp_path_factory.mktemp("gateway"), settings) as running:
        yield running


def test_somebody_in_finance_runs_the_report_as_the_reader(gateway, keycloak):
    answer = gateway.call("report", keycloak.password("ana")["access_token"], {"month": "2026-10"})

    assert answer.status_code == 200, gateway.log()
    assert "x-amz-function-error" not in answer.headers, answer.text
    found = answer.json()
    assert found["event"] == {"month": "2026-10"}
    assert found["subject"] == keycloak.person("ana")
    assert found["role"] == "reader"
    assert found["key"].startswith("ASIA")


def test_somebody_else_is_refused_and_told_why(gateway, keycloak):
    answer = gateway.call("report", keycloak.password("ben")["access_token"])

    assert answer.status_code == 403
    assert [reason["code"] for reason in answer.json()["reasons"]] == ["no-rule-allows"]


def test_an_objection_outweighs_a_consent(gateway, keycloak):
    answer = gateway.call("report", keycloak.password("chidi")["access_token"])

    assert answer.status_code == 403
    assert [reason["code"] for reason in answer.json()["reasons"]] == ["rule-forbids"]


def test_an_id_token_is_no_access_token(gateway, keycloak):
    answer = gateway.call("report", keycloak.password("ana")["id_token"])

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="actas", error="invalid_token"'
    assert set(answer.json()) == {"type", "title", "status", "call"}
