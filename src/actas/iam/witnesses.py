"""Resources worth asking about: a witness for each set of Resource entries that some resource is matched by."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from actas.iam import arns, atoms, samples, variables
from actas.iam.matching import resource_template
from actas.iam.overlap import overlap_resource
from actas.iam.statement import Statement
from actas.iam.values import Context
from actas.iam.wildcards import tokens_of

ACCOUNT: Final = "111122223333"
MOST: Final = 400
_PAIRED: Final = 40
"""Of more entries than this, pairs are left to the walk."""
NOWHERE: Final = f"arn:aws:witness:eu-west-1:{ACCOUNT}:nothing-mentions-this"


def resources(
    statements: Iterable[Statement],
    ways: list[Context],
    undecided: list[str],
    *,
    owners: Iterable[str] = (),
    besides: Iterable[atoms.Pattern] = (),
) -> list[str]:
    """Give the witnesses; *ways* fill policy variables; accounts and what is *besides* are told apart too."""
    mentioned = sorted({(entry, one.variables) for one in statements for entry in one.resources or ()})
    accounts = list(owners)
    patterns = dict.fromkeys([*besides, *(one for account in accounts if (one := _of(account)) is not None)])
    for entry, with_variables in mentioned:
        template = resource_template(entry, with_variables=with_variables)
        for facts in ways if not template.fixed else [Context()]:
            patterns[atoms.resource(variables.fill_as_far(template, facts)[0])] = None
    found, whole = atoms.resources(list(patterns), _owned(_likely(mentioned), accounts), most=MOST)
    if not whole:
        undecided.append("more resources tell the policies apart than were tried")
    return found


def _of(account: str) -> atoms.Pattern | None:
    return atoms.arn(tokens_of(f"arn:*:*:*:{account}:*"))


def _owned(found: Iterable[str], accounts: list[str]) -> Iterator[str]:
    """Give each resource in each account, and what nothing mentions in none."""
    for one in found:
        yield one
        if f":{ACCOUNT}:" in one:
            yield from (one.replace(f":{ACCOUNT}:", f":{account}:", 1) for account in accounts)
    if accounts:
        yield NOWHERE.replace(ACCOUNT, "", 1)


def _likely(mentioned: list[tuple[str, bool]]) -> list[str]:
    """Give resources as people name them: one that nothing mentions, one for each entry, and for each two."""
    found = [NOWHERE]
    for entry, with_variables in mentioned:
        found += _witnesses(entry, with_variables=with_variables)
    for place, (one, first) in enumerate(mentioned[:_PAIRED]):
        for other, second in mentioned[place + 1 : _PAIRED]:
            if overlap_resource(one, other):
                found += _between(one, other, with_variables=first and second)
    return found


def _witnesses(resource: str, *, with_variables: bool) -> list[str]:
    """Make resources that the pattern matches, with a filler and with nothing where it is open."""
    if resource == "*":
        return [NOWHERE]
    parts = resource.split(":", arns.PARTS - 1)
    fillers = [samples.FILLER] * arns.PARTS
    fillers[1], fillers[3], fillers[4] = "aws", "eu-west-1", ACCOUNT
    parts += ["*"] * (arns.PARTS - len(parts)) if parts[1:2] != [arns.OURS] else []
    heads = [
        samples.concrete(part, with_variables=False, filler=filler)
        for part, filler in zip(parts[: arns.PARTS - 1], fillers, strict=False)
    ]
    lasts = [
        samples.concrete(part, with_variables=with_variables, filler=filler)
        for part in parts[arns.PARTS - 1 :]
        for filler in (samples.FILLER, "")
    ]
    return [":".join([*heads, last]) for last in dict.fromkeys(lasts)] or [":".join(heads)]


def _between(one: str, other: str, *, with_variables: bool) -> list[str]:
    """Resources that two patterns may share: each one's open places filled with the other's text."""
    found = []
    for outer, inner in ((one, other), (other, one)):
        parts = inner.split(":", arns.PARTS - 1)
        others = outer.split(":", arns.PARTS - 1)
        if outer == "*" or inner == "*" or len(parts) != len(others):
            continue
        joined = [a if "*" not in a else b for a, b in zip(others, parts, strict=True)]
        found += _witnesses(":".join(joined), with_variables=with_variables)
        last, wanted = others[-1], parts[-1]
        if last.endswith("*") and wanted.startswith("*"):
            found += _witnesses(":".join([*joined[:-1], last + wanted]), with_variables=with_variables)
    return found
