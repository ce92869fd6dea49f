"""Why a decision is what it is: which conditions of each rule are true, false or unknown, and what would help. Pure."""

from dataclasses import dataclass
from typing import Literal

from actas.decide import claimed, context
from actas.decide.compiled import Compiled
from actas.decide.reasons import weigh
from actas.decide.ruleset import RuleSet
from actas.decide.targets import Target
from actas.iam.values import Context
from actas.model.decision import Allow, Decision, Question
from actas.settings.schema import Rule, many
from actas.settings.values import Hours, Network, Span

Truth = Literal["true", "false", "unknown"]
_TRUTHS: dict[bool | None, Truth] = {True: "true", False: "false", None: "unknown"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """One key of a rule: what it wants, and how that stands."""

    key: str
    wants: str
    truth: Truth


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """One rule, as it bears on the question."""

    rule: str
    effect: Literal["may", "may_not"]
    roles: tuple[str, ...]
    conditions: tuple[Condition, ...]
    applies: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """A decision with all that led to it."""

    decision: Decision
    target: str
    weighed: tuple[Weighed, ...]
    others: int
    """How many rules speak of other functions."""
    helps: tuple[str, ...]
    """What would turn a no into a yes: one sentence a way."""


def explain(rules: RuleSet, question: Question) -> Explained:
    """Decide *question* and say why."""
    decision = rules.decide(question)
    target = rules.by_call.get((question.function, question.route))
    if target is None:
        return Explained(decision=decision, target=question.function, weighed=(), others=len(rules.rules), helps=())
    moment = context.whole(context.caller(question.identity), question, rules.zones)
    weighed = tuple(_weighed(rule, weigh(rule, moment)) for rule in rules.rules if target in rule.over)
    return Explained(
        decision=decision,
        target=target.name,
        weighed=weighed,
        others=len(rules.rules) - len(weighed),
        helps=()
        if isinstance(decision, Allow)
        else (*_helps(weighed, target), *_claims(rules, question, weighed), *_trust(rules, question, weighed, moment)),
    )


def _trust(rules: RuleSet, question: Question, weighed: tuple[Weighed, ...], moment: Context) -> tuple[str, ...]:
    """Say what the trust policies of the roles lack that rules offer the caller, where no rule stands in the way."""
    if any(one.applies and one.effect == "may_not" for one in weighed):
        return ()
    offered = dict.fromkeys(name for one in weighed if one.applies for name in one.roles)
    trusts = [rules.trusts[name] for name in offered if name in rules.trusts]
    return tuple(trust.lacks(question, moment) for trust in trusts if not trust.allows(question, moment))


def _claims(rules: RuleSet, question: Question, weighed: tuple[Weighed, ...]) -> tuple[str, ...]:
    """Say what the assertion does not claim, where a rule that applies gives roles by it."""
    applying = {one.rule for one in weighed if one.applies and one.effect == "may"}
    if any(one.applies and one.effect == "may_not" for one in weighed):
        return ()
    narrowed = [rule for rule in rules.rules if rule.ref.id in applying and rule.rule.roles_from is not None]
    return tuple(claimed.helps(rule) for rule in narrowed if not any(claimed.open_to(rule, question.identity)))


def _weighed(rule: Compiled, found: list[tuple[str, bool | None]]) -> Weighed:
    truths = [truth for _, truth in found]
    return Weighed(
        rule=rule.ref.id,
        effect="may_not" if rule.forbids else "may",
        roles=tuple(role.name for role in rule.roles if role is not None),
        conditions=tuple(Condition(key=key, wants=wants(rule.rule, key), truth=_TRUTHS[truth]) for key, truth in found),
        applies=all(truth is not False for truth in truths) if rule.forbids else all(truths),
    )


def wants(rule: Rule, key: str) -> str:
    """Say in words what a key of *rule* asks for."""
    if key in ("hours", "days", "days and hours"):
        assert rule.when is not None
        days = ", ".join(many(rule.when.days))
        hours = "" if rule.when.hours is None else _text(rule.when.hours)
        return " ".join(part for part in (days, hours, rule.when.zone or "UTC") if part)
    name = {"from": "from_"}.get(key, key)
    value = getattr(rule.who, name, None)
    if value is None and rule.when is not None:
        value = getattr(rule.when, name, None)
    if isinstance(value, str):
        return value
    if isinstance(value, tuple):
        return " or ".join(_text(one) for one in value)
    return _text(value)


def _text(value: object) -> str:
    match value:
        case Hours(start=start, end=end):
            return f"{start // 60:02}:{start % 60:02}-{end // 60:02}:{end % 60:02}"
        case Network(net=net):
            return str(net)
        case Span(time=time):
            return f"at most {int(time.total_seconds())} s ago"
        case bool():
            return "yes" if value else "no"
        case _:
            return str(value)


def _helps(weighed: tuple[Weighed, ...], target: Target) -> list[str]:
    """Name, for each rule that forbids, what must be otherwise; without one, what each rule that allows lacks."""
    forbidding = [one for one in weighed if one.effect == "may_not" and one.applies]
    if forbidding:
        return [f"rule {one.rule} must not apply: {_otherwise(one)}" for one in forbidding]
    allowing = [one for one in weighed if one.effect == "may"]
    if not allowing:
        return [f"no rule speaks of {target.name}; one with `may: [{target.name}]` is needed"]
    return [f"rule {one.rule} allows it once {_lacks(one)}" for one in allowing if not one.applies]


def _otherwise(one: Weighed) -> str:
    unknown = [condition.key for condition in one.conditions if condition.truth == "unknown"]
    if unknown:
        return f"it is not known of the caller's {' and '.join(unknown)} that they do not match"
    return f"the caller's {' or '.join(condition.key for condition in one.conditions)} match"


def _lacks(one: Weighed) -> str:
    return " and ".join(
        f"{condition.key} is {condition.wants}" + (" (it is not known)" if condition.truth == "unknown" else "")
        for condition in one.conditions
        if condition.truth != "true"
    )
