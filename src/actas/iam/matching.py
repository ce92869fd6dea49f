"""Whether one statement speaks about one request: yes, no, or unknown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from actas.iam import arns, variables
from actas.iam.conditions import Condition, Test, Truth, compile_condition
from actas.iam.principals import Caller, Meeting, meet, spared
from actas.iam.statement import Statement
from actas.iam.values import Value
from actas.iam.wildcards import Matcher, glob, tokens_of

ResourceTest = Callable[[str, Mapping[str, Value]], Truth]


@dataclass(frozen=True, slots=True)
class Patterns:
    """A list of patterns: some are plain text, some have wildcards, some have variables."""

    exact: frozenset[str]
    globs: tuple[Matcher, ...]
    filled: tuple[ResourceTest, ...] = ()

    def holds(self, text: str, facts: Mapping[str, Value]) -> Truth:
        """Tell whether any of them matches *text*."""
        if text in self.exact or any(matches(text) for matches in self.globs):
            return True
        answer: Truth = False
        for test in self.filled:
            truth = test(text, facts)
            if truth is True:
                return True
            if truth is None:
                answer = None
        return answer


def action_patterns(actions: tuple[str, ...]) -> Patterns:
    """Compile an Action list; letter case does not count."""
    folded = [action.lower() for action in actions]
    wild = tuple(glob(tokens_of(action)) for action in folded if "*" in action or "?" in action)
    return Patterns(frozenset(action for action in folded if "*" not in action and "?" not in action), wild)


def resource_patterns(resources: tuple[str, ...], *, with_variables: bool, excluding: bool = False) -> Patterns:
    """Compile a Resource list; *excluding*: the NotResource of an Allow.

    A variable without a value makes the statement invalid (user guide, policy variables): it matches nothing, and of
    what an Allow leaves out it may stand for anything.
    """
    exact: set[str] = set()
    globs: list[Matcher] = []
    filled: list[ResourceTest] = []
    for resource in resources:
        template = resource_template(resource, with_variables=with_variables)
        literal = template.literal
        if not template.fixed:
            filled.append(_filled(template, excluding=excluding))
        elif literal is not None and _is_whole(literal):
            exact.add(literal)
        else:
            globs.append(arns.resource(template.tokens()))
    return Patterns(frozenset(exact), tuple(globs), tuple(filled))


def resource_template(resource: str, *, with_variables: bool) -> variables.Template:
    """Read a pattern; before the fifth colon ``${`` is text (user guide, policy variables)."""
    if not with_variables or "${" not in resource:
        return variables.read(resource, variables=False, wildcards=True)
    colons = 0
    for place, char in enumerate(resource):
        if char == ":":
            colons += 1
        if colons == arns.PARTS - 1:
            head, tail = resource[: place + 1], resource[place + 1 :]
            rest = variables.read(tail, variables=True, wildcards=True)
            return variables.Template((*tokens_of(head), *rest.parts))
        if resource.startswith("${", place):
            break
    return variables.read(resource, variables=False, wildcards=True)


def _is_whole(literal: str) -> bool:
    """Tell whether it is a complete ARN, to which AWS adds no stars."""
    return literal.count(":") >= arns.PARTS - 1 or literal.startswith(f"arn:{arns.OURS}:")


def _filled(template: variables.Template, *, excluding: bool) -> ResourceTest:
    def test(resource: str, facts: Mapping[str, Value]) -> Truth:
        tokens, resolved = variables.fill_as_far(template, facts)
        if resolved is False and not excluding:
            return False
        if not arns.resource(tokens)(resource):
            return False  # whatever a variable without a value stands for
        return None if resolved is None else True

    return test


@dataclass(frozen=True, slots=True)
class Prepared:
    """A statement, compiled."""

    statement: Statement
    actions: Patterns
    resources: Patterns | None
    conditions: tuple[tuple[Condition, Test], ...]

    def action_matches(self, action: str) -> bool:
        """Compare the action, which is folded."""
        return (self.actions.holds(action, _NO_FACTS) is True) is not self.statement.not_action

    def resource_matches(self, resource: str, facts: Mapping[str, Value]) -> Truth:
        """Trust policies have no resource: they are about the role they stand in."""
        if self.resources is None:
            return True
        truth = self.resources.holds(resource, facts)
        return truth if truth is None else truth is not self.statement.not_resource

    def meets(self, caller: Caller, userid: object) -> Meeting:
        """How closely the Principal element names *caller*; DIRECT where there is none."""
        principals = self.statement.principals
        if principals is None:
            return Meeting.DIRECT
        if self.statement.not_principal:
            deny = self.statement.effect == "Deny"
            return Meeting.NONE if spared(principals, caller, userid, deny=deny) else Meeting.DIRECT
        return meet(principals, caller, userid)


_NO_FACTS: Final[Mapping[str, Value]] = {}


def prepare(statement: Statement) -> Prepared:
    """Compile a statement."""
    resources, excluding = statement.resources, statement.not_resource and statement.effect == "Allow"
    return Prepared(
        statement,
        action_patterns(statement.actions),
        None
        if resources is None
        else resource_patterns(resources, with_variables=statement.variables, excluding=excluding),
        tuple(
            (condition, compile_condition(condition, with_variables=statement.variables))
            for condition in statement.conditions
        ),
    )


def applies(effect: str, truth: Truth) -> bool:
    """Unknown is never in the caller's favour: it does not allow, and it denies."""
    return truth is True or (truth is None and effect == "Deny")
