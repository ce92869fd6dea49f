"""What Keycloak's events say: user events, admin events, and the webhook form of both (protocols.md, 6.3 and 6.5).

The same event has the same id in the admin REST API and in a webhook, so whichever way comes first counts.
"""

from typing import Any, Final

import msgspec

from actas.events.sources.reading import keycloak_admin, strict
from actas.events.sources.reading.keycloak_admin import AdminEvent, AuthDetails
from actas.events.sources.reading.told import Kind, Told

USER_KINDS: Final[dict[str, Kind]] = {
    "LOGIN": "signed-in",
    "CLIENT_LOGIN": "signed-in",
    "LOGIN_ERROR": "sign-in-failed",
    "CLIENT_LOGIN_ERROR": "sign-in-failed",
    "IDENTITY_PROVIDER_LOGIN_ERROR": "sign-in-failed",
    "IDENTITY_PROVIDER_POST_LOGIN_ERROR": "sign-in-failed",
    "OAUTH2_DEVICE_VERIFY_USER_CODE_ERROR": "sign-in-failed",
    "REFRESH_TOKEN": "token-refreshed",
    "LOGOUT": "signed-out",
    "USER_SESSION_DELETED": "session-revoked",
    # Taking a consent back ends the client's offline tokens for this user.
    "REVOKE_GRANT": "session-revoked",
    "UPDATE_CREDENTIAL": "credential-changed",
    "REMOVE_CREDENTIAL": "credential-changed",
    "UPDATE_PASSWORD": "credential-changed",
    "UPDATE_TOTP": "credential-changed",
    "REMOVE_TOTP": "credential-changed",
    "RESET_PASSWORD": "credential-changed",
    "FEDERATED_IDENTITY_LINK": "credential-changed",
    "FEDERATED_IDENTITY_OVERRIDE_LINK": "credential-changed",
    "REMOVE_FEDERATED_IDENTITY": "credential-changed",
    "DELETE_ACCOUNT": "user-deleted",
    "USER_DISABLED_BY_PERMANENT_LOCKOUT": "user-disabled",
    # Anybody who knows a name can cause a temporary lockout: if it ended access, it would be a way to do harm.
    "USER_DISABLED_BY_TEMPORARY_LOCKOUT": "risk-changed",
    "CLIENT_REGISTER": "client-changed",
    "CLIENT_UPDATE": "client-changed",
    "CLIENT_DELETE": "client-changed",
}
"""Types that mean something to us. The rest, and types that a later version adds, are ``other``."""
NOT_SAVED_BY_DEFAULT: Final = ("REFRESH_TOKEN", "IDENTITY_PROVIDER_LOGIN", "USER_SESSION_DELETED")


class UserEvent(msgspec.Struct, frozen=True):
    """An `EventRepresentation` of the admin REST API."""

    time: int
    type: str
    id: str | None = None
    client: str | None = msgspec.field(default=None, name="clientId")
    user: str | None = msgspec.field(default=None, name="userId")
    session: str | None = msgspec.field(default=None, name="sessionId")
    error: str | None = None
    details: dict[str, str | None] | None = None


class Sent(msgspec.Struct, frozen=True):
    """What the webhook extension posts."""

    id: str
    uid: str
    time: int
    type: str
    realm: str | None = msgspec.field(default=None, name="realmName")
    auth: AuthDetails | None = msgspec.field(default=None, name="authDetails")
    details: dict[str, str | None] | None = None
    resource_type: str | None = msgspec.field(default=None, name="resourceType")
    operation: str | None = msgspec.field(default=None, name="operationType")
    resource_path: str | None = msgspec.field(default=None, name="resourcePath")
    representation: str | None = None
    error: str | None = None


def user_event(value: Any) -> Told:
    """Read one element of ``GET /events``."""
    return _user(strict.shaped(value, UserEvent))


def admin_event(value: Any) -> Told:
    """Read one element of ``GET /admin-events``."""
    return keycloak_admin.told(strict.shaped(value, AdminEvent))


def sent(value: Any, *, realm: str) -> Told | None:
    """Read the body of a webhook; None for one of another realm, or of the extension's own (``system.…``)."""
    found = strict.shaped(value, Sent)
    if found.realm is not None and found.realm != realm:
        return None
    group, _, kind = found.type.partition(".")
    auth = found.auth or AuthDetails()
    match group:
        case "access":
            event = UserEvent(
                time=found.time,
                type=kind,
                id=found.id,
                client=auth.client,
                user=auth.user,
                session=auth.session,
                error=found.error,
                details=found.details,
            )
            return _user(event)
        case "admin":
            admin = AdminEvent(
                time=found.time,
                id=found.id,
                auth=auth,
                operation=found.operation or kind.rpartition("-")[2],
                resource=found.resource_type or kind.rpartition("-")[0],
                path=found.resource_path,
                representation=found.representation,
                error=found.error,
            )
            return keycloak_admin.told(admin)
        case _:
            return None


def _user(event: UserEvent) -> Told:
    kind = USER_KINDS.get(event.type, "other")
    details = event.details or {}
    return Told(
        id=strict.required(event.id, "the event's id"),
        type=f"access.{event.type}"[: strict.LONGEST],
        kind=kind,
        at=strict.moment(event.time, per_second=1000),
        subject=strict.name(event.user),
        actor=strict.name(details.get("impersonator_id")),
        client=strict.name(event.client),
        session=strict.name(event.session),
        reason=strict.name(event.error),
    )
