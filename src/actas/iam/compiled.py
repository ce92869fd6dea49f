"""Policies compiled to one function: the same answer as `evaluate`, without the reasons, at a flat cost.

Statements are kept in buckets, so that a request looks only at those that can be about it:
by action and resource, by action, by resource, by service, and the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from actas.iam import verdict
from actas.iam.conditions import Test, Truth, keys_of
from actas.iam.decision import StatementRef
from actas.iam.evaluation import counts, layers_of
from actas.iam.matching import Patterns, Prepared, prepare
from actas.iam.policy import Policy
from actas.iam.principals import Caller, CallerKind, Meeting, read_caller
from actas.iam.request import PolicySet, Request
from actas.iam.values import Value
from actas.iam.variables import keys_in, read

MOST_PAIRS: Final = 512
"""A statement of more actions times resources is not spread over the first index."""
_DERIVED: Final = frozenset(
    {"aws:principalarn", "aws:principalaccount", "aws:principaltype", "aws:username", "aws:userid"}
)
_CALLERS: Final = 1024


class CompiledDecision:
    """The effect, and which statements applied."""

    __slots__ = ("_entries", "effect", "missing")

    def __init__(self, effect: verdict.Effect, missing: verdict.LayerName | None, entries: tuple[Met, ...]) -> None:
        self.effect, self.missing, self._entries = effect, missing, entries

    @property
    def allowed(self) -> bool:
        """Whether the effect is Allowed."""
        return self.effect == "Allowed"

    @property
    def matched(self) -> tuple[StatementRef, ...]:
        """Every statement that applied, in the order of layers and policies."""
        ordered = sorted(self._entries, key=lambda met: met[0].order)
        return tuple(
            StatementRef.of(entry.policy, entry.prepared.statement, meeting, unknown=unknown)
            for entry, meeting, unknown in ordered
        )

    def __repr__(self) -> str:
        """Read as what was decided."""
        return f"CompiledDecision({self.effect})"


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


Met = tuple[Entry, Meeting, bool]
"""A statement that applies, how it meets the caller, and whether it does so for want of knowledge."""


class Compiled:
    """The callable that `compile` gives."""

    def __init__(self, policies: PolicySet) -> None:
        self._names: list[verdict.LayerName] = []
        self._levels = 0
        self._pairs: dict[tuple[str, str], list[Entry]] = {}
        self._actions: dict[str, list[Entry]] = {}
        self._resources: dict[str, list[Entry]] = {}
        self._services: dict[str, list[Entry]] = {}
        self._rest: list[Entry] = []
        self._derive = False
        self._callers: dict[str, Caller] = {}
        order = 0
        for name, _, layer in layers_of(policies):
            self._names.append(name)
            for policy in layer:
                for statement in policy.statements:
                    self._add(Entry(order, len(self._names) - 1, policy, prepare(statement)))
                    order += 1
        self._only_identity = self._names == ["identity"]

    def _add(self, entry: Entry) -> None:
        prepared, statement = entry.prepared, entry.prepared.statement
        self._derive = self._derive or entry.principals or not _DERIVED.isdisjoint(_keys(prepared))
        actions = _exact(prepared.actions, negated=statement.not_action)
        resources = _exact(prepared.resources, negated=statement.not_resource)
        if actions and resources and len(actions) * len(resources) <= MOST_PAIRS:
            entry.action = entry.resource = False
            for action in actions:
                for resource in resources:
                    self._pairs.setdefault((action, resource), []).append(entry)
        elif actions:
            entry.action = False
            for action in actions:
                self._actions.setdefault(action, []).append(entry)
        elif resources:
            entry.resource = False
            for resource in resources:
                self._resources.setdefault(resource, []).append(entry)
        else:
            services = _services(statement.actions) if not statement.not_action else None
            for service in services or ():
                self._services.setdefault(service, []).append(entry)
            if services is None:
                self._rest.append(entry)

    def _candidates(self, action: str, resource: str) -> list[Entry]:
        found = self._pairs.get((action, resource), _NONE)
        if self._actions:
            found = found + self._actions.get(action, _NONE)  # a new list: the bucket must not grow
        if self._resources:
            found = found + self._resources.get(resource, _NONE)
        if self._services:
            found = found + self._services.get(action.partition(":")[0], _NONE)
        return found + self._rest if self._rest else found

    def _caller(self, text: str) -> Caller:
        caller = self._callers.get(text)
        if caller is None:
            if len(self._callers) >= _CALLERS:
                self._callers.clear()
            caller = self._callers[text] = read_caller(text)
        return caller

    def __call__(self, request: Request) -> CompiledDecision:
        """Decide *request*; the same effect as `evaluate`."""
        caller = self._callers.get(request.principal) or self._caller(request.principal)
        facts: Mapping[str, Value] = request.facts
        if self._derive:
            facts = {**caller.facts, **facts}
        action, resource = request.action, request.resource
        if not action.islower():
            action = action.lower()
        met: list[Met] = []
        for entry in self._candidates(action, resource):
            meeting = Meeting.DIRECT
            if entry.principals:
                meeting = entry.prepared.meets(caller, facts.get("aws:userid"))
                if not meeting:
                    continue
            truth = entry.truth(action, resource, facts)
            if truth or (truth is None and entry.deny):  # unknown does not allow, and denies
                met.append((entry, meeting, truth is None))
        if self._only_identity and caller.kind is CallerKind.SESSION and _is_plain(request, action, caller):
            return _of_identity(met)
        return self._weighed(met, verdict.frame(request, caller))

    def _weighed(self, met: list[Met], about: verdict.Frame) -> CompiledDecision:
        counted = [one for one in met if counts(self._names[one[0].layer], about)]
        effect, missing = verdict.weigh(self._tally(counted, about), about)
        return CompiledDecision(effect, missing, tuple(counted))

    def _tally(self, met: list[Met], about: verdict.Frame) -> verdict.Tally:
        best = [Meeting.NONE] * len(self._names)
        for entry, meeting, _ in met:
            if not entry.deny:
                best[entry.layer] = max(best[entry.layer], meeting)
        answers = [(name, found) for name, found in zip(self._names, best, strict=True) if counts(name, about)]
        return verdict.tally(answers, denied=any(entry.deny for entry, _, _ in met))


_NONE: Final[list[Entry]] = []


def _is_plain(request: Request, action: str, caller: Caller) -> bool:
    """Tell whether identity policies alone decide: one account, and nothing whose own policy must allow."""
    if request.resource_account is not None or action.startswith(("kms:", "sts:")):
        return False
    parts = request.resource.split(":", 5)
    return len(parts) < 6 or parts[4] == caller.account or not parts[4]


def _of_identity(met: list[Met]) -> CompiledDecision:
    """Decide the gateway's own case: a role session, and its rules as identity policies."""
    if not met:
        return _NOTHING_ALLOWS
    for entry, _, _ in met:
        if entry.deny:
            return CompiledDecision("ExplicitlyDenied", None, tuple(met))
    return CompiledDecision("Allowed", None, tuple(met))


_NOTHING_ALLOWS: Final = CompiledDecision("ImplicitlyDenied", "identity", ())


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


def _keys(prepared: Prepared) -> frozenset[str]:
    """Every context key that a statement reads."""
    statement = prepared.statement
    keys: set[str] = set()
    for condition in statement.conditions:
        keys |= keys_of(condition, with_variables=statement.variables)
    if statement.variables:
        for resource in statement.resources or ():
            keys |= keys_in(read(resource, variables=True, wildcards=False))
    return frozenset(keys)


def compile(policies: PolicySet) -> Compiled:  # noqa: A001 - api.md's word
    """Compile *policies* once, to decide many requests."""
    return Compiled(policies)
