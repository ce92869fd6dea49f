"""What each layer of policies said about a request, statement by statement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from actas.iam.misses import Failure
from actas.iam.policy import Policy
from actas.iam.principals import Meeting
from actas.iam.request import Request
from actas.iam.statement import Effect as StatementEffect
from actas.iam.statement import Statement
from actas.iam.verdict import Effect, LayerName


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementRef:
    """Names one statement."""

    policy: str
    """The policy's name, as given to parse."""
    index: int
    sid: str | None
    effect: StatementEffect
    meeting: Meeting = Meeting.DIRECT
    unknown: bool = False
    """A Deny that applies because nothing shows that it does not."""

    @classmethod
    def of(cls, policy: Policy, statement: Statement, meeting: Meeting, *, unknown: bool) -> StatementRef:
        """Name *statement* of *policy*."""
        return cls(
            policy=policy.name,
            index=statement.index,
            sid=statement.sid,
            effect=statement.effect,
            meeting=meeting,
            unknown=unknown,
        )

    def to_json(self) -> dict[str, Any]:
        """Give the name as data."""
        return {
            "policy": self.policy,
            "index": self.index,
            "sid": self.sid,
            "effect": self.effect,
            "unknown": self.unknown,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Miss:
    """A statement that did not apply, and the first thing that kept it from it."""

    statement: StatementRef
    failure: Failure


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """What one layer said."""

    name: LayerName
    level: int | None
    """Counted from the root, for SCPs and RCPs."""
    effect: Effect
    matched: tuple[StatementRef, ...]
    missed: tuple[Miss, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """The layers' answers, and the one that they make."""

    effect: Effect
    layers: tuple[Layer, ...]
    missing: LayerName | None
    """For an implicit denial, the first layer in AWS's order that had to allow and did not."""
    request: Request
    same_account: bool

    @property
    def allowed(self) -> bool:
        """Whether the effect is Allowed."""
        return self.effect == "Allowed"

    @property
    def matched(self) -> tuple[StatementRef, ...]:
        """Every statement that applied, over all layers."""
        return tuple(ref for layer in self.layers for ref in layer.matched)

    def layer(self, name: LayerName, level: int | None = None) -> Layer | None:
        """Return one layer by name, and by level where it has levels; None if there is none."""
        return next((one for one in self.layers if one.name == name and level in (None, one.level)), None)
