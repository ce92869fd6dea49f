"""Policies compiled to one function: the same answer as `evaluate`, without the reasons, at a flat cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from actas.iam import verdict
from actas.iam.conditions import keys_of
from actas.iam.evaluation import counts, layers_of
from actas.iam.index import Entry, Index
from actas.iam.matching import Prepared, prepare
from actas.iam.principals import DERIVED, Caller, CallerKind, Meeting, read_caller
from actas.iam.request import PolicySet, Request
from actas.iam.said import StatementRef
from actas.iam.values import Value
from actas.iam.variables import keys_in, read

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


Met = tuple[Entry, Meeting, bool]
"""A statement that applies, how it meets the caller, and whether it does so for want of knowledge."""


class Compiled:
    """The callable that `compile` gives."""

    def __init__(self, policies: PolicySet) -> None:
        self._names: list[verdict.LayerName] = []
        self._index = Index()
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
        self._derive = self._derive or entry.principals or not DERIVED.isdisjoint(_keys(entry.prepared))
        self._index.add(entry)

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
        for entry in self._index.candidates(action, resource):
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
