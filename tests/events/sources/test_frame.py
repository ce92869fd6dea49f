"""What sources share: what went wrong last, and how times are written."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actas.events.sources.asking.frame import Trouble
from actas.events.sources.errors import MalformedDelivery, ProviderBusy
from actas.events.sources.reading import strict


def test_what_went_wrong_last_is_known_until_something_goes_well():
    trouble, seen = Trouble(), []
    busy = ProviderBusy(what="it", status=429, retry_after=1)
    for wrong in (None, busy, MalformedDelivery(why="x"), None):
        with suppress(ProviderBusy, MalformedDelivery), trouble:
            if wrong is not None:
                raise wrong
        seen.append(trouble.code)

    assert seen == [None, "events.provider-busy", "events.malformed-delivery", None]


def test_a_question_that_was_called_off_says_nothing_of_the_provider():
    trouble = Trouble()
    with pytest.raises(MalformedDelivery), trouble:
        raise MalformedDelivery(why="x")
    with pytest.raises(KeyboardInterrupt), trouble:
        raise KeyboardInterrupt

    assert trouble.code == "events.malformed-delivery"


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (datetime(2026, 11, 23, 12, tzinfo=UTC), "2026-11-23T12:00:00.000Z"),
        (datetime(2026, 11, 23, 12, 0, 0, 999_999, tzinfo=UTC), "2026-11-23T12:00:00.999Z"),
        (datetime(2026, 11, 23, 1, tzinfo=timezone(timedelta(hours=2))), "2026-11-22T23:00:00.000Z"),
    ],
    ids=["a whole second", "never later than it was", "in another zone"],
)
def test_a_time_is_written_in_utc_to_the_millisecond(at, text):
    assert strict.written(at) == text


@given(st.datetimes(datetime(2000, 1, 1), datetime(2199, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - it says which
def test_what_is_written_is_read_again_as_the_same_millisecond(at):
    assert strict.instant(strict.written(at)) == at.replace(microsecond=at.microsecond // 1000 * 1000)
