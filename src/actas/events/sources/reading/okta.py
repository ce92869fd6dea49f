"""What Okta's System Log says, in event hooks and in the API alike (protocols.md, 7.1). Pure.

An entry names who acted and what it was done to; whom it happened to is the target that is a user, and where a user
acted on nothing but themselves, the actor. What failed did not happen, but a failed sign-in did.
"""

from typing import Any, Final

import msgspec

from actas.events.sources.reading import strict
from actas.events.sources.reading.told import Kind, Told

KINDS: Final[dict[str, Kind]] = {
    "user.session.start": "signed-in",
    "user.session.end": "signed-out",
    "user.session.clear": "session-revoked",
    "app.oauth2.as.token.revoke": "session-revoked",
    "app.oauth2.token.revoke": "session-revoked",
    "user.account.privilege.grant": "role-granted",
    "user.account.privilege.revoke": "role-revoked",
    "group.privilege.grant": "role-granted",
    "group.privilege.revoke": "role-revoked",
    "application.user_membership.add": "role-granted",
    "application.user_membership.remove": "role-revoked",
    "group.user_membership.add": "group-joined",
    "group.user_membership.remove": "group-left",
    "group.lifecycle.delete": "group-left",
    "user.lifecycle.deactivate": "user-disabled",
    "user.lifecycle.suspend": "user-disabled",
    "user.lifecycle.delete.initiated": "user-deleted",
    "user.lifecycle.delete.completed": "user-deleted",
    "user.account.update_password": "credential-changed",
    "user.account.reset_password": "credential-changed",
    "user.account.expire_password": "credential-changed",
    "user.mfa.factor.activate": "credential-changed",
    "user.mfa.factor.deactivate": "credential-changed",
    "user.mfa.factor.reset_all": "credential-changed",
    "user.mfa.factor.update": "credential-changed",
    "user.credential.enroll": "credential-changed",
    "user.credential.revoke": "credential-changed",
    "application.lifecycle.update": "client-changed",
    "application.lifecycle.deactivate": "client-changed",
    "application.lifecycle.delete": "client-changed",
    "app.oauth2.client.lifecycle.update": "client-changed",
    "app.oauth2.client.lifecycle.deactivate": "client-changed",
    "app.oauth2.client.lifecycle.delete": "client-changed",
    "user.risk.change": "risk-changed",
    "user.risk.detect": "risk-changed",
    "user.account.report_suspicious_activity_by_enduser": "risk-changed",
    "app.oauth2.token.detect_reuse": "risk-changed",
    "app.oauth2.as.token.detect_reuse": "risk-changed",
    # Anybody who knows a name can have it locked: it must not end access.
    "user.account.lock": "risk-changed",
}
_SIGN_INS: Final = ("user.session.start", "user.authentication.auth_via", "user.authentication.verify")
_TOKENS: Final = ("app.oauth2.as.token.grant", "app.oauth2.token.grant")
_HAPPENED: Final = frozenset({"SUCCESS", "ALLOW", "UNKNOWN", ""})
_APPS: Final = frozenset({"AppInstance", "PublicClientApp", "ConfidentialClientApp"})


class _Party(msgspec.Struct, frozen=True):
    id: str | None = None
    type: str | None = None
    name: str | None = msgspec.field(default=None, name="displayName")


class _Outcome(msgspec.Struct, frozen=True):
    result: str | None = None
    reason: str | None = None


class _Authentication(msgspec.Struct, frozen=True):
    session: str | None = msgspec.field(default=None, name="externalSessionId")
    root: str | None = msgspec.field(default=None, name="rootSessionId")


class _Debug(msgspec.Struct, frozen=True):
    data: Any = msgspec.field(default=None, name="debugData")


class LogEvent(msgspec.Struct, frozen=True):
    """One entry of the System Log."""

    uuid: str
    published: str
    type: str = msgspec.field(name="eventType")
    actor: _Party | None = None
    outcome: _Outcome | None = None
    target: tuple[_Party, ...] | None = None
    authentication: _Authentication | None = msgspec.field(default=None, name="authenticationContext")
    debug: _Debug | None = msgspec.field(default=None, name="debugContext")


class _Data(msgspec.Struct, frozen=True):
    events: tuple[Any, ...]


class Hook(msgspec.Struct, frozen=True):
    """What an event hook posts."""

    type: str = msgspec.field(name="eventType")
    data: _Data


def hook(value: Any) -> tuple[Told, ...]:
    """Read the body of an event hook."""
    found = strict.shaped(value, Hook)
    return tuple(log_event(one) for one in found.data.events)


def log_event(value: Any) -> Told:
    """Read one entry."""
    entry = strict.shaped(value, LogEvent)
    targets, actor = entry.target or (), entry.actor or _Party()
    kind = _kind(entry)
    user = next((one.id for one in targets if one.type == "User"), None)
    subject = user or (actor.id if actor.type == "User" and not _of_everybody(entry) else None)
    debug = _debug(entry)
    session = entry.authentication or _Authentication()
    return Told(
        id=strict.required(entry.uuid, "the entry's uuid"),
        type=strict.required(entry.type, "the entry's type"),
        kind=kind,
        at=strict.instant(entry.published),
        subject=strict.name(subject),
        actor=strict.name(actor.id) if actor.id != subject else None,
        client=strict.name(next((one.id for one in (*targets, actor) if one.type in _APPS), None)),
        # Where somebody else acted, the session in the entry is theirs.
        session=strict.name(session.root or session.session) if actor.id == subject else None,
        roles=_privileges(debug) if kind.startswith("role-") else (),
        groups=strict.names(tuple(one.name or one.id for one in targets if one.type == "UserGroup")),
        reason=strict.name(entry.outcome.reason) if entry.outcome else None,
    )


def _kind(entry: LogEvent) -> Kind:
    result = (entry.outcome.result if entry.outcome else None) or ""
    if result.upper() not in _HAPPENED:
        return "sign-in-failed" if entry.type.startswith(_SIGN_INS) else "other"
    if entry.type.startswith(_TOKENS):
        return "token-refreshed" if _debug(entry).get("grantType") == "refresh_token" else "other"
    return KINDS.get(entry.type, "other")


def _debug(entry: LogEvent) -> dict[str, Any]:
    found = entry.debug.data if entry.debug else None
    return found if isinstance(found, dict) else {}  # in some entries it is a text


def _of_everybody(entry: LogEvent) -> bool:
    """Tell whether an entry without a user as its target speaks of a group or a client, not of who acted."""
    return entry.type.startswith(("group.", "application.", "app.oauth2.client.", "system.", "policy."))


def _privileges(debug: dict[str, Any]) -> tuple[str, ...]:
    found = debug.get("privilegeGranted") or debug.get("privilegeRevoked")
    return strict.names(tuple(one.strip() for one in found.split(",")[:50])) if isinstance(found, str) else ()
