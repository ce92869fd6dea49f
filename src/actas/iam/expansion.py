"""From patterns to the actions that there are."""

from __future__ import annotations

from collections.abc import Iterable

from actas.iam.catalogue import Catalogue
from actas.iam.statement import Content
from actas.iam.wildcards import glob, tokens_of


def expand_actions(patterns: str | Iterable[str], catalogue: Catalogue | None = None) -> frozenset[str]:
    """Return every action that one of *patterns* matches, spelled as the catalogue spells it."""
    catalogue = catalogue or Catalogue.load()
    found: set[str] = set()
    for pattern in (patterns,) if isinstance(patterns, str) else patterns:
        found |= _expand(pattern.lower(), catalogue)
    return frozenset(found)


def _expand(pattern: str, catalogue: Catalogue) -> set[str]:
    prefix, colon, name = pattern.partition(":")
    if not colon:
        name = prefix if prefix == "*" else ""
    if not name:
        return set()
    if "*" not in pattern and "?" not in pattern:
        spelled = catalogue.spelled(pattern)
        return {spelled} if spelled else set()
    of_name = glob(tokens_of(name))
    return {
        spelled
        for service in _services(prefix, catalogue)
        for folded, spelled in catalogue.names(service).items()
        if of_name(folded)
    }


def _services(prefix: str, catalogue: Catalogue) -> list[str]:
    if "*" not in prefix and "?" not in prefix:
        return [prefix]
    of_service = glob(tokens_of(prefix))
    return [service for service in catalogue.services if of_service(service)]


def allowed_actions(policy: Content, catalogue: Catalogue | None = None) -> frozenset[str]:
    """Join what the Allow statements name; a NotAction names everything else."""
    catalogue = catalogue or Catalogue.load()
    found: set[str] = set()
    for statement in policy.statements:
        if statement.effect == "Allow":
            named = expand_actions(statement.actions, catalogue)
            found |= expand_actions("*", catalogue) - named if statement.not_action else named
    return frozenset(found)
