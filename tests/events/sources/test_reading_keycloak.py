"""What a real Keycloak 26.7 said of what was done to it, and what we make of it."""

import copy
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actas.events.sources.errors import SourceError
from actas.events.sources.reading import keycloak
from actas.events.sources.reading.told import KINDS, Told

ANA, BEN = "f69fc91f-4366-45fd-bcb6-a0746f482b55", "04f871ff-455b-4622-86a5-4eabd4c4d888"
DORA = "20904232-595b-4eb1-9aa5-fd24e2b902ed"
FINANCE, TEMPS = "2d4cb706-d6a5-4669-8229-f0111dc94c2c", "7ae6acaa-a150-42e2-b1b6-ff8b60e71352"
BOSS = "0d2bf53d-2268-4874-ada4-5727fa822460"
ROBOT, EVENTS = "c35d2d28-c1c1-4c35-a140-7bcc2449c3b4", "fed8919b-f04d-4ef6-b3a2-5ee3c348072c"
SESSION, ENDED = "V9v9oIt0js31ufsIfppMpmjk", "b_iObybE4nZl6V1UtBooKtQa"

SAID = [
    ("Ana signs in", "signed-in", {"subject": ANA, "client": "cli", "session": SESSION}),
    ("Ana refreshes her token", "token-refreshed", {"subject": ANA, "client": "cli", "session": SESSION}),
    ("Ana signs out", "signed-out", {"subject": ANA, "client": "cli", "session": SESSION}),
    (
        "somebody tries a wrong password for Ana",
        "sign-in-failed",
        {"subject": ANA, "client": "cli", "reason": "invalid_user_credentials"},
    ),
    ("somebody tries a name that nobody has", "sign-in-failed", {"client": "cli", "reason": "user_not_found"}),
    ("a service account signs in", "signed-in", {"subject": ROBOT, "client": "robot"}),
    ("a client is made", "client-changed", {"client": "actas-events"}),
    ("a service account gets a client role", "role-granted", {"subject": EVENTS, "roles": ("view-events",)}),
    ("a realm role is taken from Ben", "role-revoked", {"subject": BEN, "roles": ("deployer",)}),
    ("two realm roles are given to Ben", "role-granted", {"subject": BEN, "roles": ("deployer", "auditor")}),
    ("a client role is given to Ben", "role-granted", {"subject": BEN, "roles": ("reports.run",)}),
    ("a client role is taken from Ben", "role-revoked", {"subject": BEN, "roles": ("reports.run",)}),
    ("Ben joins a group", "group-joined", {"subject": BEN, "groups": ("/finance",)}),
    ("Ben leaves a group", "group-left", {"subject": BEN, "groups": ("/finance",)}),
    ("Ben joins a group inside a group", "group-joined", {"subject": BEN, "groups": ("/finance/analysts",)}),
    ("Ben leaves a group inside a group", "group-left", {"subject": BEN, "groups": ("/finance/analysts",)}),
    ("a realm role is given to a group", "role-granted", {"groups": (FINANCE,), "roles": ("deployer",)}),
    ("a realm role is taken from a group", "role-revoked", {"groups": (FINANCE,), "roles": ("deployer",)}),
    ("a client role is given to a group", "role-granted", {"groups": (FINANCE,), "roles": ("reports.run",)}),
    ("an administrator ends one session", "session-revoked", {"session": ENDED}),
    ("an administrator signs Ben out", "session-revoked", {"subject": BEN}),
    ("Ben is disabled", "user-disabled", {"subject": BEN}),
    ("Ben is enabled", "other", {"subject": BEN}),
    ("Ben's name is changed", "other", {"subject": BEN}),
    ("Ben's password is set", "credential-changed", {"subject": BEN}),
    ("a credential of Ben is removed", "credential-changed", {"subject": BEN}),
    ("Dora is made", "other", {}),
    ("Dora is deleted", "user-deleted", {"subject": DORA}),
    ("a role is made", "other", {}),
    ("a role gets another one inside", "role-granted", {"roles": ("boss",)}),
    ("a role loses one inside", "role-revoked", {"roles": ("boss",)}),
    ("a role by its id gets another one inside", "role-granted", {"roles": (BOSS,)}),
    ("a role by its id loses one inside", "role-revoked", {"roles": (BOSS,)}),
    ("a role is changed", "role-revoked", {"roles": ("boss",)}),
    ("a role is changed by its id", "role-revoked", {"roles": ("boss",)}),
    ("a role is deleted by its id", "role-revoked", {"roles": (BOSS,)}),
    ("a role is deleted", "role-revoked", {"roles": ("boss2",)}),
    ("a client role is made", "other", {}),
    ("a client role gets another one inside", "role-granted", {"roles": ("x.y",)}),
    ("a client role loses one inside", "role-revoked", {"roles": ("x.y",)}),
    ("a client role is deleted", "role-revoked", {"roles": ("x.y",)}),
    ("a group is made", "other", {}),
    ("a group is renamed", "group-left", {"groups": ("temps2",)}),
    ("a group is moved", "group-left", {"groups": ("temps2",)}),
    ("a group is deleted", "group-left", {"groups": ("temps2",)}),
    ("a client is changed", "client-changed", {"client": "actas"}),
    ("a client gets a new secret", "client-changed", {"client": "5a0af220-9062-4943-aaa0-9ec2a44b03cb"}),
    ("all tokens of before are revoked", "role-revoked", {}),
    ("revocation is pushed to clients", "other", {}),
    ("everybody is signed out", "role-revoked", {}),
    ("the revocation is taken back", "other", {}),
    ("the realm's name is changed", "other", {}),
]
FACTS = ("subject", "session", "roles", "groups", "reason")


