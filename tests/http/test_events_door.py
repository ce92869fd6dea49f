"""Pushed events over a real gateway: strangers learn nothing and are counted; what is taken is durable, once."""

import hashlib
import hmac
import json

import pytest

from actas.model import clock

SECRET = "correct-horse-battery-staple"
FIELDS = {"id": "id", "type": "type", "at": "at", "subject": "who", "kinds": {"left": "user-disabled"}}
SOURCE = {
    "kind": "webhook", "provider": "corp", "secret": {"env": "EVENTS_SECRET"}, "fields": FIELDS,
    "signature": {"header": "X-Signature", "timestamp": "X-Time", "signed": "{timestamp}.{body}"},
}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def _secret():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EVENTS_SECRET", SECRET)
        yield


def event(name, kind="left"):
    at = clock.now()
    return json.dumps({"id": name, "type": kind, "at": at.isoformat(timespec="seconds"), "who": "ana"}).encode()


def signed(body):
    stamp = str(int(clock.now().timestamp()))
    return {
        "X-Time": stamp,
        "X-Signature": hmac.new(SECRET.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest(),
    }


def push(one, body, *, to="hr", headers=None, method="POST"):
    return one.ask(method, f"/events/{to}", content=body, headers=signed(body) if headers is None else headers)


@pytest.fixture(scope="module")
def hearing(running, settings, request):
    waits_for = request.getfixturevalue("waits_for_all")
    with running(settings(events={"sources": {"hr": SOURCE}})) as one:
        waits_for(lambda: one.parts.ears is not None)
        yield one


@pytest.fixture(scope="module")
def waits_for_all():
    from time import monotonic, sleep

    def wait(holds):
        ends = monotonic() + 30
        while not holds():
            assert monotonic() < ends
            sleep(0.02)

    return wait


def figures(one):
    return one.parts.ears.gauges()


def test_a_delivery_that_proves_itself_is_durable_when_it_is_answered_and_counts_once(hearing):
    before = figures(hearing)
    body = event("once")

    answers = [push(hearing, body) for _ in range(3)]
    after = figures(hearing)

    assert [answer.status_code for answer in answers] == [204, 204, 204]
    assert {answer.content for answer in answers} == {b""}
    assert after["events_heard"] - before["events_heard"] == 1
    assert after["events_repeated"] - before["events_repeated"] == 2
    assert all(len(answer.headers["actas-call-id"]) == 26 for answer in answers)
    assert {answer.headers["cache-control"] for answer in answers} == {"no-store"}


REFUSED = [
    ("no proof", event("a"), {}, "hr", "POST", 401),
    ("a forged proof", event("a"), {"X-Signature": "0" * 64}, "hr", "POST", 401),
    ("no source of this name", event("a"), None, "nobody", "POST", 404),
    ("a name in another spelling", event("a"), None, "%68r", "POST", 404),
    ("a path below it", event("a"), None, "hr/more", "POST", 404),
    ("a folder", event("a"), None, "hr/", "POST", 404),
    ("an empty name", event("a"), None, "", "POST", 404),
    ("a body that is none", b"{", None, "hr", "POST", 400),
    ("more than is read", b" " * (1024 * 1024 + 1), None, "hr", "POST", 413),
    ("another method", b"", None, "hr", "PUT", 405),
]


@pytest.mark.parametrize(
    ("body", "headers", "to", "method", "status"), [one[1:] for one in REFUSED], ids=[one[0] for one in REFUSED]
)
def test_a_stranger_is_refused_counted_and_learns_nothing(hearing, body, headers, to, method, status):
    before, strangers = figures(hearing)["events_heard"], sum(hearing_gateway(hearing).values())

    answer = push(hearing, body, to=to, headers={**signed(body), **headers} if headers else headers, method=method)

    assert answer.status_code == status, answer.text
    assert figures(hearing)["events_heard"] == before
    assert SECRET not in answer.text
    assert "corp" not in answer.text
    assert "X-Signature" not in answer.text
    if status == 405:
        assert answer.headers["allow"] == "POST"
    assert sum(hearing_gateway(hearing).values()) >= strangers


def hearing_gateway(one):
    return one.parts.ears._house.gateway.strangers


def test_refusals_are_counted_by_their_code(hearing):
    before = hearing_gateway(hearing)["events.not-authentic"]

    push(hearing, event("a"), headers={})

    assert hearing_gateway(hearing)["events.not-authentic"] == before + 1


def test_a_head_that_can_be_read_in_two_ways_is_refused_here_too(hearing):
    with hearing.wire() as wire:
        wire.say(b"POST /events/hr HTTP/1.1\r\nHost: a\r\nHost: b\r\nContent-Length: 2\r\n\r\n{}")
        assert wire.answer().status == 400


def test_a_network_that_pushes_too_much_is_told_to_come_later_before_anything_is_verified(running, settings, waits_for):
    few = {"rate": {"network": 1, "subject": 0, "burst": 2}}
    with running(settings(limits=few, events={"sources": {"hr": SOURCE}})) as one:
        waits_for(lambda: one.parts.ears is not None)
        answers = [push(one, event(str(number))) for number in range(3)]

    assert [answer.status_code for answer in answers] == [204, 204, 429]
    assert int(answers[-1].headers["retry-after"]) >= 1


def test_where_too_much_waits_the_sender_is_told_when_to_come_again(running, settings, waits_for):
    made = settings(
        functions={"broken": {"python": "echo.py:there_is_no_such_function"}},
        events={"sources": {"hr": SOURCE}, "backlog": 1},
        on=[{"event": "user-disabled", "run": "broken"}],
        rules=[{"id": "events", "who": {"provider": "hr", "kind": "service"}, "may": ["broken"]}],
    )
    with running(made) as one:
        waits_for(lambda: one.parts.ears is not None)

        def full():
            answer = push(one, event(f"x{clock.now().timestamp()}"))
            return answer if answer.status_code != 204 else None

        answer = waits_for(full)

    assert answer.status_code == 503
    assert answer.json()["code"] == "events.backlogged"
    assert int(answer.headers["retry-after"]) == 5


def test_a_gateway_without_sources_has_nothing_there(running, settings, waits_for):
    with running(settings()) as one:
        waits_for(lambda: one.parts.ears is not None)
        assert push(one, event("a")).status_code == 404
