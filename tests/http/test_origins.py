"""What belongs to the control origin is not to be had on the public one, whatever the rules allow."""

import pytest


@pytest.mark.parametrize("action", ["status.read", "metrics.read", "explain", "audit.read", "sessions.revoke"])
@pytest.mark.parametrize("colon", [":", "%3A", "%3a"], ids=["plain", "escaped", "escaped in small letters"])
def test_an_admin_action_cannot_be_called_as_a_function(action, colon, gateway, tokens):
    answer = gateway.call(f"admin{colon}{action}", tokens["dalia"])

    assert answer.status_code == 404


def test_the_same_administrator_reaches_it_on_the_control_origin(gateway, tokens):
    assert gateway.ask("GET", "/metrics", tokens["dalia"], control=True).status_code == 200
