"""Say everything about a policy document: what AWS refuses, what cannot be, what is unwise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from actas.iam.finding import Finding
from actas.iam.grammar import Check, examine
from actas.iam.kinds import Kind

if TYPE_CHECKING:
    from actas.iam.catalogue import Catalogue
    from actas.iam.notes import Notes
    from actas.iam.statement import Content

Depth = Literal["grammar", "catalogue", "advice"]


def validate(
    document: str | bytes | Mapping[str, object],
    *,
    kind: Kind = Kind.IDENTITY,
    depth: Depth = "advice",
    catalogue: Catalogue | None = None,
    stored: bool = False,
) -> tuple[Finding, ...]:
    """Return all findings, errors first; each depth includes the one before.

    A policy with errors is not looked at any deeper. *stored*: as for `Policy.parse`.
    """
    return examine(document, kind=Kind(kind), stored=stored, more=_checks(depth, catalogue), measured=True)[1]


def _checks(depth: Depth, catalogue: Catalogue | None) -> tuple[Check, ...]:
    if depth == "grammar":
        return ()
    from actas.iam import advice
    from actas.iam.catalogue import Catalogue as Packaged
    from actas.iam.catalogue_findings import Checker

    known = catalogue or Packaged.load()

    def against_the_catalogue(policy: Content, notes: Notes) -> None:
        Checker(known, notes).check(policy)

    return (against_the_catalogue,) if depth == "catalogue" else (against_the_catalogue, advice.check)
