"""The condition operators: what type each compares, and when two values of that type agree.

A value that is not of the operator's type agrees with nothing and differs from nothing.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal

from actas.iam import arns
from actas.iam.addresses import Network, address_of, network_of
from actas.iam.values import Scalar, bool_of, date_of, number_of, text_of

Family = Literal["string", "like", "number", "date", "bool", "binary", "ip", "arn", "null"]
SetQuantifier = Literal["", "ForAllValues", "ForAnyValue"]


@dataclass(frozen=True, slots=True)
class Operator:
    """One operator as AWS names it, without ``IfExists`` and set prefix."""

    name: str
    family: Family
    found: Callable[[Scalar], Any]
    """Read the request's value; None if it is not of the type."""
    wanted: Callable[[str], Any]
    """Read the policy's value; None if it is not of the type."""
    holds: Callable[[Any, Any], bool]
    """(found, wanted): the positive comparison."""
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Spelled:
    """An operator as a policy spells it: ``ForAnyValue:StringLikeIfExists``."""

    operator: Operator
    quantifier: SetQuantifier
    if_exists: bool


def _text(value: Scalar) -> str:
    return text_of(value)


def _same(text: str) -> str:
    return text


def _folded(value: Scalar) -> str:
    return text_of(value).lower()


def _binary(value: Scalar) -> str | None:
    """Read base64; two encodings of the same bytes are equal."""
    if not isinstance(value, str):
        return None
    import binascii

    try:
        return binascii.a2b_base64(value.encode("ascii"), strict_mode=True).hex()
    except (binascii.Error, UnicodeEncodeError):
        return None


def _inside(found: tuple[int, int], wanted: Network) -> bool:
    bits, number = found
    return bits == wanted.bits and number >> wanted.shift == wanted.prefix


def _matches(found: str, wanted: Callable[[str], bool]) -> bool:
    return wanted(found)


def _never(_text: str) -> None:
    """Templates of these families are compiled by conditions.py."""


Shape = tuple[Family, Callable[[Scalar], Any], Callable[[str], Any], Callable[[Any, Any], bool]]

_STRING: Final[Shape] = ("string", _text, _same, operator.eq)
_FOLDED: Final[Shape] = ("string", _folded, str.lower, operator.eq)
_LIKE: Final[Shape] = ("like", _text, _never, _matches)
_ARN: Final[Shape] = ("arn", arns.split, _never, arns.fits)
_BOOL: Final[Shape] = ("bool", bool_of, bool_of, operator.eq)
_NULL: Final[Shape] = ("null", bool_of, bool_of, operator.eq)
_BINARY: Final[Shape] = ("binary", _binary, _binary, operator.eq)
_IP: Final[Shape] = ("ip", address_of, network_of, _inside)

_ROWS: Final[tuple[tuple[str, str, Shape], ...]] = (
    ("StringEquals", "StringNotEquals", _STRING),
    ("StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", _FOLDED),
    ("StringLike", "StringNotLike", _LIKE),
    ("ArnEquals", "ArnNotEquals", _ARN),
    ("ArnLike", "ArnNotLike", _ARN),
    ("IpAddress", "NotIpAddress", _IP),
    ("Bool", "", _BOOL),
    ("BinaryEquals", "", _BINARY),
    ("Null", "", _NULL),
)
_ORDERED: Final[tuple[tuple[str, Callable[[Any, Any], bool]], ...]] = (
    ("LessThan", operator.lt),
    ("LessThanEquals", operator.le),
    ("GreaterThan", operator.gt),
    ("GreaterThanEquals", operator.ge),
)


def _table() -> dict[str, Operator]:
    rows: list[Operator] = []
    for positive, negative, shape in _ROWS:
        rows.append(Operator(positive, *shape))
        if negative:
            rows.append(Operator(negative, *shape, negated=True))
    families: tuple[tuple[str, Family, Callable[[Any], Any]], ...] = (
        ("Numeric", "number", number_of),
        ("Date", "date", date_of),
    )
    for prefix, family, read in families:
        rows.append(Operator(f"{prefix}Equals", family, read, read, operator.eq))
        rows.append(Operator(f"{prefix}NotEquals", family, read, read, operator.eq, negated=True))
        rows += [Operator(prefix + name, family, read, read, holds) for name, holds in _ORDERED]
    return {row.name: row for row in rows}


OPERATORS: Final = _table()
"""Every operator by the name AWS gives it."""

TEMPLATED: Final = frozenset({"string", "like", "arn"})
"""The families in whose values policy variables are looked up."""


@lru_cache(maxsize=256)
def spelled(name: str) -> Spelled | None:
    """Take an operator's name apart; None if there is no such operator."""
    prefix, colon, rest = name.partition(":")
    quantifier: SetQuantifier = ""
    if colon:
        if prefix == "ForAllValues":
            quantifier = "ForAllValues"
        elif prefix == "ForAnyValue":
            quantifier = "ForAnyValue"
        else:
            return None
        name = rest
    plain = name.removesuffix("IfExists")
    found = OPERATORS.get(plain)
    if found is None or (found.family == "null" and plain != name):
        return None
    return Spelled(found, quantifier, plain != name)
