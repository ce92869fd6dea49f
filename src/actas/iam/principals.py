"""Who asks, who a policy names, and how closely the two meet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from typing import Final

from actas.iam import arns
from actas.iam.errors import InvalidRequest
from actas.iam.kinds import ANONYMOUS

DERIVED: Final = frozenset(
    {"aws:principalarn", "aws:principalaccount", "aws:principaltype", "aws:username", "aws:userid"}
)
"""The folded context keys that a principal itself tells."""


class CallerKind(Enum):
    """What a request's principal is."""

    USER = "User"
    ROLE = "Role"
    SESSION = "AssumedRole"
    FEDERATED_USER = "FederatedUser"
    ACCOUNT = "Account"
    SERVICE = "Service"
    PROVIDER = "Federated"
    ANONYMOUS = "Anonymous"
    OTHER = "Other"


class Meeting(IntEnum):
    """How a resource policy's statement meets a caller, from not at all to by name (user guide, §4.2 of the facts)."""

    NONE = 0
    ACCOUNT = 1
    """It names the account, which delegates to the account's own policies."""
    ROLE = 2
    """It names the role of the session: the identity policies need not allow, boundary and session policy must."""
    DIRECT = 3
    """It names user, session or everyone: nothing else of the caller's account need allow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """A request's principal, taken apart."""

    text: str
    kind: CallerKind
    account: str | None = None
    name: str = ""
    """A user's or role's name without its path; a session's role."""
    session: str = ""
    service_linked: bool = False
    facts: dict[str, str] = field(default_factory=dict)
    """The context keys that the principal itself tells, folded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Principals:
    """A Principal or NotPrincipal element."""

    everyone: bool = False
    """``"*"`` or ``{"AWS": "*"}``."""
    aws: tuple[str, ...] = ()
    service: tuple[str, ...] = ()
    federated: tuple[str, ...] = ()
    canonical: tuple[str, ...] = ()
    delegates: bool = False
    """Names the caller's own account, whichever it is; no document can say this, `compare` does."""


def read_caller(text: str) -> Caller:
    """Take a request's principal apart; raise InvalidRequest if nobody can be called that."""
    if text == ANONYMOUS:
        return _anonymous()
    if arns.is_account(text):
        return _root(f"arn:aws:iam::{text}:root", text)
    parts = text.split(":", arns.PARTS - 1)
    if parts[0] != "arn":
        if "." in text:
            return Caller(text=text, kind=CallerKind.SERVICE)
        raise InvalidRequest(field="principal", why="is no ARN, account id, service principal or ANONYMOUS")
    if len(parts) != arns.PARTS or not parts[5]:
        raise InvalidRequest(field="principal", why="is an ARN of fewer than six parts")
    account = parts[4] if arns.is_account(parts[4]) else None
    kind, _, rest = parts[5].partition("/")
    return _named(text, parts[2], account, kind, rest)


def _named(text: str, service: str, account: str | None, kind: str, rest: str) -> Caller:
    if service == "iam" and kind == "root" and account:
        return _root(text, account)
    if service == "iam" and kind == "user":
        return _user(text, account, rest)
    if service == "iam" and kind == "role":
        return _role(text, account, rest)
    if service == "sts" and kind == "assumed-role":
        return _session(text, account, rest)
    if service == "sts" and kind == "federated-user":
        facts = {"aws:principalarn": text, "aws:principaltype": "FederatedUser"}
        if account:
            facts |= {"aws:userid": f"{account}:{rest}"}
        return Caller(
            text=text, kind=CallerKind.FEDERATED_USER, account=account, name=rest, facts=_with(facts, account)
        )
    if service == "iam" and kind in ("saml-provider", "oidc-provider"):
        return Caller(text=text, kind=CallerKind.PROVIDER)
    return Caller(text=text, kind=CallerKind.OTHER, account=account, facts=_with({"aws:principalarn": text}, account))


def _with(facts: dict[str, str], account: str | None) -> dict[str, str]:
    return facts | {"aws:principalaccount": account} if account else facts


def _anonymous() -> Caller:
    facts = {"aws:principaltype": "Anonymous", "aws:principalaccount": "anonymous", "aws:userid": "anonymous"}
    return Caller(text=ANONYMOUS, kind=CallerKind.ANONYMOUS, facts=facts)


def _root(text: str, account: str) -> Caller:
    facts = {"aws:principalarn": text, "aws:principaltype": "Account", "aws:userid": account}
    return Caller(text=text, kind=CallerKind.ACCOUNT, account=account, facts=_with(facts, account))


