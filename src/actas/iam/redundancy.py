"""What a policy says twice, and what one statement says in vain because of another."""

from __future__ import annotations

from typing import Final

from actas.iam.finding import Path
from actas.iam.kinds import PRINCIPALED, Kind
from actas.iam.notes import Notes, Phase
from actas.iam.overlap import covers, covers_resource, needless
from actas.iam.statement import Content, Statement


def lists(statement: Statement, _kind: Kind, path: Path, notes: Notes) -> None:
    """Name the entries of a list that another entry makes needless."""
    name = "NotAction" if statement.not_action else "Action"
    for index in needless(tuple(action.lower() for action in statement.actions), covers, 0):
        message = f"{statement.actions[index]} is matched by another entry of the list."
        notes.suggest(Phase.ADVICE, (*path, name, index), "redundant-action", message, "Remove it.")
    name = "NotResource" if statement.not_resource else "Resource"
    resources = statement.resources or ()
    for index in needless(resources, covers_resource, 2):
        message = f"{resources[index]} is matched by another entry of the list."
        notes.suggest(Phase.ADVICE, (*path, name, index), "redundant-resource", message, "Remove it.")


def statements(policy: Content, notes: Notes) -> None:
    """Name the statements that another one makes needless, or that a Deny makes void."""
    if len(policy.statements) > _MOST_COMPARED:
        return
    for statement in policy.statements:
        path: Path = ("Statement", statement.index)
        for other in policy.statements:
            if other.index == statement.index or not _covers(other, statement, policy.kind):
                continue
            if other.effect == "Deny" and statement.effect == "Allow" and not other.conditions:
                message = f"Statement {other.sid or other.index} denies all that this one allows."
                notes.warn(Phase.ADVICE, path, "shadowed-statement", message, "Remove one of the two.")
                break
            same = other.effect == statement.effect and (
                not other.conditions or other.conditions == statement.conditions
            )
            if same and (other.index < statement.index or not _covers(statement, other, policy.kind)):
                message = f"Statement {other.sid or other.index} says all that this one says."
                notes.suggest(Phase.ADVICE, path, "redundant-statement", message, "Remove it.")
                break


_MOST_COMPARED: Final = 60


def _covers(wide: Statement, narrow: Statement, kind: Kind) -> bool:
    if wide.not_action or narrow.not_action or wide.not_resource or narrow.not_resource:
        return False
    if kind in PRINCIPALED and (wide.not_principal or narrow.not_principal or not _same_or_all(wide, narrow)):
        return False
    return all(
        any(covers(action.lower(), other.lower()) for action in wide.actions) for other in narrow.actions
    ) and all(
        any(covers_resource(resource, other) for resource in wide.resources or ()) for other in narrow.resources or ()
    )


def _same_or_all(wide: Statement, narrow: Statement) -> bool:
    principals = wide.principals
    return principals == narrow.principals or (principals is not None and principals.everyone)
