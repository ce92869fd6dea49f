"""What the other providers say: recorded entries of public collections, and what we make of them."""

import copy
import json

import pytest

from actas.events.sources.errors import MalformedDelivery, SourceError
from actas.events.sources.reading import auth0, cloudevents, entra, fields, google, okta, sets, strict
from actas.events.sources.reading.told import KINDS

ISSUER = "https://idp.example.com/123456789/"


def iso(text):
    """Write a time as the provider does; the collection has them without a zone."""
    return text.replace(" ", "T")[:23] + "Z" if text and text[0] == "2" else "2026-11-23T10:00:00.000Z"


def as_okta(log, place=0):
    return {**log, "published": iso(log.get("published")), "uuid": log.get("uuid") or f"entry-{place}"}


def as_auth0(log):
    data = {**log["data"], "date": iso(log["data"].get("date"))}
    data.setdefault("log_id", log.get("log_id") or data.get("_id") or "entry")
    return {"log_id": data["log_id"], "data": data}


def as_google(log, place=0):
    """Put an activity back together: the collection has one line for each event and parameters as a mapping."""
    said = log.get("parameters") or {}
    parameters = [{"name": name, "value": value} for name, value in said.items() if isinstance(value, str)]
    named = {**log["id"], "time": iso(log["id"].get("time")), "uniqueQualifier": log["id"].get("uniqueQualifier", "q")}
    event = {"type": log.get("type"), "name": log.get("name"), "parameters": parameters}
    return {"kind": "admin#reports#activity", "id": named, "actor": log.get("actor"), "events": [event]}


OKTA = {
    "user.session.start": "signed-in",
    "user.account.privilege.grant": "role-granted",
    "user.account.reset_password": "credential-changed",
}


def test_every_entry_of_okta_is_read(panther, count):
    logs = [log for log in panther("Okta.SystemLog") if log.get("eventType")]

    for place, log in enumerate(logs):
        found = okta.log_event(as_okta(log, place))

        failed = (log.get("outcome") or {}).get("result") == "FAILURE"
        wanted = OKTA.get(log["eventType"], "other")
        assert found.kind == (wanted if not failed else found.kind)
        assert found.type == log["eventType"]
        count("Okta", found.kind)
    assert len(logs) == 22


def entry(kind, result="SUCCESS", *, actor=("User", "00u1ana"), target=(), **more):
    return {
        "uuid": "e1",
        "published": "2026-11-23T10:00:00.123Z",
        "eventType": kind,
        "outcome": {"result": result},
        "actor": {"type": actor[0], "id": actor[1]},
        "target": [{"type": form, "id": name, "displayName": shown} for form, name, shown in target],
        "authenticationContext": {"rootSessionId": "s1"},
        **more,
    }


BEN, GROUP, APP = ("User", "00u2ben", "Ben"), ("UserGroup", "00g1", "Finance"), ("AppInstance", "0oa1", "App")
ENTRIES = [
    ("a sign-in", entry("user.session.start"), "signed-in", "00u1ana", "s1"),
    ("a sign-in that failed", entry("user.session.start", "FAILURE"), "sign-in-failed", "00u1ana", "s1"),
    ("a second factor denied", entry("user.authentication.auth_via_mfa", "FAILURE"), "sign-in-failed", "00u1ana", "s1"),
    ("a sign-out", entry("user.session.end"), "signed-out", "00u1ana", "s1"),
    ("sessions cleared", entry("user.session.clear", target=[BEN]), "session-revoked", "00u2ben", None),
    ("a member removed", entry("group.user_membership.remove", target=[BEN, GROUP]), "group-left", "00u2ben", None),
    ("a member added", entry("group.user_membership.add", target=[BEN, GROUP]), "group-joined", "00u2ben", None),
    ("a removal that failed", entry("group.user_membership.remove", "FAILURE", target=[BEN]), "other", "00u2ben", None),
    ("a group deleted", entry("group.lifecycle.delete", target=[GROUP]), "group-left", None, None),
    ("a user deactivated", entry("user.lifecycle.deactivate", target=[BEN]), "user-disabled", "00u2ben", None),
    ("a user deleted", entry("user.lifecycle.delete.initiated", target=[BEN]), "user-deleted", "00u2ben", None),
    ("a privilege taken", entry("user.account.privilege.revoke", target=[BEN]), "role-revoked", "00u2ben", None),
    ("a password changed", entry("user.account.update_password", target=[BEN]), "credential-changed", "00u2ben", None),
    ("a lock that anybody can cause", entry("user.account.lock", target=[BEN]), "risk-changed", "00u2ben", None),
    ("an application changed", entry("application.lifecycle.update", target=[APP]), "client-changed", None, None),
    (
        "a token refreshed",
        entry("app.oauth2.as.token.grant", debugContext={"debugData": {"grantType": "refresh_token"}}),
        "token-refreshed", "00u1ana", "s1",
    ),
    (
        "a token for a code",
        entry("app.oauth2.as.token.grant", debugContext={"debugData": {"grantType": "authorization_code"}}),
        "other", "00u1ana", "s1",
    ),
    ("a new type", entry("something.new"), "other", "00u1ana", "s1"),
]  # fmt: skip


