"""May this caller do this, and as whom? A no is a value with reasons. Only the room `decide` makes a grant."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from actas.model.call import Address
from actas.model.facts import Fact, Missing
from actas.model.identity import Identity
from actas.model.rule_ref import RuleRef

if TYPE_CHECKING:
    from actas.model.held import Held


@dataclass(slots=True, kw_only=True)  # not frozen: made for every call, and freezing doubles that
class Question:
    """Everything a decision may depend on: nothing else is looked at."""

    identity: Identity
    function: str
    at: datetime
    qualifier: str = "$LATEST"
    route: str | None = None
    """The route's template, ``GET /orders/{id}``; None for a direct call."""
    address: Fact[Address] = Missing.UNKNOWN
    requested_role: str | None = None
    also: tuple[str, ...] = ()
    """Actions that the policies of a session must allow besides the target's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why a rule did or did not apply: a code that never changes, and a sentence."""

    code: str
    because: str
    rule: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A role that a caller may take, as the settings describe it."""

    name: str
    arn: str
    session: timedelta
    policy: str | None = field(default=None, repr=False)
    """The JSON text of what its sessions may do; None where the settings give none."""
    trust: str | None = field(default=None, repr=False)
    """The JSON text of a policy on who may take it; None where the rules alone say so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """The right to take one role for one purpose for a while."""

    identity: Identity
    function: str
    function_arn: str
    """The qualified ARN of the function that runs, ``…:function:report:$LATEST``, also where a route of it was called.

    Of an HTTP backend, which has nothing but routes to be invoked by, it is the route's.
    """
    qualifier: str
    role: Role | None
    """None where the rules that allow the call name no role: the function runs without one."""
    rules: tuple[RuleRef, ...]
    """The rules that allowed it; a session ends when none of them stands any more."""
    facts: tuple[tuple[str, str], ...] = field(repr=False)
    """The facts that these rules and every `may_not` over the function tested: name and canonical value."""
    fence: tuple[str, ...]
    """ARNs of the functions that these rules name: where the work session may go by invoking."""
    expires_at: datetime
    """No session from this grant outlives it: the evidence's end."""
    generation: str
    """The digest of the rule set that decided."""
    took: tuple[str, ...] = ()
    """The actions that the role's trust policy was asked about; empty where the role has none."""
    took_as: tuple[str, ...] = ()
    """The principals that it was asked about."""
    parent: "Held | None" = field(default=None, repr=False)
    """The session that was shown: sessions from this grant inherit its fence, end, facts and watermarks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Allow:
    """Yes, by this grant."""

    grant: Grant
    reasons: tuple[Reason, ...]
    observed: tuple[Reason, ...] = ()
    """Under ``mode: observe``: why the rules would have refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deny:
    """No, for these reasons."""

    reasons: tuple[Reason, ...]
    generation: str


Decision = Allow | Deny
