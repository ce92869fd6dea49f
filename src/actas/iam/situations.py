"""Contexts worth asking in: for each condition key the values that conditions tell apart, in every combination."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations, islice, product
from typing import Final

from actas.iam import atoms, samples, variables
from actas.iam.conditions import Condition, Test, compile_condition
from actas.iam.matching import Prepared, prepare
from actas.iam.operators import Spelled, spelled
from actas.iam.principals import DERIVED
from actas.iam.statement import Statement
from actas.iam.values import Context, Scalar, Value
from actas.iam.wildcards import STAR

MOST: Final = 4096
MOST_OF_A_KEY: Final = 256


class Apart:
    """Contexts, and which of them differ for one action and resource."""

    def __init__(self, statements: list[Statement], contexts: list[Context]) -> None:
        self._statements = [prepare(one) for one in statements]
        self._contexts = contexts
        # What else than conditions looks at a context: variables, and the caller where the context is silent.
        kept = (DERIVED & _keys_of(statements)) | frozenset(keys_in(statements))
        self._marks = [(self._met(one), tuple(one.get(key) for key in sorted(kept))) for one in contexts]
        self._known: dict[int, list[Context]] = {}

    def of(self, action: str, resource: str) -> list[Context]:
        """Give one context for each set of the statements about these that apply in it."""
        about = sum(1 << bit for bit, one in enumerate(self._statements) if _is_about(one, action, resource))
        if about not in self._known:
            found: dict[object, Context] = {}
            for (met, rest), context in zip(self._marks, self._contexts, strict=True):
                found.setdefault((met & about, rest), context)
            self._known[about] = list(found.values())
        return self._known[about]

    def _met(self, context: Context) -> int:
        return sum(
            1 << bit
            for bit, one in enumerate(self._statements)
            if all(test(context) is True for _, test in one.conditions)
        )


def _is_about(one: Prepared, action: str, resource: str) -> bool:
    depends = one.resources is not None and one.resources.filled
    return one.action_matches(action) and (bool(depends) or one.resource_matches(resource, {}) is True)


def _keys_of(statements: Iterable[Statement]) -> frozenset[str]:
    return frozenset(condition.key.lower() for statement in statements for condition in statement.conditions)


@dataclass(frozen=True, slots=True)
class _Asked:
    """One condition on a key."""

    condition: Condition
    variables: bool
    spelled: Spelled
    test: Test


def contexts(statements: list[Statement], undecided: list[str]) -> list[Context]:
    """Give every combination of values, up to a limit."""
    placeholders = keys_in(statements)
    asked: dict[str, list[_Asked]] = {}
    for statement in statements:
        for condition in statement.conditions:
            asked.setdefault(condition.key.lower(), []).extend(_asked(condition, variables=statement.variables))
    facts = dict.fromkeys(placeholders, samples.FILLER)
    choices: dict[str, list[Value]] = {key: _told_apart(key, asks, facts, undecided) for key, asks in asked.items()}
    for key in placeholders:
        choices[key] = list(dict.fromkeys([*choices.get(key, ()), None, *_texts_for(key, statements)]))
    if placeholders:
        undecided.append("policy variables were tried with some values, and others may differ")
    size = 1
    for values in choices.values():
        size *= len(values)
    if size <= MOST:
        return [_context(zip(choices, chosen, strict=True)) for chosen in product(*choices.values())]
    undecided.append(f"{size} combinations of condition values were not all tried")
    return _likely(statements, choices, facts)


def _asked(condition: Condition, *, variables: bool) -> Iterator[_Asked]:
    parsed = spelled(condition.operator)
    if parsed is not None:
        yield _Asked(condition, variables, parsed, compile_condition(condition, with_variables=variables))


def _told_apart(key: str, asks: list[_Asked], facts: Mapping[str, Value], undecided: list[str]) -> list[Value]:
    """Give no value, and a value for each way in which the conditions on a key can come out."""
    sets = sum(bool(one.spelled.quantifier) for one in asks)
    singles = list(_by_answers(key, _singles(asks, facts, undecided), asks, facts).values())
    tried: list[Value] = list(singles)
    if sets:
        several = (subset for size in range(1, sets + 1) for subset in combinations(singles, size))
        tried = list(islice(several, MOST_OF_A_KEY + 1))
    if len(tried) > MOST_OF_A_KEY:
        undecided.append(f"lists of values of {key} were not all tried")
    silent = {name: value for name, value in facts.items() if name != key}
    # Where a principal tells the key itself, a context that is silent is one of its own.
    without: object = None if key in DERIVED else tuple(one.test(silent) for one in asks)
    told = _by_answers(key, tried[:MOST_OF_A_KEY], asks, facts)
    return [None, *(value for answers, value in told.items() if answers != without)]


def _by_answers(
    key: str, values: Iterable[Value], asks: list[_Asked], facts: Mapping[str, Value]
) -> dict[object, Value]:
    """Keep the first of the values that no condition tells apart."""
    found: dict[object, Value] = {}
    for value in values:
        whole = {**facts, key: value}
        listed = {**facts, key: value if isinstance(value, tuple) else (value,)}
        answers = tuple(one.test(listed if one.spelled.quantifier else whole) for one in asks)
        found.setdefault(answers, value)
    return found


def _singles(asks: list[_Asked], facts: Mapping[str, Value], undecided: list[str]) -> list[Scalar]:
    likely: list[Scalar] = []
    for one in asks:
        likely += samples.singles(one.spelled.operator, one.condition, with_variables=one.variables)
    likely += samples.between(likely)
    patterns = list(dict.fromkeys(pattern for one in asks for pattern in _patterns(one, facts)))
    if patterns:
        seeds = [value for value in likely if isinstance(value, str)]
        found, whole = atoms.texts(patterns, seeds, most=MOST_OF_A_KEY)
        likely += found
        if not whole:
            undecided.append(f"values of {asks[0].condition.key} were not all tried")
    return list(dict.fromkeys(likely)) or [samples.OTHER]


def _patterns(one: _Asked, facts: Mapping[str, Value]) -> Iterator[atoms.Pattern]:
    """Give the texts and patterns that a condition compares with; what is an ARN at all, for those that need one."""
    operator = one.spelled.operator
    make = _MAKERS.get(operator.family)
    if make is None:
        return
    if operator.family == "arn":
        yield from filter(None, [atoms.arn([STAR])])
    for value in one.condition.values:
        template = variables.read(value, variables=one.variables, wildcards=operator.family != "string")
        tokens = variables.fill_as_far(template, facts)[0]
        found = atoms.plain(tokens, folded=True) if "IgnoreCase" in operator.name else make(tokens)
        if found is not None:
            yield found


_MAKERS: Final[dict[str, Callable[..., atoms.Pattern | None]]] = {
    "string": atoms.plain,
    "like": atoms.plain,
    "arn": atoms.arn,
}


def fillings(keys: Iterable[str], statements: list[Statement]) -> list[Context]:
    """Give ways to fill policy variables: all with the same text, and each with each text of its own."""
    keys = list(keys)
    filler = dict.fromkeys(keys, samples.FILLER)
    found = [_context([*filler.items(), (key, text)]) for key in keys for text in _texts_for(key, statements)]
    return found or [Context()]


def _texts_for(key: str, statements: Iterable[Statement]) -> Iterator[str]:
    """Give a text for the variable *key*, and those that make its entry meet another: what stands there in it."""
    yield samples.FILLER
    entries = sorted({(entry, one.variables) for one in statements for entry in one.resources or ()})
    for entry, with_variables in entries:
        head, mark, rest = entry.partition("${")
        inside, closed, tail = rest.partition("}")
        if not (mark and closed and with_variables) or inside.partition(",")[0].strip().lower() != key:
            continue
        tail = tail.partition("*")[0]
        for other, _ in entries:
            found = samples.concrete(other, with_variables=True)
            if other != entry and found.startswith(head) and (cut := found[len(head) :]):
                yield cut.partition(tail)[0] if tail else cut


def _likely(
    statements: list[Statement], choices: Mapping[str, list[Value]], facts: Mapping[str, Value]
) -> list[Context]:
    """Without every combination: each value alone, and for each statement its own values together."""
    found = [Context()]
    for key, values in choices.items():
        found += [_context([*facts.items(), (key, value)]) for value in values]
    for statement in statements:
        own = dict.fromkeys(condition.key.lower() for condition in statement.conditions)
        for chosen in islice(product(*(choices[key] for key in own)), 64):
            found.append(_context([*facts.items(), *zip(own, chosen, strict=True)]))
    return found[:MOST]


def _context(pairs: Iterable[tuple[str, Value]]) -> Context:
    context = Context()
    for key, value in pairs:
        if value is not None:
            context[key] = value
    return context


def keys_in(statements: Iterable[Statement]) -> list[str]:
    """Return the folded keys that policy variables ask for."""
    found: dict[str, None] = {}
    for statement in statements:
        if statement.variables:
            texts = [*(statement.resources or ()), *(value for c in statement.conditions for value in c.values)]
            templates = [variables.read(text, variables=True, wildcards=False) for text in texts if "${" in text]
            found.update(dict.fromkeys(sorted(frozenset().union(*map(variables.keys_in, templates)))))
    return list(found)
