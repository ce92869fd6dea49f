"""A policy that was read: statements of plain values, nothing left to parse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from actas.iam.conditions import Condition
from actas.iam.kinds import Kind
from actas.iam.principals import Principals

if TYPE_CHECKING:
    from actas.iam.catalogue import Catalogue

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
class Policy:
    """A policy of one kind."""

    kind: Kind
    statements: tuple[Statement, ...]
    version: str = "2008-10-17"
    id: str | None = None
    name: str = ""
    """What the caller of the library calls it; decisions name it."""

    @classmethod
    def parse(
        cls,
        document: str | bytes | Mapping[str, object],
        *,
        kind: Kind = Kind.IDENTITY,
        name: str = "",
        stored: bool = False,
    ) -> Policy:
        """Read a policy; raise MalformedPolicy with every error finding if it is none of its kind.

        *stored*: the document is in AWS already, so rules that AWS applies only to new documents do not count.
        """
        from actas.iam.grammar import read

        return read(document, kind=Kind(kind), name=name, stored=stored)

    def allowed_actions(self, catalogue: Catalogue | None = None) -> frozenset[str]:
        """Return every action that an Allow statement names, spelled as the catalogue does.

        Conditions, resources and Deny statements are not looked at.
        """
        from actas.iam.expansion import allowed_actions

        return allowed_actions(self, catalogue)
