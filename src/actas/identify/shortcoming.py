"""One thing wrong with a provider's settings."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortcoming:
    """One thing wrong with a provider's settings: under which key, what, and what to do."""

    key: str
    message: str
    hint: str
