"""Our trail and AWS's, compared on the command line."""

import json
from datetime import UTC, datetime, timedelta

import pytest
import yaml

from actas.audit.checkpoints import Keys
from actas.audit.sinks.jsonl import Jsonl
from actas.model.record import Decided

AT = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)
ROLE = "arn:aws:iam::111122223333:role/reader"
ANA = "p" + "a" * 26


@pytest.fixture
def house(tmp_path):
    """Settings with a role that is taken at AWS and one that is not, and a trail of a call with each."""
    (tmp_path / "functions.py").write_text("def hello(event, context):\n    return {}\n")
    written = {
        "gateway": {"listen": "127.0.0.1:0", "control_listen": "127.0.0.1:0", "state": "kept",
                    "control_url": "https://actas.example"},
        "providers": {"corp": {"preset": "oidc", "issuer": "https://sso.example", "audience": "actas"}},
        "functions": {"hello": {"python": "functions.py:hello"}},
        "roles": {"reader": {"arn": ROLE, "broker": "aws-web-identity"},
                  "local": {"arn": "arn:aws:iam::111122223333:role/local"}},
        "rules": [{"id": "all", "who": {"provider": "corp"}, "may": ["hello"], "as": ["reader", "local"]}],
    }  # fmt: skip
    (tmp_path / "actas.yaml").write_text(yaml.safe_dump(written, sort_keys=False))
    keys = Keys(tmp_path / "kept" / "keys" / "audit.json")
    keys.rotate(AT)
    sink = Jsonl(tmp_path / "kept" / "audit", segment=1024 * 1024, reserve=0, signer=keys)
    sink.open(AT)
    sink.write((decided(1, "reader"), decided(2, "local")))
    sink.close()
    return tmp_path


def decided(number, role):
    return Decided(
        call=f"{number:026d}", at=AT, received_at=AT, identified_us=1, decided_us=2, door="http", provider="corp",
        subject=ANA, actors=(), kind="human", evidence="bearer", evidence_id="f", function="hello", qualifier="$LATEST",
        route=None, verdict="allow", role=role, rules=("all",), reasons=(), generation="0",
    )  # fmt: skip


def write(folder, *, role=ROLE, at=AT):
    """Write one event."""
    record = {
        "eventTime": f"{at:%Y-%m-%dT%H:%M:%SZ}", "eventSource": "sts.amazonaws.com", "eventID": "e1",
        "eventName": "AssumeRoleWithWebIdentity", "userIdentity": {"type": "WebIdentityUser", "principalId": "x"},
        "requestParameters": {"roleArn": role, "roleSessionName": ANA, "durationSeconds": 900},
    }  # fmt: skip
    (folder / "events.json").write_text(json.dumps({"Records": [record]}))


def write_on(folder, *, at):
    """Go on with an event that is none of our roles'."""
    records = json.loads((folder / "events.json").read_text())["Records"]
    other = records[0] | {"eventID": "e9", "eventTime": f"{at:%Y-%m-%dT%H:%M:%SZ}", "requestParameters": None}
    (folder / "events.json").write_text(json.dumps({"Records": [*records, other]}))


def test_trails_that_fit_end_with_zero(actas, house):
    write(house)
    said = actas("trail", "match", "events.json", folder=house)

    assert said.code == 0, said.err
    assert said.out.splitlines()[:3] == ["the trails fit", "  matched     1 events, for 1 calls", "  missing     0"]


def test_a_missing_event_ends_with_one(actas, house):
    write(house, role="arn:aws:iam::111122223333:role/other")
    said = actas("trail", "match", "events.json", "--json", folder=house)
    found = json.loads(said.out)

    assert said.code == 1
    assert [(one["call"], one["role"]) for one in found["missing"]] == [(f"{1:026d}", "reader")]
    assert found["others"] == 1


def test_a_role_that_was_taken_otherwise_ends_with_one(actas, house):
    write(house, at=AT + timedelta(hours=2))
    said = actas("trail", "match", "events.json", folder=house)

    assert said.code == 1
    assert f"{ROLE}  event e1" in said.out
    assert ANA not in said.out


@pytest.mark.parametrize(("since", "code"), [("2026-03-14T09:00:00Z", 0), ("2026-03-14T10:00:00Z", 0)])
def test_a_span_of_time_can_be_chosen(actas, house, since, code):
    write(house)

    assert actas("trail", "match", "events.json", "--since", since, folder=house).code == code


@pytest.mark.parametrize(
    ("taken", "matched"), [(AT - timedelta(minutes=5), 1), (AT - timedelta(minutes=17), 0)], ids=["before", "over"]
)
def test_a_session_that_was_taken_before_covers_calls_after(actas, house, taken, matched):
    write(house, at=taken)
    write_on(house, at=AT + timedelta(minutes=30))

    said = actas("trail", "match", "events.json", "--since", "2026-03-14T09:26:00Z", "--json", folder=house)

    found = json.loads(said.out)
    assert (said.code, len(found["matched"]), found["unexpected"]) == (0 if matched else 1, matched, [])


def test_what_was_decided_before_a_span_is_a_cause_within_it(actas, house):
    write(house, at=AT + timedelta(seconds=10))

    said = actas("trail", "match", "events.json", "--since", "2026-03-14T09:27:00Z", "--json", folder=house)

    assert (said.code, json.loads(said.out)["unexpected"]) == (0, [])


def test_a_file_that_holds_no_records_is_told(actas, house):
    (house / "events.json").write_text("nothing")
    said = actas("trail", "match", "events.json", folder=house)

    assert "audit.cloudtrail-unreadable" in said.err
    assert actas("trail", "match", "absent.json", folder=house).code == 2
