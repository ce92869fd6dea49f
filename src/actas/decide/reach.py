"""What all grants by the same rules have in common, worked out once for each set of rules. Pure."""

from dataclasses import dataclass

from actas.decide import facts
from actas.decide.compiled import Compiled
from actas.decide.targets import Target
from actas.model.rule_ref import RuleRef

MOST = 4096
"""Sets of rules that are remembered; all are forgotten when there are more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """The part of a grant that does not rest on the caller."""

    rules: tuple[RuleRef, ...]
    fence: tuple[str, ...]
    """ARNs of all that the granting rules name."""
    tested: facts.Tested
    """The facts that those rules tested, and every ``may_not`` over the functions they name."""


class Reaches:
    """Every reach that was asked for."""

    def __init__(self, rules: tuple[Compiled, ...]) -> None:
        self._forbidding = tuple(rule for rule in rules if rule.forbids)
        self._known: dict[tuple[str, tuple[int, ...]], Reach] = {}

    def of(self, target: Target | None, granting: tuple[Compiled, ...]) -> Reach:
        """Give what a grant by *granting* rests on: for *target*, or for every function that they name."""
        key = (
            "" if target is None else target.name,
            tuple([id(rule) for rule in granting]),
        )  # rules live as long as this does
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= MOST:
                self._known.clear()
            found = self._known[key] = self._reach(target, granting)
        return found

    def _reach(self, target: Target | None, granting: tuple[Compiled, ...]) -> Reach:
        named = [one for rule in granting for one in rule.over]
        named += [] if target is None else [target]
        reached = {one.function for one in named}
        against = [rule for rule in self._forbidding if any(one.function in reached for one in rule.over)]
        return Reach(
            rules=tuple(rule.ref for rule in granting),
            fence=tuple(sorted({one.arn for one in named})),
            tested=facts.tested(rule.rule for rule in (*granting, *against)),
        )
