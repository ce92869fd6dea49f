"""A look-up of groups that fails is told where operators look, and is never in the caller's favour."""

import pytest

from actas.testing.idp import Idp


@pytest.fixture
def keycloak():
    with Idp(shape="keycloak") as running:
        yield running


def test_a_look_up_that_fails_is_told(running, settings, keycloak, monkeypatch):
    monkeypatch.setenv("LOOKUP_SECRET", "not-the-secret")
    made = settings()
    made["providers"]["corp"] = {
        "preset": "keycloak",
        "issuer": keycloak.issuer,
        "audience": "actas",
        "private": True,
        "groups": {"claim": "not_there", "lookup": "keycloak-admin"},
        "lookup": {"id": "actas", "secret": {"env": "LOOKUP_SECRET"}, "token_url": "http://127.0.0.1:9/token"},
    }
    with running(made) as one:
        before = one.ask("GET", "/readyz", control=True).json()["lookups"]
        answer = one.call("web", keycloak.token(person="ana"))
        state = one.ask("GET", "/readyz", control=True)

    assert before == [{"provider": "corp", "error": None}]
    assert answer.status_code == 403
    assert state.json()["lookups"] == [{"provider": "corp", "error": "identify.unreachable"}]
    assert "not-the-secret" not in state.text
