"""What a validator says about one place of a policy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "suggestion"]
Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing to say about one place, and what to do about it."""

    code: str
    """Stable, kebab case: ``unknown-element``."""
    severity: Severity
    message: str
    """One sentence; for a grammar error the words AWS uses, where AWS has words."""
    path: str
    """Where: ``Statement[0].Action[1]``; empty for the whole document."""
    fix: str
    """One sentence in the imperative."""
    line: int | None = None
    """From 1; None where the document was no text."""
    column: int | None = None
    """From 1; None where the document was no text."""


def spell(path: Path) -> str:
    """Write a path the way people do: ``Statement[0].Action[1]``."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += f".{step}" if text else step
    return text
