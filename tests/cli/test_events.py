"""`actas events` shows what was heard, what is set apart and what is missing, and names nobody unasked."""

import json
from datetime import UTC, datetime, timedelta

import anyio
import pytest

from actas import store
from actas.audit.trail import PERSON_KEY
from actas.cli import ASKED_WRONGLY, CANNOT_TELL, DENIED, DONE, events_text, run
from actas.events import telling
from actas.events.desk import Compared
from actas.events.inbox import Inbox, Places, Told
from actas.events.interface import Listed
from actas.events.jobs import QUEUE
from actas.events.meaning import Meaning
from actas.events.normal import IdentityEvent, Kind
from actas.model import clock
from actas.secrets.resting import FILE, Resting
from actas.settings.reader import read
from actas.store import person_key
from actas.store.heard_rows import Heard
from actas.store.outbox import Dead, Outbox
from actas.store.watermarks import Watermarks

AT = datetime(2026, 3, 14, 12, tzinfo=UTC)
SETTINGS = """
providers:
  corp: {preset: keycloak, issuer: "https://sso.example/realms/corp", audience: actas}
functions:
  deprovision: {python: "hr.py:handler"}
events:
  sources:
    hr:
      kind: webhook
      provider: corp
      secret: {file: secret}
      signature: {header: X-Sig, timestamp: X-Time, signed: "{timestamp}.{body}"}
on:
  - {event: role-revoked, run: deprovision, payload: [role]}
rules:
  - {id: hr-runs, who: {provider: hr, kind: service}, may: [deprovision]}
"""


async def _fill(folder):
    """Hear two events; the delivery of one is set apart."""
    settings = read(folder / "actas.yaml").usable()
    state = folder / ".actas"
    state.mkdir(mode=0o700)
    opened = await store.open(state)
    seals, key = Resting(state / FILE, clock.now), person_key.read(state / PERSON_KEY)
    outbox = Outbox(opened, clock.now, seals=seals)
    marks = Watermarks(key, clock.now)
    inbox = Inbox(Places(outbox=outbox, marks=marks, key=key, seals=seals, clock=clock.now), Meaning(settings))
    about = {"source": "hr", "provider": "corp", "happened_at": AT, "heard_at": AT + timedelta(seconds=2)}
    events = (
        IdentityEvent(
            id="e1", kind=Kind.ROLE_REVOKED, subject="ana-secret", roles=("admin",), raw=b'{"a": 1}', **about
        ),
        IdentityEvent(id="e2", kind=Kind.SIGNED_IN, subject="ben-secret", **about),
    )

    async def work(job):
        return Dead("function error: KeyError")

    try:
        await inbox.take(Told(source="hr", events=events))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(lambda: outbox.run(QUEUE, work, at_once=1))
            while not (await outbox.counts(QUEUE)).dead:  # noqa: ASYNC110 - the database tells nobody
                await anyio.sleep(0.01)
            tasks.cancel_scope.cancel()
    finally:
        await opened.close()


@pytest.fixture
def events(tmp_path, monkeypatch, capsys):
    (tmp_path / "actas.yaml").write_text(SETTINGS)
    (tmp_path / "hr.py").write_text("def handler(event, context):\n    return 1\n")
    (tmp_path / "secret").write_text("a-secret-of-this-test")
    (tmp_path / "secret").chmod(0o600)
    monkeypatch.chdir(tmp_path)
    anyio.run(_fill, tmp_path)
    capsys.readouterr()

    def ask(*words):
        code = run(["events", *words])
        told = capsys.readouterr()
        ask.err = told.err
        return code, told.out

    return ask


def test_tail_shows_what_happened_and_names_nobody(events):
    code, out = events("tail")

    assert code == DONE
    lines = out.splitlines()
    assert len(lines) == 2
    assert "2026-03-14T12:00:00+00:00  hr  role-revoked" in lines[0]
    assert lines[0].endswith("heard after 2.0 s  ended: subject  runs 1")
    assert "secret" not in out


def test_tail_as_data_is_one_object_an_event(events):
    code, out = events("tail", "1", "--source", "hr", "--json")

    assert code == DONE
    assert json.loads(out) == {
        "number": 2, "source": "hr", "kind": "signed-in", "happened_at": "2026-03-14T12:00:00+00:00",
        "heard_at": "2026-03-14T12:00:02+00:00", "ended": None, "deliveries": 0,
    }  # fmt: skip


def test_show_opens_one_event_for_whoever_has_the_keys(events):
    code, out = events("show", "1", "--json")

    found = json.loads(out)
    assert code == DONE
    assert (found["id"], found["subject"], found["roles"], found["raw"]) == ("e1", "ana-secret", ["admin"], True)


