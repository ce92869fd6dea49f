"""A function is handed a CloudEvent or an EventBridge event by their own rules, which tells what was asked for."""

import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actas.events.envelopes import Outside, wrap
from actas.events.normal import KINDS, LONGEST, LONGEST_ID, MOST, IdentityEvent, Kind
from actas.events.sources.asking.fit import Fit
from actas.events.subscriptions import facts, subscription
from actas.settings.schema import On
from actas.settings.schema_events import EVENT_FACTS, WHERE_FACTS

AT = datetime(2026, 3, 14, 12, tzinfo=UTC)
NAMES = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,63}", fullmatch=True)
TIMES = st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(9998, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
TEXTS = st.text(st.characters(min_codepoint=32, exclude_characters="\x7f", exclude_categories=["Cs"]), max_size=40)
DATA = st.dictionaries(st.sampled_from(EVENT_FACTS), st.none() | TEXTS | st.lists(TEXTS, max_size=3).map(tuple))
OUTSIDE = st.builds(
    Outside,
    key=st.from_regex(r"[0-9a-f]{32}-[0-9a-f]{12}", fullmatch=True),
    source=NAMES,
    kind=st.sampled_from(KINDS),
    at=TIMES,
    account=st.from_regex(r"[0-9]{12}", fullmatch=True),
    region=st.just("eu-west-1"),
)
RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
URI_REFERENCE = re.compile(r"/[A-Za-z0-9._~!$&'()*+,;=:@%/-]+")
SECRETS = {name: f"secret-{name}" for name in ("id", "type", "subject", "actor", "client", "session", "reason")}
LISTS = {"roles": ("secret-role",), "groups": ("secret-group",)}
RAW = b'{"raw": "secret-raw"}'


@given(OUTSIDE, DATA)
def test_every_cloudevent_keeps_the_standard(outside, data):
    """CloudEvents 1.0.2, section 3.1, and the JSON event format, section 2.4 and 3."""
    text = wrap("cloudevents", outside, data)
    found = json.loads(text.decode("utf-8"))

    assert {"id", "source", "specversion", "type"} <= found.keys()
    assert all(re.fullmatch(r"[a-z0-9]{1,20}", name) for name in found.keys() - {"data"})
    assert all(isinstance(found[name], str) and found[name] for name in found.keys() - {"data"})
    assert found["specversion"] == "1.0"
    assert URI_REFERENCE.fullmatch(found["source"])
    assert RFC3339.fullmatch(found["time"])
    assert found["datacontenttype"] == "application/json"
    assert found["data"] == json.loads(json.dumps(data))


@given(OUTSIDE, DATA)
def test_every_eventbridge_event_has_the_members_that_aws_gives_it_and_fits_them(outside, data):
    found = json.loads(wrap("eventbridge", outside, data))

    assert list(found) == [
        "version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail",
    ]  # fmt: skip
    assert found["version"] == "0"
    assert 1 <= len(found["detail-type"]) <= 128
    assert re.fullmatch(r"[/.\-_A-Za-z0-9]{1,256}", found["source"])
    assert not found["source"].startswith("aws.")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", found["time"])
    assert (found["resources"], found["detail"]) == ([], json.loads(json.dumps(data)))


def whole(**more):
    about = {"source": "hr", "provider": "corp", "kind": Kind.ROLE_REVOKED, "happened_at": AT, "heard_at": AT, **LISTS}
    return IdentityEvent(**{**about, **SECRETS, "raw": RAW, **more})


@pytest.mark.parametrize("form", ["cloudevents", "eventbridge"])
@given(asked=st.lists(st.sampled_from(EVENT_FACTS), unique=True), where=st.sets(st.sampled_from(WHERE_FACTS)))
def test_what_was_not_asked_for_is_nowhere_in_what_a_function_gets(form, asked, where):
    event = whole()
    every = facts(event, WHERE_FACTS)
    on = On(event="role-revoked", run="f", payload=tuple(asked), where={name: every[name] for name in where})
    wanted = subscription(on)
    outside = Outside(key="k", source="hr", kind="role-revoked", at=AT, account="0" * 12, region="eu-west-1")
    text = wrap(form, outside, facts(event, wanted.payload)).decode()

    assert wanted.wants(event, own=False)
    data = json.loads(text)["data" if form == "cloudevents" else "detail"]
    assert set(data) == set(asked)
    hidden = {SECRETS[name] for name in SECRETS.keys() - set(asked)}
    hidden |= {"secret-role"} if not {"role", "roles"} & set(asked) else set()
    hidden |= {"secret-group"} if not {"group", "groups"} & set(asked) else set()
    assert not [one for one in hidden | {"secret-raw"} if one in text]


@pytest.mark.parametrize("letter", ["a", '"', "\U00010400"], ids=["plain", "to be escaped", "of four bytes"])
def test_the_largest_event_that_there_can_be_fits_a_function(letter):
    """A synchronous invocation takes six megabytes (Lambda quotas)."""
    lists = dict.fromkeys(("roles", "groups"), (letter * LONGEST,) * MOST)
    texts = dict.fromkeys(SECRETS.keys() - {"id"}, letter * LONGEST)
    event = whole(**lists, **texts, id=letter * LONGEST_ID)
    outside = Outside(key="k" * 45, source="s" * 64, kind="other", at=AT, account="0" * 12, region="eu-west-1")

    for form in ("cloudevents", "eventbridge"):
        assert len(wrap(form, outside, facts(event, EVENT_FACTS))) < 6 * 1024 * 1024


def test_a_time_is_told_in_utc_with_what_it_has_of_a_second():
    for at, told in ((AT, "2026-03-14T12:00:00Z"), (AT + timedelta(microseconds=1), "2026-03-14T12:00:00.000001Z")):
        outside = Outside(key="k", source="hr", kind="other", at=at, account="0" * 12, region="r")

        assert json.loads(wrap("cloudevents", outside, {}))["time"] == told
        assert json.loads(wrap("eventbridge", outside, {}))["time"] == "2026-03-14T12:00:00Z"


def test_what_came_is_kept_only_where_the_settings_say_so():
    assert Fit.__dataclass_fields__["keep_raw"].default is False
    assert "raw" not in EVENT_FACTS
    assert "raw" not in WHERE_FACTS
