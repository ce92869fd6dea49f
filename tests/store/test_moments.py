"""What is kept of a time is what is read again, to the microsecond, whatever zone it was told in."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actas.store.moments import kept, kept_span, moment, span

ZONES = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))
TIMES = st.datetimes(min_value=datetime(1, 1, 3), max_value=datetime(9999, 12, 29), timezones=ZONES)  # noqa: DTZ001
SPANS = st.timedeltas(min_value=timedelta(days=-600_000), max_value=timedelta(days=2_500_000))


@pytest.mark.parametrize(
    ("time", "microseconds"),
    [
        (datetime(1970, 1, 1, tzinfo=UTC), 0),
        (datetime(1970, 1, 1, 0, 0, 0, 1, tzinfo=UTC), 1),
        (datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), -1),
        (datetime(2001, 9, 9, 1, 46, 40, tzinfo=UTC), 1_000_000_000_000_000),
        (datetime(1970, 1, 1, 1, tzinfo=timezone(timedelta(hours=1))), 0),
    ],
    ids=["the beginning", "the tick after it", "the tick before it", "a billion seconds", "the beginning in Paris"],
)
def test_a_time_is_kept_as_microseconds_since_1970(time, microseconds):
    assert kept(time) == microseconds
    assert moment(microseconds) == time


def test_a_time_that_does_not_say_its_zone_is_kept_by_nobody():
    with pytest.raises(TypeError):
        kept(datetime(2026, 3, 14))  # noqa: DTZ001 - as asked


@given(TIMES)
def test_every_time_is_read_as_it_was_kept(time):
    assert moment(kept(time)) == time
    assert moment(kept(time)).tzinfo is UTC


@given(TIMES, TIMES)
def test_what_is_kept_has_the_order_of_the_times(one, other):
    assert (kept(one) < kept(other)) == (one < other)


@given(SPANS)
def test_every_span_is_read_as_it_was_kept(length):
    assert span(kept_span(length)) == length


@given(st.datetimes(min_value=datetime(1700, 1, 1), max_value=datetime(3000, 1, 1), timezones=st.just(UTC)), SPANS)  # noqa: DTZ001
def test_a_time_and_a_span_add_up_as_they_do_outside(time, length):
    assert kept(time + length) == kept(time) + kept_span(length)
