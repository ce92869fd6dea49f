"""The first thing about a statement that a request did not meet, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from actas.iam.asked import Asked
from actas.iam.conditions import Condition
from actas.iam.kinds import UNKNOWN
from actas.iam.matching import Prepared
from actas.iam.principals import Meeting
from actas.iam.values import Value, text_of

Part = Literal["action", "principal", "resource", "condition"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """What failed first: found and wanted."""

    part: Part
    unknown: bool
    """Not false but unknown: the request left out, or could not say, what decides it."""
    found: str
    wanted: str
    operator: str = ""
    key: str = ""

    def sentence(self) -> str:
        """Say it to a person."""
        if self.part == "condition":
            how = "cannot be told" if self.unknown else "does not hold"
            return f"{self.operator} on {self.key} {how}: the request has {self.found}, wanted is {self.wanted}"
        how = "may or may not be" if self.unknown else "is not"
        return f"the {self.part} {self.found} {how} {self.wanted}"


def first_failure(one: Prepared, asked: Asked, meeting: Meeting) -> Failure | None:
    """Find what keeps a statement from a request; a false thing before an unknown one; None if nothing does."""
    statement = one.statement
    if not one.action_matches(asked.action):
        wanted = _listed(statement.actions, negated=statement.not_action)
        return Failure(part="action", unknown=False, found=asked.action, wanted=wanted)
    if meeting is Meeting.NONE:
        wanted = "outside NotPrincipal" if statement.not_principal else "named by Principal"
        return Failure(part="principal", unknown=False, found=asked.caller.text, wanted=wanted)
    unknown: Failure | None = None
    resource = one.resource_matches(asked.resource, asked.facts)
    if resource is not True:
        wanted = _listed(statement.resources or (), negated=statement.not_resource)
        failure = Failure(part="resource", unknown=resource is None, found=asked.resource, wanted=wanted)
        if resource is False:
            return failure
        unknown = failure
    for condition, test in one.conditions:
        truth = test(asked.facts)
        if truth is False:
            return _condition(condition, asked, unknown=False)
        if truth is None and unknown is None:
            unknown = _condition(condition, asked, unknown=True)
    return unknown


def _condition(condition: Condition, asked: Asked, *, unknown: bool) -> Failure:
    return Failure(
        part="condition",
        unknown=unknown,
        found=shown(asked.facts.get(condition.key.lower())),
        wanted=_listed(condition.values, negated=False),
        operator=condition.operator,
        key=condition.key,
    )


def _listed(values: tuple[str, ...], *, negated: bool) -> str:
    first = ", ".join(values[:3]) + (f" and {len(values) - 3} more" if len(values) > 3 else "")
    if negated:
        return f"anything but {first}"
    return f"one of {first}" if len(values) > 1 else first or "nothing"


def shown(value: Value) -> str:
    """Write a context value for a person."""
    if value is None:
        return "no such key"
    if value is UNKNOWN:
        return "an unknown value"
    if type(value) is tuple:
        return "[" + ", ".join("unknown" if item is UNKNOWN else text_of(item) for item in value) + "]"
    return text_of(value)
