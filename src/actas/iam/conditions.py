"""Turn one line of a Condition block into a function from context to true, false or unknown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from actas.iam import arns, variables
from actas.iam.kinds import UNKNOWN
from actas.iam.operators import TEMPLATED, Operator, spelled
from actas.iam.values import Scalar, Value, bool_of
from actas.iam.wildcards import Token, glob

Truth = bool | None
"""None is unknown."""
Test = Callable[[Mapping[str, Value]], Truth]
One = Callable[[Scalar, Mapping[str, Value]], Truth]


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One key under one operator, with the values to compare it with."""

    operator: str
    key: str
    values: tuple[str, ...]


def compile_condition(condition: Condition, *, with_variables: bool) -> Test:
    """Prepare a condition; protocols: missing keys, negation and sets as the IAM user guide has them."""
    parsed = spelled(condition.operator)
    if parsed is None:  # the grammar lets an unknown operator through only where it has no keys
        return lambda _facts: False
    key, kind = condition.key.lower(), parsed.operator
    if kind.family == "null":
        return _null(key, condition.values)
    one = _one(kind, condition.values, with_variables=with_variables)
    if parsed.quantifier == "ForAllValues":
        return _all_of(key, one)
    if parsed.quantifier == "ForAnyValue":
        return _any_of(key, one, absent=parsed.if_exists)
    return _single(key, one, absent=parsed.if_exists or kind.negated)


def keys_of(condition: Condition, *, with_variables: bool) -> frozenset[str]:
    """Return the folded context keys that a condition reads, those of its variables included."""
    keys = {condition.key.lower()}
    if with_variables:
        for value in condition.values:
            keys |= variables.keys_in(variables.read(value, variables=True, wildcards=False))
    return frozenset(keys)


def _single(key: str, one: One, *, absent: bool) -> Test:
    def test(facts: Mapping[str, Value]) -> Truth:
        value = facts.get(key)
        if value is None:
            return absent
        if type(value) is tuple:
            if len(value) > 1:  # a list is of no single-valued operator's type; AWS wants a set operator
                return None if UNKNOWN in value else False
            value = value[0]
        return None if value is UNKNOWN else one(value, facts)

    return test


def _all_of(key: str, one: One) -> Test:
    def test(facts: Mapping[str, Value]) -> Truth:
        value = facts.get(key)
        if value is None or value == "":  # no key, or a null data set such as an empty string: true (IAM user guide)
            return True
        answer: Truth = True
        for item in value if type(value) is tuple else (value,):
            truth = None if item is UNKNOWN else one(item, facts)
            if truth is False:
                return False
            if truth is None:
                answer = None
        return answer

    return test


def _any_of(key: str, one: One, *, absent: bool) -> Test:
    def test(facts: Mapping[str, Value]) -> Truth:
        value = facts.get(key)
        if value is None:
            return absent
        answer: Truth = False
        for item in value if type(value) is tuple else (value,):
            truth = None if item is UNKNOWN else one(item, facts)
            if truth is True:
                return True
            if truth is None:
                answer = None
        return answer

    return test


def _null(key: str, values: tuple[str, ...]) -> Test:
    """Test presence: ``"true"``, the key is absent; ``"false"``, it is there and has a value."""
    wanted = {bool_of(value) for value in values}

    def test(facts: Mapping[str, Value]) -> Truth:
        value = facts.get(key)
        if value is UNKNOWN or (type(value) is tuple and all(item is UNKNOWN for item in value)):
            return None
        return (value is None) in wanted

    return test


def _one(kind: Operator, values: tuple[str, ...], *, with_variables: bool) -> One:
    """Compare one value of the request with all the policy's: any of them, or, negated, none of them."""
    if kind.family in TEMPLATED:
        templates = [variables.read(v, variables=with_variables, wildcards=kind.family != "string") for v in values]
        if not all(template.fixed for template in templates):
            return _templated(kind, templates)
        return _fixed(kind, [_wanted(kind, template.tokens()) for template in templates])
    return _fixed(kind, [kind.wanted(value) for value in values])


def _wanted(kind: Operator, tokens: tuple[Token, ...]) -> Any:
    """Compile a value of the templated families."""
    match kind.family:
        case "like":
            return glob(tokens)
        case "arn":
            return arns.pattern(tokens)
        case _:
            return kind.wanted("".join(token for token in tokens if isinstance(token, str)))


def _fixed(kind: Operator, wanted: list[Any]) -> One:
    if None in wanted and kind.negated:  # not of the type: it differs from nothing
        return lambda _value, _facts: False
    known = [item for item in wanted if item is not None]
    read, holds, negated = kind.found, kind.holds, kind.negated
    if kind.family == "string":
        return _strings(kind, frozenset(known))

    def one(value: Scalar, _facts: Mapping[str, Value]) -> Truth:
        found = read(value)
        if found is None:
            return False
        for item in known:
            if holds(found, item):
                return not negated
        return negated

    return one


def _strings(kind: Operator, known: frozenset[str]) -> One:
    """Ask a set of texts once: the hot path."""
    read, negated = kind.found, kind.negated
    if kind.name in _EXACT:

        def exact(value: Scalar, _facts: Mapping[str, Value]) -> Truth:
            return ((value if type(value) is str else read(value)) in known) is not negated

        return exact
    return lambda value, _facts: (read(value) in known) is not negated


_EXACT: Final = frozenset({"StringEquals", "StringNotEquals"})


def _templated(kind: Operator, templates: list[variables.Template]) -> One:
    def one(value: Scalar, facts: Mapping[str, Value]) -> Truth:
        found = kind.found(value)
        if found is None:
            return False
        answer: Truth = kind.negated
        for template in templates:
            tokens = variables.fill(template, facts)
            if tokens is UNKNOWN:
                answer = None
            elif tokens is not None:  # a variable without a value: the policy's value is equal to nothing
                wanted = _wanted(kind, tokens)
                if wanted is None and kind.negated:
                    return False
                if wanted is not None and kind.holds(found, wanted):
                    return not kind.negated
        return answer

    return one