@pytest.mark.parametrize(("value", "kind", "subject", "session"), [e[1:] for e in ENTRIES], ids=[e[0] for e in ENTRIES])
def test_okta_tells(value, kind, subject, session):
    found = okta.log_event(value)

    assert (found.kind, found.subject, found.session) == (kind, subject, session)


def test_an_event_hook_may_hold_several_entries():
    hook = {"eventType": "com.okta.event_hook", "eventId": "h", "data": {"events": [ENTRIES[0][1], ENTRIES[4][1]]}}

    assert [one.kind for one in okta.hook(hook)] == ["signed-in", "session-revoked"]


def test_every_entry_of_auth0_is_read(panther, count):
    logs = panther("Auth0.Events")

    for log in logs:
        for found in auth0.record(as_auth0(log)):
            assert found.kind in KINDS
            count("Auth0", found.kind)
    assert len(logs) == 50


def managed(method, path, *, body=None, status=200):
    details = {"request": {"method": method, "path": path, "body": body}, "response": {"statusCode": status}}
    return {
        "log_id": "l1",
        "data": {"date": "2026-11-23T10:00:00.000Z", "type": "sapi", "user_id": "a", "details": details},
    }


USERS = "/api/v2/users/auth0%7Cben"
MANAGED = [
    ("a role given", managed("post", f"{USERS}/roles", body={"roles": ["r"]}), [("role-granted", "auth0|ben")]),
    ("a role taken", managed("delete", f"{USERS}/roles"), [("role-revoked", "auth0|ben")]),
    ("a role that was refused", managed("delete", f"{USERS}/roles", status=403), [("other", None)]),
    ("a user blocked", managed("patch", USERS, body={"blocked": True}), [("user-disabled", "auth0|ben")]),
    ("a user let in again", managed("patch", USERS, body={"blocked": False}), [("other", "auth0|ben")]),
    ("a password set", managed("patch", USERS, body={"password": "*****"}), [("credential-changed", "auth0|ben")]),
    ("a user deleted", managed("delete", USERS), [("user-deleted", "auth0|ben")]),
    ("sessions ended", managed("delete", f"{USERS}/sessions"), [("session-revoked", "auth0|ben")]),
    (
        "a role given to two",
        managed("post", "/api/v2/roles/rol_1/users", body={"users": ["auth0|ana", "auth0|ben"]}),
        [("role-granted", "auth0|ana"), ("role-granted", "auth0|ben")],
    ),
    ("a role deleted", managed("delete", "/api/v2/roles/rol_1"), [("role-revoked", None)]),
    ("a client changed", managed("patch", "/api/v2/clients/c"), [("client-changed", None)]),
    ("a look", managed("get", f"{USERS}/roles"), [("other", None)]),
]


