"""Whoever shows nothing, or comes too often, is counted like every other stranger."""

import re
import time


def counted(one, reason, token):
    text = one.ask("GET", "/metrics", token, control=True).text
    found = re.search(rf'actas_strangers_total{{reason="{re.escape(reason)}"}} ([0-9.]+)', text)
    return float(found[1]) if found else 0.0


def test_a_call_without_a_token_is_counted_on_both_origins(gateway, tokens):
    before = counted(gateway, "http.no-token", tokens["dalia"])

    answers = [
        gateway.call("web", None).status_code,
        gateway.ask("GET", "/orders/7").status_code,
        gateway.ask("GET", "/admin/v1/status", control=True).status_code,
    ]

    assert answers == [401, 401, 401]
    assert counted(gateway, "http.no-token", tokens["dalia"]) == before + 3


def test_a_network_that_comes_too_often_is_counted(running, settings, tokens):
    slow = settings(limits={"rate": {"network": 60, "burst": 4, "subject": 0}})
    with running(slow) as one:
        answers = [one.call("web", "abc").status_code for _ in range(7)]
        one.write({**slow, "gateway": {**slow["gateway"], "limits": {"rate": {"network": 0, "subject": 0}}}})
        ended = time.monotonic() + 20
        while one.ready()["settings"]["generation"] < 2 and time.monotonic() < ended:
            time.sleep(0.05)

        assert 429 in answers
        assert counted(one, "http.too-many-calls", tokens["dalia"]) == answers.count(429)
