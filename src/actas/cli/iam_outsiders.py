"""Whom a role's trust policy names outside its account, by which statements and on which conditions."""

from collections.abc import Iterator
from dataclasses import dataclass

from actas import iam
from actas.cli.iam_ask import named
from actas.cli.iam_files import json_line
from actas.iam import arns
from actas.iam.conditions import Condition
from actas.iam.matching import action_patterns
from actas.iam.principals import Meeting, Principals
from actas.iam.said import StatementRef


@dataclass(frozen=True, slots=True, kw_only=True)
class Naming:
    """A statement that speaks of an outsider."""

    ref: StatementRef
    conditions: tuple[Condition, ...]
    only: tuple[str, ...] = ()
    """For a Deny about some of those that the outsider stands for: about whom."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outsider:
    """A service, a provider, another account or somebody of it, or everyone."""

    principal: str
    allows: tuple[Naming, ...]
    denies: tuple[Naming, ...]
    """Those that may apply; whom one surely keeps out is no outsider."""


def outsiders(trust: tuple[iam.Policy, ...], action: str, resource: str) -> Iterator[Outsider]:
    """Name who else a trust policy allows the action; what their own accounts say is not known here."""
    own = arns.account_of(resource)
    about = [(policy, one) for policy in trust for one in policy.statements if _is_about(one, action)]
    names = dict.fromkeys(name for _, one in about if one.effect == "Allow" for name in _outside(one.principals, own))
    for name in names:
        allows = [_naming(policy, one) for policy, one in about if one.effect == "Allow" and _lists(one, name)]
        denies = [
            _naming(policy, one, only)
            for policy, one in about
            if one.effect == "Deny" and (only := _denied(one.principals, name)) is not None
        ]
        if not any(not deny.conditions and not deny.only for deny in denies):
            yield Outsider(principal=name, allows=tuple(allows), denies=tuple(denies))


def _is_about(statement: iam.Statement, action: str) -> bool:
    named_here = bool(action_patterns(statement.actions).holds(action.lower(), {}))
    return statement.principals is not None and named_here is not statement.not_action


def _names(principals: Principals) -> tuple[str, ...]:
    listed = (*principals.aws, *principals.service, *principals.federated, *principals.canonical)
    return ("*", *(one for one in listed if one != "*")) if principals.everyone else listed


def _outside(principals: Principals | None, own: str | None) -> Iterator[str]:
    for one in _names(principals) if principals else ():
        inside = own in (one, arns.account_of(one)) and one not in (principals.federated if principals else ())
        if not inside:
            yield one


def _lists(statement: iam.Statement, name: str) -> bool:
    return statement.principals is not None and name in _names(statement.principals)


def _denied(principals: Principals | None, name: str) -> tuple[str, ...] | None:
    """Say of whom a Deny speaks among those that *name* stands for: () for all of them, None for nobody."""
    if principals is None or principals.everyone:
        return None if principals is None else ()
    listed = _names(principals)
    account = name if arns.is_account(name) else arns.account_of(name)
    whole = {name} | ({account, _root(name, account)} if account else set())
    if whole & set(listed):
        return ()
    stands_for_many = name == "*" or (account is not None and (name in (account, _root(name, account))))
    some = tuple(one for one in listed if name == "*" or account in (one, arns.account_of(one)))
    return some or None if stands_for_many else None


def _root(name: str, account: str) -> str:
    partition = name.split(":")[1] if ":" in name else "aws"
    return f"arn:{partition}:iam::{account}:root"


def _naming(policy: iam.Policy, statement: iam.Statement, only: tuple[str, ...] = ()) -> Naming:
    ref = StatementRef.of(policy, statement, Meeting.DIRECT, unknown=False)
    return Naming(ref=ref, conditions=statement.conditions, only=only)


def outsider_text(one: Outsider) -> str:
    """Write who, by which statements, and on which conditions."""
    lines = [one.principal]
    for naming in one.allows:
        lines += [f"  is named by {named(naming.ref)}", *_conditions(naming)]
    for naming in one.denies:
        about = f" for {', '.join(naming.only)}" if naming.only else ""
        lines += [f"  unless {named(naming.ref)} applies{about}", *_conditions(naming)]
    return "\n".join(lines)


def _conditions(naming: Naming) -> Iterator[str]:
    for condition in naming.conditions:
        wanted = " or ".join(condition.values) or "nothing"
        yield f"    if {condition.operator} holds for {condition.key}: {wanted}"


def outsider_json(one: Outsider) -> str:
    """Write the same as data."""
    found = [_naming_json(naming) for naming in (*one.allows, *one.denies)]
    return json_line({"principal": one.principal, "outside": True, "statements": found})


def _naming_json(naming: Naming) -> dict[str, object]:
    conditions = [{"operator": one.operator, "key": one.key, "values": list(one.values)} for one in naming.conditions]
    return naming.ref.to_json() | {"conditions": conditions} | ({"only": list(naming.only)} if naming.only else {})
