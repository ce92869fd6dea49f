"""What an admin event of Keycloak means: read from its resource, its operation and its path. Pure.

``users/ID/role-mappings/realm`` names whom it happened to; the names of roles and groups stand in the representation,
a JSON text inside the event, which is there only where the realm keeps details. Where the representation is missing
the event still counts, for the worst that it can mean: access ends rather than stays.
"""

import re
from collections.abc import Callable
from typing import Any, Final

import msgspec

from actas.events.sources.errors import MalformedDelivery
from actas.events.sources.reading import strict
from actas.events.sources.reading.told import Kind, Told

_ID: Final = r"[^/]{1,255}"
_MOST: Final = 1000
"""How many roles one event may name; more are not names that anybody granted by hand."""
_AT_ONCE: Final = 60
"""Seconds between a realm's ``notBefore`` and the event that sets it; an older one was set before."""


class AuthDetails(msgspec.Struct, frozen=True):
    """Who did it."""

    client: str | None = msgspec.field(default=None, name="clientId")
    user: str | None = msgspec.field(default=None, name="userId")
    session: str | None = msgspec.field(default=None, name="sessionId")


class AdminEvent(msgspec.Struct, frozen=True):
    """An `AdminEventRepresentation` of the admin REST API."""

    time: int
    id: str | None = None
    auth: AuthDetails | None = msgspec.field(default=None, name="authDetails")
    operation: str | None = msgspec.field(default=None, name="operationType")
    resource: str | None = msgspec.field(default=None, name="resourceType")
    path: str | None = msgspec.field(default=None, name="resourcePath")
    representation: str | None = None
    error: str | None = None


class _Named(msgspec.Struct, frozen=True):
    name: str | None = None
    path: str | None = None


class _User(msgspec.Struct, frozen=True):
    enabled: bool | None = None


class _Realm(msgspec.Struct, frozen=True):
    not_before: int = msgspec.field(default=0, name="notBefore")


class _Client(msgspec.Struct, frozen=True):
    client: str | None = msgspec.field(default=None, name="clientId")


class Meaning(msgspec.Struct, frozen=True, kw_only=True):
    """What the path and the operation come to."""

    kind: Kind
    subject: str | None = None
    session: str | None = None
    client: str | None = None
    roles: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


_Read = Callable[[AdminEvent, re.Match[str]], Meaning]
OTHER: Final = Meaning(kind="other")


def told(event: AdminEvent) -> Told:
    """Read one admin event."""
    meaning = _meaning(event)
    auth = event.auth or AuthDetails()
    return Told(
        id=strict.required(event.id, "the event's id"),
        type=f"admin.{event.resource or 'UNKNOWN'}-{event.operation or 'UNKNOWN'}"[: strict.LONGEST],
        kind=meaning.kind,
        at=strict.moment(event.time, per_second=1000),
        subject=strict.name(meaning.subject),
        actor=strict.name(auth.user),
        client=strict.name(meaning.client or auth.client),
        session=strict.name(meaning.session),
        roles=strict.names(meaning.roles[:_MOST]),
        groups=strict.names(meaning.groups),
        reason=strict.name(event.error),
    )


def _meaning(event: AdminEvent) -> Meaning:
    if event.error:  # it was tried and did not happen
        return OTHER
    for resource, operations, pattern, read in PATHS:
        if event.resource == resource and event.operation in operations:
            found = pattern.fullmatch(event.path or "")
            if found is not None:
                return read(event, found)
    return OTHER


def _user(event: AdminEvent, path: re.Match[str]) -> Meaning:
    user = _inside(event, _User)
    # Without the representation nobody can tell a new telephone number from a user who is shut out.
    if user is None or user.enabled is False:
        return Meaning(kind="user-disabled", subject=path["user"])
    return Meaning(kind="other", subject=path["user"])


def _of(kind: Kind) -> _Read:
    def read(_event: AdminEvent, path: re.Match[str]) -> Meaning:
        named = path.groupdict()
        return Meaning(kind=kind, subject=named.get("user"), session=named.get("session"), client=named.get("client"))

    return read


def _membership(event: AdminEvent, path: re.Match[str]) -> Meaning:
    group = _inside(event, _Named) or _Named()
    kind: Kind = "group-left" if event.operation == "DELETE" else "group-joined"
    return Meaning(kind=kind, subject=path["user"], groups=(group.path or group.name or path["group"],))


def _mapping(event: AdminEvent, path: re.Match[str]) -> Meaning:
    """Read of roles given to, or taken from, a user or a group; of a group, every member is meant."""
    named = path.groupdict()
    roles = tuple(one.name for one in _inside(event, tuple[_Named, ...]) or () if one.name)
    return Meaning(
        kind="role-revoked" if event.operation == "DELETE" else "role-granted",
        subject=named.get("user"),
        groups=(named["group"],) if named.get("group") else (),
        roles=roles,
    )


def _role(event: AdminEvent, path: re.Match[str]) -> Meaning:
    """Read of a role that is deleted, renamed or made of others now: whoever has it is meant."""
    grants = event.operation == "CREATE" and path["composites"]
    named = _inside(event, _Named) if not path["composites"] and path["by"] else None
    role = path["name"] or (named.name if named else None) or path["id"]
    return Meaning(kind="role-granted" if grants else "role-revoked", roles=(role,) if role else ())


