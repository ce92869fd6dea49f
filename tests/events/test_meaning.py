"""What an event runs, what a function is told of it, and what it ends."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from actas.assume.cutting import document
from actas.events import cuts
from actas.events.ends import Cut, Reach, cut
from actas.events.envelopes import Outside, wrap
from actas.events.meaning import Meaning
from actas.events.normal import KINDS, Kind
from actas.events.subscriptions import facts, subscription
from actas.settings.schema_events import ENDING, EVENT_FACTS

AT = datetime(2026, 3, 14, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ADDRESS = ("email:ana@people.example",)

WHERE = [
    ("nothing asked for", {}, {}, True),
    ("one of its roles", {"role": "admin"}, {"roles": ("user", "admin")}, True),
    ("none of its roles", {"role": "admin"}, {"roles": ("user",)}, False),
    ("no roles at all", {"role": "admin"}, {}, False),
    ("one of several groups asked for", {"group": ("a", "b")}, {"groups": ("b",)}, True),
    ("its source", {"source": "hr"}, {}, True),
    ("another source", {"source": "other"}, {}, False),
    ("its client", {"client": "app"}, {"client": "app"}, True),
    ("a client that it does not have", {"client": "app"}, {}, False),
    ("all of what is asked for", {"client": "app", "role": "admin"}, {"client": "app", "roles": ("admin",)}, True),
    ("one thing of two", {"client": "app", "role": "admin"}, {"client": "app"}, False),
]


@pytest.mark.parametrize(("where", "about", "wanted"), [case[1:] for case in WHERE], ids=[case[0] for case in WHERE])
def test_a_subscription_runs_for_what_it_asks_for(event, on, where, about, wanted):
    assert subscription(on(where=where)).wants(event("e1", **about), own=False) is wanted


def test_another_kind_does_not_run_it(event, on):
    one = subscription(on(event=("role-revoked", "group-left")))

    assert [kind for kind in KINDS if one.wants(event("e1", kind=kind), own=False)] == ["role-revoked", "group-left"]


def test_a_subscription_is_another_one_when_what_it_runs_changes_and_not_when_what_it_tells_does(on):
    same = {subscription(on(payload=payload)).id for payload in (("id",), ("subject",))}
    others = {subscription(on(**more)).id for more in ({}, {"run": "x"}, {"as_": "r"}, {"where": {"role": "a"}})}

    assert (len(same), len(others)) == (1, 4)


def test_every_fact_that_can_be_asked_for_can_be_told(event):
    one = event(
        "e1",
        roles=("admin",),
        groups=("a", "b"),
        session="s",
        client="app",
        actor="ben",
        reason="r",
        type="t",
        named=ADDRESS,
    )

    assert facts(one, EVENT_FACTS) == {
        "id": "e1", "source": "hr", "provider": "corp", "kind": "role-revoked", "type": "t", "subject": "ana",
        "actor": "ben", "client": "app", "session": "s", "happened_at": "2026-03-14T12:00:00+00:00",
        "heard_at": "2026-03-14T12:00:01+00:00", "roles": ("admin",), "groups": ("a", "b"), "role": "admin",
        "group": None, "reason": "r", "named": ("email:ana@people.example",),
    }  # fmt: skip


def outside():
    return Outside(key="k-1", source="hr", kind="role-revoked", at=AT, account="111122223333", region="eu-west-1")


def test_a_cloudevent_has_what_the_standard_asks_for():
    assert msgspec.json.decode(wrap("cloudevents", outside(), {"role": "admin"})) == {
        "specversion": "1.0",
        "id": "k-1",
        "source": "/actas/events/hr",
        "type": "actas.identity.role-revoked",
        "time": "2026-03-14T12:00:00Z",
        "datacontenttype": "application/json",
        "data": {"role": "admin"},
    }


def test_an_eventbridge_event_has_what_its_targets_expect():
    assert msgspec.json.decode(wrap("eventbridge", outside(), {"role": "admin"})) == {
        "version": "0",
        "id": "k-1",
        "detail-type": "actas.identity.role-revoked",
        "source": "actas.events.hr",
        "account": "111122223333",
        "time": "2026-03-14T12:00:00Z",
        "region": "eu-west-1",
        "resources": [],
        "detail": {"role": "admin"},
    }


ENDS = [
    ("a role taken away", {"kind": "role-revoked"}, ("subject", "ana", None)),
    ("a group left", {"kind": "group-left"}, ("subject", "ana", None)),
    ("a user disabled", {"kind": "user-disabled"}, ("subject", "ana", None)),
    ("a user deleted", {"kind": "user-deleted"}, ("subject", "ana", None)),
    ("a credential changed", {"kind": "credential-changed"}, ("subject", "ana", None)),
    ("a session revoked", {"kind": "session-revoked", "session": "s"}, ("session", "ana", "s")),
    ("a session revoked that is not named", {"kind": "session-revoked"}, ("subject", "ana", None)),
    ("a sign-out", {"kind": "signed-out", "session": "s"}, ("session", "ana", "s")),
    ("a sign-out of everywhere", {"kind": "signed-out"}, ("subject", "ana", None)),
    ("a role changed for everybody", {"kind": "role-revoked", "subject": None}, ("provider", None, None)),
    ("a sign-out of nobody", {"kind": "signed-out", "subject": None}, None),
    ("a role granted", {"kind": "role-granted"}, None),
    ("a group joined", {"kind": "group-joined"}, None),
    ("a sign-in", {"kind": "signed-in"}, None),
    ("a risk", {"kind": "risk-changed"}, None),
    ("anything else", {"kind": "other"}, None),
]


@pytest.mark.parametrize(("about", "ends"), [case[1:] for case in ENDS], ids=[case[0] for case in ENDS])
def test_what_an_event_ends(event, about, ends):
    found = cut(event("e1", **about), Reach(kinds=KINDS, leeway=MINUTE))

    assert (None if found is None else (found.what, found.subject, found.session)) == ends


def test_nothing_ends_by_a_kind_that_the_source_may_not_end_by(event):
    assert cut(event("e1"), Reach(kinds={"user-deleted"}, leeway=MINUTE)) is None
    assert cut(event("e1"), Reach(kinds={"role-revoked"}, leeway=MINUTE)) is not None


BY_PHONE = {"subject": None, "named": ("phone_number:+49301234567",)}
BY_ADDRESS = {"subject": None, "named": ("phone_number:+49301234567", *ADDRESS)}
NAMED = [
    ("by an address that is one person's", {"addresses": True}, BY_ADDRESS, "address"),
    ("by an address that is nobody's for good", {}, BY_ADDRESS, None),
    ("by an address that is taken for anybody", {"everybody": True}, BY_ADDRESS, "provider"),
    ("by a telephone number alone", {"addresses": True}, BY_PHONE, None),
    ("by a telephone number that is taken for anybody", {"addresses": True, "everybody": True}, BY_PHONE, "provider"),
    ("by an address and the identifier", {"addresses": True, "everybody": True}, {"named": ADDRESS}, "subject"),
    ("in no way at all", {}, {"subject": None}, "provider"),
]


@pytest.mark.parametrize(("how", "about", "ends"), [case[1:] for case in NAMED], ids=[case[0] for case in NAMED])
@pytest.mark.parametrize("kind", ["user-disabled", "role-revoked"])
def test_an_event_that_names_somebody(event, how, about, ends, kind):
    found = cut(event("e1", kind=kind, **about), Reach(kinds=KINDS, leeway=MINUTE, **how))

    assert (None if found is None else found.what) == ends
    assert (() if found is None else found.addresses) == (("ana@people.example",) if ends == "address" else ())


SESSIONS = [
    ("of somebody by an address", {"addresses": True}, BY_ADDRESS, "address"),
    ("of somebody by an address, and by its name", {"addresses": True}, BY_ADDRESS | {"session": "s"}, "session"),
    ("of nobody by an address, and by its name", {}, BY_ADDRESS | {"session": "s"}, "session"),
    ("of nobody by an address", {}, BY_ADDRESS, None),
    ("of somebody who is taken for anybody", {"everybody": True}, BY_PHONE, "provider"),
    ("of nobody at all", {"everybody": True}, {"subject": None}, None),
]


@pytest.mark.parametrize(("how", "about", "ends"), [case[1:] for case in SESSIONS], ids=[case[0] for case in SESSIONS])
def test_the_end_of_a_session(event, how, about, ends):
    found = cut(event("e1", kind="session-revoked", **about), Reach(kinds=KINDS, leeway=MINUTE, **how))

    assert (None if found is None else found.what) == ends


def test_what_takes_access_from_nobody_whom_we_know_is_told_from_what_takes_none(event, settings):
    meaning = Meaning(settings())
    lost = event("e1", kind="session-revoked", **BY_ADDRESS)

    assert meaning.is_lost(lost)
    assert not meaning.is_lost(event("e1", kind="session-revoked"))
    assert not meaning.is_lost(event("e1", kind="signed-in", **BY_ADDRESS))
    assert not Meaning(settings(ends=())).is_lost(lost)


@pytest.mark.parametrize(
    ("ahead", "at"),
    [(timedelta(seconds=-9), timedelta(seconds=-9)), (MINUTE, MINUTE), (timedelta(days=9), MINUTE)],
    ids=["of the past", "ahead as far as clocks differ", "of next week"],
)
def test_an_event_of_the_future_ends_no_more_than_clocks_may_differ_by(event, ahead, at):
    one = event("e1", happened_at=AT + ahead, heard_at=AT)

    assert cut(one, Reach(kinds=ENDING, leeway=MINUTE)) == Cut(
        provider="corp", at=AT + at, reason="event:role-revoked", subject="ana"
    )


def test_what_is_heard_in_one_second_is_one_cut_of_a_role():
    first, same, later = (cuts.job("biller", AT + timedelta(milliseconds=ms)) for ms in (0, 999, 1000))

    assert first == same != later
    assert first == ("biller@1773489601", cuts.CutRole(role="biller", before=AT + timedelta(seconds=1)))


def test_a_cut_denies_everything_to_what_was_issued_before_and_nothing_else():
    assert msgspec.json.decode(document(AT)) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "ActasCutOlderSessions",
                "Effect": "Deny",
                "Action": "*",
                "Resource": "*",
                "Condition": {"DateLessThan": {"aws:TokenIssueTime": "2026-03-14T12:00:00Z"}},
            }
        ],
    }


def test_no_event_gives_anything(event, settings):
    meaning = Meaning(settings())

    assert {kind.value for kind in Kind if meaning.cut(event("e1", kind=kind.value)) is not None} == set(ENDING)
    assert not [name for name in dir(Cut) if "grant" in name or "allow" in name]
