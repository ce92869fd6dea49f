"""``actas iam who-can`` and ``actas iam what-can``: a whole account, asked offline."""

import sys
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter

from actas import iam
from actas.cli import DENIED, DONE
from actas.cli.errors import BadFile
from actas.cli.iam_ask import Files, Texts, levels, named
from actas.cli.iam_compare import changes_lines
from actas.cli.iam_errors import NoSuchPrincipal
from actas.cli.iam_files import content, context, json_line, layer, plain
from actas.cli.iam_outsiders import outsider_json, outsider_text, outsiders

Account = Annotated[Files, Parameter(negative=(), required=True)]
Levels = Annotated[Texts, Parameter(negative=(), show_default=False)]


def who_can(
    action: str,
    resource: str = "*",
    /,
    *,
    account: Account,
    context_: Annotated[Texts, Parameter(name="--context", negative=(), show_default=False)] = (),
    unknown: Annotated[Texts, Parameter(negative=(), show_default=False)] = (),
    resource_policy: Annotated[Files, Parameter(negative=(), show_default=False)] = (),
    scp: Levels = (),
    json: bool = False,
) -> int:
    """List the users and roles of an account that can do something, each as soon as it is found, and by what.

    Inline, attached and group policies count, and boundaries, and tags as aws:PrincipalTag. To take a role, its trust
    policy counts too, and whoever it names outside the account is listed with its conditions. Where nobody can, it
    ends with 1.

    Examples:
        aws iam get-account-authorization-details > account.json
        actas iam who-can lambda:InvokeFunction arn:aws:lambda:eu-west-1:111122223333:function:billing
            --account account.json
        actas iam who-can sts:AssumeRole arn:aws:iam::111122223333:role/admin --account account.json

    Parameters
    ----------
    action:
        What is to be done.
    resource:
        To what.
    account:
        The answer of aws iam get-account-authorization-details; may be given again, as pages.
    context_:
        A condition key and its value, KEY=VALUE.
    unknown:
        A condition key whose value cannot be told.
    resource_policy:
        A policy of the resource.
    scp:
        A level of SCPs, from the root to the account: files joined by commas.
    json:
        Print one JSON object a principal.
    """
    known = _read(account)
    trust = _trust(known, action, resource)
    count = 0
    for holder in known.who_can(
        action,
        resource,
        context=context(context_, unknown),
        scps=tuple(layer(level, iam.Kind.SCP) for level in levels(scp)) or None,
        resource_policies=(layer(resource_policy, iam.Kind.RESOURCE) + trust) or None,
    ):
        count += 1
        print(holder_json(holder) if json else plain(holder_text(holder)), flush=True)
    named_outside = list(outsiders(trust, action, resource))
    for one in named_outside:
        print(outsider_json(one) if json else plain(outsider_text(one)), flush=True)
    print(f"{count} of {len(known.principals)} principals of the account", file=sys.stderr)
    return DONE if count or named_outside else DENIED


def what_can(principal: str, /, *, account: Account, scp: Levels = (), json: bool = False) -> int:
    """List what a user or role can do: the actions, a resource that shows it, and the statements behind it.

    Ends with 1 where it can do nothing.

    Examples:
        actas iam what-can user/ana --account account.json
        actas iam what-can arn:aws:iam::111122223333:role/reader --account account.json --json

    Parameters
    ----------
    principal:
        Its ARN, or as much of the end as names one: user/ana, role/reader.
    account:
        The answer of aws iam get-account-authorization-details; may be given again, as pages.
    scp:
        A level of SCPs, from the root to the account: files joined by commas.
    json:
        Print one JSON object for each set of actions and resource.
    """
    known = _read(account)
    scps = tuple(layer(level, iam.Kind.SCP) for level in levels(scp)) or None
    changes = known.what_can(find(known.principals, principal), scps=scps)
    for line in [json_line(change.to_json()) for change in changes] if json else changes_lines(changes):
        print(line if json else plain(line))
    return DONE if changes else DENIED


def _read(files: Files) -> iam.Account:
    if len(files) == 1:
        return iam.Account.read(content(files[0]))
    return iam.Account.read([_page(file) for file in files])


def _page(file: Path) -> dict[str, object]:
    try:
        return msgspec.json.decode(content(file), type=dict[str, object])
    except msgspec.DecodeError as wrong:
        raise BadFile(file=file, why="it is no JSON object") from wrong


def find(principals: tuple[str, ...], name: str) -> str:
    """Find the one principal whose ARN is *name* or ends with it."""
    if name in principals:
        return name
    found = [one for one in principals if one.endswith((f":{name}", f"/{name}"))]
    if len(found) != 1:
        raise NoSuchPrincipal(found=len(found), known=len(principals))
    return found[0]


def _trust(known: iam.Account, action: str, resource: str) -> tuple[iam.Policy, ...]:
    """Give the trust policy where the question is who can take a role of the account."""
    if action.lower().startswith("sts:") and ":role/" in resource and resource in known.principals:
        return (known.trust_of(resource),)
    return ()


def holder_text(holder: iam.Holder) -> str:
    """Write who, and by which statements."""
    behind = [ref for ref in holder.decision.matched if ref.effect == "Allow"]
    return "\n".join([holder.principal, *(f"  by {named(ref)}" for ref in behind)])


def holder_json(holder: iam.Holder) -> str:
    """Write the same as data."""
    behind = [ref.to_json() for ref in holder.decision.matched if ref.effect == "Allow"]
    return json_line({"principal": holder.principal, "outside": False, "statements": behind})
