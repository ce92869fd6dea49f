"""The requests worth asking of two sets of policies: one for each way in which statements tell requests apart.

Actions: every action of the catalogue, those that no pattern tells apart standing for each other. Resources: a witness
for each set of patterns that a resource can be matched by. Context: for each key a value for each way in which its
conditions can come out, in every combination up to a limit. Principals: whom the policies name, and whom they do not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import Final

from actas.iam import arns, askers, atoms, samples, situations, verdict, witnesses
from actas.iam.catalogue import Catalogue
from actas.iam.evaluation import layers_of
from actas.iam.expansion import expand_actions
from actas.iam.request import PolicySet, Request
from actas.iam.statement import Statement
from actas.iam.values import Context
from actas.iam.wildcards import glob, tokens_of

MOST_REQUESTS: Final = 400_000
ELSEWHERE: Final = "222233334444"
"""An account that no caller is of."""


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
    contexts: Callable[[str, str], list[Context]]
    """Those that differ for an action, folded, and a resource."""
    principals: tuple[str, ...]
    """None of them: somebody of the resource's own account."""
    alike: frozenset[str] = frozenset()
    """Resources that no entry tells apart."""
    owners: tuple[str | None, ...] = (None,)
    """Whose a resource may be that names no account."""
    undecided: list[str] = field(default_factory=list)
    """What was left out, in sentences."""

    def requests(self) -> Iterator[tuple[Request, tuple[str, ...]]]:
        """Give each request with all the actions that it stands for."""
        asked = 0
        for actions, resource in product(self.classes, self.resources):
            owners = (None,) if arns.account_of(resource) else self.owners
            callers = self.principals or (askers.session_of(arns.account_of(resource) or witnesses.ACCOUNT),)
            for principal, owner, context in product(callers, owners, self.contexts(actions[0].lower(), resource)):
                asked += 1
                if asked > MOST_REQUESTS:
                    self.undecided.append(f"more than {MOST_REQUESTS} requests tell the policies apart")
                    return
                request = Request(
                    principal=principal, action=actions[0], resource=resource, resource_account=owner, context=context
                )
                yield request, actions


def plan(universe: Universe, sets: Iterable[PolicySet]) -> Plan:
    """Work out which requests to ask."""
    statements = list(
        dict.fromkeys(
            statement
            for policies in sets
            for _, _, layer in layers_of(policies)
            for policy in layer
            for statement in policy.statements
        )
    )
    undecided: list[str] = []
    callers = universe.principals or tuple(askers.principals(statements, undecided))
    classes = _classes(universe, statements)
    resources, alike = list(universe.resources or ()), frozenset[str]()
    if universe.resources is None:
        resources, alike = _resources(statements, classes, undecided)
    return Plan(
        classes=classes,
        resources=resources,
        alike=alike,
        contexts=_contexts(universe, statements, undecided),
        principals=callers,
        owners=(None, ELSEWHERE) if callers and universe.principals is None else (None,),
        undecided=undecided,
    )


def _contexts(
    universe: Universe, statements: list[Statement], undecided: list[str]
) -> Callable[[str, str], list[Context]]:
    given = universe.contexts
    if given is not None:
        return lambda _action, _resource: list(given)
    return situations.Apart(statements, situations.contexts(statements, undecided)).of


def _classes(universe: Universe, statements: list[Statement]) -> list[tuple[str, ...]]:
    """Group the actions by which of the statements are about them."""
    catalogue = universe.catalogue or Catalogue.load()
    if universe.actions is not None:
        names = {a for p in universe.actions for a in expand_actions(p, catalogue) or ({p} - {"*"})}
    else:
        names = set(expand_actions("*", catalogue))
        patterns = {action for statement in statements for action in statement.actions}
        names |= {pattern for pattern in patterns if "*" not in pattern and "?" not in pattern}
    spelled = {name.lower(): name for name in sorted(names, reverse=True)}
    listed = _listed(statements, list(spelled))
    by_exclusion = sum(1 << bit for bit, one in enumerate(statements) if one.not_action)
    groups: dict[tuple[str, int], list[str]] = {}
    for folded, name in sorted(spelled.items()):
        about = listed.get(folded, 0) ^ by_exclusion
        if about:
            groups.setdefault((verdict.special(folded), about), []).append(name)
    return [tuple(group) for group in groups.values()]


def _listed(statements: list[Statement], names: list[str]) -> dict[str, int]:
    """Say for each action, folded, which statements list it, a bit for each."""
    by_service: dict[str, list[str]] = {}
    for name in names:
        by_service.setdefault(name.partition(":")[0], []).append(name)
    listed: dict[str, int] = {}
    for bit, statement in enumerate(statements):
        for action in statement.actions:
            service = action.partition(":")[0].lower()
            candidates = names if "*" in service or "?" in service else by_service.get(service, [])
            matches = glob(tokens_of(action.lower()))
            for name in candidates:
                if matches(name):
                    listed[name] = listed.get(name, 0) | 1 << bit
    return listed


def _resources(
    statements: list[Statement], classes: list[tuple[str, ...]], undecided: list[str]
) -> tuple[list[str], frozenset[str]]:
    """Give witnesses, and those among them that no entry tells apart: roles, where trust policies are compared."""
    keys = situations.keys_in(statements)
    ways = situations.fillings(keys, statements)
    if all(one.principals is None for one in statements):
        return witnesses.resources(statements, ways, undecided), frozenset()
    accounts = dict.fromkeys([witnesses.ACCOUNT, ELSEWHERE, *askers.accounts(statements)])
    roles = [f"arn:aws:iam::{account}:role/{samples.FILLER}" for account in accounts]
    if all(one.resources is None for one in statements):
        return roles, frozenset(roles)
    special = {verdict.special(actions[0].lower()) for actions in classes}
    besides = [pattern for service, pattern in _SPECIAL.items() if service in special]
    found = witnesses.resources(statements, ways, undecided, owners=accounts, besides=besides)
    trusts = any(one.resources is None for one in statements)
    return list(dict.fromkeys([*found, *(roles if trusts else ())])), frozenset()


_SPECIAL: Final = {
    service: pattern
    for service, wanted in (("kms", "arn:*:kms:*:*:key/*"), ("iam", "arn:*:iam:*:*:role/*"))
    if (pattern := atoms.arn(tokens_of(wanted))) is not None
}
"""Keys and roles, whose own policy has to allow."""
