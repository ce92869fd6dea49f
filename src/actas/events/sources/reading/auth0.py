"""What Auth0's logs say, in log streams and in the Management API alike (protocols.md, 7.3). Pure.

What people do has a type of its own. What administrators and programs do is one type, ``sapi``, whose request says
what was done: its method and path are read.
"""

import re
from typing import Any, Final

import msgspec

from actas.events.sources.errors import MalformedDelivery
from actas.events.sources.reading import strict
from actas.events.sources.reading.told import Kind, Told

KINDS: Final[dict[str, Kind]] = {
    "s": "signed-in",
    "seccft": "signed-in",
    "f": "sign-in-failed",
    "fp": "sign-in-failed",
    "fu": "sign-in-failed",
    "fcoa": "sign-in-failed",
    "fens": "sign-in-failed",
    "feccft": "sign-in-failed",
    "sertft": "token-refreshed",
    "slo": "signed-out",
    "srrt": "session-revoked",
    "session_revoked": "session-revoked",
    "sdu": "user-deleted",
    "du": "user-deleted",
    "scp": "credential-changed",
    "sce": "credential-changed",
    "gd_enrollment_complete": "credential-changed",
    "gd_unenroll": "credential-changed",
    "gd_user_delete": "credential-changed",
    "pwd_leak": "risk-changed",
    "signup_pwd_leak": "risk-changed",
    "reset_pwd_leak": "risk-changed",
    # Anybody who knows a name can have it blocked from an address: it must not end access.
    "limit_wc": "risk-changed",
    "limit_mu": "risk-changed",
}
_MANAGEMENT: Final = frozenset({"sapi", "mgmt_api_read"})
_USER: Final = r"(?:/api)?/v2/users/(?P<user>[^/]+)"
_PROOFS: Final = "authenticators|authentication-methods|multifactor|identities"
_SENT: Final = frozenset({"post", "put", "patch", "delete"})
_MOST: Final = 100


class _Request(msgspec.Struct, frozen=True):
    method: str | None = None
    path: str | None = None
    body: Any = None


class _Response(msgspec.Struct, frozen=True):
    status: int | None = msgspec.field(default=None, name="statusCode")


class _Details(msgspec.Struct, frozen=True):
    request: _Request | None = None
    response: _Response | None = None
    session: str | None = msgspec.field(default=None, name="session_id")


class Data(msgspec.Struct, frozen=True):
    """One entry of the tenant's log."""

    date: str
    type: str
    log_id: str | None = None
    id: str | None = msgspec.field(default=None, name="_id")
    client: str | None = msgspec.field(default=None, name="client_id")
    user: str | None = msgspec.field(default=None, name="user_id")
    details: Any = None


class Record(msgspec.Struct, frozen=True):
    """What a stream sends: the entry, and its id once more."""

    data: Data
    log_id: str | None = None


def stream(body: bytes, *, limit: int = strict.LARGEST, most: int = 1000) -> tuple[Told, ...]:
    """Read a delivery of a stream in any of its three forms: JSON lines, a JSON array, a JSON object."""
    if len(body) <= limit and body.lstrip()[:1] == b"{" and b"\n" in body.strip():
        lines = [line for line in body.splitlines() if line.strip()]
        try:
            records: list[Any] = [strict.json_of(line, limit=limit) for line in lines[: most + 1]]
        except MalformedDelivery:  # one object, written over several lines
            records = [strict.json_of(body, limit=limit)]
    else:
        found = strict.json_of(body, limit=limit)
        records = found if isinstance(found, list) else [found]
    if len(records) > most:
        raise MalformedDelivery(why=f"it has more than {most} events")
    return tuple(told for one in records for told in record(one))


def record(value: Any) -> tuple[Told, ...]:
    """Read one record of a stream."""
    found = strict.shaped(value, Record)
    return _told(found.data, found.log_id)


def entry(value: Any) -> tuple[Told, ...]:
    """Read one entry of ``GET /api/v2/logs``."""
    return _told(strict.shaped(value, Data), None)


