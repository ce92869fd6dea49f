"""Say everything that is wrong with a policy document."""

from __future__ import annotations

from collections.abc import Mapping

from actas.iam.finding import Finding
from actas.iam.grammar import examine
from actas.iam.kinds import Kind


def validate(
    document: str | bytes | Mapping[str, object], *, kind: Kind = Kind.IDENTITY, stored: bool = False
) -> tuple[Finding, ...]:
    """Return all findings: errors first."""
    return examine(document, kind=Kind(kind), stored=stored)[1]
