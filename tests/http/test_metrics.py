"""How long things took is counted as Prometheus counts it."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from actas.http.metrics import Figures, Spread, exposition


@pytest.mark.parametrize(
    ("seconds", "counted"),
    [(0.0, [1, 1, 1]), (0.5, [1, 1, 1]), (0.500001, [0, 1, 1]), (1.0, [0, 1, 1]), (1.5, [0, 0, 1])],
    ids=["at once", "the first bound", "just beyond it", "the last bound", "beyond all bounds"],
)
def test_what_took_no_longer_than_a_bound_counts_for_it_and_for_all_above(seconds, counted):
    one = Spread((0.5, 1.0))
    one.add(seconds)

    assert one.buckets() == list(zip(("0.5", "1.0", "+Inf"), map(float, counted), strict=True))


@given(st.lists(st.floats(0, 100), max_size=30))
def test_every_one_is_counted(times):
    one = Spread((0.1, 1.0, 10.0))
    for seconds in times:
        one.add(seconds)

    for bound, count in one.buckets():
        assert count == sum(seconds <= float(bound) for seconds in times)
    assert one.total == pytest.approx(sum(times))


def test_a_scraper_reads_it_as_a_histogram():
    spread = Spread((0.5, 1.0))
    for seconds in (0.25, 0.75, 2.0):
        spread.add(seconds)
    figures = Figures(calls=Counter(), strangers=Counter(), gauges=dict, spreads=lambda: {"access_end_seconds": spread})
    families = {one.name: one for one in text_string_to_metric_families(exposition(figures).decode())}
    found = {(one.name, one.labels.get("le")): one.value for one in families["actas_access_end_seconds"].samples}

    assert families["actas_access_end_seconds"].type == "histogram"
    assert found == {
        ("actas_access_end_seconds_bucket", "0.5"): 1,
        ("actas_access_end_seconds_bucket", "1.0"): 2,
        ("actas_access_end_seconds_bucket", "+Inf"): 3,
        ("actas_access_end_seconds_count", None): 3,
        ("actas_access_end_seconds_sum", None): 3.0,
    }
