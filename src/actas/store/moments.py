"""Times and spans as the tables have them: whole microseconds, times since 1970 in UTC.

Pure, and exact both ways: no float is in between, so what is kept is what is read again.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def kept(time: datetime) -> int:
    """Give the microseconds from 1970 to *time*, which must say its zone."""
    return (time - EPOCH) // _MICROSECOND


def moment(microseconds: int) -> datetime:
    """Give the time that was kept."""
    return EPOCH + microseconds * _MICROSECOND


def kept_span(span: timedelta) -> int:
    """Give the microseconds of a span."""
    return span // _MICROSECOND


def span(microseconds: int) -> timedelta:
    """Give the span that was kept."""
    return microseconds * _MICROSECOND
