"""A decision, its reasons, and the words for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from actas.iam import explain
from actas.iam.said import Said


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision(Said):
    """Allowed, or denied by somebody's word or by nobody's."""

    def explain(self) -> str:
        """Answer as a colleague would."""
        return explain.explain(self)

    def to_json(self) -> dict[str, Any]:
        """Give the same as data; the shape is documented and stable."""
        return explain.to_json(self)

    def access_denied_message(self) -> str:
        """Say it in the words of AWS's AccessDenied error; empty if the request is allowed."""
        return explain.access_denied_message(self)