@pytest.mark.parametrize(("value", "wanted"), [one[1:] for one in MANAGED], ids=[one[0] for one in MANAGED])
def test_auth0_tells_what_the_management_api_did(value, wanted):
    found = auth0.record(value)

    assert [(one.kind, one.subject) for one in found] == wanted
    assert len({one.id for one in found}) == len(found)


@pytest.mark.parametrize("form", ["lines", "array", "object", "pretty object"])
def test_auth0_streams_in_each_of_its_forms(form):
    one = {"log_id": "l1", "data": {"date": "2026-11-23T10:00:00.000Z", "type": "s", "user_id": "auth0|ana"}}
    two = {"log_id": "l2", "data": {"date": "2026-11-23T10:00:01.000Z", "type": "slo", "user_id": "auth0|ana"}}
    bodies = {
        "lines": f"{json.dumps(one)}\n{json.dumps(two)}\n",
        "array": json.dumps([one, two]),
        "object": json.dumps(one),
        "pretty object": json.dumps(one, indent=1),
    }

    found = auth0.stream(bodies[form].encode())

    assert [told.kind for told in found] == (["signed-in"] if "object" in form else ["signed-in", "signed-out"])


def test_every_activity_of_google_is_read(panther, count):
    logs = panther("GSuite.ActivityEvent")

    for place, log in enumerate(logs):
        (found,) = google.activity(as_google(log, place))
        count("Google", found.kind)
        wanted = google.KINDS.get(f"{log['id']['applicationName']}/{log.get('name')}", "other")
        assert found.kind == wanted
    assert len(logs) == 123


def test_google_names_who_signed_in_by_profile_and_whom_an_administrator_changed_by_address():
    signed_in = {
        "id": {"time": "2026-11-23T10:00:00.123Z", "uniqueQualifier": "1", "applicationName": "login"},
        "actor": {"email": "ana@people.example", "profileId": "1001"},
        "events": [{"type": "login", "name": "login_success", "parameters": [{"name": "login_type", "value": "saml"}]}],
    }
    changed = {
        "id": {"time": "2026-11-23T10:00:00.123Z", "uniqueQualifier": "1", "applicationName": "admin"},
        "actor": {"email": "ana@people.example", "profileId": "1001"},
        "events": [
            {"name": "SUSPEND_USER", "parameters": [{"name": "USER_EMAIL", "value": "ben@people.example"}]},
            {
                "name": "UNASSIGN_ROLE",
                "parameters": [
                    {"name": "USER_EMAIL", "value": "ben@people.example"},
                    {"name": "ROLE_NAME", "value": "Reader"},
                ],
            },
        ],
    }

    (first,) = google.activity(signed_in)
    second, third = google.activity(changed)

    assert (first.kind, first.subject, first.actor) == ("signed-in", "1001", None)
    assert (second.kind, second.subject, second.mail, second.actor) == (
        "user-disabled", None, "ben@people.example", "1001",
    )  # fmt: skip
    assert (third.kind, third.roles) == ("role-revoked", ("Reader",))
    assert second.id != third.id


def test_every_token_of_the_ssf_examples_is_read(ssf_examples, count):
    tokens = [one["json"] for one in ssf_examples if one["kind"] == "SET"]
    beyond_calendars = [one for one in tokens if one["iat"] > 10**10]  # an iat of the specification itself

    for claims in tokens:
        if claims in beyond_calendars and "event_timestamp" not in next(iter(claims["events"].values())):
            with pytest.raises(MalformedDelivery):
                sets.told(claims, issuers={claims["iss"]})
            continue
        for found in sets.told(claims, issuers={claims["iss"]}):
            count("SSF examples", f"{found.kind} ({found.type.rpartition('/')[2]})")
            assert found.kind in KINDS
    assert len(tokens) == 22


@pytest.mark.parametrize(
    "events",
    [None, {}, [], {"no-uri": {}}, {"https://e.example": 1}, {f"https://e.example/{n}": {} for n in range(11)}],
)
def test_a_token_without_events_is_refused(events):
    claims = {"jti": "1", "iat": 1795449012, "sub_id": {"format": "opaque", "id": "ana"}, "events": events}

    with pytest.raises(MalformedDelivery):
        sets.told(claims, issuers={ISSUER})
    assert sets.told(claims | {"events": {f"{sets.RISC}account-disabled": {}}}, issuers={ISSUER})[0].subject == "ana"


