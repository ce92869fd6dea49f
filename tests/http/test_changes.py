"""Settings that change under a running gateway: the next call is decided by them, calls in flight are not."""

import threading
import time

import pytest

WITHIN = 10
"""Seconds; a second is promised, and a busy machine is given more."""


def without_ana(made):
    no = {"id": "not-ana", "who": {"provider": "corp", "groups": ["finance"]}, "may_not": "web"}
    return {**made, "rules": [*made["rules"], no]}


def soon(holds):
    ends = time.monotonic() + WITHIN
    while not holds():
        assert time.monotonic() < ends
        time.sleep(0.05)


def test_a_rule_that_is_edited_decides_the_next_call(running, settings, service, tokens):
    made = settings()
    with running(made) as one:
        before = one.call("web", tokens["ana"])
        generation = one.ready()["settings"]["generation"]

        one.write(without_ana(made))

        soon(lambda: one.call("web", tokens["ana"]).status_code == 403)
        after = one.call("web", tokens["ana"])
        assert one.ready()["settings"]["generation"] == generation + 1
        one.write(made)
        soon(lambda: one.call("web", tokens["ana"]).status_code == 200)
        records = [one.trail(answer.headers["actas-call-id"])[0] for answer in (before, after)]

    assert [record["verdict"] for record in records] == ["allow", "deny"]
    assert records[0]["generation"] != records[1]["generation"]


def test_a_broken_file_keeps_the_old_rules_and_says_so(running, settings, service, tokens):
    made = settings()
    with running(made) as one:
        one.file.write_text("rules: [")

        soon(lambda: one.ask("GET", "/readyz", control=True).json()["settings"]["broken"])
        call = one.call("web", tokens["ana"])
        text = one.ask("GET", "/metrics", tokens["dalia"], control=True).text
        ready = one.ask("GET", "/readyz", control=True)
        one.write(made)
        soon(lambda: one.ask("GET", "/readyz", control=True).json()["settings"]["broken"] is None)
        mended = one.ask("GET", "/metrics", tokens["dalia"], control=True).text

    assert (call.status_code, ready.status_code) == (200, 200)
    assert "actas_settings_broken 1.0" in text
    assert "actas_settings_broken 0.0" in mended
    assert one.broken


def test_a_call_in_flight_keeps_the_rules_and_the_backend_it_began_with(running, settings, service, tokens):
    made = settings()
    moved = {**made, "functions": {"web": {**made["functions"]["web"], "timeout": "19s"}}}
    answers = []
    with running(made) as one:
        calling = threading.Thread(
            target=lambda: answers.append(one.ask("GET", "/web/wait", tokens["ana"])), name="a call in flight"
        )
        with one.wire() as wire:
            wire.say(
                f"GET /web/drip HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {tokens['ana']}\r\n\r\n".encode()
            ).answer(to_head=True)
            assert wire.piece() == b"first"
            calling.start()
            assert service.got_piece.wait(20)

            one.write(without_ana(moved))
            soon(lambda: one.call("web", tokens["ana"]).status_code == 403)
            service.go_on.set()
            calling.join(30)
            rest = [wire.piece(), wire.piece()]

    assert (answers[0].status_code, answers[0].text) == (200, "waited")
    assert rest == [b"second", b""]


def test_a_function_here_that_is_changed_while_it_runs_finishes(running, settings, tokens):
    made = settings(local=True)
    changed = {**made, "functions": {**made["functions"], "echo": {**made["functions"]["echo"], "memory": "96MB"}}}
    answers = []
    with running(made) as one:
        one.call("echo", tokens["ana"])
        calling = threading.Thread(target=lambda: answers.append(one.call("echo", tokens["ana"], {"sleep": 2})))
        calling.start()
        soon(lambda: sum(record.get("function") == "echo" for record in one.records()) == 2)

        one.write(changed)
        soon(lambda: one.ready()["settings"]["generation"] == 2)
        again = one.call("echo", tokens["ana"], {"new": 1})
        calling.join(30)

    assert answers[0].json() == {"event": {"sleep": 2}}
    assert again.json() == {"event": {"new": 1}}


def test_a_limit_that_is_changed_holds_for_the_next_call(running, settings, service, tokens):
    made = settings()
    with running(made) as one:
        assert one.ask("POST", "/orders", tokens["ana"], content=b"x" * 2000).status_code == 200

        one.write({**made, "gateway": {**made["gateway"], "limits": {"body": "1KB"}}})

        soon(lambda: one.ask("POST", "/orders", tokens["ana"], content=b"x" * 2000).status_code == 413)


@pytest.mark.parametrize("key", ["listen", "state"])
def test_what_needs_a_new_start_does_not_break_what_runs(key, running, settings, service, tokens):
    made = settings()
    changed = {**made, "gateway": {**made["gateway"], key: {"listen": "127.0.0.1:1", "state": "elsewhere"}[key]}}
    with running(made) as one:
        one.write(changed)
        soon(lambda: one.ready()["settings"]["generation"] == 2 or one.ready()["settings"]["broken"])

        assert one.call("web", tokens["ana"]).status_code == 200
