"""Which roles a rule offers: those it names, or those of the accounts it lists whose names fit its patterns.

Pure. What a caller's assertion claims narrows this at each call, and never widens it.
"""

from collections.abc import Mapping
from fnmatch import fnmatchcase

from actas.settings.schema import RoleSettings, Rule, many


def offers(rule: Rule, roles: Mapping[str, RoleSettings]) -> tuple[str, ...]:
    """List the names of the roles that *rule* offers, in its order; with patterns, in the order of the file."""
    written = many(rule.as_)
    if rule.roles_from is None:
        return tuple(name for name in written if name in roles)
    accounts = frozenset(many(rule.accounts))
    fitting = (
        name
        for pattern in written
        for name, role in roles.items()
        if account_of(role.arn) in accounts and fits(name, pattern)
    )
    return tuple(dict.fromkeys(fitting))


def fits(name: str, pattern: str) -> bool:
    """Tell whether a role's *name* fits *pattern*, in which ``*`` and ``?`` are the only signs."""
    return fnmatchcase(name, pattern.replace("[", "[[]"))


def account_of(arn: str) -> str:
    """Give the account in the ARN of a role; nothing where it has none."""
    parts = arn.split(":")
    return parts[4] if len(parts) == 6 else ""
