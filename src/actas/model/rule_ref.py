"""A rule as a decision or a session remembers it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleRef:
    """A rule as it stood: its id and a digest of all it says."""

    id: str
    digest: str