USER = "6e74172b-be56-4843-9ff4-e66a39bb12e3"
DELTAS = [
    ("a user is disabled", "users", {"id": USER, "accountEnabled": False}, [("user-disabled", USER)]),
    ("a user is enabled", "users", {"id": USER, "accountEnabled": True}, [("other", USER)]),
    ("a user is deleted", "users", {"id": USER, "@removed": {"reason": "changed"}}, [("user-deleted", USER)]),
    (
        "sessions are revoked and the password is new",
        "users",
        {
            "id": USER,
            "signInSessionsValidFromDateTime": "2026-11-23T10:00:00Z",
            "lastPasswordChangeDateTime": "2026-11-23T09:59:59.1234567Z",
        },
        [("session-revoked", USER), ("credential-changed", USER)],
    ),
    (
        "two members change",
        "groups",
        {"id": "g1", "members@delta": [{"id": USER, "@removed": {"reason": "deleted"}}, {"id": "u2"}]},
        [("group-left", USER), ("group-joined", "u2")],
    ),
    ("a group is deleted", "groups", {"id": "g1", "@removed": {"reason": "deleted"}}, [("group-left", None)]),
    (
        "a group inside it leaves, and with it people whom nobody names",
        "groups",
        {
            "id": "g1",
            "members@delta": [
                {"@odata.type": "#microsoft.graph.group", "id": "g2", "@removed": {"reason": "deleted"}},
                {"@odata.type": "#microsoft.graph.user", "id": USER, "@removed": {"reason": "deleted"}},
            ],
        },
        [("group-left", None), ("group-left", USER)],
    ),
    (
        "a password that there never was",
        "users",
        {"id": USER, "lastPasswordChangeDateTime": "0001-01-01T00:00:00Z"},
        [("other", USER)],
    ),
    ("a group has a new name", "groups", {"id": "g1"}, [("other", None)]),
    (
        "a directory role is taken away",
        "directoryRoles",
        {"id": "d1", "members@delta": [{"id": USER, "@removed": {"reason": "deleted"}}]},
        [("role-revoked", USER)],
    ),
]


@pytest.mark.parametrize(("of", "value", "wanted"), [one[1:] for one in DELTAS], ids=[one[0] for one in DELTAS])
def test_a_page_of_a_delta_query_is_told_the_same_whenever_it_is_read_again(of, value, wanted, now, count):
    first = entra.change(value, link="L", of=of, heard=now)
    again = entra.change(value, link="L", of=of, heard=now)
    later = entra.change(value, link="M", of=of, heard=now)

    assert [(one.kind, one.subject) for one in first] == wanted
    assert [one.id for one in first] == [one.id for one in again]
    timed = "signInSessionsValidFromDateTime" in value  # what has a time of its own is the same however often it comes
    assert {one.id for one in first}.isdisjoint(one.id for one in later) is not timed
    for kind, _ in wanted:
        count("Graph delta", kind)


def test_a_notifications_secret_is_never_shown():
    value = {"value": [{"subscriptionId": "s", "clientState": "correct-horse", "changeType": "updated"}]}

    (found,) = entra.notifications(value)

    assert found.secret == "correct-horse"
    assert "horse" not in repr(found)


EVENT = {"specversion": "1.0", "id": "e1", "source": "/hr", "type": "hr.left", "time": "2026-11-23T10:00:00Z"}


