"""Token buckets, with a clock of our own."""

from hypothesis import given
from hypothesis import strategies as st

from actas.http.rates import Buckets


def test_as_many_as_the_burst_and_then_as_the_rate_allows():
    buckets = Buckets(rate=60, burst=3)

    assert [buckets.take("a", 0.0) for _ in range(5)] == [0, 0, 0, 1, 1]
    assert [buckets.take("a", 1.0) for _ in range(2)] == [0, 1]
    assert [buckets.take("a", 1000.0) for _ in range(4)] == [0, 0, 0, 1]


def test_the_wait_is_as_long_as_it_takes():
    buckets = Buckets(rate=2, burst=1)

    assert buckets.take("a", 0.0) == 0
    assert buckets.take("a", 0.0) == 30
    assert buckets.take("a", 29.5) == 1
    assert buckets.take("a", 30.0) == 0


def test_one_key_does_not_pay_for_another():
    buckets = Buckets(rate=60, burst=1)

    assert [buckets.take(key, 0.0) for key in "abcab"] == [0, 0, 0, 1, 1]


def test_a_rate_of_zero_is_no_limit():
    buckets = Buckets(rate=0, burst=1)

    assert not any(buckets.take("a", 0.0) for _ in range(100))
    assert len(buckets) == 0


def test_there_are_only_so_many_buckets_and_the_longest_unused_goes():
    buckets = Buckets(rate=60, burst=1, most=2)

    assert [buckets.take(key, at) for at, key in enumerate(["a", "b", "c"])] == [0, 0, 0]
    assert len(buckets) == 2
    assert buckets.take("c", 2.0) == 1


def test_a_clock_that_goes_back_gives_nothing_away():
    buckets = Buckets(rate=60, burst=1)

    assert buckets.take("a", 100.0) == 0
    assert buckets.take("a", 0.0) >= 1


@given(
    st.integers(1, 600),
    st.integers(1, 20),
    st.lists(st.floats(0, 10, allow_nan=False), max_size=60),
)
def test_nobody_gets_more_than_the_burst_and_the_rate_together(rate, burst, waits):
    buckets, now, taken = Buckets(rate=rate, burst=burst), 0.0, 0

    for wait in waits:
        now += wait
        taken += buckets.take("a", now) == 0

    assert taken <= burst + now * rate / 60 + 1e-6