def test_show_gives_what_came_as_it_came_where_it_is_kept(events):
    assert events("show", "1", "--raw") == (DONE, '{"a": 1}\n')
    assert events("show", "2", "--raw") == (CANNOT_TELL, "\n")


def test_an_event_that_is_not_there_is_told_so(events):
    code, _ = events("show", "99")

    assert code == ASKED_WRONGLY


def test_dead_tells_why_and_replay_tries_again(events):
    code, out = events("dead", "--json")
    letter = json.loads(out)
    again = events("replay", letter["id"])
    nothing = events("replay", letter["id"])
    left = events("dead", "--json")

    assert code == DONE
    assert (letter["function"], letter["kind"], letter["attempts"]) == ("deprovision", "role-revoked", 1)
    assert letter["why"] == "function error: KeyError"
    assert again == (DONE, "1 of 1 deliveries are tried again\n")
    assert nothing == (CANNOT_TELL, "0 of 1 deliveries are tried again\n")
    assert left == (DONE, "")


def test_replay_takes_everything_at_once(events):
    assert events("replay", "--every", "--json")[0] == DONE
    assert events("dead") == (DONE, "")


def test_audit_says_of_a_source_that_only_hears_that_nothing_can_be_proved(events):
    code, out = events("audit", "--since", "24h")

    assert code == CANNOT_TELL
    assert out == "hr  cannot tell what its provider has: nothing of it can be proved\n"


def compared(**more):
    told = {"source": "hr", "asked": AT, "since": AT, "until": AT + timedelta(days=1), "listed": 2}
    return events_text.compared(Compared(**told | more))


LINE = "hr  2026-03-14T12:00:00+00:00 to 2026-03-15T12:00:00+00:00: the provider lists 2, "
MISSED = Listed(id="e-9", happened_at=AT, kind="signed-in")
EARLIER = {"asked": AT - timedelta(days=2)}
TEXTS = [
    ("nothing amiss", {}, LINE + "nothing is missing"),
    ("something missing", {"missing": 1, "examples": (MISSED,)},
     LINE + "1 is missing\n  2026-03-14T12:00:00+00:00  signed-in  e-9"),
    ("what is forgotten here", {"bound": "forgotten-here", **EARLIER},
     LINE + "nothing is missing\n  from 2026-03-12T12:00:00+00:00 to then: cannot be proved; what was heard is "
     "forgotten (events.keep says after how long)"),
    ("what the provider forgets", {"bound": "forgotten-there", **EARLIER},
     LINE + "nothing is missing\n  from 2026-03-12T12:00:00+00:00 to then: cannot be proved; the provider keeps "
     "nothing that long"),
    ("what was before the beginning", {"bound": "began", **EARLIER},
     LINE + "nothing is missing\n  from 2026-03-12T12:00:00+00:00 to then: not looked at; it was not heard yet, and "
     "only what ends access was asked for"),
]  # fmt: skip


@pytest.mark.parametrize(("about", "text"), [case[1:] for case in TEXTS], ids=[case[0] for case in TEXTS])
def test_a_comparison_says_what_it_proves_and_what_not(about, text):
    assert compared(**about) == text


def test_doctor_says_what_to_switch_on_where_nothing_can_be_looked_at(events):
    code, out = events("doctor")

    assert code == DONE
    address, _, sender, hint = out.splitlines()
    assert address.startswith("hr  warning[address-not-https]: deliveries come to http://127.0.0.1:8700/events/hr, ")
    assert sender == "hr  warning[sender-unseen]: the sender cannot be seen from here"
    assert hint.startswith("  hint: Have it post each event to http://127.0.0.1:8700/events/hr, ")


def test_doctor_mends_nothing_without_an_administrator_s_token(events):
    code, _ = events("doctor", "--fix")

    assert code not in (DONE, DENIED)


ASKED = [
    ("no source of this name to compare", ("audit", "--source", "nobody"),
     "cli.no-such-source", "there is no source of events 'nobody'; the settings have hr"),
    ("none to examine", ("doctor", "--source", "nobody"), "cli.no-such-source", "the settings have hr"),
    ("none that was heard", ("tail", "--source", "nobody"), "cli.no-such-source", "the settings have hr"),
    ("no events", ("tail", "0"), "cli.usage", "Must be >= 1"),
    ("fewer than none", ("tail", "--count=-5"), "cli.usage", "Must be >= 1"),
    ("fewer letters than none", ("dead", "--most=-1"), "cli.usage", "Must be >= 1"),
    ("more than there is paper for", ("tail", "100001"), "cli.usage", "Must be <= 100000"),
    ("nothing to try again", ("replay",), "cli.nothing-to-replay", "neither ids nor --every are given"),
    ("all and one", ("replay", "--every", "X"), "cli.nothing-to-replay", "both ids and --every are given"),
    ("a day that is none", ("audit", "--since", "yesterday"), "cli.bad-since", "is neither a span nor a time"),
    ("a moment ago", ("audit", "--since", "89s"), "cli.bad-since", "may still be under way"),
    ("tomorrow", ("audit", "--since", "9998-01-01"), "cli.bad-since", "is too late"),
    ("longer than there was time", ("audit", "--since", "9999999d"), "cli.bad-since", "is neither a span nor a time"),
]  # fmt: skip


