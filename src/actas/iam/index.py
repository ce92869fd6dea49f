"""Statements in buckets, so that a request looks only at those that can be about it.

By action and resource; by action and what a resource pattern begins or ends with; by action; by resource; by service;
and the rest. A statement stands in one kind of bucket, so nothing is looked at twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from actas.iam import arns
from actas.iam.conditions import Test, Truth
from actas.iam.matching import Patterns, Prepared
from actas.iam.policy import Policy
from actas.iam.statement import Statement
from actas.iam.values import Value

MOST_PAIRS: Final = 512
"""A statement of more actions times resources is not spread over the first index."""
LEAST_EDGE: Final = 8
"""A pattern with fewer plain characters at its ends is not worth an index."""


class Entry:
    """One statement in its bucket, with the tests that the bucket leaves open."""

    __slots__ = ("action", "deny", "layer", "order", "policy", "prepared", "principals", "resource", "tests")

    def __init__(self, order: int, layer: int, policy: Policy, prepared: Prepared) -> None:
        self.order, self.layer, self.policy, self.prepared = order, layer, policy, prepared
        self.deny = prepared.statement.effect == "Deny"
        self.action = self.resource = True
        """Whether the test is still to be made."""
        self.principals = prepared.statement.principals is not None
        self.tests: tuple[Test, ...] = tuple(test for _, test in prepared.conditions)

    def truth(self, action: str, resource: str, facts: Mapping[str, Value]) -> Truth:
        """Tell whether the statement is about this request, as far as its bucket leaves that open."""
        if self.action and not self.prepared.action_matches(action):
            return False
        answer: Truth = True
        if self.resource:
            answer = self.prepared.resource_matches(resource, facts)
            if answer is False:
                return False
        for test in self.tests:
            truth = test(facts)
            if truth is False:
                return False
            if truth is None:
                answer = None
        return answer


class Index:
    """All buckets."""

    __slots__ = ("_actions", "_heads", "_pairs", "_resources", "_rest", "_services", "_tails")

    def __init__(self) -> None:
        self._pairs: dict[tuple[str, str], list[Entry]] = {}
        self._heads: dict[str, dict[int, dict[str, list[Entry]]]] = {}
        """Action, length, beginning of the resource."""
        self._tails: dict[str, dict[int, dict[str, list[Entry]]]] = {}
        self._actions: dict[str, list[Entry]] = {}
        self._resources: dict[str, list[Entry]] = {}
        self._services: dict[str, list[Entry]] = {}
        self._rest: list[Entry] = []

    def add(self, entry: Entry) -> None:
        """Put a statement where requests about it look."""
        prepared, statement = entry.prepared, entry.prepared.statement
        actions = _exact(prepared.actions, negated=statement.not_action)
        resources = _exact(prepared.resources, negated=statement.not_resource)
        if actions and resources and len(actions) * len(resources) <= MOST_PAIRS:
            entry.action = entry.resource = False
            for action in actions:
                for resource in resources:
                    self._pairs.setdefault((action, resource), []).append(entry)
        elif actions:
            entry.action = False
            self._by_action(entry, actions)
        elif resources:
            entry.resource = False
            for resource in resources:
                self._resources.setdefault(resource, []).append(entry)
        else:
            self._by_service(entry, statement)

    def _by_action(self, entry: Entry, actions: frozenset[str]) -> None:
        head, tail = _edges(entry.prepared.statement)
        edge, table = (head, self._heads) if len(head) >= len(tail) else (tail, self._tails)
        for action in actions:
            if len(edge) >= LEAST_EDGE:
                by_text = table.setdefault(action, {}).setdefault(len(edge), {})
                by_text.setdefault(edge, []).append(entry)
            else:
                self._actions.setdefault(action, []).append(entry)

    def _by_service(self, entry: Entry, statement: Statement) -> None:
        services = _services(statement.actions) if not statement.not_action else None
        for service in services or ():
            self._services.setdefault(service, []).append(entry)
        if services is None:
            self._rest.append(entry)

    def candidates(self, action: str, resource: str) -> list[Entry]:
        """Return the statements that can be about a request; the list is not the caller's to change."""
        found = self._pairs.get((action, resource), _NONE)
        if self._heads:  # each + makes a new list: the bucket must not grow
            for length, by_text in self._heads.get(action, _EMPTY).items():
                found = found + by_text.get(resource[:length], _NONE)
        if self._tails:
            for length, by_text in self._tails.get(action, _EMPTY).items():
                found = found + by_text.get(resource[-length:], _NONE)
        if self._actions:
            found = found + self._actions.get(action, _NONE)
        if self._resources:
            found = found + self._resources.get(resource, _NONE)
        if self._services:
            found = found + self._services.get(action.partition(":")[0], _NONE)
        return found + self._rest if self._rest else found


_NONE: Final[list[Entry]] = []
_EMPTY: Final[dict[int, dict[str, list[Entry]]]] = {}


def _exact(patterns: Patterns | None, *, negated: bool) -> frozenset[str] | None:
    """Return the plain texts that a list stands for, if it stands for nothing else."""
    if patterns is None or negated or patterns.globs or patterns.filled:
        return None
    return patterns.exact


def _services(actions: tuple[str, ...]) -> frozenset[str] | None:
    """Return the services of the actions; None if one could be of any."""
    services = {action.partition(":")[0].lower() for action in actions}
    if any("*" in service or "?" in service for service in services):
        return None
    return frozenset(services)


def _edges(statement: Statement) -> tuple[str, str]:
    """Return what every resource of a statement begins and ends with, where it names one pattern."""
    resources = statement.resources or ()
    if len(resources) != 1 or statement.not_resource:
        return "", ""
    pattern = resources[0]
    places = [place for place in map(pattern.find, ("*", "?", "${")) if place >= 0]
    head = pattern[: min(places, default=len(pattern))]
    whole = pattern.count(":") >= arns.PARTS - 1  # else AWS puts stars behind it
    last = max(pattern.rfind("*"), pattern.rfind("?"))
    tail = pattern[last + 1 :] if whole and "$" not in pattern else ""
    return head, tail
