"""Where Keycloak's events and their settings are, what is asked for and how far, and what is wrong there. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from actas.events.interface import Advice
from actas.events.sources.reading import strict
from actas.events.sources.reading.keycloak import NOT_SAVED_BY_DEFAULT, USER_KINDS
from actas.events.sources.reading.told import ENDS, Told

PAGE: Final = 500
LEAST_PAGE: Final = 50
"""How few events are asked for at once where the provider is too slow for more."""
MOST: Final = 10_000
"""Events of one kind in one poll, while they bring anything new."""
LISTENER: Final = "ext-event-webhook"
SHORTEST: Final = timedelta(hours=24)
"""How long events must be kept at least to be caught up with after a night without us."""
KEPT: Final = timedelta(days=7)
"""How long they are kept where we are asked to mend it."""
BEGIN: Final = timedelta(hours=24)
"""How far back a source begins that has never asked."""
NEEDED: Final = tuple(sorted(USER_KINDS))
FEEDS: Final = ("events", "admin-events")


class Config(msgspec.Struct, frozen=True):
    """What ``GET /events/config`` says."""

    enabled: bool = msgspec.field(default=False, name="eventsEnabled")
    expiration: int = msgspec.field(default=0, name="eventsExpiration")
    listeners: tuple[str, ...] = msgspec.field(default=(), name="eventsListeners")
    types: tuple[str, ...] = msgspec.field(default=(), name="enabledEventTypes")
    admin: bool = msgspec.field(default=False, name="adminEventsEnabled")
    details: bool = msgspec.field(default=False, name="adminEventsDetailsEnabled")

    @property
    def kept(self) -> timedelta | None:
        """How long user events are kept; None: for ever."""
        return timedelta(seconds=min(self.expiration, 10**9)) if self.expiration > 0 else None


class Cursor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far each feed was read, in milliseconds of the provider's clock, and since when we listen."""

    events: int
    admin: int
    since: int
    asked: int
    """When we asked last, by our clock."""

    def of(self, feed: str) -> int:
        """Give the moment of *feed*."""
        return self.events if feed == "events" else self.admin


@dataclass(frozen=True, slots=True, kw_only=True)
class Realm:
    """Where a realm's admin REST API is."""

    base: str
    name: str

    @classmethod
    def of(cls, issuer: str, url: str | None) -> "Realm | None":
        """Find it from the realm's issuer; None where that is none of a realm."""
        base, found, name = issuer.rpartition("/realms/")
        return cls(base=(url or base).rstrip("/"), name=name) if found and name and "/" not in name else None

    @property
    def admin(self) -> str:
        """The base of everything."""
        return f"{self.base}/admin/realms/{self.name}"

    def page(self, feed: str, *, since: int, first: int, size: int, until: int | None = None) -> str:
        """Give the URL of one page, oldest first."""
        query: dict[str, Any] = {"dateFrom": max(since, 0), "direction": "asc", "first": first, "max": size}
        if until is not None:
            query["dateTo"] = until
        return f"{self.admin}/{feed}?{urlencode(query)}"


def start(now: datetime) -> Cursor:
    """Begin where nothing was ever asked."""
    at = milliseconds(now)
    back = milliseconds(now - BEGIN)
    return Cursor(events=back, admin=back, since=at, asked=at)


def read_cursor(text: str | None, now: datetime) -> Cursor:
    """Read our own cursor; one that is none begins anew, which repeats and misses nothing."""
    if text is None:
        return start(now)
    try:
        return msgspec.json.decode(text, type=Cursor)
    except msgspec.DecodeError:
        return start(now)


def milliseconds(at: datetime) -> int:
    """Write a moment as Keycloak does."""
    return (at - strict.EPOCH) // timedelta(milliseconds=1)


def wanted(told: Told, cursor: Cursor) -> bool:
    """Tell whether an event counts: of what was before we listened, only what ends access does."""
    return milliseconds(told.at) >= cursor.since or told.kind in ENDS


def advice(config: Config, *, pushes: bool) -> Iterator[Advice]:
    """Say what of the realm's settings keeps events from us."""
    yield _switch(
        config.enabled, "events-not-saved", "user events",
        "Switch on Realm settings > Events > User events settings > Save events.",
    )  # fmt: skip
    # None named means Keycloak's own choice.
    missing = sorted(set(NEEDED) - set(config.types) if config.types else set(NEEDED) & set(NOT_SAVED_BY_DEFAULT))
    if missing:
        named = ", ".join(missing[:12])
        hint = "Add them under Realm settings > Events > User events settings > Add saved types."
        unusual = [one for one in missing if one not in NOT_SAVED_BY_DEFAULT]
        code = "event-types-not-saved"
        yield Advice(
            code=code,
            severity="error" if unusual else "warning",
            message=f"events of these types are not saved: {named}",
            hint=hint,
            can_mend=bool(config.types),
        )
    else:
        yield _fine("event-types-saved", "every type of event that means something here is saved")
    yield _switch(
        config.admin, "admin-events-not-saved", "admin events",
        "Switch on Realm settings > Events > Admin events settings > Save events.",
    )  # fmt: skip
    yield _switch(
        config.details, "admin-events-without-details", "the representations of admin events",
        "Switch on Realm settings > Events > Admin events settings > Include representation: "
        "without it every change of a user counts as if they were disabled.",
    )  # fmt: skip
    yield _retention(config)
    if pushes:
        yield _listener(config)


def _switch(on: bool, code: str, what: str, hint: str) -> Advice:  # noqa: FBT001 - private
    if on:
        return _fine(code.replace("-not-saved", "-saved").replace("without", "with"), f"{what} are saved")
    return Advice(code=code, severity="error", message=f"{what} are not saved", hint=hint, can_mend=True)


def _retention(config: Config) -> Advice:
    kept = config.kept
    if kept is None:
        return _fine("retention", "user events are kept for ever")
    if kept >= SHORTEST:
        return _fine("retention", f"user events are kept for {_hours(kept)} h")
    return Advice(
        code="retention-too-short",
        severity="warning",
        message=f"user events are kept for {_hours(kept)} h, so a longer outage of this gateway loses some",
        hint="Set Realm settings > Events > User events settings > Expiration to 7 days.",
        can_mend=True,
    )


def _listener(config: Config) -> Advice:
    if LISTENER in config.listeners:
        return _fine("webhook-listening", f"the listener {LISTENER} is on")
    return Advice(
        code="webhook-not-listening",
        severity="warning",
        message=f"the source takes webhooks, and the listener {LISTENER} is not on: events come by asking alone",
        hint="Install the extension keycloak-events; add it under Realm settings > Events > Event listeners.",
    )


def mended(raw: dict[str, Any]) -> dict[str, Any]:
    """Give the configuration *raw* with everything switched on that we need, and nothing switched off."""
    config = strict.shaped(raw, Config)
    kept = config.kept
    return raw | {
        "eventsEnabled": True,
        "adminEventsEnabled": True,
        "adminEventsDetailsEnabled": True,
        "enabledEventTypes": list(dict.fromkeys((*config.types, *NEEDED))) if config.types else [],
        "eventsExpiration": int(KEPT.total_seconds()) if kept is not None and kept < SHORTEST else config.expiration,
    }


def _fine(code: str, message: str) -> Advice:
    return Advice(code=code, severity="fine", message=message, hint="")


def _hours(span: timedelta) -> str:
    return f"{span.total_seconds() / 3600:g}"
