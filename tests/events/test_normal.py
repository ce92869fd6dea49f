"""An identity event that cannot be one is not made."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actas.events.errors import EventMalformed
from actas.events.normal import KINDS, LONGEST, LONGEST_ID, MOST, IdentityEvent, Kind
from actas.settings.schema_events import ENDING, EVENT_FACTS, EVENT_KINDS, WHERE_FACTS

AT = datetime(2026, 3, 14, 12, tzinfo=UTC)


def made(**more):
    given_ = {"id": "e1", "source": "hr", "provider": "corp", "kind": Kind.OTHER, "happened_at": AT, "heard_at": AT}
    return IdentityEvent(**(given_ | more))


CASES = [
    ("the longest id", {"id": "i" * LONGEST_ID}, True),
    ("an id beyond it", {"id": "i" * (LONGEST_ID + 1)}, False),
    ("no id", {"id": ""}, False),
    ("an id that is no text", {"id": 7}, False),
    ("the longest subject", {"subject": "s" * LONGEST}, True),
    ("a subject beyond it", {"subject": "s" * (LONGEST + 1)}, False),
    ("a subject of another script", {"subject": "Überprüft-\U0001f512"}, True),
    ("a subject with a line break", {"subject": "a\nb"}, False),
    ("a subject with a zero", {"subject": "a\0b"}, False),
    ("a subject with half a character", {"subject": "a\ud800b"}, False),
    ("no source", {"source": ""}, False),
    ("no provider", {"provider": ""}, False),
    ("a kind that is a text", {"kind": "other"}, False),
    ("a time without a zone", {"happened_at": AT.replace(tzinfo=None)}, False),
    ("a time in another zone", {"happened_at": AT.astimezone(timezone(timedelta(hours=1)))}, False),
    ("a time before all clocks", {"heard_at": AT.replace(year=1969)}, False),
    ("the first year of all clocks", {"heard_at": AT.replace(year=1970)}, True),
    ("as many roles as fit", {"roles": ("r",) * MOST}, True),
    ("one role more", {"roles": ("r",) * (MOST + 1)}, False),
    ("roles in a list", {"roles": ["r"]}, False),
    ("a role that is none", {"groups": (None,)}, False),
]


@pytest.mark.parametrize(("more", "is_one"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_an_event_is_made_of_what_a_provider_can_mean(more, is_one):
    if is_one:
        assert made(**more).id
    else:
        with pytest.raises(EventMalformed):
            made(**more)


def test_nobody_is_named_in_its_representation_or_its_refusal():
    one = made(subject="ana", actor="ben", session="s-1", roles=("admin",), groups=("staff",), raw=b"ana")
    with pytest.raises(EventMalformed) as refused:
        made(subject="ana\0")

    assert not [name for name in ("ana", "ben", "s-1", "admin", "staff") if name in repr(one)]
    assert "ana" not in str(refused.value)


def test_the_settings_know_the_kinds_that_there_are():
    assert EVENT_KINDS == KINDS
    assert set(ENDING) < set(KINDS)
    assert set(WHERE_FACTS) < set(EVENT_FACTS)


@given(st.dictionaries(st.sampled_from(["id", "subject", "actor", "client", "session", "reason", "type"]), st.text()))
def test_whatever_texts_come_an_event_is_made_or_refused(texts):
    try:
        one = made(**texts)
    except EventMalformed:
        return
    assert all(getattr(one, name) == text for name, text in texts.items())
