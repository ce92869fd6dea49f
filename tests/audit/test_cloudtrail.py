"""CloudTrail's records, read strictly; and paired with our trail, so that nothing was taken behind our back."""

import gzip
import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actas.audit.cloudtrail import read_events, read_expiration
from actas.audit.cloudtrail_match import match
from actas.audit.errors import CloudTrailUnreadable

CORPUS = Path(__file__).parents[3] / "shared" / "corpora" / "cloudtrail-stratus"
AT = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)
ROLE = "arn:aws:iam::111122223333:role/finance-reader"
ROLES = {"finance-reader": ROLE}
ANA = "p" + "a" * 26


def corpus():
    return sorted(CORPUS.glob("*.json"))


def test_every_event_of_the_corpus_has_a_principal_an_action_a_resource_and_an_outcome(record_property):
    if not corpus():
        pytest.skip("the corpus cloudtrail-stratus is not on this machine")
    events = read_events((file.name, file.read_bytes()) for file in corpus())
    raw = {one["eventID"]: one for file in corpus() for one in json.loads(file.read_text())}
    record_property("events", len(events))

    assert len(events) == len(raw) == 310
    for event in events:
        said = raw[event.id]
        assert event.principal == said["userIdentity"]["arn"]
        assert event.principal_type == said["userIdentity"]["type"]
        service, _, name = event.action.partition(":")
        assert service == said["eventSource"].split(".")[0]
        assert said["eventName"].startswith(name)
        assert not name[-1].isdigit()
        assert event.resources
        if said.get("resources"):
            assert event.resources == tuple(one["ARN"] for one in said["resources"])
        assert (event.outcome == "succeeded") == ("errorCode" not in said)
        assert (event.taken is not None) == (said["eventName"] == "AssumeRole" and bool(said["requestParameters"]))
    assert {one.outcome for one in events} == {"succeeded", "refused", "failed"}
    named = [one for one in events if one.resources != ("*",)]
    record_property("with a resource", len(named))
    assert len(named) >= 150


def test_the_roles_of_the_corpus_are_taken_as_it_says():
    if not corpus():
        pytest.skip("the corpus cloudtrail-stratus is not on this machine")
    events = read_events((file.name, file.read_bytes()) for file in corpus())
    taken = [(one, one.taken) for one in events if one.taken is not None]

    assert len(taken) == 8
    for event, what in taken:
        assert what.role == event.resources[0]
        assert what.name.startswith("aws-go-sdk-")
        assert what.until == event.at + timedelta(seconds=900)


def record(number=0, *, at=AT, name="AssumeRoleWithWebIdentity", **more):
    said = {
        "eventVersion": "1.11", "eventTime": f"{at:%Y-%m-%dT%H:%M:%SZ}", "eventSource": "sts.amazonaws.com",
        "eventName": name, "eventID": f"event-{number}", "requestID": f"request-{number}",
        "userIdentity": {"type": "WebIdentityUser", "principalId": "a:b:c", "userName": "c",
                         "identityProvider": "arn:aws:iam::111122223333:oidc-provider/actas.example"},
        "requestParameters": {"roleArn": ROLE, "roleSessionName": ANA, "durationSeconds": 900},
        "responseElements": {"credentials": {"accessKeyId": "ASIAEXAMPLE", "expiration": "Mar 14, 2026, 9:41:53 AM"},
                             "assumedRoleUser": {"arn": f"arn:aws:sts::111122223333:assumed-role/reader/{ANA}"}},
        "resources": [{"ARN": ROLE, "accountId": "111122223333", "type": "AWS::IAM::Role"}],
        "readOnly": True, "eventType": "AwsApiCall", "addedIn2030": {"new": 1},
    }  # fmt: skip
    return said | more


def packed(*records):
    return json.dumps({"Records": list(records)}).encode()


def events(*records):
    return read_events([("events.json", packed(*records))])


SHAPES = {
    "as-aws-writes-them": packed(record()),
    "gzip": gzip.compress(packed(record())),
    "an-array": json.dumps([record()]).encode(),
    "a-record-a-line": (json.dumps(record()) + "\n").encode(),
    "lines": b"\n".join(json.dumps(record(number)).encode() for number in (0, 0)),
    "one-record-on-several-lines": json.dumps(record(), indent=2).encode(),
}


