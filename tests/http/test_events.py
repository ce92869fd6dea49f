"""An event runs its function as the source's role, and ends what it ends, through a whole gateway."""

import base64
import hashlib
import hmac
import itertools
import json
import re
import sqlite3
from datetime import timedelta

import pytest

from actas.model import clock

SECRET = "a-secret-of-these-tests"
CODE = """
import json, os

def told(event, context):
    told = context.client_context.custom.get("idempotency_key")
    role = os.environ.get("AWS_ACCESS_KEY_ID") is not None
    print("told " + json.dumps({"event": event, "key": told, "role": role}))
    if event["data"].get("reason") == "fail":
        raise KeyError("as asked")

def never(event, context):
    print("never")

def whoami(event, context):
    return os.environ.get("AWS_ACCESS_KEY_ID")
"""
NUMBERS = itertools.count()
RULES = [
    {"id": "hr-runs", "who": {"provider": "hr", "kind": "service"}, "may": ["told"], "as": "reader"},
    {"id": "people", "who": {"provider": "corp"}, "may": ["whoami"], "as": "reader"},
]


@pytest.fixture(scope="module")
def hears(running, settings, tmp_path_factory):
    """Start gateways with a source of events that anybody with the secret can speak for."""
    secret = tmp_path_factory.mktemp("secrets") / "hr"
    secret.write_text(SECRET)
    secret.chmod(0o600)

    def start(**more):
        fields = {
            "subject": "who", "session": "sid", "roles": "roles", "client": "client",
            "kinds": {"left": "user-disabled", "out": "signed-out", "lost": "role-revoked", "in": "signed-in"},
        }  # fmt: skip
        source = {
            "kind": "webhook", "provider": "corp", "secret": {"file": str(secret)}, "signature": {"header": "X-Sig"},
            "fields": fields, "own_clients": "robot", "oldest": "1d",
        }  # fmt: skip
        functions = {name: {"python": f"hr.py:{name}", "timeout": "20s"} for name in ("told", "never", "whoami")}
        on = [
            {"event": "signed-in", "run": "told", "as": "reader", "payload": ["subject", "role", "type"]},
            {"event": "role-revoked", "run": "told", "as": "reader", "payload": ["role", "happened_at"]},
        ]
        made = settings(
            functions=functions,
            rules=more.pop("rules", RULES),
            events={"sources": {"hr": source}, "attempts": 2},
            on=more.pop("on", on),
            **more,
        )
        found = running(made)
        (found.folder / "hr.py").write_text(CODE)
        return found

    return start


@pytest.fixture(scope="module")
def hearing(hears):
    with hears() as one:
        yield one


def push(gateway, kind, who, waits_for, *, at=None, **more):
    """Tell the gateway of an event; give its id."""
    name = f"event-{next(NUMBERS)}"
    at = at or clock.now()
    body = json.dumps({"id": name, "type": kind, "time": at.isoformat(), "who": who, **more}).encode()
    signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()

    def sent():
        answer = gateway.ask("POST", "/events/hr", content=body, headers={"X-Sig": signature})
        assert answer.status_code in (204, 503), answer.text  # the store is opened shortly after the start
        return answer.status_code == 204

    waits_for(sent)
    return name


def subject_of(token):
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))["sub"]


def said(gateway):
    """Give what functions were told, as their logs have it."""
    files = [path for path in (gateway.folder / ".actas" / "logs").rglob("*") if path.is_file()]
    lines = [line for path in files for line in path.read_text().splitlines()]
    return [json.loads(line.partition("told ")[2]) for line in lines if "told {" in line]


def test_an_event_runs_its_function_once_as_the_role_that_a_rule_gives(hearing, waits_for):
    push(hearing, "in", "ana-1", waits_for, roles=["admin"])

    found = waits_for(lambda: [one for one in said(hearing) if one["event"]["data"].get("subject") == "ana-1"])
    assert len(found) == 1
    assert found[0]["role"]
    event = found[0]["event"]
    assert event["type"] == "actas.identity.signed-in"
    assert found[0]["key"] == event["id"]
    assert event["data"] == {"subject": "ana-1", "role": "admin", "type": "in"}


