"""Read JSON of which there is only one reading: RFC 8259 with every member once, finite numbers, bounded depth."""

import json
from typing import Any

import msgspec

MAX_DEPTH = 32
"""How deep arrays and objects may nest."""

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


class NotStrictJson(ValueError):
    """The bytes are not strict JSON; never leaves this library. Its text is a clause for an error's sentence."""


def loads(data: bytes) -> Any:
    """Read *data*, which is UTF-8 without a byte order mark."""
    try:
        found = _decode(data)
        # What writes back to the very same bytes has had each member once: a repeated one would be missing.
        # This costs half a microsecond; the exact look below costs five.
        once = _encode(found) == data
    except (msgspec.MsgspecError, ValueError) as wrong:  # a ValueError: no UTF-8, or a number of 4,300 digits
        raise NotStrictJson("is not strict JSON in UTF-8") from wrong
    except RecursionError as wrong:
        raise NotStrictJson("is nested too deeply") from wrong
    # Taking the openings away counts them, and costs half of counting them.
    if len(data) - len(data.replace(b"{", b"").replace(b"[", b"")) > MAX_DEPTH and _is_deeper(found, MAX_DEPTH):
        raise NotStrictJson("is nested too deeply")
    if not once:
        _each_member_once(data)
    return found


def loads_object(data: bytes) -> dict[str, Any]:
    """Read *data*, which is one JSON object."""
    found = loads(data)
    if type(found) is not dict:
        raise NotStrictJson("is not a JSON object")
    return found


def dumps(value: Any) -> bytes:
    """Write *value*, compact, so that ``loads`` reads it; refuse what JSON cannot say."""
    try:
        data = json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":")).encode()
    except (TypeError, ValueError, RecursionError) as wrong:
        raise NotStrictJson("holds a value that JSON has no form for") from wrong
    loads(data)  # keys that become the same text, numbers too large, depth
    return data


def _is_deeper(found: Any, allowed: int) -> bool:
    level = [found]
    for _ in range(allowed):
        inner = [value for value in level if isinstance(value, (dict, list))]
        level = [one for value in inner for one in (value.values() if isinstance(value, dict) else value)]
        if not level:
            return False
    return any(isinstance(value, (dict, list)) for value in level)


def _once(pairs: list[tuple[str, Any]]) -> None:
    if len({name for name, _ in pairs}) != len(pairs):
        raise NotStrictJson("has a member twice in one object")


def _number(_digits: str) -> None:
    """Take no number: they were read already, and long ones cost."""


_look = json.JSONDecoder(object_pairs_hook=_once, parse_int=_number, parse_float=_number).decode


def _each_member_once(data: bytes) -> None:
    try:
        _look(data.decode())
    except NotStrictJson:
        raise
    except (ValueError, RecursionError) as wrong:  # pragma: no cover - the stricter reader took it already
        raise NotStrictJson("is not strict JSON in UTF-8") from wrong