def read(one) -> Told:
    return keycloak.user_event(one["event"]) if one["form"] == "user" else keycloak.admin_event(one["event"])


def webhook(one):
    """Write a recorded event as the webhook extension sends it."""
    event = one["event"]
    if one["form"] == "user":
        auth = {"clientId": event.get("clientId"), "userId": event.get("userId"), "sessionId": event.get("sessionId")}
        more = {"type": f"access.{event['type']}"}
    else:
        auth = event["authDetails"]
        more = {
            "type": f"admin.{event['resourceType']}-{event['operationType']}",
            **{key: event[key] for key in ("resourceType", "operationType", "resourcePath") if key in event},
        }
        if "representation" in event:
            more["representation"] = event["representation"]
    shared = {key: event[key] for key in ("id", "time", "error", "details") if key in event}
    return {**shared, "uid": "u" + event["id"], "realmName": "corp", "authDetails": auth, **more}


@pytest.mark.parametrize(("did", "kind", "facts"), SAID, ids=[one[0] for one in SAID])
def test_what_was_done_is_told(did, kind, facts, recorded_keycloak, count):
    found = read(recorded_keycloak[did])

    assert found.kind == kind
    assert found.id == recorded_keycloak[did]["event"]["id"]
    assert {name: getattr(found, name) for name in FACTS} == {
        name: facts.get(name, () if name in ("roles", "groups") else None) for name in FACTS
    }
    assert "client" not in facts or found.client == facts["client"]
    count("Keycloak, recorded", kind)


def test_everything_that_was_recorded_is_expected(recorded_keycloak):
    assert {one[0] for one in SAID} == recorded_keycloak.keys()


@pytest.mark.parametrize("did", [one[0] for one in SAID])
def test_the_webhook_tells_the_same_under_the_same_id(did, recorded_keycloak):
    one = recorded_keycloak[did]

    assert keycloak.sent(webhook(one), realm="corp") == read(one)


