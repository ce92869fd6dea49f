"""What is told of identity events: how each source does, and how the deliveries do. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from actas.events.hearing import State
from actas.store.outbox import Counts

FIGURES = ("lag_seconds", "last_seconds", "missed", "unmatched", "trouble")


def trouble(state: State) -> str | None:
    """Give the code of what is wrong with a source."""
    return state.trouble or state.health.trouble


def by_source(
    states: Sequence[State], broken: Mapping[str, str], unmatched: Mapping[str, int], *, now: datetime
) -> dict[str, dict[str, float]]:
    """Give the figures of each source; *broken* are those that cannot be made."""
    found: dict[str, dict[str, float]] = {name: {} for name in FIGURES}
    for one in states:
        lag, heard = one.lag(), one.last_heard
        found["lag_seconds"][one.source] = -1.0 if lag is None else lag
        found["last_seconds"][one.source] = -1.0 if heard is None else (now - heard).total_seconds()
        found["missed"][one.source] = one.missed
        found["unmatched"][one.source] = unmatched[one.source]
        found["trouble"][one.source] = float(trouble(one) is not None)
    found["trouble"] |= dict.fromkeys(broken, 1.0)
    return found


def sources(states: Sequence[State], broken: Mapping[str, str], unmatched: Mapping[str, int]) -> list[dict[str, Any]]:
    """Tell of each source what a person wants to know."""
    found: list[dict[str, Any]] = [{**_told(one), "unmatched": unmatched[one.source]} for one in states]
    return found + [{"source": name, "trouble": code} for name, code in sorted(broken.items())]


def deliveries(counts: Counts) -> Mapping[str, Any]:
    """Tell how the deliveries do."""
    return {
        "waiting": counts.waiting,
        "running": counts.running,
        "again": counts.again,
        "dead": counts.dead,
        "oldest_seconds": round(counts.oldest.total_seconds(), 1),
    }


def _told(state: State) -> dict[str, Any]:
    back, lag = state.health.reaches_back, state.lag()
    return {
        "source": state.source,
        "provider": state.provider,
        "trouble": trouble(state),
        "last_event": None if state.last_happened is None else state.last_happened.isoformat(timespec="seconds"),
        "lag_seconds": None if lag is None else round(lag, 3),
        "missed": state.missed,
        "reaches_back_seconds": None if back is None else round(back.total_seconds()),
        "notes": list(state.health.notes),
    }
