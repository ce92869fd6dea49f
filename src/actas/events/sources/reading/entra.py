"""What Microsoft Graph says: change notifications, and pages of delta queries (protocols.md, 7.2). Pure.

A notification says that something changed, not what: it is a bell. What changed, the delta query says; it has no
identifiers and no times, so an event is named by the link it was read by, the object and the change, which makes
the same page read twice the same events.
"""

import hashlib
from datetime import datetime
from typing import Any, Final

import msgspec

from actas.events.sources.errors import MalformedDelivery
from actas.events.sources.reading import strict
from actas.events.sources.reading.told import Kind, Told

MOST: Final = 1000
"""How many notifications one delivery may have."""
_NEVER: Final = "0001-01-01"
"""What Graph writes for a time that there is none of."""


class _Resource(msgspec.Struct, frozen=True):
    id: str | None = None


class Notification(msgspec.Struct, frozen=True):
    """One notification, of a change or of the subscription's own life."""

    subscription: str = msgspec.field(name="subscriptionId")
    secret: str = msgspec.field(default="", name="clientState")
    change: str | None = msgspec.field(default=None, name="changeType")
    resource: str | None = None
    data: _Resource | None = msgspec.field(default=None, name="resourceData")
    lifecycle: str | None = msgspec.field(default=None, name="lifecycleEvent")

    def __repr__(self) -> str:
        """Leave the secret out."""
        return f"Notification(change={self.change!r}, lifecycle={self.lifecycle!r})"


class _Delivery(msgspec.Struct, frozen=True):
    value: tuple[Notification, ...]


class _Removed(msgspec.Struct, frozen=True):
    reason: str | None = None


class _Member(msgspec.Struct, frozen=True):
    id: str
    type: str | None = msgspec.field(default=None, name="@odata.type")
    removed: _Removed | None = msgspec.field(default=None, name="@removed")


class Changed(msgspec.Struct, frozen=True):
    """A user, group or directory role that a delta query lists."""

    id: str
    removed: _Removed | None = msgspec.field(default=None, name="@removed")
    enabled: bool | None = msgspec.field(default=None, name="accountEnabled")
    valid_from: str | None = msgspec.field(default=None, name="signInSessionsValidFromDateTime")
    password_at: str | None = msgspec.field(default=None, name="lastPasswordChangeDateTime")
    members: tuple[_Member, ...] | None = msgspec.field(default=None, name="members@delta")


class Page(msgspec.Struct, frozen=True):
    """One page of a delta query."""

    value: tuple[Any, ...] = ()
    next_link: str | None = msgspec.field(default=None, name="@odata.nextLink")
    delta_link: str | None = msgspec.field(default=None, name="@odata.deltaLink")


def notifications(value: Any) -> tuple[Notification, ...]:
    """Read a delivery; several subscriptions may be mixed in it."""
    found = strict.shaped(value, _Delivery).value
    if not 0 < len(found) <= MOST:
        raise MalformedDelivery(why=f"it has {len(found)} notifications; 1 to {MOST} are read")
    return found


def change(value: Any, *, link: str, of: str, heard: datetime) -> tuple[Told, ...]:
    """Give what one object of the delta query over *of* (``users``, ``groups``, ``directoryRoles``) says."""
    one = strict.shaped(value, Changed)
    object_id = strict.required(one.id, "an object's id")

    def event(kind: Kind, what: str, **more: Any) -> Told:
        # What has a time of its own is the same however often Graph says it again.
        place = "" if "at" in more else link
        digest = hashlib.sha256(f"{place}\n{of}\n{object_id}\n{what}".encode()).hexdigest()
        return Told(
            id=digest,
            type=f"{of}.{what.partition(' ')[0]}",
            kind=kind,
            **{"at": heard, "raw": msgspec.json.encode(one), **more},
        )

    if of == "users":
        return _user(one, object_id, event)
    joined, left = _KINDS_OF_MEMBERS[of]
    name = {"groups": (object_id,)} if of == "groups" else {"roles": (object_id,)}
    if one.removed is not None:
        return (event(left, "deleted", **name),)
    found = tuple(
        event(left if member.removed else joined, f"{'left' if member.removed else 'joined'} {member.id}",
              subject=_person(member), **name)
        for member in one.members or ()
    )  # fmt: skip
    return found or (event("other", "updated", **name),)


def _person(member: _Member) -> str | None:
    """Name a member; a group inside another stands for people whom we do not know."""
    name = strict.required(member.id, "a member's id")
    return None if (member.type or "").lower().endswith(".group") else name


def _user(one: Changed, user: str, event: Any) -> tuple[Told, ...]:
    if one.removed is not None:
        return (event("user-deleted", "deleted", subject=user),)
    found: list[Told] = []
    if one.enabled is False:
        found.append(event("user-disabled", "disabled", subject=user))
    if one.valid_from is not None and not one.valid_from.startswith(_NEVER):
        at = strict.instant(one.valid_from)
        found.append(event("session-revoked", f"sessions {one.valid_from}", subject=user, at=at))
    if one.password_at is not None and not one.password_at.startswith(_NEVER):
        at = strict.instant(one.password_at)
        found.append(event("credential-changed", f"password {one.password_at}", subject=user, at=at))
    return tuple(found) or (event("other", "updated", subject=user),)


_KINDS_OF_MEMBERS: Final[dict[str, tuple[Kind, Kind]]] = {
    "groups": ("group-joined", "group-left"),
    "directoryRoles": ("role-granted", "role-revoked"),
}