def _told(data: Data, log_id: str | None) -> tuple[Told, ...]:
    name = strict.required(log_id or data.log_id or data.id, "the entry's log_id")
    details = _details(data.details)
    kind: Kind = KINDS.get(data.type, "other")
    subjects: tuple[str | None, ...] = (data.user,)
    actor = None
    if data.type in _MANAGEMENT:
        kind, subjects = _managed(details)
        actor = data.user
    several = len(subjects) > 1
    return tuple(
        Told(
            id=f"{name}.{place}" if several else name,
            type=strict.required(data.type, "the entry's type"),
            kind=kind,
            at=strict.instant(data.date),
            subject=strict.name(subject),
            actor=strict.name(actor),
            client=strict.name(data.client),
            session=strict.name(details.session),
        )
        for place, subject in enumerate(subjects)
    )


def _details(value: Any) -> _Details:
    try:
        return strict.shaped(value, _Details) if isinstance(value, dict) else _Details()
    except MalformedDelivery:  # each type of entry has details of its own
        return _Details()


def _managed(details: _Details) -> tuple[Kind, tuple[str | None, ...]]:
    """Read what a call of the Management API did; one that was refused did nothing."""
    request, response = details.request or _Request(), details.response or _Response()
    method, path = (request.method or "").lower(), (request.path or "").partition("?")[0]
    if method not in _SENT or not 200 <= (response.status or 0) < 300:
        return "other", (None,)
    for methods, pattern, kind in _OPERATIONS:
        if method in methods.split() and (found := pattern.fullmatch(path)) is not None:
            return _subjects(kind, found.groupdict().get("user"), request.body)
    return "other", (None,)


def _subjects(kind: Kind | None, user: str | None, body: Any) -> tuple[Kind, tuple[str | None, ...]]:
    if kind is None:  # an update of a user
        changed: Any = body if isinstance(body, dict) else {}
        if changed.get("blocked") is True:
            return "user-disabled", (_decoded(user),)
        secret = any(one in changed for one in ("password", "email", "phone_number", "username"))
        return ("credential-changed" if secret else "other"), (_decoded(user),)
    if user is not None:
        return kind, (_decoded(user),)
    listed = (body.get("users") or body.get("members")) if isinstance(body, dict) else None
    users = tuple(one for one in listed[:_MOST] if isinstance(one, str)) if isinstance(listed, list) else ()
    return kind, users or (None,)


def _decoded(user: str | None) -> str | None:
    return None if user is None else user.replace("%7C", "|").replace("%7c", "|")


_TABLE: Final[tuple[tuple[str, str, Kind | None], ...]] = (
    ("patch", _USER, None),
    ("delete", _USER, "user-deleted"),
    ("post", _USER + "/(?:roles|permissions)", "role-granted"),
    ("delete", _USER + "/(?:roles|permissions)", "role-revoked"),
    ("delete", _USER + "/(?:sessions|refresh-tokens)", "session-revoked"),
    ("post", _USER + "/revoke-access", "session-revoked"),
    ("post put patch delete", f"{_USER}/(?:{_PROOFS}).*", "credential-changed"),
    ("delete", "(?:/api)?/v2/(?:sessions|refresh-tokens)/.+", "session-revoked"),
    ("post", "(?:/api)?/v2/roles/[^/]+/users", "role-granted"),
    ("delete", "(?:/api)?/v2/roles/[^/]+(?:/permissions)?", "role-revoked"),
    ("post", "(?:/api)?/v2/organizations/[^/]+/members", "group-joined"),
    ("delete", "(?:/api)?/v2/organizations/[^/]+/members", "group-left"),
    ("delete", "(?:/api)?/v2/organizations/[^/]+", "group-left"),
    ("post patch put delete", "(?:/api)?/v2/(?:clients|client-grants)(?:/.*)?", "client-changed"),
)  # fmt: skip
"""Methods, path and meaning; None where the body says it."""
_OPERATIONS: Final = tuple((methods, re.compile(pattern), kind) for methods, pattern, kind in _TABLE)
