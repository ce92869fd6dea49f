"""Compare a policy with AWS's service reference: what does not exist, and what can never come together.

Every finding here is a warning: AWS takes such a policy, and the reference can be behind AWS.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from actas.iam import keys as global_keys
from actas.iam.catalogue import Action, Catalogue, Service
from actas.iam.conditions import Condition
from actas.iam.expansion import expand_actions
from actas.iam.finding import Path
from actas.iam.kinds import Kind
from actas.iam.notes import Notes, Phase
from actas.iam.operators import Spelled, spelled
from actas.iam.overlap import opened, overlap, overlap_resource
from actas.iam.statement import Content, Statement

OURS: Final = "actas"
_TYPES: Final = {
    "number": {"Numeric", "Date"},
    "date": {"Date", "Numeric"},
    "bool": {"Bool"},
    "ip": {"IPAddress"},
    "arn": {"ARN", "String"},
    "string": {"String", "ARN"},
    "like": {"String", "ARN"},
    "binary": {"Binary", "String"},
}
"""Operator family: the types of key that it compares."""
_MOST_ACTIONS: Final = 400
"""A statement about more actions than this is about everything; its resources and keys fit something."""


@dataclass(frozen=True, slots=True)
class Checker:
    """Compares statements with one catalogue."""

    catalogue: Catalogue
    notes: Notes

    def check(self, policy: Content) -> None:
        """Look at each statement."""
        for statement in policy.statements:
            path: Path = ("Statement", statement.index)
            self._actions(statement, path)
            actions = self._known(statement)
            if statement.resources and not statement.not_resource and policy.kind is not Kind.TRUST:
                self._resources(statement, actions, path)
            for condition in statement.conditions:
                at = (*path, "Condition", condition.operator, condition.key)
                self._condition(condition, actions, at, policy.kind)

    def _warn(self, path: Path, code: str, message: str, fix: str) -> None:
        self.notes.warn(Phase.CATALOGUE, path, code, message, fix)

    def _known(self, statement: Statement) -> list[Action] | None:
        """Return the actions of a statement; None where it is about (nearly) everything."""
        if statement.not_action or "*" in statement.actions:
            return None
        names = expand_actions(statement.actions, self.catalogue)
        if len(names) > _MOST_ACTIONS:
            return None
        found = (self.catalogue.action(name) for name in sorted(names))
        return [action for action in found if action is not None]

    def _actions(self, statement: Statement, path: Path) -> None:
        name = "NotAction" if statement.not_action else "Action"
        for index, action in enumerate(statement.actions):
            if action == "*" or action.lower().startswith(f"{OURS}:"):
                continue
            self._action(action, (*path, name, index))

    def _action(self, action: str, path: Path) -> None:
        prefix, _, name = action.partition(":")
        if "*" in prefix or "?" in prefix:
            return
        names = self.catalogue.names(prefix)
        if not names:
            near = _nearest(prefix.lower(), self.catalogue.services)
            fix = f"Write {near}, if that is what is meant." if near else "Look the prefix up in the service reference."
            self._warn(path, "unknown-service", f"There is no service with the prefix {prefix}.", fix)
        elif "*" in name or "?" in name:
            if not expand_actions(action, self.catalogue):
                fix = "Remove it, or correct the pattern."
                self._warn(path, "action-matches-nothing", f"No action matches {action}.", fix)
        elif name.lower() not in names:
            near = _nearest(name.lower(), names)
            fix = f"Write {names[near]}, if that is what is meant." if near else f"Look up the actions of {prefix}."
            self._warn(path, "unknown-action", f"There is no action {action}.", fix)

    def _resources(self, statement: Statement, actions: list[Action] | None, path: Path) -> None:
        resources = statement.resources or ()
        if actions is None or not actions or "*" in resources:
            return
        fits = _Fits(self.catalogue, resources)
        exact = {action.lower() for action in statement.actions if "*" not in action and "?" not in action}
        used: set[int] = set()
        for action in actions:
            places = fits.places(action)
            used |= places
            if not places and action.name.lower() in exact:
                self._unfit(statement, action, path)
        for index, resource in enumerate(resources):
            if index not in used:
                message = f"No action of the statement is about resources like {resource}."
                fix = "Correct the ARN, or give the resource to a statement with its actions."
                self._warn((*path, "Resource", index), "resource-without-action", message, fix)

    def _unfit(self, statement: Statement, action: Action, path: Path) -> None:
        index = next(i for i, name in enumerate(statement.actions) if name.lower() == action.name.lower())
        at = (*path, "Action", index)
        if not action.resources:
            message = f"{action.name} is about no resource in particular; the statement never matches it."
            self._warn(at, "action-needs-star", message, 'Give it a statement with "Resource": "*".')
            return
        kinds = ", ".join(action.resources[:4])
        message = f"{action.name} is about {kinds}; the statement names none."
        self._warn(at, "resource-type-mismatch", message, "Add a resource of that type, or remove the action.")

    def _condition(self, condition: Condition, actions: list[Action] | None, path: Path, kind: Kind) -> None:
        operator = spelled(condition.operator)
        if operator is None:
            return
        key = condition.key.lower()
        found = global_keys.global_key(key)
        if found is None:
            found = self._service_key(condition.key, path, kind)
            if found and actions is not None:
                self._supported(condition.key, key, actions, path)
        if found:
            self._type(condition, operator, found[1], path)

    def _service_key(self, key: str, path: Path, kind: Kind) -> tuple[str, str] | None:
        prefix, colon, _ = key.lower().partition(":")
        if not colon:
            fix = "Write service:key, as the service reference does."
            self._warn(path, "condition-key-format", f"{key} is no condition key.", fix)
            return None
        if prefix == OURS or ("." in prefix and kind is Kind.TRUST):  # a provider's own claims
            return None
        for service in self._owners(prefix):
            found = _matching(service.keys, key.lower())
            if found:
                return found
        candidates = self._candidates(prefix)
        near = candidates.get(_nearest(key.lower(), candidates) or "")
        fix = f"Write {near}, if that is what is meant." if near else "Look the key up in the service reference."
        self._warn(path, "unknown-condition-key", f"There is no condition key {key}.", fix)
        return None

    def _owners(self, prefix: str) -> list[Service]:
        names = [prefix, *self.catalogue.key_owners.get(prefix, [])]
        return [service for service in map(self.catalogue.service, names) if service is not None]

    def _candidates(self, prefix: str) -> dict[str, str]:
        """Return folded keys and their spellings."""
        if prefix == "aws":
            return {key: spelling for key, (spelling, _) in global_keys.GLOBAL.items()}
        return {key: spelling for service in self._owners(prefix) for key, (spelling, _) in service.keys.items()}

    def _supported(self, key: str, folded: str, actions: list[Action], path: Path) -> None:
        if actions and not any(_matching(dict.fromkeys(self._keys(action), ("", "")), folded) for action in actions):
            message = f"No action of the statement has the condition key {key}."
            fix = "Remove the condition, or the actions that it was not meant for."
            self._warn(path, "condition-key-unsupported", message, fix)

    def _keys(self, action: Action) -> set[str]:
        service = self.catalogue.service(action.name.partition(":")[0])
        kinds = [service.resources.get(name) for name in action.resources] if service else []
        return set(action.keys).union(*(kind.keys for kind in kinds if kind is not None))

    def _type(self, condition: Condition, operator: Spelled, kind: str, path: Path) -> None:
        many, single = kind.startswith("ArrayOf"), kind.removeprefix("ArrayOf")
        family = operator.operator.family
        if family == "null":
            return
        if single not in _TYPES[family]:
            message = f"{condition.key} is of type {single}, which {operator.operator.name} does not compare."
            self._warn(path, "operator-type-mismatch", message, f"Use an operator for {single}.")
        if many and not operator.quantifier:
            message = f"{condition.key} has several values; {condition.operator} compares one."
            self._warn(path, "missing-set-operator", message, "Put ForAnyValue: or ForAllValues: before the operator.")
        if not many and operator.quantifier:
            message = f"{condition.key} has one value; {operator.quantifier} is for several."
            self._warn(path, "needless-set-operator", message, f"Write {operator.operator.name}.")


class _Fits:
    """Which entries of a Resource list can be of which resource type; each pair is looked at once."""

    def __init__(self, catalogue: Catalogue, resources: tuple[str, ...]) -> None:
        self._catalogue, self._resources = catalogue, resources
        self._known: dict[tuple[str, str], frozenset[int]] = {}

    def places(self, action: Action) -> frozenset[int]:
        """Return the places of the entries that an action can be about."""
        prefix = action.name.partition(":")[0]
        return frozenset().union(*(self._of_type(prefix, name) for name in action.resources))

    def _of_type(self, prefix: str, name: str) -> frozenset[int]:
        if (prefix, name) not in self._known:
            service = self._catalogue.service(prefix)
            kind = service.resources.get(name) if service else None
            arn = opened(kind.arn) if kind else "*"
            found = (place for place, entry in enumerate(self._resources) if overlap_resource(arn, entry))
            self._known[prefix, name] = frozenset(found)
        return self._known[prefix, name]


def _matching(keys: dict[str, tuple[str, str]], key: str) -> tuple[str, str] | None:
    """Find a key, also among those with a placeholder: ``s3:existingobjecttag/<key>``."""
    found = keys.get(key)
    if found:
        return found
    for pattern, value in keys.items():
        is_open = pattern.endswith(_OPEN_ENDS) or "${" in pattern or "<" in pattern
        if is_open and overlap(opened(_angled(pattern)), key):
            return value
    return None


def _angled(pattern: str) -> str:
    """Write every kind of placeholder in the reference as one."""
    if pattern.endswith("/tag-key"):
        return pattern.removesuffix("tag-key") + "${}"
    return pattern + "${}" if pattern.endswith("/") else pattern.replace("<", "${").replace(">", "}")


_OPEN_ENDS: Final = ("/", "/tag-key")


def _nearest(name: str, known: Iterable[str]) -> str | None:
    from difflib import get_close_matches

    return next(iter(get_close_matches(name, list(known), n=1, cutoff=0.75)), None)
