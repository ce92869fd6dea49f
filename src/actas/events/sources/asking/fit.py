"""From what a provider tells to an `IdentityEvent` of ours, whose times can be believed. Pure."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from actas.events.normal import LONGEST_ID, MOST, IdentityEvent, Kind
from actas.events.sources.errors import DeliveryFromTheFuture, DeliveryTooOld
from actas.events.sources.reading.told import Told

AHEAD: Final = timedelta(minutes=5)
"""How far a provider's clock may be before ours. Within it the provider's time stands, for its tokens have the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """What every event of one source has."""

    source: str
    provider: str
    oldest: timedelta
    """How long ago what is pushed may have happened; whoever asks may go back as far as the provider does."""
    keep_raw: bool = False

    def pushed(self, told: Iterable[Told], *, now: datetime, raw: bytes) -> tuple[IdentityEvent, ...]:
        """Fit what was pushed: refused where its time cannot be."""
        listed = tuple(told)
        for one in listed:
            timely(one.at, now=now, oldest=self.oldest)
        return tuple(self._event(one, now, raw) for one in listed)

    def asked(self, told: Iterable[Told], *, now: datetime, raw: bytes | None = None) -> tuple[IdentityEvent, ...]:
        """Fit what the provider gave when it was asked: nothing of it may be lost, so a time beyond now is now."""
        return tuple(self._event(one if one.at <= now + AHEAD else replace(one, at=now), now, raw) for one in told)

    def with_raw(self, told: Iterable[Told], came: Any) -> list[Told]:
        """Give what the provider's *came* told, with it where it is to be kept."""
        if not self.keep_raw:
            return list(told)
        return [replace(one, raw=msgspec.json.encode(came)) for one in told]

    def _event(self, told: Told, now: datetime, raw: bytes | None) -> IdentityEvent:
        return IdentityEvent(
            id=name_of(told),
            source=self.source,
            provider=self.provider,
            kind=Kind(told.kind),
            happened_at=told.at,
            heard_at=now,
            type=told.type,
            subject=told.subject,
            actor=told.actor,
            client=told.client,
            session=told.session,
            roles=told.roles[:MOST],
            groups=told.groups[:MOST],
            reason=told.reason,
            named=told.named if told.subject is None else (),
            raw=(told.raw or raw) if self.keep_raw else None,
        )


def name_of(told: Told) -> str:
    """Give the event's id: the provider's own, or a digest of one that is too long."""
    return told.id if len(told.id) <= LONGEST_ID else hashlib.sha256(told.id.encode()).hexdigest()


def timely(at: datetime, *, now: datetime, oldest: timedelta) -> None:
    """Refuse a time that is too far from now."""
    if at > now + AHEAD:
        raise DeliveryFromTheFuture(seconds=int((at - now).total_seconds()), allowed=int(AHEAD.total_seconds()))
    if at < now - oldest:
        raise DeliveryTooOld(seconds=int((now - at).total_seconds()), allowed=int(oldest.total_seconds()))
