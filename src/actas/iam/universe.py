"""The requests worth asking of two sets of policies: one for each way in which statements tell requests apart.

Actions: every action of the catalogue, those that no pattern tells apart standing for each other. Resources: a witness
for each pattern, for each two that overlap, and one that none mentions. Context: values on both sides of each
condition, in every combination up to a limit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import Final

from actas.iam import arns, samples, variables
from actas.iam.catalogue import Catalogue
from actas.iam.conditions import Condition
from actas.iam.evaluation import layers_of
from actas.iam.expansion import expand_actions
from actas.iam.matching import action_patterns
from actas.iam.overlap import overlap_resource
from actas.iam.request import PolicySet, Request
from actas.iam.statement import Statement
from actas.iam.values import Context, Value

ACCOUNT: Final = "111122223333"
MOST_CONTEXTS: Final = 1024
MOST_RESOURCES: Final = 400
MOST_JOINED: Final = 12
MOST_REQUESTS: Final = 400_000
_NOWHERE: Final = f"arn:aws:witness:eu-west-1:{ACCOUNT}:nothing-mentions-this"


@dataclass(frozen=True, slots=True, kw_only=True)
class Universe:
    """What to ask; each field that is None is worked out from the policies."""

    principals: tuple[str, ...] | None = None
    actions: tuple[str, ...] | None = None
    """Patterns; None: every action of the catalogue and every one that a policy spells out."""
    resources: tuple[str, ...] | None = None
    contexts: tuple[Context, ...] | None = None
    catalogue: Catalogue | None = None


@dataclass(slots=True)
class Plan:
    """A universe worked out for two sets of policies."""

    classes: list[tuple[str, ...]]
    """Actions that nothing tells apart."""
    resources: list[str]
    contexts: list[Context]
    principals: tuple[str, ...] | None
    undecided: list[str] = field(default_factory=list)
    """What was left out, in sentences."""

    def requests(self) -> Iterator[tuple[Request, tuple[str, ...]]]:
        """Give each request with all the actions that it stands for."""
        asked = 0
        for actions, resource in product(self.classes, self.resources):
            for principal, context in product(self.principals or (_principal(resource),), self.contexts):
                asked += 1
                if asked > MOST_REQUESTS:
                    self.undecided.append(f"more than {MOST_REQUESTS} requests tell the policies apart")
                    return
                yield (
                    Request(
                        principal=principal,
                        action=actions[0],
                        resource=resource,
                        context=context,
                    ),
                    actions,
                )


def _principal(resource: str) -> str:
    """Name a session in the resource's own account, so that its side has not to be asked."""
    return f"arn:aws:sts::{arns.account_of(resource) or ACCOUNT}:assumed-role/witness/witness"


def plan(universe: Universe, sets: Iterable[PolicySet]) -> Plan:
    """Work out which requests to ask."""
    statements = [
        statement
        for policies in sets
        for _, _, layer in layers_of(policies)
        for policy in layer
        for statement in policy.statements
    ]
    undecided: list[str] = []
    contexts = list(universe.contexts) if universe.contexts is not None else _contexts(statements, undecided)
    resources = list(universe.resources) if universe.resources is not None else _resources(statements, undecided)
    return Plan(_classes(universe, statements), resources, contexts, universe.principals, undecided)


def _classes(universe: Universe, statements: list[Statement]) -> list[tuple[str, ...]]:
    """Group the actions by which of the statements' patterns match them."""
    patterns = sorted({action for statement in statements for action in statement.actions})
    catalogue = universe.catalogue or Catalogue.load()
    if universe.actions is not None:
        names = {a for p in universe.actions for a in expand_actions(p, catalogue) or ({p} - {"*"})}
    else:
        names = set(expand_actions("*", catalogue))
        names |= {pattern for pattern in patterns if "*" not in pattern and "?" not in pattern}
    compiled = [action_patterns((pattern,)) for pattern in patterns]
    groups: dict[tuple[object, ...], list[str]] = {}
    spelled = {name.lower(): name for name in sorted(names, reverse=True)}
    for folded, name in sorted(spelled.items()):
        special = folded.startswith(("kms:", "sts:"))
        key = (special, *(bool(one.holds(folded, {})) for one in compiled))
        groups.setdefault(key, []).append(name)
    return [tuple(group) for key, group in groups.items() if any(key[1:]) or _by_exclusion(statements)]


def _by_exclusion(statements: list[Statement]) -> bool:
    return any(statement.not_action for statement in statements)


def _resources(statements: list[Statement], undecided: list[str]) -> list[str]:
    mentioned = sorted({(r, s.variables) for s in statements for r in s.resources or ()})
    found = dict.fromkeys([_NOWHERE])
    for resource, with_variables in mentioned:
        found.update(dict.fromkeys(_witnesses(resource, with_variables=with_variables)))
    for place, (one, first) in enumerate(mentioned):
        for other, second in mentioned[place + 1 :]:
            if len(found) > MOST_RESOURCES:
                undecided.append(f"more than {MOST_RESOURCES} resources tell the policies apart")
                return list(found)[:MOST_RESOURCES]
            if overlap_resource(one, other):
                found.update(dict.fromkeys(_between(one, other, with_variables=first and second)))
    return list(found)


