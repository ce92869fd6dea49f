"""Short-lived credentials for one role. Only the room `assume` makes one."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from actas.model.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Bearer:
    """A token for a cloud that is not AWS; a local function finds it in its environment, an HTTP one in a header."""

    cloud: Literal["azure", "google"]
    token: Secret
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Credentials as AWS's clients know them, and when they end; nothing else."""

    purpose: Literal["invoke", "work"]
    role_arn: str
    access_key_id: str
    secret_access_key: Secret
    session_token: Secret
    expires_at: datetime
    bearer: Bearer | None = None
    """Of a work session whose role is one at another cloud: the right to act there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sessions:
    """What a grant yields (design.md, 8.1).

    ``invoke`` never leaves the gateway and may invoke this one function and qualifier; ``work`` is what the
    function gets. Both are None where the grant has no role.
    """

    invoke: Session | None = field(repr=False)
    work: Session | None = field(repr=False)
    id: str
    """Names the role session: equal for equal callers, rights and lives; a warm process serves one id only."""
    began: datetime | None = None
    """When they were made; None where there are none."""


NO_ROLE = Sessions(invoke=None, work=None, id="")
