"""What access one set of policies gives that another does not, each time with a request that shows it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from actas.iam.compiled import CompiledDecision, compile  # noqa: A004 - api.md's word
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

    def to_json(self) -> dict[str, Any]:
        """Give it as data."""
        return {
            "principal": self.request.principal,
            "action": self.request.action,
            "actions": list(self.actions),
            "resource": self.request.resource,
            "context": {key: _plain(value) for key, value in self.request.facts.items()},
            "before": self.before,
            "after": self.after,
            "statements": [statement.to_json() for statement in self.statements],
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

    Where neither set has resource policies, the resource's side is taken to leave the decision to the caller's account.
    """
    before, after = _as_set(old), _as_set(new)
    asked: Iterable[tuple[Request, tuple[str, ...]]]
    worked_out: Plan | None = None
    if requests_or_universe is None or isinstance(requests_or_universe, Universe):
        worked_out = plan(requests_or_universe or Universe(), (before, after))
        before, after = _delegated(before, after)
        asked = worked_out.requests()
    else:
        asked = ((request, (request.action,)) for request in requests_or_universe)
    return _compared(before, after, asked, worked_out)


def _compared(
    before: PolicySet, after: PolicySet, asked: Iterable[tuple[Request, tuple[str, ...]]], worked_out: Plan | None
) -> Comparison:
    first, second = compile(before), compile(after)
    gained: dict[object, Change] = {}
    lost: dict[object, Change] = {}
    count = 0
    for request, actions in asked:
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
        )
        # One witness is enough for the same statements over the same actions and resource.
        key = (actions, request.resource, request.principal, change.statements)
        (gained if other.allowed else lost).setdefault(key, change)
    undecided = tuple(worked_out.undecided) if worked_out else ()
    return Comparison(gained=tuple(gained.values()), lost=tuple(lost.values()), asked=count, undecided=undecided)


def _behind(one: CompiledDecision, other: CompiledDecision) -> Iterator[StatementRef]:
    allowing, refusing = (one, other) if one.allowed else (other, one)
    yield from (ref for ref in refusing.matched if ref.effect == "Deny")
    if refusing.effect == "ImplicitlyDenied":
        yield from (ref for ref in allowing.matched if ref.effect == "Allow" and ref.policy != _DELEGATES)


def _as_set(given: PolicySet | Policy) -> PolicySet:
    if isinstance(given, PolicySet):
        return given
    if given.kind in PRINCIPALED:
        return PolicySet(resource=(given,))
    return PolicySet(identity=(given,))


_DELEGATES = "(the resource's side)"


def _delegated(before: PolicySet, after: PolicySet) -> tuple[PolicySet, PolicySet]:
    """Let KMS keys and roles leave the decision to their account, where nobody gave their policies."""
    if before.resource is not None or after.resource is not None:
        return before, after
    return _with(before), _with(after)


def _with(policies: PolicySet) -> PolicySet:
    return PolicySet(
        identity=policies.identity,
        resource=(_TO_ACCOUNTS,),
        boundary=policies.boundary,
        session=policies.session,
        scps=policies.scps,
        rcps=policies.rcps,
        endpoint=policies.endpoint,
    )


_TO_ACCOUNTS = Policy(
    kind=Kind.RESOURCE,
    name=_DELEGATES,
    statements=(
        Statement(
            index=0, sid=None, effect="Allow", actions=("*",), resources=("*",), principals=Principals(delegates=True)
        ),
    ),
)


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value if isinstance(value, (str, bool, int)) else str(value)
