"""What is asked, and the policies that have a say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from actas.iam import arns
from actas.iam.errors import InvalidPolicySet, InvalidRequest
from actas.iam.kinds import PRINCIPALED, Kind
from actas.iam.policy import Policy
from actas.iam.values import Context, fold

LONGEST: Final = 8192
"""Characters of a principal, an action or a resource."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One question: may this principal do this to that."""

    principal: str
    """An ARN, an account id, a service principal, or ANONYMOUS."""
    action: str
    resource: str = "*"
    resource_account: str | None = None
    """The account that owns the resource, where its ARN names none (S3)."""
    context: Mapping[str, object] = field(default_factory=Context)
    """Condition keys in any letter case; a Context made by `fold` is taken as it is."""
    facts: Context = field(init=False, repr=False, compare=False)
    """The context, folded."""

    def __post_init__(self) -> None:
        """Refuse what no request can hold."""
        # Written out, for the gateway makes a request for each call.
        _check_text("principal", self.principal)
        _check_text("action", self.action)
        _check_text("resource", self.resource)
        account = self.resource_account
        if account is not None and not (type(account) is str and arns.is_account(account)):
            raise InvalidRequest(field="resource_account", why="is not twelve digits")
        object.__setattr__(self, "facts", fold(self.context))


def _check_text(field: str, value: str) -> None:
    if type(value) is not str or not value:
        raise InvalidRequest(field=field, why="is not a text of at least one character")
    if len(value) > LONGEST:
        raise InvalidRequest(field=field, why=f"is longer than {LONGEST} characters")


Layer = tuple[Policy, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicySet:
    """Every policy that has a say, by layer: None, there is no such layer; (), there is one and it is empty."""

    identity: Layer | None = ()
    resource: Layer | None = None
    boundary: Layer | None = None
    session: Layer | None = None
    scps: tuple[Layer, ...] | None = None
    """One tuple for each level, from the root to the account; an empty level denies implicitly."""
    rcps: tuple[Layer, ...] | None = None
    """One tuple for each level; RCPFullAWSAccess is implied at each."""
    endpoint: Layer | None = None

    def __post_init__(self) -> None:
        """Refuse a policy in a layer where its kind has no meaning."""
        for name, kinds in _KINDS.items():
            layer = getattr(self, name)
            if layer is None:
                continue
            levels = layer if name in ("scps", "rcps") else (layer,)
            if not isinstance(levels, (tuple, list)):
                raise InvalidPolicySet(layer=name, why="is not a tuple of levels")
            for level in levels:
                _check(name, level, kinds)
            object.__setattr__(self, name, _frozen(name, layer))


_WITHOUT: Final = frozenset(Kind) - PRINCIPALED
_KINDS: Final[dict[str, frozenset[Kind]]] = {
    "identity": _WITHOUT,
    "resource": PRINCIPALED,
    "boundary": _WITHOUT,
    "session": _WITHOUT,
    "scps": _WITHOUT,
    "rcps": PRINCIPALED,
    "endpoint": PRINCIPALED,
}
"""A layer takes every kind that speaks of principals as its statements must."""


def _check(name: str, layer: object, kinds: frozenset[Kind]) -> None:
    if not isinstance(layer, (tuple, list)) or not all(isinstance(policy, Policy) for policy in layer):
        raise InvalidPolicySet(layer=name, why="is not a tuple of policies")
    for policy in layer:
        if policy.kind not in kinds:
            raise InvalidPolicySet(layer=name, why=f"cannot hold a policy of kind {policy.kind.value}")


def _frozen(name: str, layer: tuple[object, ...]) -> tuple[object, ...]:
    if name in ("scps", "rcps"):
        return tuple(tuple(level) for level in layer if isinstance(level, (tuple, list)))
    return tuple(layer)