def _group(event: AdminEvent, path: re.Match[str]) -> Meaning:
    """Read of a group that is deleted, renamed or moved: its members had rights by its name."""
    group = _inside(event, _Named) or _Named()
    return Meaning(kind="group-left", groups=(group.path or group.name or path["group"],))


def _client(event: AdminEvent, path: re.Match[str]) -> Meaning:
    client = _inside(event, _Client) or _Client()
    return Meaning(kind="client-changed", client=client.client or path["client"])


def _realm(event: AdminEvent, _path: re.Match[str]) -> Meaning:
    """Read whether the realm's ``notBefore`` was set to now: every right that a token of before gives is revoked."""
    realm = _inside(event, _Realm)
    if realm is not None and abs(event.time / 1000 - realm.not_before) <= _AT_ONCE:
        return Meaning(kind="role-revoked")
    return OTHER


def _inside(event: AdminEvent, shape: type[Any]) -> Any:
    """Read the representation; None where there is none, or it was cut (``max-field-length``)."""
    if not event.representation:
        return None
    try:
        return strict.shaped(strict.json_of(event.representation.encode("utf-8", "surrogatepass")), shape)
    except MalformedDelivery:
        return None


def _path(pattern: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{(\w+)\}", rf"(?P<\1>{_ID})", pattern))


PATHS: Final[tuple[tuple[str, frozenset[str], re.Pattern[str], _Read], ...]] = tuple(
    (resource, frozenset(operations.split()), _path(path), read)
    for resource, operations, path, read in (
        ("USER", "UPDATE", "users/{user}", _user),
        ("USER", "DELETE", "users/{user}", _of("user-deleted")),
        ("USER", "ACTION", "users/{user}/logout", _of("session-revoked")),
        ("USER", "DELETE ACTION", "users/{user}/consents/{client}", _of("session-revoked")),
        (
            "USER",
            "ACTION UPDATE",
            "users/{user}/(?:reset-password|disable-credential-types)",
            _of("credential-changed"),
        ),
        ("USER", "ACTION UPDATE DELETE", "users/{user}/credentials(?:/.*)?", _of("credential-changed")),
        ("USER", "CREATE DELETE", "users/{user}/federated-identity/.*", _of("credential-changed")),
        ("USER_SESSION", "DELETE", "sessions/{session}", _of("session-revoked")),
        ("USER_SESSION", "ACTION DELETE", "users/{user}/logout", _of("session-revoked")),
        ("REALM", "ACTION", "(?:realms/[^/]+/)?logout-all", _of("role-revoked")),
        ("REALM", "UPDATE", ".*", _realm),
        ("GROUP_MEMBERSHIP", "CREATE DELETE", "users/{user}/groups/{group}", _membership),
        ("REALM_ROLE_MAPPING", "CREATE DELETE", "users/{user}/role-mappings/realm", _mapping),
        ("REALM_ROLE_MAPPING", "CREATE DELETE", "groups/{group}/role-mappings/realm", _mapping),
        ("CLIENT_ROLE_MAPPING", "CREATE DELETE", "users/{user}/role-mappings/clients/[^/]+", _mapping),
        ("CLIENT_ROLE_MAPPING", "CREATE DELETE", "groups/{group}/role-mappings/clients/[^/]+", _mapping),
        ("REALM_ROLE", "UPDATE DELETE", "(?P<by>roles)/{name}(?P<id>)(?P<composites>)", _role),
        ("REALM_ROLE", "UPDATE DELETE", "(?P<by>roles-by-id)/{id}(?P<name>)(?P<composites>)", _role),
        ("REALM_ROLE", "CREATE DELETE", "(?P<by>roles)/{name}(?P<id>)/(?P<composites>composites)", _role),
        ("REALM_ROLE", "CREATE DELETE", "(?P<by>roles-by-id)/{id}(?P<name>)/(?P<composites>composites)", _role),
        ("CLIENT_ROLE", "UPDATE DELETE", "(?P<by>clients)/[^/]+/roles/{name}(?P<id>)(?P<composites>)", _role),
        ("CLIENT_ROLE", "UPDATE DELETE", "(?P<by>roles-by-id)/{id}(?P<name>)(?P<composites>)", _role),
        (
            "CLIENT_ROLE",
            "CREATE DELETE",
            "(?P<by>clients)/[^/]+/roles/{name}(?P<id>)/(?P<composites>composites)",
            _role,
        ),
        ("CLIENT_ROLE", "CREATE DELETE", "(?P<by>roles-by-id)/{id}(?P<name>)/(?P<composites>composites)", _role),
        ("GROUP", "UPDATE DELETE", "groups/{group}", _group),
        ("GROUP", "UPDATE", "groups/{group}/children", _group),  # moved below another one: its path is new
        ("CLIENT", "CREATE UPDATE DELETE ACTION", "clients/{client}(?:/.*)?", _client),
        ("PROTOCOL_MAPPER", "CREATE UPDATE DELETE ACTION", "clients/{client}/.*", _client),
        ("CLIENT_SCOPE_MAPPING", "CREATE UPDATE DELETE ACTION", "clients/{client}/.*", _client),
    )
)
"""What a resource, an operation and a path mean; the first that fits."""
