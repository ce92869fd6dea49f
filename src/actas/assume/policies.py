"""The session policies that fence what a session may do (design.md, 8.1). Pure.

An *invoke* session may invoke its one function. A *work* session has the role's own permissions, less invoking
anything outside the functions that the rule names and less taking any other role.
"""

import json
from datetime import UTC, datetime
from functools import lru_cache


@lru_cache(maxsize=1024)  # the same few for every caller, and as dear as sealing
def invoke_policy(function_arn: str, *, until: datetime | None = None) -> str:
    """Write the policy of an invoke session; it allows nothing from *until* on."""
    allowed = {"Effect": "Allow", "Action": ["lambda:InvokeFunction"], "Resource": [literal(function_arn)]}
    return _text([allowed, *_ended(until)])


@lru_cache(maxsize=1024)
def work_policy(
    fence: tuple[str, ...], base: str | None = None, *, until: datetime | None = None, chains: bool = False
) -> str:
    """Write the policy of a work session: *base* (the role's ``policy`` file) or everything, less the fence.

    It allows nothing from *until* on. With *chains* other roles may be taken by it: at this gateway's own door only,
    which lets it reach no further.
    """
    statements: list[object]
    if base is None:
        statements = [{"Effect": "Allow", "Action": "*", "Resource": "*"}]
    else:
        found = json.loads(base)["Statement"]
        statements = list(found) if isinstance(found, list) else [found]
    functions = [literal(arn) for arn in fence if ":execute-api:" not in arn]
    routes = [literal(arn) for arn in fence if ":execute-api:" in arn]
    return _text(
        [
            *statements,
            _outside(["lambda:Invoke*"], functions),
            _outside(["execute-api:Invoke"], routes),
            *(() if chains else (_TAKE,)),
            *_ended(until),
        ]
    )


_TAKE: dict[str, object] = {"Effect": "Deny", "Action": "sts:AssumeRole*", "Resource": "*"}


def _ended(until: datetime | None) -> list[object]:
    """Deny everything from *until* on: whoever holds the credentials may keep them for longer than we do."""
    if until is None:
        return []
    moment = {"aws:CurrentTime": f"{until.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"}
    return [{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"DateGreaterThanEquals": moment}}]


def _outside(actions: list[str], inside: list[str]) -> dict[str, object]:
    if not inside:
        return {"Effect": "Deny", "Action": actions, "Resource": "*"}
    return {"Effect": "Deny", "Action": actions, "NotResource": inside}


def literal(arn: str) -> str:
    """Write *arn* so that IAM takes no character of it for a wildcard or a variable."""
    return "".join({"*": "${*}", "?": "${?}", "$": "${$}"}.get(one, one) for one in arn)


def _text(statements: list[object]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements}, separators=(",", ":"))
