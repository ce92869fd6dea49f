"""Read context and policy values as the type an operator wants; None where they are not of that type."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Final

from actas.iam.errors import InvalidRequest
from actas.iam.kinds import UNKNOWN, Unknown

if TYPE_CHECKING:
    from decimal import Decimal

Scalar = Any  # str, bool, int, float, Decimal, datetime or UNKNOWN
Value = Any  # a Scalar, or a tuple of at least one

_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]{1,64}(?:\.[0-9]{0,64})?|\.[0-9]{1,64})", re.ASCII)
_DATE: Final = re.compile(
    r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2})"
    r"(?:[Tt]([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]{1,9}))?)?([Zz]|[+-][0-9]{2}(?::?[0-9]{2})?)?)?)?)?",
    re.ASCII,
)
_EPOCH: Final = re.compile(r"-?[0-9]{1,13}(?:\.[0-9]{1,9})?", re.ASCII)
_DIGITS: Final = 1024
"""Places of a decimal before or behind the point: its text is written without an exponent."""
_START: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Context(dict[str, Value]):
    """Context values with folded keys, ready to be asked many times."""

    __slots__ = ()


def fold(context: Mapping[str, object]) -> Context:
    """Prepare a context once for many requests: keys folded, lists made tuples, empty lists left out.

    Raises InvalidRequest for a value of no known type and for two keys that differ in case only.
    """
    if type(context) is Context:
        return context
    if not isinstance(context, Mapping):
        raise InvalidRequest(field="context", why="is not a mapping of keys to values")
    folded = Context()
    for key, value in context.items():
        if not isinstance(key, str):
            raise InvalidRequest(field="context", why="has a key that is not text")
        name = key.lower()
        if name in folded:
            raise InvalidRequest(field="context", why="has two keys that differ in letter case only")
        kept = _value(value)
        if kept is not None:
            folded[name] = kept
    return folded


def _value(value: object) -> Value:
    """Check one value; None for an empty list, which is the same as no key."""
    if isinstance(value, (list, tuple, set, frozenset)):
        return tuple(_scalar(item) for item in value) or None
    return _scalar(value)


def _scalar(value: object) -> Scalar:
    if isinstance(value, (str, bool, int, Unknown)):
        return value
    if isinstance(value, float) and value == value and value not in (float("inf"), float("-inf")):  # noqa: PLR0124 - NaN
        return value
    if isinstance(value, datetime) and value.utcoffset() is not None:
        return _utc(value)
    from decimal import Decimal

    if isinstance(value, Decimal) and value.is_finite() and abs(value.adjusted()) <= _DIGITS:
        return value
    raise InvalidRequest(
        field="context",
        why="has a value that is not text, a boolean, a finite number, an aware time, or a list of them",
    )


def _utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise InvalidRequest(field="context", why="has a time beyond the calendar") from None


def text_of(value: Scalar) -> str:
    """Write the text that a string operator compares."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return _digits(value)


def _digits(value: Scalar) -> str:
    """Write a number without an exponent; a hostile integer of many digits has no text."""
    if isinstance(value, int):
        return str(value) if value.bit_length() < 1024 else ""
    from decimal import Decimal

    text = format(Decimal(repr(value)) if isinstance(value, float) else value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def number_of(value: Scalar) -> int | Decimal | None:
    """Read an integer or a decimal."""
    if isinstance(value, bool) or value is UNKNOWN:
        return None
    if isinstance(value, int):
        return value
    from decimal import Decimal

    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, Decimal):
        return value
    if not isinstance(value, str) or not _NUMBER.fullmatch(value):
        return None
    return Decimal(value) if "." in value else int(value)


def date_of(value: Scalar) -> datetime | None:
    """Read an ISO 8601 date of the W3C profile, or seconds since 1970."""
    if isinstance(value, datetime):
        return value
    if isinstance(value, str):
        return _epoch(value) if _EPOCH.fullmatch(value) and not _YEAR.fullmatch(value) else _iso(value)
    if isinstance(value, bool):
        return None
    return _epoch(text_of(value))


_YEAR: Final = re.compile(r"[0-9]{4}", re.ASCII)


def _epoch(text: str) -> datetime | None:
    seconds, _, fraction = text.partition(".")
    try:
        return _START + timedelta(seconds=int(seconds), microseconds=int(fraction[:6].ljust(6, "0") or 0))
    except (OverflowError, ValueError):
        return None


def _iso(text: str) -> datetime | None:
    found = _DATE.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    try:
        return datetime(
            int(year),
            int(month or 1),
            int(day or 1),
            int(hour or 0),
            int(minute or 0),
            int(second or 0),
            int((fraction or "0")[:6].ljust(6, "0")),
            tzinfo=_zone(zone),
        ).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _zone(text: str | None) -> timezone:
    if text is None or text in "Zz":
        return UTC
    digits = text[1:].replace(":", "")
    minutes = int(digits[:2]) * 60 + int(digits[2:] or 0)
    return timezone(timedelta(minutes=-minutes if text[0] == "-" else minutes))


def bool_of(value: Scalar) -> bool | None:
    """Read ``true`` or ``false``, in any letter case."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.lower())
    return None


_EPOCH_LIMIT: Final = 9_223_372_036_854_775_807
_YEARS: Final = range(-292_275_054, 292_278_994)
_TIME: Final = re.compile(
    r"[0-9]{1,2}(?::[0-9]{1,2}(?::[0-9]{1,2}(?:\.[0-9]{1,9})?(?:z|[+-][0-9]{2}(?::?[0-9]{2})?)?)?)?", re.ASCII
)


def policy_date(text: str) -> bool:
    """Tell whether AWS takes *text* as a Date operator's value; it takes more than it can compare."""
    text = text.lower()
    if "t" not in text and "-" not in text:
        seconds = text.partition(".")[0].lstrip("0")
        plain = text.isascii() and text.replace(".", "", 1).isdigit()
        return plain and len(seconds) < 20 and int(seconds or 0) <= _EPOCH_LIMIT
    day, _, time = text.partition("t")
    year, *rest = day.removeprefix("-").split("-")
    if not (year.isascii() and year.isdigit() and len(year) < 10 and len(rest) < 3):
        return False
    if (-int(year) if day.startswith("-") else int(year)) not in _YEARS:
        return False
    limits = (12, 31)
    if not all(part.isascii() and part.isdigit() and 1 <= int(part[:9]) <= limit for part, limit in zip(rest, limits)):  # noqa: B905
        return False
    return not time or _TIME.fullmatch(time) is not None
