"""Make figures of records, in CloudWatch's embedded metric format: an object a minute and set of dimensions. Pure.

Dimensions are bounded: functions, roles and providers by the settings (only allowed calls name them), codes by what
there is of them, and each by `MOST_VALUES` anyhow; what comes after is ``other``. Nothing here names a person.
"""

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import msgspec

from actas.audit.records import Counted, Entry
from actas.model.record import Decided, Ended

MOST_VALUES: Final = 100
MOST_NUMBERS: Final = 100
"""Numbers of one metric in one object."""
MOST_OPEN: Final = 20_000
OTHER: Final = "other"
Dimensions = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class _Key:
    minute: int
    metric: str
    unit: str
    dimensions: Dimensions


@dataclass(slots=True)
class Figures:
    """Counts records; knows the functions of calls that are under way."""

    namespace: str
    _open: OrderedDict[str, str] = field(default_factory=OrderedDict)
    _values: dict[str, set[str]] = field(default_factory=dict)

    def documents(self, entries: Iterable[Entry]) -> Iterator[tuple[int, bytes]]:
        """Give the figures of *entries*: the minute in milliseconds, and the object."""
        counted: dict[_Key, list[float]] = {}
        for entry in entries:
            for key, value in self._of(entry):
                numbers = counted.setdefault(key, [])
                if key.unit == "Count" and numbers:
                    numbers[0] += value
                else:
                    numbers.append(value)
        for key, numbers in sorted(counted.items(), key=lambda one: one[0].minute):
            for start in range(0, len(numbers), MOST_NUMBERS):
                yield key.minute, self._document(key, numbers[start : start + MOST_NUMBERS])

    def _of(self, entry: Entry) -> Iterator[tuple[_Key, float]]:
        match entry:
            case Decided():
                yield from self._decided(entry)
            case Ended():
                yield from self._ended(entry)
            case Counted():
                yield self._count(entry.at, "Strangers", entry.count, Reason=entry.reason)
            case _:
                pass

    def _decided(self, entry: Decided) -> Iterator[tuple[_Key, float]]:
        at = entry.at
        yield self._count(at, "TokenUse", 1, Provider=entry.provider, Evidence=entry.evidence)
        yield self._number(at, "DecisionLatency", "Microseconds", entry.decided_us - entry.identified_us)
        if entry.verdict == "deny":
            for reason in entry.reasons:
                yield self._count(at, "Denials", 1, Reason=reason)
            return
        self._open[entry.call] = entry.function
        if len(self._open) > MOST_OPEN:
            self._open.popitem(last=False)
        if entry.role is not None:
            yield self._count(at, "RoleUse", 1, Role=entry.role)

    def _ended(self, entry: Ended) -> Iterator[tuple[_Key, float]]:
        function = self._open.get(entry.call, OTHER)  # kept: the same lines may come again
        yield self._count(entry.at, "Calls", 1, Function=function, Outcome=entry.outcome)
        if entry.error is not None:
            yield self._count(entry.at, "Errors", 1, Code=entry.error)
        if entry.took_us is not None and entry.outcome != "refused":
            yield self._number(entry.at, "Latency", "Milliseconds", entry.took_us / 1000, Function=function)

    def _count(self, at: datetime, metric: str, value: float, **dimensions: str) -> tuple[_Key, float]:
        return _Key(_minute(at), metric, "Count", self._bounded(dimensions)), value

    def _number(self, at: datetime, metric: str, unit: str, value: float, **dimensions: str) -> tuple[_Key, float]:
        return _Key(_minute(at), metric, unit, self._bounded(dimensions)), value

    def _bounded(self, dimensions: dict[str, str]) -> Dimensions:
        found = []
        for name, value in dimensions.items():
            known = self._values.setdefault(name, set())
            shown = value[:250] if value in known or len(known) < MOST_VALUES else OTHER
            known.add(shown)
            found.append((name, shown or OTHER))
        return tuple(found)

    def _document(self, key: _Key, numbers: list[float]) -> bytes:
        told: dict[str, Any] = {
            "_aws": {
                "Timestamp": key.minute,
                "CloudWatchMetrics": [
                    {
                        "Namespace": self.namespace,
                        "Dimensions": [[name for name, _ in key.dimensions]],
                        "Metrics": [{"Name": key.metric, "Unit": key.unit}],
                    }
                ],
            },
            **dict(key.dimensions),
            key.metric: numbers if len(numbers) > 1 else numbers[0],
        }
        return msgspec.json.encode(told)


def _minute(at: datetime) -> int:
    return int(at.timestamp()) // 60 * 60_000
