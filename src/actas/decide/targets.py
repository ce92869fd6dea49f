"""What rules can name: functions, their routes, admin actions; and the ARN each is decided on. Pure."""

from dataclasses import dataclass
from fnmatch import fnmatchcase

from actas.settings.schema import Function, Settings

ADMIN = "admin:"
ADMIN_ACTIONS = (
    "audit.read",
    "denials.decode",
    "events.audit",
    "events.examine",
    "events.read",
    "events.replay",
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
    """The function's name; of an admin action its whole name, which no function can have."""
    route: str | None
    action: str
    arn: str
    """What rules are decided on: the function's qualified ARN, a route's, or an admin action's."""
    runs: str
    """The ARN of what a grant lets run: the function's, also for its route; an HTTP backend knows routes only."""
    principal: str
    """Whom IAM is asked about: a caller in the account that the ARN names, so that identity policies decide alone."""

    @property
    def is_admin(self) -> bool:
        """Whether it is an admin action."""
        return self.function.startswith(ADMIN)


def targets(settings: Settings) -> tuple[Target, ...]:
    """List everything that these settings let anybody call."""
    found: list[Target] = []
    for name, function in settings.functions.items():
        found.append(_direct(name, function, settings))
        found.extend(_route(name, route, function, settings) for route in function.routes)
    found.extend(_admin(action, settings) for action in ADMIN_ACTIONS)
    return tuple(found)


def named(pattern: str, among: tuple[Target, ...]) -> tuple[Target, ...]:
    """Find what *pattern* names: a function with its routes, one route, or globs of either.

    Globs know ``*`` and ``?`` and never reach admin actions unless they start with ``admin:``.
    """
    if pattern.startswith(ADMIN):
        return tuple(one for one in among if one.is_admin and _like(one.name, pattern))
    function, colon, route = pattern.partition(":")
    return tuple(
        one
        for one in among
        if not one.is_admin
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
        runs=arn,
        principal=_principal(arn),
    )


def _route(name: str, route: str, function: Function, settings: Settings) -> Target:
    gateway = settings.gateway
    method, _, path = route.partition(" ")
    arn = f"arn:aws:execute-api:{gateway.region}:{gateway.account}:{name}/$default/{method}{path}"
    return Target(
        name=f"{name}:{route}",
        function=name,
        route=route,
        action="execute-api:Invoke",
        arn=arn,
        runs=arn if function.http is not None else qualified(name, function, settings),
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
        runs=arn,
        principal=_principal(arn),
    )


def _principal(arn: str) -> str:
    return f"arn:aws:sts::{arn.split(':')[4]}:assumed-role/caller/caller"
