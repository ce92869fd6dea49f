"""The session policies that fence what a session may do (design.md, 8.1). Pure.

An *invoke* session may invoke its one function. A *work* session has the role's own permissions, less invoking
anything outside the functions that the rule names and less taking any other role.
"""

import json


def invoke_policy(function_arn: str) -> str:
    """Write the policy of an invoke session."""
    return _text([{"Effect": "Allow", "Action": ["lambda:InvokeFunction"], "Resource": [literal(function_arn)]}])


def work_policy(fence: tuple[str, ...], base: str | None = None) -> str:
    """Write the policy of a work session: *base* (the role's ``policy`` file) or everything, less the fence."""
    statements: list[object]
    if base is None:
        statements = [{"Effect": "Allow", "Action": "*", "Resource": "*"}]
    else:
        found = json.loads(base)["Statement"]
        statements = list(found) if isinstance(found, list) else [found]
    functions = [literal(arn) for arn in fence if ":execute-api:" not in arn]
    routes = [literal(arn) for arn in fence if ":execute-api:" in arn]
    return _text(
        [*statements, _outside(["lambda:Invoke*"], functions), _outside(["execute-api:Invoke"], routes), _TAKE]
    )


_TAKE: dict[str, object] = {"Effect": "Deny", "Action": "sts:AssumeRole*", "Resource": "*"}


def _outside(actions: list[str], inside: list[str]) -> dict[str, object]:
    if not inside:
        return {"Effect": "Deny", "Action": actions, "Resource": "*"}
    return {"Effect": "Deny", "Action": actions, "NotResource": inside}


def literal(arn: str) -> str:
    """Write *arn* so that IAM takes no character of it for a wildcard or a variable."""
    return "".join({"*": "${*}", "?": "${?}", "$": "${$}"}.get(one, one) for one in arn)


def _text(statements: list[object]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements}, separators=(",", ":"))
