"""Figures for Prometheus: counted where things happen, put together when they are asked for."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import accumulate

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric


class Spread:
    """How long something took, by how often it took no longer than each of some bounds, in seconds."""

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds, self.total = bounds, 0.0
        self._counts = [0] * (len(bounds) + 1)

    def add(self, seconds: float) -> None:
        """Take note of one more."""
        self._counts[bisect_left(self.bounds, seconds)] += 1
        self.total += seconds

    def buckets(self) -> list[tuple[str, float]]:
        """Give how often it took no longer than each bound, as Prometheus wants it: each counts those before it."""
        names = (*map(str, self.bounds), "+Inf")
        return list(zip(names, map(float, accumulate(self._counts)), strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What the parts tell of themselves."""

    calls: Counter[tuple[str, str]]
    """By outcome and the function's name; names are those of the settings, so there are not many."""
    strangers: Counter[str]
    """By the code of why they were not believed."""
    gauges: Callable[[], dict[str, float]]
    sources: Callable[[], Mapping[str, Mapping[str, float]]] = dict
    """Of each source of events, by the figure and the source's name."""
    spreads: Callable[[], Mapping[str, Spread]] = dict
    """How long things took."""


class Collected:
    """A collector for one gateway, in a registry of its own."""

    def __init__(self, figures: Figures) -> None:
        self._figures = figures

    def collect(self) -> Iterable[Metric]:
        """Give every figure as it stands."""
        calls = CounterMetricFamily(
            "actas_calls", "Calls that ended, by outcome and function.", labels=["outcome", "function"]
        )
        for (outcome, function), number in self._figures.calls.items():
            calls.add_metric([outcome, function], number)
        strangers = CounterMetricFamily("actas_strangers", "Calls that never became an identity.", labels=["reason"])
        for reason, number in self._figures.strangers.items():
            strangers.add_metric([reason], number)
        yield calls
        yield strangers
        for name, value in self._figures.gauges().items():
            yield GaugeMetricFamily(f"actas_{name}", TOLD[name], value=value)
        for name, spread in self._figures.spreads().items():
            yield HistogramMetricFamily(f"actas_{name}", SPREADS[name], spread.buckets(), spread.total)
        for name, values in self._figures.sources().items():
            family = GaugeMetricFamily(f"actas_event_source_{name}", OF_SOURCES[name], labels=["source"])
            for source, value in values.items():
                family.add_metric([source], value)
            yield family


TOLD = {
    "ready": "1 where calls are taken.",
    "settings_generation": "How many states of the settings were taken into use.",
    "settings_broken": "1 where the newest state of the settings is broken and the one before is in use.",
    "observing": "1 where the rules are observed and refuse nothing.",
    "isolation_weak": "1 where functions run without isolation.",
    "audit_kept": "Records in the trail since the start.",
    "audit_gaps": "Gaps in the trail since the start.",
    "audit_queued": "Records that wait to be written.",
    "audit_trouble": "1 where the trail cannot be kept and calls are refused.",
    "audit_behind": "Records that somebody who keeps a copy of the trail has yet to take.",
    "audit_followers_failing": "How many of those who keep a copy of the trail do not take records now.",
    "audit_unpruned": "1 where old segments of the trail stay that should have been pruned.",
    "clock_ahead": "Seconds that this clock is ahead of the one of who hands out credentials, as of the last answer.",
    "sessions": "Live sessions.",
    "processes": "Live function processes.",
    "requests_in_flight": "Requests that are being answered.",
    "providers_unusable": "Providers whose keys cannot be used.",
    "saml_certificate_days": "Days until some SAML provider's last certificate ends; below 0 where it has ended.",
    "lookups_failing": "Providers whose groups could not be looked up the last time.",
    "later_waiting": "Events that callers left to be run later and that are not over.",
    "later_dead": "Such events, and records for destinations, that are set apart.",
    "later_forgotten": "Such ones that were forgotten since the start because too much was set apart.",
    "events_heard": "Identity events taken in since the start.",
    "events_repeated": "Identity events that came again since the start.",
    "events_turned_away": "Identity events that their source had to keep since the start, as too much waited.",
    "events_unmatched": "Identity events since the start that take access from somebody who was not found by them.",
    "events_delivered": "Deliveries to functions that were answered since the start.",
    "events_again": "Deliveries that did not succeed and are tried again, each time, since the start.",
    "events_dead": "Deliveries that are set apart.",
    "events_waiting": "Deliveries that wait.",
    "events_oldest_seconds": "How long the oldest delivery has waited.",
    "events_lag_seconds": "From the latest event of a source to its being heard; the longest of all sources.",
    "events_last_seconds": "How long ago an event was heard; -1 where none ever was.",
    "events_missed": "How often a source noticed that something may have been missed.",
    "event_sources_troubled": "Sources of events in trouble.",
    "access_ended": "Sessions and processes that were ended before their time since the start.",
    "revocations_read_seconds": "How long ago the revocations were read; beyond 5 nothing cached is trusted.",
}


SPREADS = {
    "access_end_seconds": "From hearing of an end of access, here or on another gateway, to all of it being over here.",
}


OF_SOURCES = {
    "lag_seconds": "From the source's latest event to its being heard; -1 where there was none.",
    "last_seconds": "How long ago an event of the source was heard; -1 where none ever was.",
    "missed": "How often the source noticed that something may have been missed.",
    "unmatched": "Events of the source since the start that take access from somebody who was not found by them.",
    "trouble": "1 where the source cannot be heard.",
}


def exposition(figures: Figures) -> bytes:
    """Write the figures in Prometheus's text format."""
    from prometheus_client import CollectorRegistry, generate_latest

    registry = CollectorRegistry()
    registry.register(Collected(figures))
    return generate_latest(registry)
