"""The document that describes the admin API (OpenAPI 3.1). Pure."""

from collections.abc import Sequence
from typing import Any, Protocol

import msgspec

from actas import __version__


class Described(Protocol):
    """What an action tells of itself."""

    @property
    def name(self) -> str:
        """What rules call it, after ``admin:``."""
        ...

    @property
    def method(self) -> str:
        """The HTTP method."""
        ...

    @property
    def path(self) -> str:
        """The page."""
        ...

    @property
    def told(self) -> str:
        """What it does, in a sentence."""
        ...


class Revocation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Refuse what was issued up to *before*: tokens and sessions of a provider's callers, or sessions alone.

    Exactly one of *provider*, *role* and *everybody* says whose; *subject* and *session* go with *provider*.
    """

    reason: str
    provider: str | None = None
    """What a provider issued, and every session got with it: to one *subject*, in one *session* of its, or to all."""
    subject: str | None = None
    session: str | None = None
    role: str | None = None
    """Every session of a role, by its name in the settings or its ARN; who may take it gets another."""
    everybody: bool = False
    """Every session that there is."""
    before: str | None = None
    """ISO 8601 with an offset; now where it is left out."""


class Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Ask what the rules would say of a caller with these claims, which nobody proves."""

    function: str
    claims: dict[str, Any]
    """As the provider would write them; ``iss`` chooses the provider."""
    at: str | None = None
    address: str | None = None
    role: str | None = None


class Encoded(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Open the encoded message of a refusal."""

    message: str


class Replay(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Try deliveries again, by their ids."""

    deliveries: tuple[str, ...]


class EventAudit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Look for events that a provider lists and that were not heard."""

    since: str
    """ISO 8601 with an offset."""
    source: str | None = None
    """One source; all where it is left out."""


BODIES: dict[str, type[msgspec.Struct]] = {
    "sessions.revoke": Revocation,
    "explain": Asked,
    "denials.decode": Encoded,
    "events.replay": Replay,
    "events.audit": EventAudit,
}


def document(actions: Sequence[Described]) -> dict[str, Any]:
    """Write the whole document."""
    (bodies, parts) = msgspec.json.schema_components(BODIES.values(), ref_template="#/components/schemas/{name}")
    schemas = dict(zip(BODIES, bodies, strict=True))
    paths: dict[str, Any] = {}
    for one in actions:
        paths.setdefault(one.path, {})[one.method.lower()] = _operation(one, schemas.get(one.name))
    return {
        "openapi": "3.1.0",
        "info": {"title": "Actas admin API", "version": __version__},
        "security": [{"bearer": []}],
        "paths": paths,
        "components": {
            "schemas": {**parts, "Problem": _PROBLEM},
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(one: Described, body: dict[str, Any] | None) -> dict[str, Any]:
    kind = "text/plain" if one.path == "/metrics" else "application/json"
    answers = {
        status: _answer(told) for status, told in _ANSWERS.items() if body is not None or status not in _OF_BODIES
    }
    if "{" in one.path:
        answers["404"] = _answer("There is nothing by this name.")
    operation: dict[str, Any] = {
        "operationId": one.name,
        "summary": one.told,
        "description": f"Needs a rule that says `may: [admin:{one.name}]`.",
        "responses": {"200": {"description": "Done.", "content": {kind: {"schema": {}}}}, **answers},
    }
    if body is not None:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    if "{" in one.path:
        name = one.path.partition("{")[2].partition("}")[0]
        operation["parameters"] = [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}}]
    return operation


_OF_BODIES = frozenset({"408", "413"})
_ANSWERS = {
    "400": "The request is malformed.",
    "401": "Who is calling is not known.",
    "403": "The rules do not allow it; the reasons say why.",
    "408": "The body took too long to arrive.",
    "413": "The body is too large.",
    "429": "Too many calls; Retry-After says when to come again.",
    "503": "The trail cannot be kept, so nothing is done.",
}


def _answer(told: str) -> dict[str, Any]:
    return {
        "description": told,
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }


_PROBLEM: dict[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status", "call"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "call": {"type": "string"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
        "reasons": {"type": "array", "items": {"type": "object"}},
    },
}
