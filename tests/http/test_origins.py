"""What belongs to the control origin is not to be had on the public one, whatever the rules allow."""

import pytest


@pytest.mark.parametrize("action", ["status.read", "metrics.read", "explain", "audit.read", "sessions.revoke"])
@pytest.mark.parametrize("colon", [":", "%3A", "%3a"], ids=["plain", "escaped", "escaped in small letters"])
def test_an_admin_action_cannot_be_called_as_a_function(action, colon, gateway, tokens):
    answer = gateway.call(f"admin{colon}{action}", tokens["dalia"])

    assert answer.status_code == 404


@pytest.mark.parametrize("name", ["ana@example.com", "Web", "web.x", "x" * 65, "x" * 5000, "-", "w%C3%A9b", "we b"])
def test_what_no_function_can_be_called_is_not_written_into_the_trail(name, gateway, tokens):
    before = len(gateway.records())

    answer = gateway.call(name, tokens["ana"])

    assert answer.status_code in (400, 404)
    assert not [one for one in gateway.records()[before:] if one.get("call") == answer.headers["actas-call-id"]]


def test_a_function_that_is_not_there_is_refused_and_written_down(gateway, tokens):
    answer = gateway.call("x" * 64, tokens["ana"])

    assert answer.status_code == 403
    assert gateway.trail(answer.headers["actas-call-id"])[0]["function"] == "x" * 64


def test_the_same_administrator_reaches_it_on_the_control_origin(gateway, tokens):
    assert gateway.ask("GET", "/metrics", tokens["dalia"], control=True).status_code == 200
