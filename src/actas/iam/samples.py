"""Values for which a condition holds, and values for which it does not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from actas.iam import variables
from actas.iam.addresses import network_of
from actas.iam.conditions import Condition
from actas.iam.operators import Operator
from actas.iam.values import Value, date_of, number_of
from actas.iam.variables import Template, Variable
from actas.iam.wildcards import STAR, Wild

FILLER = "witness"
"""Stands where a pattern leaves the text open, and for the value of a policy variable."""
OTHER = "some-other-value"
_OTHER_ARN = "arn:aws:other:::some-other-value"
_ADDRESSES = ("198.51.100.7", "2001:db8:ffff::7")


def concrete(text: str, *, with_variables: bool, wildcards: bool = True, filler: str = FILLER) -> str:
    """Write one text that a pattern matches."""
    return _written(variables.read(text, variables=with_variables, wildcards=wildcards), filler)


def _written(template: Template, filler: str) -> str:
    written = ""
    for part in template.parts:
        if isinstance(part, Variable):
            written += FILLER
        elif isinstance(part, Wild):
            written += filler if part is STAR else "x"
        else:
            written += part
    return written


def singles(kind: Operator, condition: Condition, *, with_variables: bool) -> Iterator[Value]:
    """Give values on both sides of a condition, each by itself."""
    for value in condition.values:
        match kind.family:
            case "number":
                yield from _numbers(value)
            case "date":
                yield from _dates(value)
            case "ip":
                yield from _addresses(value)
            case "bool":
                yield from ("true", "false")
            case "null" | "binary":
                yield value if kind.family == "binary" else OTHER
            case "string" | "like" | "arn":
                yield concrete(value, with_variables=with_variables, wildcards=kind.family != "string")
    if kind.family in ("string", "like", "binary"):
        yield OTHER
    if kind.family == "arn":
        yield _OTHER_ARN


def _numbers(text: str) -> Iterator[Value]:
    number = number_of(text)
    if number is not None:
        yield from (number, number - 1, number + 1)


def _dates(text: str) -> Iterator[Value]:
    date = date_of(text)
    if date is None:
        return
    yield date
    for away in (timedelta(seconds=-1), timedelta(seconds=1)):
        try:
            yield date + away
        except OverflowError:
            continue


def _addresses(text: str) -> Iterator[Value]:
    network = network_of(text)
    if network is None:
        return
    first = network.prefix << network.shift
    last = first + (1 << network.shift) - 1
    for number in (first, last, first - 1, last + 1):
        if 0 <= number < 1 << network.bits:
            yield _address(network.bits, number)
    yield from _ADDRESSES


def _address(bits: int, number: int) -> str:
    if bits == 32:
        return ".".join(str(number >> shift & 255) for shift in (24, 16, 8, 0))
    return ":".join(f"{number >> shift & 0xFFFF:x}" for shift in range(112, -1, -16))


def between(values: list[Value]) -> list[Value]:
    """Give numbers and times between those that are listed: two conditions may differ only there."""
    numbers = sorted({value for value in values if isinstance(value, (int, Decimal)) and not isinstance(value, bool)})
    times = sorted({value for value in values if isinstance(value, datetime)})
    found: list[Value] = [(one + other) / Decimal(2) for one, other in pairwise(map(Decimal, numbers))]
    found += [one + (other - one) / 2 for one, other in pairwise(times)]
    return found