def test_gzip_files_that_were_put_together_are_read_to_their_end():
    lines = [json.dumps(record(number)).encode() + b"\n" for number in range(3)]

    found = read_events([("events", b"".join(map(gzip.compress, lines)))])

    assert [one.id for one in found] == ["event-0", "event-1", "event-2"]


@pytest.mark.parametrize("content", SHAPES.values(), ids=SHAPES)
def test_records_are_read_in_every_shape_that_they_come_in(content):
    (event,) = read_events([("events", content)])

    assert (event.id, event.at, event.action, event.outcome) == (
        "event-0",
        AT,
        "sts:AssumeRoleWithWebIdentity",
        "succeeded",
    )
    assert event.principal == "arn:aws:iam::111122223333:oidc-provider/actas.example"
    assert (event.taken.role, event.taken.name, event.taken.until) == (ROLE, ANA, AT + timedelta(minutes=15))


@pytest.mark.parametrize(
    "content",
    [
        b"nothing", b"{", b'{"Records": [{}]}', b"[1]", b"\xff\xfe", gzip.compress(packed(record()))[:-20],
        b"\x1f\x8bnothing", gzip.compress(packed(record())) + b"behind its end",
        json.dumps([record(eventTime="yesterday")]).encode(), b"[" * 100_000,
        json.dumps([record(eventName=7)]).encode(), json.dumps([record(userIdentity=None)]).encode(),
    ],
    ids=[
        "text", "half", "no-fields", "numbers", "no-text", "cut-gzip", "no-gzip", "behind-gzip", "no-time",
        "deep", "no-name", "none",
    ],
)  # fmt: skip
def test_what_is_no_record_is_refused(content):
    with pytest.raises(CloudTrailUnreadable):
        read_events([("events", content)])


def test_a_record_that_comes_twice_counts_once():
    assert len(read_events([("one", packed(record(1), record(2))), ("two", packed(record(2), record(3)))])) == 3


def test_the_two_halves_of_an_action_across_accounts_are_one():
    assert (
        len(events(record(1, sharedEventID="s"), record(2, sharedEventID="s", recipientAccountId="444455556666"))) == 1
    )


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Mar 23, 2016, 2:39:51 AM", datetime(2016, 3, 23, 2, 39, 51, tzinfo=UTC)),
        ("Dec 1, 2026, 12:00:00 PM", datetime(2026, 12, 1, 12, 0, tzinfo=UTC)),
        ("Dec 1, 2026, 12:00:00 AM", datetime(2026, 12, 1, 0, 0, tzinfo=UTC)),
        ("Jul 30, 2024, 9:46:15\u202fPM", datetime(2024, 7, 30, 21, 46, 15, tzinfo=UTC)),
        ("Jul 30, 2024, 13:46:15 PM", None),
        ("Foo 30, 2024, 1:46:15 PM", None),
        ("Feb 30, 2024, 1:46:15 PM", None),
        ("2026-12-01T00:00:00Z", None),
    ],
)
def test_the_end_of_credentials_is_read_as_cloudtrail_writes_it(text, wanted):
    assert read_expiration(text) == wanted


NAMES = st.sampled_from(
    ["roleArn", "credentials", "expiration", "durationSeconds", "assumedRoleUser", "arn", "instanceId", "x"]
)
PLAIN = st.none() | st.booleans() | st.integers() | st.text(max_size=9)
ANYTHING = st.recursive(
    PLAIN,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)


@given(ANYTHING, st.sampled_from(["AssumeRole", "AssumeRoleWithSAML", "Invoke"]))
def test_whatever_parameters_hold_a_record_is_read(inside, name):
    (event,) = events(record(name=name, requestParameters=inside, responseElements=inside, resources=None))

    assert event.resources
    assert event.outcome == "succeeded"


@given(st.binary(max_size=300))
def test_any_bytes_are_events_or_refused(content):
    try:
        read_events([("events", content)])
    except CloudTrailUnreadable:
        return


def paired(decisions, *records, roles=ROLES, **more):
    return match(decisions, events(*records), roles, **more)


