"""What access one set of policies gives that another does not, each time with a request that shows it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from actas.iam.compiled import CompiledDecision, compile  # noqa: A004 - api.md's word
from actas.iam.evaluation import layers_of
from actas.iam.kinds import PRINCIPALED, Kind
from actas.iam.policy import Policy
from actas.iam.principals import Principals
from actas.iam.request import PolicySet, Request
from actas.iam.said import StatementRef
from actas.iam.statement import Statement
from actas.iam.universe import Plan, Universe, plan
from actas.iam.verdict import Effect


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Access gained or lost."""

    request: Request
    """The witness: decide it with both sets to see the change."""
    actions: tuple[str, ...]
    """Every action for which the witness's action stands."""
    before: Effect
    after: Effect
    statements: tuple[StatementRef, ...]
    """What is behind it: the statements that applied on the side that decides otherwise now, and those gone."""
    besides: str = ""
    """What the caller has besides, where policies of a resource alone are compared; empty: nothing."""

    def to_json(self) -> dict[str, Any]:
        """Give it as data."""
        return {
            "principal": self.request.principal,
            "action": self.request.action,
            "actions": list(self.actions),
            "resource": self.request.resource,
            "resource_account": self.request.resource_account,
            "context": {key: _plain(value) for key, value in self.request.facts.items()},
            "before": self.before,
            "after": self.after,
            "statements": [statement.to_json() for statement in self.statements],
            "besides": self.besides,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """All that was found, and what could not be decided."""

    gained: tuple[Change, ...]
    lost: tuple[Change, ...]
    asked: int
    """How many requests were decided with both sets."""
    undecided: tuple[str, ...]
    """What was left out, in sentences; empty: the answer is exact over what the policies mention."""

    @property
    def same(self) -> bool:
        """Whether no change was found."""
        return not self.gained and not self.lost


def compare(
    old: PolicySet | Policy, new: PolicySet | Policy, requests_or_universe: Iterable[Request] | Universe | None = None
) -> Comparison:
    """Compare two sets of policies over requests, or over a universe that is worked out from them.

    Where neither set has resource policies, the resource's side is taken to leave the decision to the caller's account;
    where there are resource policies alone, the caller's side is tried with policies that say nothing, that allow
    everything, and with a boundary that allows nothing.
    """
    before, after = _as_set(old), _as_set(new)
    if requests_or_universe is None or isinstance(requests_or_universe, Universe):
        if _statements(before) == _statements(after):
            return Comparison(gained=(), lost=(), asked=0, undecided=())
        worked_out = plan(requests_or_universe or Universe(), (before, after))
        return _compared(_sides(before, after), worked_out.requests(), worked_out)
    return _compared([("", before, after)], ((request, (request.action,)) for request in requests_or_universe), None)


def _statements(policies: PolicySet) -> list[object]:
    return [(name, level, [policy.statements for policy in layer]) for name, level, layer in layers_of(policies)]


def _compared(
    sides: list[_Side],
    asked: Iterable[tuple[Request, tuple[str, ...]]],
    worked_out: Plan | None,
) -> Comparison:
    compiled = [(besides, compile(before), compile(after)) for besides, before, after in sides]
    gained: dict[object, Change] = {}
    lost: dict[object, Change] = {}
    alike = worked_out.alike if worked_out else frozenset()
    count = 0
    for (request, actions), (besides, first, second) in product(asked, compiled):
        count += 1
        one, other = first(request), second(request)
        if one.allowed == other.allowed:
            continue
        change = Change(
            request=request,
            actions=actions,
            before=one.effect,
            after=other.effect,
            statements=tuple(_behind(one, other)),
            besides=besides,
        )
        # One witness is enough for the same statements over the same actions and resource.
        resource = None if request.resource in alike else request.resource
        key = (actions, resource, request.principal, change.statements)
        (gained if other.allowed else lost).setdefault(key, change)
    undecided = tuple(worked_out.undecided) if worked_out else ()
    return Comparison(gained=tuple(gained.values()), lost=tuple(lost.values()), asked=count, undecided=undecided)


def _behind(one: CompiledDecision, other: CompiledDecision) -> Iterator[StatementRef]:
    allowing, refusing = (one, other) if one.allowed else (other, one)
    yield from (ref for ref in refusing.matched if ref.effect == "Deny")
    if refusing.effect == "ImplicitlyDenied":
        yield from (ref for ref in allowing.matched if ref.effect == "Allow" and ref.policy not in _ASSUMED)


def _as_set(given: PolicySet | Policy) -> PolicySet:
    if isinstance(given, PolicySet):
        return given
    if given.kind is Kind.RCP:
        return PolicySet(identity=(_ALL,), resource=(_EVERYONE,), rcps=((given,),))
    if given.kind is Kind.ENDPOINT:
        return PolicySet(identity=(_ALL,), resource=(_EVERYONE,), endpoint=(given,))
    if given.kind in PRINCIPALED:
        return PolicySet(resource=(given,))
    return PolicySet(identity=(given,))


_Side = tuple[str, PolicySet, PolicySet]
"""What the caller has besides, and the two sets with it."""


def _sides(before: PolicySet, after: PolicySet) -> list[_Side]:
    """Supply the side that nobody gave: of the resources, or of the callers."""
    if before.resource is None and after.resource is None:
        return [("", replace(before, resource=(_TO_ACCOUNTS,)), replace(after, resource=(_TO_ACCOUNTS,)))]
    if any(layer for one in (before, after) for layer in (one.identity, one.boundary, one.session)):
        return [("", before, after)]
    # A boundary that allows nothing keeps out whom a policy names by role or account, not whom it names by session.
    return [
        ("", before, after),
        (_ALLOWING, replace(before, identity=(_ALL,)), replace(after, identity=(_ALL,))),
        (_BOUNDED, replace(before, boundary=()), replace(after, boundary=())),
    ]


def _assumed(kind: Kind, name: str, principals: Principals | None) -> Policy:
    allow = Statement(index=0, sid=None, effect="Allow", actions=("*",), resources=("*",), principals=principals)
    return Policy(kind=kind, name=name, statements=(allow,))


# KMS keys and roles leave the decision to their account, where nobody gave their policies.
_TO_ACCOUNTS = _assumed(Kind.RESOURCE, "(the resource's side)", Principals(delegates=True))
_EVERYONE = _assumed(Kind.RESOURCE, "(the resource's side, for all)", Principals(everyone=True))
_ALLOWING = "identity policies that allow everything"
_BOUNDED = "a permissions boundary that allows nothing"
_ALL = _assumed(Kind.IDENTITY, "(the caller's side)", None)
_ASSUMED = frozenset(policy.name for policy in (_TO_ACCOUNTS, _EVERYONE, _ALL))


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value if isinstance(value, (str, bool, int)) else str(value)