def test_it_is_in_the_trail_as_a_call_of_its_source(hearing, waits_for):
    before = len(hearing.records())
    push(hearing, "lost", "ben-1", waits_for, roles=["admin"])

    def decided():
        return [one for one in hearing.records()[before:] if one.get("door") == "events"]

    (one,) = waits_for(decided)
    assert (one["provider"], one["kind"], one["evidence"], one["verdict"], one["role"], one["rules"]) == (
        "hr", "service", "event", "allow", "reader", ["hr-runs"],
    )  # fmt: skip
    assert "ben-1" not in json.dumps(hearing.records())


def test_what_comes_twice_runs_its_function_once(hearing, waits_for):
    body = json.dumps({"id": "twice", "type": "in", "time": clock.now().isoformat(), "who": "chidi-1"}).encode()
    headers = {"X-Sig": hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()}
    waits_for(lambda: hearing.ask("POST", "/events/hr", content=body, headers=headers).status_code == 204)
    assert hearing.ask("POST", "/events/hr", content=body, headers=headers).status_code == 204
    push(hearing, "in", "chidi-2", waits_for)

    waits_for(lambda: [one for one in said(hearing) if one["event"]["data"].get("subject") == "chidi-2"])
    assert len([one for one in said(hearing) if one["event"]["data"].get("subject") == "chidi-1"]) == 1


def test_what_our_own_client_caused_runs_nothing(hearing, waits_for):
    push(hearing, "in", "robot-1", waits_for, client="robot")
    push(hearing, "in", "robot-2", waits_for)

    waits_for(lambda: [one for one in said(hearing) if one["event"]["data"].get("subject") == "robot-2"])
    assert [one for one in said(hearing) if one["event"]["data"].get("subject") == "robot-1"] == []


def test_an_event_ends_the_token_the_session_and_the_warm_process_of_its_subject(hearing, idp, waits_for):
    tokens = {name: idp.token(person=name) for name in ("ana", "ben")}
    first = {name: hearing.call("whoami", token) for name, token in tokens.items()}
    assert [one.status_code for one in first.values()] == [200, 200]
    warm = {process: process.grant.identity.subject for process in list(hearing.parts.pool.pool._all)
            if process.key.function == "whoami" and process.grant}  # fmt: skip
    ana = next(subject for subject in warm.values() if subject == subject_of(tokens["ana"]))

    push(hearing, "left", ana, waits_for, at=clock.now() + timedelta(seconds=2))

    waits_for(lambda: hearing.call("whoami", tokens["ana"]).status_code == 401)
    waits_for(lambda: all(process.ending for process, whose in warm.items() if whose == ana))
    assert hearing.call("whoami", tokens["ben"]).json() == first["ben"].json()
    assert not any(process.ending for process, whose in warm.items() if whose != ana)
    later = idp.token(person="ana", issued_at=clock.now() + timedelta(seconds=3))
    fresh = waits_for(lambda: (one := hearing.call("whoami", later)).status_code == 200 and one)
    assert fresh.json() != first["ana"].json()


def test_an_end_of_a_session_leaves_the_subject_s_others(hearing, idp, waits_for):
    one, other = (idp.token(person="dalia", sid=sid) for sid in ("sid-1", "sid-2"))
    assert [hearing.call("whoami", token).status_code for token in (one, other)] == [200, 200]

    push(hearing, "out", subject_of(one), waits_for, sid="sid-1", at=clock.now() + timedelta(seconds=2))

    waits_for(lambda: hearing.call("whoami", one).status_code == 401)
    assert hearing.call("whoami", other).status_code == 200


def test_a_function_that_fails_is_tried_again_and_then_set_apart(hears, waits_for):
    on = [{"event": "signed-in", "run": "told", "as": "reader", "payload": ["subject", "reason", "type"]}]
    with hears(on=on) as one:
        (one.folder / "hr.py").write_text(CODE.replace('.get("reason") == "fail"', '.get("subject") == "bad"'))
        push(one, "in", "bad", waits_for)
        push(one, "in", "good", waits_for)
        dead = waits_for(lambda: one.parts.ears and one.parts.ears.counts and one.parts.ears.counts.dead)
        file = one.folder / ".actas" / "state.db"
        with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as connection:
            why = connection.execute("select why from outbox where state = 2").fetchone()[0]

    assert dead == 1
    assert why == "function error: KeyError"
    assert [one["event"]["data"]["subject"] for one in said(one)].count("bad") == 2


