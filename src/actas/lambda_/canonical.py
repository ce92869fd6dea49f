"""One form for one JSON value, so that a digest of the event can be checked on the event as a handler gets it: parsed.

The form is RFC 8785 (JSON Canonicalization Scheme) with one difference: an integer keeps all its digits. The
standard would round it to a double, and two order numbers that differ in the last digit would have one digest.
Pure. Raises `NotCanonical` for what has no form: numbers that are not finite, lone surrogates, other types.
"""

import json
import math
import re
from typing import Any

import msgspec

_SLOW = re.compile(rb"[0-9][.eE]|-0|[0-9]{16}|\\u|[\xee-\xf4]")
"""What the fast encoder would write in another way: floats, long integers, escapes, keys past U+E000."""
_DEEPEST = 200


class NotCanonical(Exception):
    """The value has no canonical form; says why."""


def canonical(value: Any) -> bytes:
    """Write a parsed JSON value in its one form."""
    try:
        return "".join(_write(value, _DEEPEST)).encode()
    except UnicodeEncodeError as wrong:
        raise NotCanonical("a text holds half of a character") from wrong


def canonical_bytes(document: bytes) -> bytes:
    """Write a JSON document in its one form; the short way where nothing in it asks for the long one."""
    try:
        if not _SLOW.search(document):
            return msgspec.json.encode(msgspec.json.decode(document), order="sorted")
        return canonical(json.loads(document))
    except (ValueError, RecursionError) as wrong:
        raise NotCanonical("it is no JSON document") from wrong


def _write(value: Any, deepest: int) -> list[str]:
    if deepest == 0:
        raise NotCanonical("it is nested too deeply")
    match value:
        case str():
            return [json.dumps(value, ensure_ascii=False)]
        case None | bool():
            return ["null" if value is None else "true" if value else "false"]
        case int():
            return [_integer(value)]
        case float():
            return [_number(value)]
        case list() | tuple():
            return _joined("[", (_write(one, deepest - 1) for one in value), "]")
        case dict():
            return _joined("{", (_member(name, value[name], deepest) for name in sorted(value, key=_units)), "}")
        case _:
            raise NotCanonical("it holds what JSON has no form for")


def _joined(start: str, parts: Any, end: str) -> list[str]:
    written = [start]
    for part in parts:
        written += part
        written.append(",")
    if written[-1] == ",":
        written.pop()
    written.append(end)
    return written


def _member(name: str, value: Any, deepest: int) -> list[str]:
    return [json.dumps(name, ensure_ascii=False), ":", *_write(value, deepest - 1)]


def _units(name: Any) -> bytes:
    """Give what names are sorted by: their UTF-16 code units (RFC 8785, section 3.2.3)."""
    if not isinstance(name, str):
        raise NotCanonical("a name in it is no text")
    return name.encode("utf-16-be", "surrogatepass")


def _integer(value: int) -> str:
    try:
        return str(value)
    except ValueError as wrong:  # Python refuses thousands of digits
        raise NotCanonical("a number in it has too many digits") from wrong


def _number(value: float) -> str:
    """Write a double as ECMAScript does (RFC 8785, section 3.2.2.3; ECMA-262, Number::toString)."""
    if not math.isfinite(value):
        raise NotCanonical("a number in it is not finite")
    if value == 0:
        return "0"
    mantissa, _, exponent = repr(abs(value)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    fraction = "" if fraction == "0" else fraction
    point = len(whole) + int(exponent or 0)
    digits = whole + fraction
    if stripped := len(digits) - len(digits.lstrip("0")):
        digits, point = digits[stripped:], point - stripped
    return ("-" if value < 0 else "") + _placed(digits.rstrip("0"), point)


def _placed(digits: str, point: int) -> str:
    count = len(digits)
    if count <= point <= 21:
        return digits + "0" * (point - count)
    if 0 < point <= 21:
        return f"{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return "0." + "0" * -point + digits
    power = point - 1
    rest = f".{digits[1:]}" if count > 1 else ""
    return f"{digits[0]}{rest}e{'+' if power > 0 else '-'}{abs(power)}"