def _user(text: str, account: str | None, path: str) -> Caller:
    name = path.rpartition("/")[2]
    facts = {"aws:principalarn": text, "aws:principaltype": "User", "aws:username": name}
    return Caller(text=text, kind=CallerKind.USER, account=account, name=name, facts=_with(facts, account))


def _role(text: str, account: str | None, path: str) -> Caller:
    facts = {"aws:principalarn": text, "aws:principaltype": "AssumedRole"}
    return Caller(
        text=text,
        kind=CallerKind.ROLE,
        account=account,
        name=path.rpartition("/")[2],
        service_linked=path.startswith("aws-service-role/"),
        facts=_with(facts, account),
    )


def _session(text: str, account: str | None, rest: str) -> Caller:
    role, _, session = rest.partition("/")
    partition = text.split(":", 2)[1]
    # The session's ARN does not tell the role's path (user guide, aws:PrincipalArn).
    facts = {
        "aws:principalarn": f"arn:{partition}:iam::{account or ''}:role/{role}",
        "aws:principaltype": "AssumedRole",
    }
    return Caller(
        text=text,
        kind=CallerKind.SESSION,
        account=account,
        name=role,
        session=session,
        service_linked=role.startswith("AWSServiceRoleFor"),
        facts=_with(facts, account),
    )


def meet(principals: Principals, caller: Caller, userid: object = None) -> Meeting:
    """Measure how closely a Principal element names *caller*; the closest of its values counts."""
    if principals.everyone:
        return Meeting.DIRECT
    if principals.delegates:
        return Meeting.ACCOUNT if caller.account else Meeting.NONE
    match caller.kind:
        case CallerKind.SERVICE | CallerKind.PROVIDER:
            named = caller.text in principals.service or caller.text in principals.federated
            everyone = "*" in (principals.service if caller.kind is CallerKind.SERVICE else principals.federated)
            return Meeting.DIRECT if named or everyone else Meeting.NONE
        case CallerKind.ANONYMOUS:
            return Meeting.NONE
        case _:
            return max((_meets(wanted, caller, userid) for wanted in principals.aws), default=Meeting.NONE)


def _meets(wanted: str, caller: Caller, userid: object) -> Meeting:
    if wanted == caller.text:
        return Meeting.ROLE if caller.kind is CallerKind.ROLE else Meeting.DIRECT
    if caller.account and _names_account(wanted, caller.account):
        return Meeting.ACCOUNT
    if caller.kind in _OF_A_ROLE and _names_role(wanted, caller):
        return Meeting.ROLE
    if isinstance(userid, str) and wanted[:4] in ("AIDA", "AROA") and userid.partition(":")[0] == wanted:
        return Meeting.ROLE if wanted.startswith("AROA") else Meeting.DIRECT
    return Meeting.NONE


_OF_A_ROLE: Final = frozenset({CallerKind.ROLE, CallerKind.SESSION})


def _names_account(wanted: str, account: str) -> bool:
    return wanted == account or (
        wanted.startswith("arn:") and wanted.endswith(f":iam::{account}:root") and wanted.count(":") == 5
    )


def _names_role(wanted: str, caller: Caller) -> bool:
    """Compare by name, which is unique in the account: a session does not tell its role's path."""
    parts = wanted.split(":", arns.PARTS - 1)
    if len(parts) != arns.PARTS or parts[2] != "iam" or parts[4] != caller.account:
        return False
    kind, _, path = parts[5].partition("/")
    if kind != "role" or path.rpartition("/")[2] != caller.name:
        return False
    return caller.kind is CallerKind.SESSION


def spared(principals: Principals, caller: Caller, userid: object, *, deny: bool) -> bool:
    """Tell whether a NotPrincipal element leaves *caller* out.

    A Deny leaves out only who is listed with every name they have: account, and role and session, or user
    (user guide, element NotPrincipal).
    """
    if principals.everyone:
        return True
    if not deny or caller.account is None:
        return meet(principals, caller, userid) is not Meeting.NONE
    names: list[Callable[[str], bool]] = [lambda wanted: _names_account(wanted, caller.account or "")]
    if caller.kind is not CallerKind.ACCOUNT:
        names.append(caller.text.__eq__)
    if caller.kind is CallerKind.SESSION:
        names.append(lambda wanted: _names_role(wanted, caller))
    return all(any(name(wanted) for wanted in principals.aws) for name in names)
