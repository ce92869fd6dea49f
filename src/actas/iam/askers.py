"""Principals worth asking as: whom the policies name, somebody of each account, and somebody whom none names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from actas.iam import arns
from actas.iam.kinds import ANONYMOUS
from actas.iam.principals import Principals
from actas.iam.statement import Statement

OUTSIDE = "999988887777"
"""An account that no policy names; another is counted up to where one does."""
SESSION = "witness/witness"


def principals(statements: list[Statement], undecided: list[str]) -> list[str]:
    """Give the principals; empty where no statement speaks of any."""
    named = [one.principals for one in statements if one.principals is not None]
    if not named:
        return []
    found: dict[str, None] = {}
    for one in named:
        found.update(dict.fromkeys(_named(one, undecided)))
    known = accounts(statements)
    found.update(dict.fromkeys(session_of(account) for account in known))
    found[session_of(_outsider(known))] = None
    if any(one.everyone for one in named):
        found[ANONYMOUS] = None
    return list(found)


def session_of(account: str) -> str:
    """Name a session of an account's role that nobody else has."""
    return f"arn:aws:sts::{account}:assumed-role/{SESSION}"


def _named(principals: Principals, undecided: list[str]) -> Iterator[str]:
    yield from (one for one in (*principals.service, *principals.federated) if one != "*")
    if principals.canonical:
        _say(undecided, "principals that a canonical user id names were not asked as")
    for one in principals.aws:
        parts = one.split(":", arns.PARTS - 1)
        if one == "*" or arns.is_account(one):
            continue
        if len(parts) != arns.PARTS:
            _say(undecided, "principals that a unique id names were not asked as")
        elif parts[2] == "iam" and parts[5].startswith("role/"):
            name = parts[5].rpartition("/")[2]
            yield f"arn:{parts[1]}:sts::{parts[4]}:assumed-role/{name}/witness"
        elif parts[2] == "sts" and parts[5].startswith("assumed-role/"):
            yield from (one, f"{one.rpartition('/')[0]}/witness")
        elif parts[5] != "root":
            yield one


def accounts(statements: Iterable[Statement]) -> list[str]:
    """Give the accounts of those whom the statements name."""
    aws = (one for statement in statements if statement.principals for one in statement.principals.aws)
    return list(dict.fromkeys(account for one in aws if (account := _account(one))))


def _account(principal: str) -> str | None:
    return principal if arns.is_account(principal) else arns.account_of(principal)


def _outsider(known: list[str]) -> str:
    number = int(OUTSIDE)
    while str(number) in known:
        number += 1
    return str(number)


def _say(undecided: list[str], sentence: str) -> None:
    if sentence not in undecided:
        undecided.append(sentence)
