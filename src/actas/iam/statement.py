"""What a policy holds: statements of plain values, nothing left to parse."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from actas.iam.conditions import Condition
from actas.iam.kinds import Kind
from actas.iam.principals import Principals

Effect = Literal["Allow", "Deny"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement, as written."""

    index: int
    sid: str | None
    effect: Effect
    actions: tuple[str, ...]
    not_action: bool = False
    resources: tuple[str, ...] | None = None
    """None in a trust policy, which has none."""
    not_resource: bool = False
    principals: Principals | None = None
    """None in the kinds that name no principal."""
    not_principal: bool = False
    conditions: tuple[Condition, ...] = ()
    variables: bool = True
    """Whether ``${…}`` is a variable: in version 2012-10-17 it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What was read of a policy of one kind."""

    kind: Kind
    statements: tuple[Statement, ...]
    version: str = "2008-10-17"
    id: str | None = None
    name: str = ""
    """What the caller of the library calls it; decisions name it."""
