"""The one place that reads the clock; edges call it and hand the time in."""

from datetime import UTC, datetime


def now() -> datetime:
    """Tell the time, aware, in UTC."""
    return datetime.now(UTC)  # noqa: TID251 - the one place that may
