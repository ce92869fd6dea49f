"""What Google's Admin reports say (Reports API, ``activities.list``). Pure.

The people in them are named by e-mail address but for who acted, who has a profile id too. Tokens carry the profile
id, so an address is handed on for the directory to be asked.
"""

from typing import Any, Final

import msgspec

from actas.events.sources.errors import MalformedDelivery
from actas.events.sources.reading import strict
from actas.events.sources.reading.told import ADDRESS, Kind, Told

APPLICATIONS: Final = ("login", "admin", "token", "user_accounts", "groups_enterprise")
"""The reports that hold identity events."""
KINDS: Final[dict[str, Kind]] = {
    "login/login_success": "signed-in",
    "login/login_failure": "sign-in-failed",
    "login/logout": "signed-out",
    "login/account_disabled_password_leak": "user-disabled",
    "login/account_disabled_generic": "user-disabled",
    "login/account_disabled_spamming": "user-disabled",
    "login/account_disabled_spamming_through_relay": "user-disabled",
    "login/account_disabled_hijacked": "user-disabled",
    "login/suspicious_login": "risk-changed",
    "login/suspicious_login_less_secure_app": "risk-changed",
    "login/suspicious_programmatic_login": "risk-changed",
    "login/gov_attack_warning": "risk-changed",
    "token/revoke": "session-revoked",
    "user_accounts/password_edit": "credential-changed",
    "user_accounts/2sv_enroll": "credential-changed",
    "user_accounts/2sv_disable": "credential-changed",
    "user_accounts/titanium_enroll": "credential-changed",
    "user_accounts/titanium_unenroll": "credential-changed",
    "user_accounts/recovery_email_edit": "credential-changed",
    "user_accounts/recovery_phone_edit": "credential-changed",
    "user_accounts/recovery_secret_qa_edit": "credential-changed",
    "admin/SUSPEND_USER": "user-disabled",
    "admin/ARCHIVE_USER": "user-disabled",
    "admin/DELETE_USER": "user-deleted",
    "admin/ASSIGN_ROLE": "role-granted",
    "admin/GRANT_ADMIN_PRIVILEGE": "role-granted",
    "admin/UNASSIGN_ROLE": "role-revoked",
    "admin/REVOKE_ADMIN_PRIVILEGE": "role-revoked",
    "admin/DELETE_ROLE": "role-revoked",
    "admin/REMOVE_PRIVILEGE": "role-revoked",
    "admin/ADD_GROUP_MEMBER": "group-joined",
    "admin/REMOVE_GROUP_MEMBER": "group-left",
    "admin/DELETE_GROUP": "group-left",
    "admin/CHANGE_PASSWORD": "credential-changed",
    "admin/TURN_OFF_2_STEP_VERIFICATION": "credential-changed",
    "admin/UNENROLL_USER_FROM_STRONG_AUTH": "credential-changed",
    "admin/REVOKE_SECURITY_KEY": "credential-changed",
    "admin/RESET_SIGNIN_COOKIES": "session-revoked",
    "admin/REVOKE_3LO_TOKEN": "session-revoked",
    "admin/REMOVE_API_CLIENT_ACCESS": "client-changed",
    "admin/AUTHORIZE_API_CLIENT_ACCESS": "client-changed",
    "groups_enterprise/add_member": "group-joined",
    "groups_enterprise/remove_member": "group-left",
    "groups_enterprise/ban_user_with_moderation": "group-left",
    "groups_enterprise/delete_group": "group-left",
}
_MAILS: Final = ("USER_EMAIL", "affected_email_address", "member_id", "MEMBER_EMAIL")
_GROUPS: Final = ("GROUP_EMAIL", "group_id")
_ROLES: Final = ("ROLE_NAME",)
_CLIENTS: Final = ("client_id", "API_CLIENT_NAME", "APP_ID")
_BY_THEMSELVES: Final = ("login/", "token/", "user_accounts/")


class _Id(msgspec.Struct, frozen=True):
    time: str
    qualifier: str = msgspec.field(name="uniqueQualifier")
    application: str = msgspec.field(name="applicationName")


class _Actor(msgspec.Struct, frozen=True):
    profile: str | None = msgspec.field(default=None, name="profileId")
    email: str | None = None


class _Parameter(msgspec.Struct, frozen=True):
    name: str | None = None
    value: str | None = None


class _Event(msgspec.Struct, frozen=True):
    name: str | None = None
    parameters: tuple[_Parameter, ...] | None = None


class Activity(msgspec.Struct, frozen=True):
    """One activity, which may hold several events."""

    id: _Id
    actor: _Actor | None = None
    events: tuple[_Event, ...] = ()


def activity(value: Any) -> tuple[Told, ...]:
    """Read one activity; each of its events is told by itself."""
    found = strict.shaped(value, Activity)
    if len(found.events) > 100:
        raise MalformedDelivery(why="one activity has more than 100 events")
    return tuple(_told(found, one, place) for place, one in enumerate(found.events))


def _told(whole: Activity, event: _Event, place: int) -> Told:
    named = f"{whole.id.application}/{event.name or 'unknown'}"
    said = {one.name: one.value for one in event.parameters or () if one.name and one.value}
    kind: Kind = KINDS.get(named, "other")
    actor = whole.actor or _Actor()
    mail = next((said[one] for one in _MAILS if one in said), None)
    alone = named.startswith(_BY_THEMSELVES) and (mail is None or mail == actor.email)
    name = strict.required(whole.id.qualifier, "the activity's uniqueQualifier")
    return Told(
        # Google names an activity by its time, its application and this number together.
        id=f"{whole.id.application}.{whole.id.time}.{name}.{place}"[: strict.LONGEST],
        type=named[: strict.LONGEST],
        kind=kind,
        at=strict.instant(whole.id.time),
        subject=strict.name(actor.profile) if alone else None,
        named=_named(actor.email if alone else mail),
        actor=None if alone else strict.name(actor.profile),
        client=_first(said, _CLIENTS),
        roles=strict.names((_first(said, _ROLES),)) if kind.startswith("role-") else (),
        groups=strict.names((_first(said, _GROUPS),)),
    )


def _named(mail: str | None) -> tuple[str, ...]:
    found = strict.name(mail)
    return () if found is None else ((ADDRESS + found)[: strict.LONGEST],)


def _first(said: dict[str, str], wanted: tuple[str, ...]) -> str | None:
    return strict.name(next((said[one] for one in wanted if one in said), None))
