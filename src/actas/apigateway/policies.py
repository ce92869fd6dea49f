"""Decide a request by the policy that an authorizer returned.

Only what such a policy is for: may ``execute-api:Invoke`` be done on this route? A condition is not evaluated
here, so an Allow with one never counts, and a Deny with one always does.
"""

import re
from collections.abc import Mapping
from typing import Any, Final, Literal

from actas.apigateway.errors import InvalidAuthorizerAnswer

MAX_RESOURCE: Final = 512
"""Characters of one resource in a policy; API Gateway's limit."""
_ACTION: Final = "execute-api:invoke"


def effect(policy: Mapping[str, Any], resource: str | None) -> Literal["Allow", "Deny"]:
    """Give the effect on *resource*: one denial outweighs any number of permissions, nothing said is a denial."""
    statements = policy.get("Statement")
    listed = statements if isinstance(statements, list) else [statements]
    objects = [statement for statement in listed if isinstance(statement, dict)]
    if not objects or len(objects) != len(listed):
        raise InvalidAuthorizerAnswer(why="has a policy whose Statement is no list of objects")
    applying = {statement["Effect"] for statement in objects if _applies(statement, resource)}
    return "Allow" if applying == {"Allow"} else "Deny"


def _applies(statement: Mapping[str, Any], resource: str | None) -> bool:
    """Tell whether a statement speaks about this request; see that it is whole whether it does or not."""
    if statement.get("Effect") not in ("Allow", "Deny"):
        raise InvalidAuthorizerAnswer(why="has a statement whose Effect is neither Allow nor Deny")
    actions, acted = _patterns(statement, "Action")
    resources, named = _patterns(statement, "Resource")
    if any(len(pattern) > MAX_RESOURCE for pattern in resources):
        raise InvalidAuthorizerAnswer(why=f"has a resource of more than {MAX_RESOURCE} characters")
    if any(glob(pattern.lower(), _ACTION) for pattern in actions) is not acted:
        return False
    if resource is not None and any(glob(pattern, resource) for pattern in resources) is not named:
        return False
    return not statement.get("Condition") or statement["Effect"] == "Deny"


def _patterns(statement: Mapping[str, Any], name: str) -> tuple[list[str], bool]:
    """Give the patterns of ``Action`` or ``NotAction``, and which of the two it is; exactly one must be there."""
    positive = name in statement
    if positive is (f"Not{name}" in statement):
        raise InvalidAuthorizerAnswer(why=f"has a statement without exactly one of {name} and Not{name}")
    value = statement[name if positive else f"Not{name}"]
    listed = [value] if isinstance(value, str) else value
    if not (isinstance(listed, list) and listed and all(isinstance(pattern, str) for pattern in listed)):
        raise InvalidAuthorizerAnswer(why=f"has a statement whose {name} is neither a text nor a list of texts")
    return listed, positive


def glob(pattern: str, text: str) -> bool:
    """Match ``*`` and ``?``, each piece between stars by its leftmost place: no pattern makes it slow."""
    first, *others = pattern.split("*")
    if not others:
        return len(first) == len(text) and _find(first, text, 0) == 0
    *middle, last = others
    if _find(first, text[: len(first)], 0) != 0 or len(text) < len(first) + len(last):
        return False
    at, end = len(first), len(text) - len(last)
    for piece in middle:
        at = _find(piece, text, at)
        if at < 0 or at + len(piece) > end:
            return False
        at += len(piece)
    return _find(last, text[end:], 0) == 0


def _find(piece: str, text: str, start: int) -> int:
    """Find *piece*, where ``?`` stands for any one character."""
    if "?" not in piece:
        return text.find(piece, start)
    found = re.compile("".join("." if c == "?" else re.escape(c) for c in piece), re.DOTALL).search(text, start)
    return found.start() if found else -1
