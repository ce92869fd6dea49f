"""Read what a Lambda authorizer returned, and say whether it lets the request in.

Strict, and closed where in doubt: what is no clear yes is a no or an error, never a yes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, Literal

import msgspec

from actas.apigateway.errors import AuthorizerUnauthorized, InvalidAuthorizerAnswer, UnknownVersion
from actas.apigateway.malformed import Malformed, scalar
from actas.apigateway.policies import effect

VERSIONS: Final = ("1.0", "2.0")
MAX_PAYLOAD: Final = 262_144
"""Bytes of an authorizer's answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizerVerdict:
    """An authorizer's verdict on one request.

    ``principal`` and ``policy`` are None where it answered ``isAuthorized`` alone. ``context`` is what the
    function behind it gets: in 1.0 every value as text, in 2.0 any JSON.
    """

    effect: Literal["Allow", "Deny"]
    principal: str | None = field(repr=False)
    context: Mapping[str, Any] = field(repr=False)
    policy: Mapping[str, Any] | None = field(repr=False)
    usage_identifier_key: str | None = field(default=None, repr=False)


def authorizer_answer(payload: bytes, *, version: str = "2.0", resource: str | None = None) -> AuthorizerVerdict:
    """Read *payload*, the bytes as the authorizer returned them.

    *resource* is the ARN of the route asked for (``arn:aws:execute-api:…``): a policy lets in what one of its
    statements allows and none denies. Without it the statements' resources are not looked at.
    Raises `InvalidAuthorizerAnswer` where API Gateway answers 500, `AuthorizerUnauthorized` where it answers 401.
    """
    if version not in VERSIONS:
        raise UnknownVersion(known=VERSIONS)
    returned = _decoded(payload)
    if version == "1.0" and returned.get("errorMessage") == "Unauthorized" and "policyDocument" not in returned:
        raise AuthorizerUnauthorized
    if version == "2.0" and "isAuthorized" in returned:
        return _simple(returned)
    principal, policy = returned.get("principalId"), returned.get("policyDocument")
    if not (isinstance(principal, str) and principal):
        raise InvalidAuthorizerAnswer(why="has no principalId that is a text")
    usage = returned.get("usageIdentifierKey")
    if not isinstance(usage, str | None):
        raise InvalidAuthorizerAnswer(why="has a usageIdentifierKey that is no text")
    if not isinstance(policy, dict):
        raise InvalidAuthorizerAnswer(why="has no policyDocument that is an object")
    verdict = effect(policy, resource)
    context = _context(returned)
    return AuthorizerVerdict(
        effect=verdict,
        principal=principal,
        context=MappingProxyType(_stringified(context) if version == "1.0" else context),
        policy=MappingProxyType(policy),
        usage_identifier_key=usage,
    )


def _decoded(payload: bytes) -> dict[str, Any]:
    """Read a JSON object, bounded in size and depth."""
    if len(payload) > MAX_PAYLOAD:
        raise InvalidAuthorizerAnswer(why=f"has {len(payload)} bytes; at most {MAX_PAYLOAD} are read")
    try:
        returned = msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise InvalidAuthorizerAnswer(why="is not JSON") from None
    if not isinstance(returned, dict):
        raise InvalidAuthorizerAnswer(why="is not an object")
    return returned


def _simple(returned: dict[str, Any]) -> AuthorizerVerdict:
    """Read a simple answer; ``"true"`` and 1 are no yes."""
    said = returned["isAuthorized"]
    if not isinstance(said, bool):
        raise InvalidAuthorizerAnswer(why="has an isAuthorized that is neither true nor false")
    if "policyDocument" in returned:
        raise InvalidAuthorizerAnswer(why="has both isAuthorized and policyDocument")
    return AuthorizerVerdict(
        effect="Allow" if said else "Deny",
        principal=None,
        context=MappingProxyType(_context(returned)),
        policy=None,
    )


def _context(returned: dict[str, Any]) -> dict[str, Any]:
    """Give the context, if there is one."""
    context = returned.get("context")
    if context is None:
        return {}
    if not isinstance(context, dict):
        raise InvalidAuthorizerAnswer(why="has a context that is not an object")
    return context


def _stringified(context: dict[str, Any]) -> dict[str, str]:
    """Make each value text, as it arrives in format 1.0; objects and lists are refused there, ``claims`` is taken."""
    if "claims" in context:
        raise InvalidAuthorizerAnswer(why="has a context with the reserved name claims")
    try:
        return {name: scalar(value) for name, value in context.items() if value is not None}
    except Malformed:
        raise InvalidAuthorizerAnswer(why="has a context with an object or a list in it") from None