@pytest.mark.parametrize("mode", ["binary", "structured", "batched"])
def test_a_cloudevent_is_the_same_in_each_mode(mode):
    data = {"who": "ana"}
    whole = {**EVENT, "data": data}
    requests = {
        "binary": (
            {f"ce-{name}": value for name, value in EVENT.items()} | {"content-type": "application/json"},
            json.dumps(data),
        ),
        "structured": ({"content-type": "application/cloudevents+json; charset=utf-8"}, json.dumps(whole)),
        "batched": ({"content-type": "application/cloudevents-batch+json"}, json.dumps([whole])),
    }
    headers, body = requests[mode]

    assert cloudevents.events(headers, body.encode()) == (whole,)


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"content-type": "application/json"}, EVENT),
        ({"content-type": cloudevents.STRUCTURED}, {**EVENT, "specversion": "0.3"}),
        ({"content-type": cloudevents.STRUCTURED}, {**EVENT, "id": ""}),
        ({"content-type": cloudevents.STRUCTURED}, {**EVENT, "data": 1, "data_base64": "MQ=="}),
        ({"content-type": cloudevents.STRUCTURED}, {**EVENT, "Upper": 1}),
        ({"content-type": cloudevents.STRUCTURED}, [EVENT]),
        ({"content-type": cloudevents.BATCH}, EVENT),
        ({"content-type": cloudevents.BATCH}, [EVENT] * 1001),
    ],
    ids=["no mode", "an older version", "no id", "data twice", "an upper-case name", "a list", "no list", "too many"],
)
def test_what_is_no_cloudevent_is_refused(headers, body):
    with pytest.raises(MalformedDelivery):
        cloudevents.events(headers, json.dumps(body).encode())


PATHS = fields.Paths(
    id="id", type="what", at="when", subject="who.id", roles="which", kinds={"left": "user-disabled"}, events="list"
)


def test_a_webhooks_paths_find_its_facts():
    one = {"id": 7, "what": "left", "when": 1795449012285, "who": {"id": "ana"}, "which": ["reader", 3]}
    two = {"id": "8", "what": "new", "when": "2026-11-23T10:00:00+01:00", "who": {}, "which": "writer"}

    first, second = fields.told({"list": [one, two]}, PATHS)

    assert (first.id, first.kind, first.subject, first.roles) == ("7", "user-disabled", "ana", ("reader",))
    assert (second.kind, second.subject, second.roles) == ("other", None, ("writer",))
    assert (first.at.year, second.at.hour) == (2026, 9)


@pytest.mark.parametrize(
    "value",
    [
        {}, {"list": 1}, {"list": [{}]}, {"list": [{"id": "1", "what": "left"}]},
        {"list": [{"id": "1", "what": "left", "when": True}]},
        {"list": [{"id": "1", "what": "left", "when": "2026-11-23"}]},
    ],
    ids=str,
)  # fmt: skip
def test_a_webhook_without_its_facts_is_refused(value):
    with pytest.raises(MalformedDelivery):
        fields.told(value, PATHS)


BAD_BODIES = [
    ("nothing", b""),
    ("no UTF-8", b'{"a":"\xff"}'),
    ("a member twice", b'{"a":1,"a":2}'),
    ("a number that is none", b'{"a":NaN}'),
    ("half of it", b'{"a":'),
    ("too deep", b"[" * 40 + b"]" * 40),
    ("a byte order mark", b'\xef\xbb\xbf{"a":1}'),
]


@pytest.mark.parametrize("body", [one[1] for one in BAD_BODIES], ids=[one[0] for one in BAD_BODIES])
def test_a_body_with_more_than_one_reading_is_refused(body):
    with pytest.raises(SourceError):
        strict.json_of(body)
    assert strict.json_of(b'{"a":1}') == {"a": 1}


def test_a_body_is_read_up_to_its_limit_and_not_beyond():
    body = b'"' + b"a" * 98 + b'"'

    assert strict.json_of(body, limit=100)
    with pytest.raises(SourceError):
        strict.json_of(body, limit=99)


READERS = [okta.hook, okta.log_event, auth0.record, auth0.entry, google.activity, entra.notifications]


@pytest.mark.parametrize("reader", READERS, ids=lambda one: f"{one.__module__.rpartition('.')[2]}.{one.__name__}")
@pytest.mark.parametrize("value", [None, 1, [], {}, {"id": {}}, {"data": {}}, {"value": 1}], ids=str)
def test_what_is_not_the_documented_form_is_refused(reader, value):
    with pytest.raises(SourceError):
        reader(copy.deepcopy(value))
