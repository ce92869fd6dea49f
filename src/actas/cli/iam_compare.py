"""``actas iam expand`` and ``actas iam diff``: what patterns match, and what a change of policy changes."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from actas import iam
from actas.cli import CANNOT_TELL, DENIED, DONE
from actas.cli.iam_ask import named
from actas.cli.iam_files import KindName, content, guess, json_line, plain, policy
from actas.iam.arns import account_of
from actas.iam.askers import session_of
from actas.iam.misses import shown
from actas.iam.witnesses import ACCOUNT

_FEW = 5
Given = Annotated[Path, Parameter(allow_leading_hyphen=True)]  # for "-"


def expand(
    patterns: Annotated[tuple[str, ...], Parameter(negative=())],
    /,
    *,
    level: Literal["read", "list", "write", "tagging", "permissions"] | None = None,
    json: bool = False,
) -> int:
    """List the actions that patterns match, as AWS's service reference spells them.

    Ends with 1 where there is none.

    Examples:
        actas iam expand "s3:Get*"
        actas iam expand "iam:*" --level permissions
        actas iam expand "lambda:*Function" "lambda:Invoke*" --json

    Parameters
    ----------
    patterns:
        Actions, * and ? being wildcards.
    level:
        Only actions of this access level.
    json:
        Print one JSON object an action, with its access level and its resource types.
    """
    catalogue = iam.Catalogue.load()
    found = [catalogue.action(name) for name in sorted(iam.expand_actions(patterns, catalogue), key=str.lower)]
    actions = [one for one in found if one is not None and level in (None, one.level)]
    for one in actions:
        data = {"action": one.name, "level": one.level, "resources": list(one.resources)}
        print(json_line(data) if json else one.name)
    return DONE if actions else DENIED


def diff(
    old: Given,
    new: Given,
    /,
    *,
    kind: KindName | None = None,
    fail_on: Literal["any", "gained", "lost"] = "any",
    json: bool = False,
) -> int:
    """Say what access NEW gives that OLD does not, and the other way round, each with a request that shows it.

    Exact over the actions that there are and the resources and conditions that the policies mention; what could not
    be decided is said. Ends with 0 where nothing changed, with 1 where access changed as --fail-on says, and with 3
    where no such change was found but something could not be decided.

    Examples:
        actas iam diff before.json after.json
        actas iam diff before.json after.json --fail-on gained

    Parameters
    ----------
    old:
        The policy before; - reads standard input.
    new:
        The policy after.
    kind:
        What the policies are attached to; by default guessed from what the new one's statements name.
    fail_on:
        Which change makes the command end with 1.
    json:
        Print one JSON object a change, and a last one with what could not be decided.
    """
    document = content(new)
    of = guess(document) if kind is None else iam.Kind(kind)
    found = iam.compare(policy(old, of), policy(new, of, document))
    print(comparison_json(found) if json else plain(comparison_text(found)))
    counted = {"any": (*found.gained, *found.lost), "gained": found.gained, "lost": found.lost}[fail_on]
    if counted:
        return DENIED
    return CANNOT_TELL if found.undecided else DONE


def comparison_text(found: iam.Comparison) -> str:
    """Write what is gained, what is lost, and what could not be decided."""
    lines: list[str] = []
    for title, changes in (("gained", found.gained), ("lost", found.lost)):
        lines += [title, *(f"  {line}" for line in changes_lines(changes))]
        lines += [] if changes else ["  nothing"]
    if found.undecided:
        lines += ["not decided", *(f"  {one}" for one in found.undecided)]
    return "\n".join(lines)


def changes_lines(changes: Iterable[iam.Change]) -> list[str]:
    """Write changes: the actions, witnesses, the statements behind them; those that differ in resource alone as one."""
    alike: dict[object, list[iam.Change]] = {}
    for change in changes:
        who = _who(change)
        alike.setdefault((change.actions, who, _context(change), change.statements), []).append(change)
    lines: list[str] = []
    for first, *more in alike.values():
        lines += [_listed(first.actions), *_who(first)]
        lines += dict.fromkeys(f"  on {_where(one.request)}" for one in (first, *more))
        lines += [f"  with {context}"] if (context := _context(first)) else []
        lines += [f"  by {named(ref)}" for ref in first.statements]
    return lines


def _who(change: iam.Change) -> tuple[str, ...]:
    """Say as whom, where that is not somebody of the resource's own account, and what they have besides."""
    asked = change.request
    anybody = session_of(account_of(asked.resource) or ACCOUNT)
    as_whom = () if asked.principal == anybody and not change.besides else (f"  as {asked.principal}",)
    return (*as_whom, *((f"  who has {change.besides}",) if change.besides else ()))


def _where(asked: iam.Request) -> str:
    return f"{asked.resource} of account {asked.resource_account}" if asked.resource_account else asked.resource


def _context(change: iam.Change) -> str:
    return ", ".join(f"{key} = {shown(value)}" for key, value in sorted(change.request.facts.items()))


def _listed(actions: tuple[str, ...]) -> str:
    first = ", ".join(actions[:_FEW])
    return first if len(actions) <= _FEW else f"{first} and {len(actions) - _FEW} more actions"


def comparison_json(found: iam.Comparison) -> str:
    """Write the same as data, one object a line."""
    rows = [
        {"change": word, **change.to_json()}
        for word, changes in (("gained", found.gained), ("lost", found.lost))
        for change in changes
    ]
    last = {"same": found.same, "asked": found.asked, "undecided": list(found.undecided)}
    return "\n".join(json_line(row) for row in (*rows, last))