@pytest.mark.parametrize("file", ["LOGIN", "REFRESH_TOKEN", "REALM_ROLE_MAPPING"])
def test_what_the_webhook_extension_really_sent_is_read(file, count):
    path = Path(__file__).parents[4] / "shared" / "real" / "keycloak" / "payloads" / f"payload_{file}.json"
    if not path.exists():
        pytest.skip("the recorded webhooks are not beside this repository")
    body = json.loads(path.read_text())["body"]

    found = keycloak.sent(body, realm="acme")

    assert (found.id, found.type) == (body["id"], body["type"])
    wanted = {"LOGIN": "signed-in", "REFRESH_TOKEN": "token-refreshed", "REALM_ROLE_MAPPING": "role-granted"}
    assert found.kind == wanted[file]
    assert found.roles == (("auditor",) if file == "REALM_ROLE_MAPPING" else ())
    count("Keycloak, webhooks", found.kind)


def test_a_webhook_of_another_realm_says_nothing_to_us(recorded_keycloak):
    body = webhook(recorded_keycloak["Ben is disabled"])

    assert keycloak.sent(body, realm="other") is None
    assert keycloak.sent(body, realm="corp") is not None


def test_an_administrators_attempt_that_was_refused_ends_nothing(recorded_keycloak):
    one = copy.deepcopy(recorded_keycloak["Ben is disabled"])
    one["event"]["error"] = "access_denied"

    assert read(one).kind == "other"
    assert read(recorded_keycloak["Ben is disabled"]).kind == "user-disabled"


@pytest.mark.parametrize("representation", [None, "", "{", '{"enabled":"no"}', "{" * 100, '{"firstName":"B","fi'])
def test_a_change_of_a_user_without_its_details_counts_as_the_worst(representation, recorded_keycloak):
    one = copy.deepcopy(recorded_keycloak["Ben's name is changed"])
    one["event"]["representation"] = representation

    assert read(one).kind == "user-disabled"
    assert read(recorded_keycloak["Ben's name is changed"]).kind == "other"


def test_a_role_taken_away_without_its_details_is_still_taken_away(recorded_keycloak):
    one = copy.deepcopy(recorded_keycloak["a realm role is taken from Ben"])
    del one["event"]["representation"]

    assert (read(one).kind, read(one).subject, read(one).roles) == ("role-revoked", BEN, ())


def test_a_temporary_lockout_which_anybody_can_cause_ends_no_access(recorded_keycloak):
    one = copy.deepcopy(recorded_keycloak["Ana signs in"])

    kinds = []
    for kind in ("USER_DISABLED_BY_TEMPORARY_LOCKOUT", "USER_DISABLED_BY_PERMANENT_LOCKOUT"):
        one["event"]["type"] = kind
        kinds.append(read(one).kind)

    assert kinds == ["risk-changed", "user-disabled"]


def test_a_type_of_a_later_version_is_taken_as_other(recorded_keycloak):
    one = copy.deepcopy(recorded_keycloak["Ana signs in"])
    one["event"]["type"] = "SOMETHING_NEW"

    assert read(one).kind == "other"


def test_what_is_told_shows_nobody(recorded_keycloak):
    text = repr(read(recorded_keycloak["a realm role is taken from Ben"]))

    assert BEN not in text
    assert "role-revoked" in text


@pytest.mark.parametrize(
    "change",
    [{"id": None}, {"id": ""}, {"id": "x" * 513}, {"id": "a\nb"}, {"time": "soon"}, {"time": 10**30}, {"time": -1}],
    ids=str,
)
def test_an_event_without_a_name_or_a_time_is_refused(change, recorded_keycloak):
    one = copy.deepcopy(recorded_keycloak["Ana signs in"])
    one["event"] |= change

    with pytest.raises(SourceError):
        read(one)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["id", "time", "type", "resourcePath", "representation", "error"]), JSON))
def test_whatever_comes_only_our_own_errors_go_out(change):
    start = {
        "id": "e", "time": 1795449012285, "type": "LOGIN", "uid": "u", "operationType": "UPDATE",
        "resourceType": "USER", "resourcePath": "users/b",
    }  # fmt: skip
    for way in (keycloak.user_event, keycloak.admin_event, lambda value: keycloak.sent(value, realm="corp")):
        try:
            found = way({**start, **change})
        except SourceError:
            continue
        assert found is None or found.kind in KINDS