@pytest.mark.parametrize(("words", "code", "message"), [case[1:] for case in ASKED], ids=[case[0] for case in ASKED])
def test_what_is_asked_wrongly_is_told_with_what_to_do(events, words, code, message):
    exit_code, out = events(*words)

    assert (exit_code, out) == (ASKED_WRONGLY, "")
    assert events.err.startswith(f"error[{code}]: ")
    assert message in events.err
    assert "\n  hint: " in events.err


@pytest.mark.parametrize(
    "words",
    [("tail", "1"), ("dead", "--most", "1"), ("replay", "--every"), ("tail", "--source", "hr"), ("tail", "100000")],
    ids=["one event", "one letter", "all that are dead", "a source's", "as many as may be"],
)
def test_what_is_asked_rightly_is_answered(events, words):
    code, out = events(*words)

    assert (code, events.err) == (DONE, "")
    assert out


def test_a_span_just_long_enough_is_compared(events):
    assert events("audit", "--since", "91s")[0] == CANNOT_TELL  # as a source that only hears can prove nothing


def test_where_nothing_is_there_a_person_is_told_and_a_program_gets_nothing(events):
    events("replay", "--every")
    code, out = events("dead")
    told = events.err
    silent = events("dead", "--json")

    assert (code, out, told) == (DONE, "", "nothing is set apart\n")
    assert (*silent, events.err) == (DONE, "", "")


def test_where_no_gateway_ran_nothing_is_made_and_that_is_told(tmp_path, monkeypatch, capsys):
    (tmp_path / "actas.yaml").write_text(SETTINGS)
    (tmp_path / "hr.py").write_text("def handler(event, context):\n    return 1\n")
    (tmp_path / "secret").write_text("a-secret-of-this-test")
    (tmp_path / "secret").chmod(0o600)
    monkeypatch.chdir(tmp_path)
    codes = [run(["events", *words]) for words in (["tail"], ["dead"], ["audit"], ["show", "1"], ["replay", "--every"])]

    assert codes == [ASKED_WRONGLY] * 5
    assert capsys.readouterr().err.count("error[cli.nothing-kept]") == 5
    assert not (tmp_path / ".actas").exists()


def test_settings_without_sources_are_told_so(events, tmp_path):
    text = SETTINGS[: SETTINGS.index("events:")]
    (tmp_path / "actas.yaml").write_text(text)
    codes = [events(*words)[0] for words in (["audit"], ["doctor"])]

    assert codes == [ASKED_WRONGLY] * 2
    assert "error[cli.no-sources]" in events.err


@pytest.mark.parametrize(
    ("ended", "text"),
    [("subject", "  ended: subject"), ("address", "  ended: address"), ("nobody", "  matches nobody"), ("", "")],
    ids=["somebody", "somebody by address", "nobody who was found", "what ends nothing"],
)
def test_a_line_says_whose_access_an_event_ended_and_that_it_found_nobody(ended, text):
    row = Heard(
        sequence=7, finder=b"", source="hr", kind="user-disabled", happened_at=AT, heard_at=AT, deliveries=0,
        ended=ended, body=b"",
    )  # fmt: skip

    assert events_text.heard(row).endswith(f"user-disabled       heard after 0.0 s{text}")


def test_an_event_is_shown_with_how_it_named_whom_it_did_not_find():
    row = Heard(
        sequence=7, finder=b"", source="hr", kind="user-disabled", happened_at=AT, heard_at=AT, deliveries=0,
        ended="nobody", body=b"",
    )  # fmt: skip
    named = ("email:ana@people.example", "phone_number:+49301234567")
    one = IdentityEvent(
        id="e1",
        source="hr",
        provider="corp",
        type="left",
        kind=Kind.USER_DISABLED,
        happened_at=AT,
        heard_at=AT,
        named=named,
    )

    shown = dict(line.split(maxsplit=1) for line in events_text.event(telling.event_data(row, one)).splitlines())

    assert (shown["ended"], shown["named"]) == ("nobody", ", ".join(named))
