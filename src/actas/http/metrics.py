"""Figures for Prometheus: counted where things happen, put together when they are asked for."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What the parts tell of themselves."""

    calls: Counter[tuple[str, str]]
    """By outcome and the function's name; names are those of the settings, so there are not many."""
    strangers: Counter[str]
    """By the code of why they were not believed."""
    gauges: Callable[[], dict[str, float]]


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
    "sessions": "Live sessions.",
    "processes": "Live function processes.",
    "requests_in_flight": "Requests that are being answered.",
    "providers_unusable": "Providers whose keys cannot be used.",
    "lookups_failing": "Providers whose groups could not be looked up the last time.",
}


def exposition(figures: Figures) -> bytes:
    """Write the figures in Prometheus's text format."""
    from prometheus_client import CollectorRegistry, generate_latest

    registry = CollectorRegistry()
    registry.register(Collected(figures))
    return generate_latest(registry)
