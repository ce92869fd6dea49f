"""What an administrator may suppose of a moment, and what is no moment at all."""

import pytest


def explained(one, token, idp, at):
    body = {
        "function": "web",
        "claims": {"iss": idp.issuer, "sub": "x", "aud": "actas", "exp": 4_000_000_000},
        "at": at,
    }
    return one.ask("POST", "/admin/v1/explain", token, control=True, json=body)


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "1969-12-31T23:59:59Z", "now", ""])
def test_a_moment_that_no_zone_can_tell_is_refused(at, gateway, tokens, idp):
    answer = explained(gateway, tokens["dalia"], idp, at)

    assert (answer.status_code, answer.json()["code"]) == (400, "http.bad-body")


@pytest.mark.parametrize("at", ["1970-01-01T00:00:00Z", "9998-12-31T23:59:59Z", "2026-11-23T23:00:00+01:00"])
def test_any_other_is_explained(at, gateway, tokens, idp):
    answer = explained(gateway, tokens["dalia"], idp, at)

    assert (answer.status_code, answer.json()["verdict"]) == (200, "deny")
