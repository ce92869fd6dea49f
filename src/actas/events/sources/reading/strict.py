"""From a delivery's bytes to JSON of which there is only one reading, and from JSON to shapes. Pure.

What comes in was written by somebody else, perhaps by nobody we know: its size is limited before it is read, its
depth and its members afterwards, and an identifier is a short printable text or it is none.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar

import msgspec

from actas.events.sources.errors import DeliveryTooLarge, MalformedDelivery
from actas.jose import strict_json

T = TypeVar("T")
LARGEST: Final = 1024 * 1024
"""How many bytes one delivery may have where its source says nothing else."""
LONGEST: Final = 512
"""How many characters an identifier may have."""
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(2200, 1, 1, tzinfo=UTC)
_IN_NAMES: Final = re.compile(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]{1,512}")
_RFC_3339: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?)[0-9]{0,6}(Z|[+-][0-9]{2}:?[0-9]{2})"
)


def json_of(body: bytes, *, limit: int = LARGEST) -> Any:
    """Read *body*: strict JSON in UTF-8, each member once, nested no deeper than 32."""
    if len(body) > limit:
        raise DeliveryTooLarge(found=len(body), allowed=limit)
    try:
        return strict_json.loads(body)
    except strict_json.NotStrictJson as wrong:
        raise MalformedDelivery(why=f"its body {wrong}") from wrong


def shaped(value: Any, shape: type[T]) -> T:
    """Give *value* the *shape* that the provider documents."""
    try:
        return msgspec.convert(value, shape)
    except msgspec.ValidationError as wrong:
        raise MalformedDelivery(why=f"it has not the documented form: {_without_values(wrong)}") from wrong


def name(value: str | None) -> str | None:
    """Give an identifier; None for one that is empty, too long or holds what no identifier holds."""
    return value if value is not None and _IN_NAMES.fullmatch(value) else None


def names(values: tuple[str | None, ...]) -> tuple[str, ...]:
    """Give those that are identifiers, each once."""
    return tuple(dict.fromkeys(one for one in map(name, values) if one is not None))


def required(value: str | None, what: str) -> str:
    """Give an identifier that must be there."""
    found = name(value)
    if found is None:
        raise MalformedDelivery(why=f"{what} is missing or is no identifier")
    return found


def moment(number: float, *, per_second: int = 1) -> datetime:
    """Read seconds (or milliseconds) since 1970; refuse a moment that is not of this age."""
    try:
        found = EPOCH + timedelta(seconds=number / per_second)
    except (OverflowError, ValueError) as wrong:
        raise MalformedDelivery(why="its time is beyond all calendars") from wrong
    return _of_this_age(found)


def instant(text: str) -> datetime:
    """Read an RFC 3339 time; one without a zone is refused (providers write UTC and say so)."""
    found = _RFC_3339.fullmatch(text)
    if found is None:
        raise MalformedDelivery(why="its time is not of the form 2026-11-23T23:00:00Z")
    try:
        return _of_this_age(datetime.fromisoformat(found[1] + found[2]).astimezone(UTC))
    except (ValueError, OverflowError) as wrong:
        raise MalformedDelivery(why="its time is on no calendar") from wrong


def written(at: datetime) -> str:
    """Write a time as providers' APIs take it: in UTC, to the millisecond."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03}Z"


def _of_this_age(found: datetime) -> datetime:
    if not _EARLIEST <= found <= _LATEST:
        raise MalformedDelivery(why="its time is not of this age")
    return found


def _without_values(wrong: msgspec.ValidationError) -> str:
    """Keep the path and the wanted type; msgspec repeats no value but for enums and patterns, which we have not."""
    return str(wrong).replace("`", "")[:200]
