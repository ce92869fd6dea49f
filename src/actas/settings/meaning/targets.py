"""Find what ``may`` and ``may_not`` name: functions, their routes, admin actions. Pure.

``orders`` is the function with its routes, ``orders:GET /orders/{id}`` one route; ``*`` and ``?`` stand for any
letters in either, and never for an admin action unless the pattern starts with ``admin:``.
"""

from collections.abc import Collection
from fnmatch import fnmatchcase
from functools import lru_cache

from actas.settings.schema import Settings

ADMIN = "admin:"


def targets(settings: Settings, admin_actions: Collection[str]) -> tuple[str, ...]:
    """List everything that can be called: functions, ``function:route``, ``admin:action``."""
    found: list[str] = []
    for name, function in settings.functions.items():
        found.append(name)
        found += [f"{name}:{route}" for route in function.routes]
    return (*found, *(f"{ADMIN}{action}" for action in admin_actions))


@lru_cache(maxsize=8192)
def named(pattern: str, among: tuple[str, ...]) -> frozenset[str]:
    """Find what *pattern* names."""
    if pattern.startswith(ADMIN):
        return frozenset(one for one in among if one.startswith(ADMIN) and _like(one, pattern))
    function, colon, route = pattern.partition(":")
    return frozenset(
        one
        for one in among
        if not one.startswith(ADMIN) and _fits(one.partition(":"), function, route if colon else None)
    )


def _fits(target: tuple[str, str, str], function: str, route: str | None) -> bool:
    name, _, its_route = target
    if not _like(name, function):
        return False
    return route is None or (bool(its_route) and _like(its_route, route))


def _like(text: str, pattern: str) -> bool:
    return fnmatchcase(text, pattern.replace("[", "[[]"))
