"""A table of requests with what policies must say of each, as data that a security officer can read.

::

    policies: {identity: [finance.json], boundary: [boundary.json]}
    defaults:
      principal: arn:aws:sts::111122223333:assumed-role/finance/ana
      context: {aws:PrincipalTag/team: finance}
    requests:
      - says: finance reads its bucket
        action: s3:GetObject
        resource: arn:aws:s3:::finance/report
        expect: allowed
        by: [ReadsReports]
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from actas import iam
from actas.cli import iam_files
from actas.cli.errors import BadFile
from actas.cli.iam_ask import Layers

Scalar = str | bool | int | float
Expected = Literal["allowed", "denied", "denied implicitly", "denied explicitly"]
_EFFECTS: dict[Expected, tuple[str, ...]] = {
    "allowed": ("Allowed",),
    "denied": ("ImplicitlyDenied", "ExplicitlyDenied"),
    "denied implicitly": ("ImplicitlyDenied",),
    "denied explicitly": ("ExplicitlyDenied",),
}
_SAID = {"Allowed": "allowed", "ImplicitlyDenied": "denied implicitly", "ExplicitlyDenied": "denied explicitly"}


class Files(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The files of the policies, by layer; beside the table where they are relative."""

    identity: tuple[str, ...] = ()
    session: tuple[str, ...] = ()
    boundary: tuple[str, ...] = ()
    resource: tuple[str, ...] = ()
    trust: tuple[str, ...] = ()
    scps: tuple[tuple[str, ...], ...] = ()
    rcps: tuple[tuple[str, ...], ...] = ()
    endpoint: tuple[str, ...] = ()


class Defaults(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What holds for every request that does not say otherwise."""

    principal: str | None = None
    action: str | None = None
    resource: str = "*"
    resource_account: str | None = None
    context: dict[str, Scalar | tuple[Scalar, ...]] = {}
    unknown: tuple[str, ...] = ()


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One request, and what must come of it."""

    says: str
    expect: Expected
    principal: str | None = None
    action: str | None = None
    resource: str | None = None
    resource_account: str | None = None
    context: dict[str, Scalar | tuple[Scalar, ...]] = {}
    unknown: tuple[str, ...] = ()
    by: tuple[str, ...] = ()
    """Sids of statements that must have applied."""


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of requests."""

    requests: tuple[Row, ...]
    policies: Files = Files()
    defaults: Defaults = Defaults()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """One request, decided."""

    row: Row
    decision: iam.Decision
    wrong: tuple[str, ...]
    """What is otherwise than expected; nothing where it is as it should be."""


def read(file: Path) -> Table:
    """Read a table, strictly: YAML, or JSON, which is YAML too."""
    from actas.settings.yaml import load

    try:
        tree = load(iam_files.content(file).decode())
    except UnicodeDecodeError as wrong:
        raise BadFile(file=file, why="it is not UTF-8 text") from wrong
    if tree.wrongs:
        first = tree.wrongs[0]
        raise BadFile(file=file, why=f"line {first.mark.line}: {first.message}")
    try:
        table = msgspec.convert(tree.data, Table)
    except msgspec.ValidationError as wrong:
        raise BadFile(file=file, why=str(wrong)) from wrong
    if not table.requests:
        raise BadFile(file=file, why="it has no requests")
    return table


def joined(of: Files, given: Layers, folder: Path) -> Layers:
    """Join the table's policies, which lie in *folder*, and those *given*: of a layer the given ones alone count."""

    def files(names: tuple[str, ...]) -> tuple[Path, ...]:
        return tuple(folder / name for name in names)

    return Layers(
        identity=given.identity or files(of.identity),
        session=given.session or files(of.session),
        boundary=given.boundary or files(of.boundary),
        resource=given.resource or files(of.resource),
        trust=given.trust or files(of.trust),
        scps=given.scps or tuple(files(level) for level in of.scps),
        rcps=given.rcps or tuple(files(level) for level in of.rcps),
        endpoint=given.endpoint or files(of.endpoint),
    )


def try_out(row: Row, defaults: Defaults, having: iam.PolicySet) -> Tried:
    """Decide one request and compare; raise ValueError where it lacks something."""
    principal, action = row.principal or defaults.principal, row.action or defaults.action
    if principal is None or action is None:
        raise ValueError(f"the request has no {'principal' if principal is None else 'action'}")
    context: Mapping[str, object] = {
        **dict.fromkeys(defaults.unknown, iam.UNKNOWN),
        **defaults.context,
        **dict.fromkeys(row.unknown, iam.UNKNOWN),
        **row.context,
    }
    asked = iam.Request(
        principal=principal,
        action=action,
        resource=defaults.resource if row.resource is None else row.resource,
        resource_account=row.resource_account or defaults.resource_account,
        context=context,
    )
    decision = iam.evaluate(asked, having)
    return Tried(row=row, decision=decision, wrong=tuple(_wrong(row, decision)))


def _wrong(row: Row, decision: iam.Decision) -> list[str]:
    found = []
    if decision.effect not in _EFFECTS[row.expect]:
        found.append(f"expected {row.expect}, found {_SAID[decision.effect]}")
        found += [] if decision.allowed else [decision.access_denied_message()]
    applied = {ref.sid for ref in decision.matched}
    return found + [f"statement {sid} did not apply" for sid in row.by if sid not in applied]


def text(tried: Tried) -> str:
    """Write one line, and what is wrong below it."""
    head = f"{'FAIL' if tried.wrong else 'ok  '}  {tried.row.says}"
    return "\n".join([head, *(f"      {one}" for one in tried.wrong)])


def data(tried: Tried) -> dict[str, object]:
    """Give the same as data."""
    return {
        "says": tried.row.says,
        "passed": not tried.wrong,
        "wrong": list(tried.wrong),
        "effect": tried.decision.effect,
    }
