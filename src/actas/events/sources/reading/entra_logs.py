"""What Entra's logs say: sign-ins, and what was done in the directory (Microsoft Graph, ``auditLogs``). Pure.

Of the directory, delta queries tell of users, groups and directory roles; what the audit log says of those again is
``other``, so that nothing happens twice. App roles, clients and second factors it alone tells of.
"""

import re
from typing import Any, Final

import msgspec

from actas.events.sources.reading import strict
from actas.events.sources.reading.told import Kind, Told

NOBODY: Final = "00000000-0000-0000-0000-000000000000"
_INTERRUPTED: Final = frozenset(
    {
        *(50055, 50058, 50072, 50074, 50076, 50079, 50097, 50125, 50127, 50129, 50140, 50144),
        *(16000, 16001, 16003, 65001, 65004, 81010, 81012, 81014, 399218, 502031),
    }
)
"""A step on the way (a second factor asked for, an account chosen, consent): neither a sign-in nor a failure."""
_AT_RISK: Final = frozenset({"atRisk", "confirmedCompromised"})
_LEVELS: Final = frozenset({"low", "medium", "high"})


class _Status(msgspec.Struct, frozen=True):
    code: int = msgspec.field(default=0, name="errorCode")


class SignIn(msgspec.Struct, frozen=True):
    """One entry of the sign-in log."""

    id: str
    at: str = msgspec.field(name="createdDateTime")
    user: str | None = msgspec.field(default=None, name="userId")
    service: str | None = msgspec.field(default=None, name="servicePrincipalId")
    client: str | None = msgspec.field(default=None, name="appId")
    session: str | None = msgspec.field(default=None, name="sessionId")
    status: _Status | None = None
    interactive: bool | None = msgspec.field(default=None, name="isInteractive")
    level: str | None = msgspec.field(default=None, name="riskLevelDuringSignIn")
    state: str | None = msgspec.field(default=None, name="riskState")


class _User(msgspec.Struct, frozen=True):
    id: str | None = None


class _App(msgspec.Struct, frozen=True):
    id: str | None = msgspec.field(default=None, name="appId")
    service: str | None = msgspec.field(default=None, name="servicePrincipalId")


class _By(msgspec.Struct, frozen=True):
    user: _User | None = None
    app: _App | None = None


class _Target(msgspec.Struct, frozen=True):
    id: str | None = None
    type: str | None = None
    kind: str | None = msgspec.field(default=None, name="Type")
    """As the documentation's first example has it."""

    @property
    def is_a(self) -> str:
        return (self.type or self.kind or "").lower()


class Audit(msgspec.Struct, frozen=True):
    """One entry of the audit log."""

    id: str
    at: str = msgspec.field(name="activityDateTime")
    activity: str = msgspec.field(name="activityDisplayName")
    result: str | None = None
    by: _By | None = msgspec.field(default=None, name="initiatedBy")
    targets: tuple[_Target, ...] | None = msgspec.field(default=None, name="targetResources")


def sign_in(value: Any) -> tuple[Told, ...]:
    """Read one sign-in, and what Entra thinks of it: a risk that is found later is told when it is."""
    entry = strict.shaped(value, SignIn)
    name, at = strict.required(entry.id, "the entry's id"), strict.instant(entry.at)
    code = 0 if entry.status is None else entry.status.code
    subject = _somebody(entry.user) or _somebody(entry.service)
    told = Told(
        id=f"signIns.{name}"[: strict.LONGEST],
        type="signIns",
        kind=_kind(entry, code),
        at=at,
        subject=subject,
        client=strict.name(entry.client),
        session=strict.name(entry.session),
        reason=str(code) if code else None,
    )
    level, state = (entry.level or "none"), (entry.state or "none")
    if level not in _LEVELS and state not in _AT_RISK:
        return (told,)
    risk = Told(
        id=f"signIns.{name}.{level}.{state}"[: strict.LONGEST],
        type="signIns.risk",
        kind="risk-changed",
        at=at,
        subject=subject,
        client=told.client,
        session=told.session,
        reason=strict.name(level if level in _LEVELS else state),
    )
    return told, risk


def _kind(entry: SignIn, code: int) -> Kind:
    if code:
        return "other" if code in _INTERRUPTED else "sign-in-failed"
    # Without the person: a client that went on by a token it had.
    return "token-refreshed" if entry.interactive is False and _somebody(entry.user) else "signed-in"


def audit(value: Any) -> tuple[Told, ...]:
    """Read one entry of the audit log; what failed did not happen."""
    entry = strict.shaped(value, Audit)
    name = strict.required(entry.id, "the entry's id")
    by, targets = entry.by or _By(), entry.targets or ()
    activity = " ".join(entry.activity.lower().split())
    kind: Kind = next((kind for pattern, kind in _ACTIVITIES if pattern.fullmatch(activity)), "other")
    if (entry.result or "").lower() != "success":
        kind = "other"
    people = [one.id for one in targets if one.is_a == "user"]
    services = [one.id for one in targets if one.is_a == "serviceprincipal"]
    # An app role is of the first service principal, and goes to or from the second where there is one.
    whom = people or (services[1:] if kind.startswith("role-") else [])
    user, app = by.user or _User(), by.app or _App()
    subject, actor = strict.name(next(iter(whom), None)), _somebody(user.id) or _somebody(app.service)
    clients = services[:1] if kind in ("client-changed", "role-granted", "role-revoked") else []
    told = Told(
        id=f"directoryAudits.{name}"[: strict.LONGEST],
        type=f"directoryAudits.{strict.required(entry.activity, 'the activity')}"[: strict.LONGEST],
        kind=kind,
        at=strict.instant(entry.at),
        subject=subject,
        actor=actor if actor != subject else None,
        client=strict.name(next(iter(clients), None)) or strict.name(app.id),
        groups=strict.names(tuple(one.id for one in targets if one.is_a == "group")),
    )
    return (told,)


def _somebody(found: str | None) -> str | None:
    return None if found == NOBODY else strict.name(found)


_ACTIVITIES: Final[tuple[tuple[re.Pattern[str], Kind], ...]] = (
    (re.compile(r"add app role assignment .*"), "role-granted"),
    (re.compile(r"remove app role assignment .*"), "role-revoked"),
    (
        re.compile(r"(?:user|admin) (?:registered|deleted|updated|changed default) security info.*"),
        "credential-changed",
    ),
    (re.compile(r"(?:consent to application|(?:add|remove) delegated permission grant)"), "client-changed"),
    (
        re.compile(r"(?:add|update|delete|hard delete|remove|restore) (?:application|service principal)\b.*"),
        "client-changed",
    ),
)