def _witnesses(resource: str, *, with_variables: bool) -> list[str]:
    """Make resources that the pattern matches, with a filler and with nothing where it is open."""
    if resource == "*":
        return [_NOWHERE]
    parts = resource.split(":", arns.PARTS - 1)
    fillers = [samples.FILLER] * arns.PARTS
    fillers[1], fillers[3], fillers[4] = "aws", "eu-west-1", ACCOUNT
    parts += ["*"] * (arns.PARTS - len(parts)) if parts[1:2] != [arns.OURS] else []
    heads = [
        samples.concrete(part, with_variables=False, filler=filler)
        for part, filler in zip(parts[: arns.PARTS - 1], fillers, strict=False)
    ]
    lasts = [
        samples.concrete(part, with_variables=with_variables, filler=filler)
        for part in parts[arns.PARTS - 1 :]
        for filler in (samples.FILLER, "")
    ]
    return [":".join([*heads, last]) for last in dict.fromkeys(lasts)] or [":".join(heads)]


def _between(one: str, other: str, *, with_variables: bool) -> list[str]:
    """Resources that two patterns may share: each one's open places filled with the other's text."""
    found = []
    for outer, inner in ((one, other), (other, one)):
        parts = inner.split(":", arns.PARTS - 1)
        others = outer.split(":", arns.PARTS - 1)
        if outer == "*" or inner == "*" or len(parts) != len(others):
            continue
        joined = [a if "*" not in a else b for a, b in zip(others, parts, strict=True)]
        found += _witnesses(":".join(joined), with_variables=with_variables)
        last, wanted = others[-1], parts[-1]
        if last.endswith("*") and wanted.startswith("*"):
            found += _witnesses(":".join([*joined[:-1], last + wanted]), with_variables=with_variables)
    return found


def _contexts(statements: list[Statement], undecided: list[str]) -> list[Context]:
    choices: dict[str, list[Value]] = {}
    for statement in statements:
        for key in _variables(statement):
            choices.setdefault(key, []).extend([samples.FILLER, None])
        for condition in statement.conditions:
            values = samples.values_for(condition, with_variables=statement.variables)
            choices.setdefault(condition.key.lower(), []).extend(values)
    for key, values in choices.items():
        values.extend(samples.between(values))
        values.extend(samples.joined(_patterns(statements, key), with_variables=True))
    listed = {key: list(dict.fromkeys(values)) for key, values in choices.items()}
    size = 1
    for values in listed.values():
        size *= len(values)
    if size <= MOST_CONTEXTS:
        return [_context(zip(listed, chosen, strict=True)) for chosen in product(*listed.values())]
    undecided.append(f"{size} combinations of condition values were not all tried")
    return _likely(statements, listed)


def _patterns(statements: list[Statement], key: str) -> list[str]:
    """Return the patterns that a key is compared with, as many as two by two are worth trying."""
    conditions = (c for statement in statements for c in statement.conditions if c.key.lower() == key)
    found = [value for condition in conditions if "Like" in condition.operator for value in condition.values]
    return list(dict.fromkeys(found))[:MOST_JOINED]


def _likely(statements: list[Statement], choices: dict[str, list[Value]]) -> list[Context]:
    """Without every combination: each value alone, and for each statement its own values together."""
    found = [Context()]
    fillers = {key: samples.FILLER for statement in statements for key in _variables(statement)}
    for key, values in choices.items():
        found += [_context([*fillers.items(), (key, value)]) for value in values]
    for statement in statements:
        own = [(c.key.lower(), _values(c, statement)) for c in statement.conditions]
        for chosen in _up_to(product(*(values for _, values in own)), 64):
            found.append(_context([*fillers.items(), *zip((key for key, _ in own), chosen, strict=True)]))
    return found[:MOST_CONTEXTS]


def _values(condition: Condition, statement: Statement) -> list[Value]:
    return samples.values_for(condition, with_variables=statement.variables)


def _up_to(items: Iterable[tuple[Value, ...]], most: int) -> Iterator[tuple[Value, ...]]:
    for count, item in enumerate(items):
        if count >= most:
            return
        yield item


def _context(pairs: Iterable[tuple[str, Value]]) -> Context:
    context = Context()
    for key, value in pairs:
        if value is not None:
            context[key] = value
    return context


def _variables(statement: Statement) -> frozenset[str]:
    if not statement.variables:
        return frozenset()
    texts = [*(statement.resources or ()), *(value for c in statement.conditions for value in c.values)]
    templates = (variables.read(text, variables=True, wildcards=False) for text in texts if "${" in text)
    return frozenset().union(*(variables.keys_in(template) for template in templates))