@pytest.mark.parametrize(
    ("more", "runs", "why"),
    [
        ([], 1, None),
        ([{"id": "never", "who": {"provider": "hr"}, "may_not": ["told"]}], 0, "refused: rule-forbids"),
    ],
    ids=["as the rules let it", "against a rule"],
)
def test_an_entry_only_asks_and_the_rules_answer_when_it_runs(hears, waits_for, more, runs, why):
    with hears(rules=[*RULES, *more]) as one:
        push(one, "in", "asked", waits_for, roles=["admin"])
        courier = one.parts.ears.courier
        waits_for(lambda: courier.dead or courier.delivered)
        file = one.folder / ".actas" / "state.db"
        with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as connection:
            settled = "select state, why from outbox where queue = 'events' and state > 0"
            found = waits_for(lambda: connection.execute(settled).fetchall())
        waits_for(lambda: len(said(one)) >= runs)  # a log may come after the answer

    assert (len(said(one)), courier.delivered, courier.dead) == (runs, runs, 1 - runs)
    assert found == [(1 if runs else 2, why)]


@pytest.mark.parametrize(("own", "least"), [(False, 0), (True, 3)], ids=["not asked for", "asked for"])
def test_a_function_that_causes_what_it_runs_on_does_so_once_unless_it_asks_for_its_own(hears, waits_for, own, least):
    """The function's own doings come back as events of its client; here the test tells them for the provider."""
    on = [{"event": "signed-in", "run": "told", "as": "reader", "payload": ["subject", "client"], "own": own}]
    with hears(on=on) as one:
        push(one, "in", "somebody", waits_for, client="app")
        for turn in range(3):  # each run causes one more
            waits_for(lambda turn=turn: len(said(one)) >= 1 + (turn if own else 0))
            push(one, "in", f"caused-{turn}", waits_for, client="robot")
        push(one, "in", "last", waits_for, client="app")
        waits_for(lambda: any(found["event"]["data"]["subject"] == "last" for found in said(one)))
        waits_for(lambda: len(said(one)) >= 2 + least)

    assert sorted(found["event"]["data"]["client"] for found in said(one)) == ["app"] * 2 + ["robot"] * least


def test_an_audit_over_the_admin_api_leaves_no_source_out(hears, idp, waits_for):
    asked = {"since": "2026-03-14T12:00:00Z"}
    bodies = [asked, {**asked, "source": "hr"}, {**asked, "source": "gone"}, {**asked, "source": "nobody"},
              {"since": clock.now().isoformat()}]  # fmt: skip
    with hears() as one:
        token = idp.token(person="dalia")
        waits_for(lambda: one.parts.ears is not None)
        one.parts.ears.broken = {"gone": "events.as-if"}  # as where its settings lack what only making it can tell
        answers = [
            one.ask("POST", "/admin/v1/events/audits", token, control=True, content=json.dumps(body)) for body in bodies
        ]
        seen = one.ask("GET", "/admin/v1/events/sources", token, control=True).json()["sources"]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 404, 400]
    troubles = [{found["source"]: found["trouble"] for found in answer.json()["sources"]} for answer in answers[:3]]
    assert troubles[0].keys() == {"hr", "gone"}
    assert troubles[1] == {"hr": "cannot"}
    assert troubles[2] == {"gone": "events.as-if"}
    assert None not in troubles[0].values()
    assert {found["source"] for found in seen} == {"hr", "gone"}


def test_readiness_and_figures_tell_how_the_sources_do(hearing, idp, waits_for):
    push(hearing, "in", "eve-1", waits_for)
    state = waits_for(lambda: (found := hearing.ready()["events"]) and found["sources"] and found)

    assert state["sources"][0]["source"] == "hr"
    assert state["sources"][0]["trouble"] is None
    assert state["revocation"] == {"corp": "events"}
    figures = hearing.ask("GET", "/metrics", idp.token(person="dalia"), control=True)
    assert figures.status_code == 200
    assert "actas_events_heard" in figures.text
    assert 'actas_event_source_trouble{source="hr"} 0.0' in figures.text
    assert 'actas_event_source_lag_seconds{source="hr"}' in figures.text


def test_how_long_it_took_until_access_was_over_is_counted(hearing, idp, waits_for):
    def count():
        text = hearing.ask("GET", "/metrics", idp.token(person="dalia"), control=True).text
        return float(re.search(r"^actas_access_end_seconds_count ([0-9.]+)$", text, re.MULTILINE)[1])

    before = count()
    push(hearing, "left", "somebody", waits_for)

    assert waits_for(lambda: count() > before)
