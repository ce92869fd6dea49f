"""What rules can name: functions, their routes, admin actions; and the ARN each is decided on. Pure."""

from dataclasses import dataclass
from fnmatch import fnmatchcase

from actas.settings.schema import Function, Settings

ADMIN = "admin:"
ADMIN_ACTIONS = (
    "audit.read",
    "explain",
    "metrics.read",
    "sessions.revoke",
    "status.read",
)
"""What the control origin's admin API can be asked to do; each is a target of rules."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One thing that may be called."""

    name: str
    """``report``, ``orders:GET /orders/{id}`` or ``admin:sessions.revoke``: as rules and people say it."""
    function: str
    route: str | None
    action: str
    arn: str
    principal: str
    """Whom IAM is asked about: a caller in the account that the ARN names, so that identity policies decide alone."""


def targets(settings: Settings) -> tuple[Target, ...]:
    """List everything that these settings let anybody call."""
    found: list[Target] = []
    for name, function in settings.functions.items():
        found.append(_direct(name, function, settings))
        found.extend(_route(name, route, settings) for route in function.routes)
    found.extend(_admin(action, settings) for action in ADMIN_ACTIONS)
    return tuple(found)


def named(pattern: str, among: tuple[Target, ...]) -> tuple[Target, ...]:
    """Find what *pattern* names: a function with its routes, one route, or globs of either.

    Globs know ``*`` and ``?`` and never reach admin actions unless they start with ``admin:``.
    """
    if pattern.startswith(ADMIN):
        return tuple(one for one in among if one.name.startswith(ADMIN) and _like(one.name, pattern))
    function, colon, route = pattern.partition(":")
    return tuple(
        one
        for one in among
        if not one.name.startswith(ADMIN)
        and _like(one.function, function)
        and (not colon or (one.route is not None and _like(one.route, route)))
    )


def _like(text: str, pattern: str) -> bool:
    return fnmatchcase(text, pattern.replace("[", "[[]"))


def qualified(name: str, function: Function, settings: Settings) -> str:
    """Give the qualified ARN of a function."""
    if function.lambda_ is not None:
        return function.lambda_ if function.lambda_.count(":") > 6 else f"{function.lambda_}:$LATEST"
    gateway = settings.gateway
    return f"arn:aws:lambda:{gateway.region}:{gateway.account}:function:{name}:$LATEST"


def _direct(name: str, function: Function, settings: Settings) -> Target:
    arn = qualified(name, function, settings)
    return Target(
        name=name,
        function=name,
        route=None,
        action="lambda:InvokeFunction",
        arn=arn,
        principal=_principal(arn),
    )


def _route(name: str, route: str, settings: Settings) -> Target:
    gateway = settings.gateway
    method, _, path = route.partition(" ")
    arn = f"arn:aws:execute-api:{gateway.region}:{gateway.account}:{name}/$default/{method}{path}"
    return Target(
        name=f"{name}:{route}",
        function=name,
        route=route,
        action="execute-api:Invoke",
        arn=arn,
        principal=_principal(arn),
    )


def _admin(action: str, settings: Settings) -> Target:
    gateway = settings.gateway
    arn = f"arn:aws:actas:{gateway.region}:{gateway.account}:admin/{action}"
    return Target(
        name=ADMIN + action,
        function=ADMIN + action,
        route=None,
        action="actas:Administer",
        arn=arn,
        principal=_principal(arn),
    )


def _principal(arn: str) -> str:
    return f"arn:aws:sts::{arn.split(':')[4]}:assumed-role/caller/caller"
