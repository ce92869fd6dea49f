"""Read headers, queries and cookies as AWS's front doors do, and write times as they do."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import unquote_plus

_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def grouped(pairs: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    """Put the values of one name together, whatever its case, under its first spelling."""
    spelt: dict[str, str] = {}
    grouped: dict[str, list[str]] = {}
    for name, value in pairs:
        grouped.setdefault(spelt.setdefault(name.lower(), name), []).append(value)
    return grouped


def lower(pairs: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    """Put the values of one name together under its lower-case spelling."""
    return grouped([(name.lower(), value) for name, value in pairs])


def query(raw: str, *, decode: bool = True) -> dict[str, list[str]]:
    """Read a query string; a name without a value has an empty one."""
    pairs = []
    for part in raw.split("&"):
        name, _, value = part.partition("=")
        if part:
            pairs.append((unquote_plus(name), unquote_plus(value)) if decode else (name, value))
    grouped: dict[str, list[str]] = {}
    for name, value in pairs:
        grouped.setdefault(name, []).append(value)
    return grouped


def cookies(header: str) -> list[str]:
    """Take a Cookie header apart."""
    return [part.strip() for part in header.split(";") if part.strip()]


def clf(now: datetime) -> str:
    """Write a time as web servers' logs do, in no locale's language."""
    return f"{now.day:02}/{_MONTHS[now.month - 1]}/{now.year:04}:{now:%H:%M:%S} +0000"


def milliseconds(now: datetime) -> int:
    """Count milliseconds since 1970."""
    return (now - _EPOCH) // timedelta(milliseconds=1)