def test_a_decision_and_its_event_fit(decided):
    report = paired([decided(1)], record(), record(2, name="GetCallerIdentity"))

    assert report.fits
    assert [(one.event.id, one.calls) for one in report.matched] == [("event-0", (f"{1:026d}",))]
    assert report.others == 1


def test_a_session_covers_every_call_while_it_lasts(decided):
    calls = [decided(number, at=AT + timedelta(minutes=5 * number)) for number in range(4)]
    report = paired(calls, record(), record(9, at=AT + timedelta(hours=1), name="GetCallerIdentity"))

    assert report.fits
    assert len(report.matched[0].calls) == 4


@pytest.mark.parametrize(("minutes", "fits"), [(16, True), (17, False)], ids=["within-the-skew", "after-it"])
def test_a_call_after_the_session_ended_has_no_event(decided, minutes, fits):
    calls = [decided(1), decided(2, at=AT + timedelta(minutes=minutes) - timedelta(seconds=1 if fits else 0))]
    report = paired(calls, record(), record(9, at=AT + timedelta(hours=1), name="GetCallerIdentity"))

    assert [one.call for one in report.missing] == ([] if fits else [f"{2:026d}"])


@pytest.mark.parametrize(
    "more",
    [
        {"subject": "p" + "b" * 26},
        {"role": "other"},
        {"verdict": "deny"},
        {"at": AT - timedelta(seconds=62)},
        {"at": AT + timedelta(seconds=62)},
    ],
    ids=["somebody-else", "another-role", "a-no", "long-before", "long-after"],
)
def test_a_role_taken_without_a_decision_of_ours_is_unexpected(decided, more):
    report = paired([decided(1, **more)], record(), record(9, at=AT + timedelta(hours=1), name="GetCallerIdentity"))

    assert [one.id for one in report.unexpected] == ["event-0"]
    assert not report.fits


def test_a_decision_without_an_event_is_missing(decided):
    report = paired([decided(1)], record(2, name="GetCallerIdentity"))

    assert [(one.call, one.refused) for one in report.missing] == [(f"{1:026d}", None)]


def test_a_trade_that_aws_refused_is_told_with_its_error(decided):
    report = paired([decided(1)], record(errorCode="AccessDenied", responseElements=None))

    assert [one.refused for one in report.missing] == ["AccessDenied"]
    assert not report.unexpected


def test_a_role_of_this_gateways_own_sessions_needs_no_event(decided):
    assert paired([decided(1, role="local-one")], record(2, name="GetCallerIdentity")).fits


def test_decisions_outside_the_time_of_the_events_are_left_out(decided):
    report = paired([decided(1, at=AT - timedelta(days=1)), decided(2, at=AT + timedelta(days=1))], record(2, name="X"))

    assert report.fits


def test_no_events_say_nothing(decided):
    report = match([decided(1)], [], ROLES)

    assert (report.matched, report.missing, report.unexpected) == ((), (), ())


def test_the_source_identity_names_the_caller_as_well(decided):
    asked = {"roleArn": ROLE, "roleSessionName": "another", "sourceIdentity": ANA}

    assert paired([decided(1)], record(name="AssumeRole", requestParameters=asked)).fits


@pytest.mark.parametrize(("shown", "fits"), [("_a1", True), ("_a2", False)], ids=["this-one", "another"])
def test_saml_is_paired_by_the_assertion(decided, shown, fits):
    issuer = "https://idp.example/"
    evidence = sha256(f"{issuer}\n{shown}".encode()).hexdigest()[:32]
    event = record(
        name="AssumeRoleWithSAML",
        requestParameters={"roleArn": ROLE, "sAMLAssertionID": "_a1", "principalArn": "arn:aws:iam::1:saml-provider/x"},
        responseElements={
            "issuer": issuer, "subject": "ana", "credentials": {"expiration": "Mar 14, 2026, 9:41:53 AM"},
            "assumedRoleUser": {"arn": "arn:aws:sts::111122223333:assumed-role/finance-reader/ana.example"},
        },
    )  # fmt: skip
    report = paired([decided(1, evidence_id=evidence)], event)

    assert report.fits is fits
    assert events(event)[0].taken.name == "ana.example"


def test_nobody_is_named_by_an_event_that_is_shown():
    (event,) = events(record())

    assert ANA not in repr(event)
