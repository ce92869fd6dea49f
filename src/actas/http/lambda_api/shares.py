"""How much may wait to be run later, in all and of one caller, so that nobody keeps the others out. Pure."""

import hashlib
import json
from dataclasses import dataclass, field
from typing import Final, Self

from actas.http.errors import TooManyEvents, TooManyEventsOfCaller
from actas.model.held import Held
from actas.settings.schema_gateway import Limits
from actas.store.outbox_shares import LETTERS
from actas.store.outbox_shares import Shares as Stored

NOTHING: Final = (0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What may wait; as much again may be set apart."""

    events: int
    """Of all callers together."""
    of_one: int
    """Of one caller."""
    size: int
    """Bytes of all; one caller's are the same part of it as the caller's events are of all."""

    @classmethod
    def by(cls, limits: Limits) -> Self:
        """Read it in the settings."""
        return cls(events=limits.later, of_one=limits.later_per_subject, size=limits.later_size.bytes)

    @property
    def size_of_one(self) -> int:
        """Give the bytes of one caller."""
        return min(self.size, self.size * self.of_one // self.events)


def whose(held: Held) -> str:
    """Name the caller; a pseudonym is what it is made of, so the name says nothing to who does not have the trail."""
    return hashlib.sha256(json.dumps([held.provider, held.subject]).encode()).hexdigest()[:LETTERS]


@dataclass(slots=True)
class Waiting:
    """What waits, by caller."""

    _of: dict[str, tuple[int, int]] = field(default_factory=dict)
    _events: int = 0
    _size: int = 0

    @property
    def events(self) -> int:
        """Tell how many there are."""
        return self._events

    def learn(self, stored: Stored) -> None:
        """Take what the database has for the truth."""
        self._of = dict(stored)
        self._events = sum(count for count, _ in stored.values())
        self._size = sum(size for _, size in stored.values())

    def admit(self, who: str, size: int, room: Room) -> None:
        """Raise an error where one more of *who* is too many; somebody of whom nothing waits has room for one."""
        count, bytes_ = self._of.get(who, NOTHING)
        if count and (count >= room.of_one or bytes_ + size > room.size_of_one):
            raise TooManyEventsOfCaller(waiting=count, size=bytes_)
        if self._events and (self._events >= room.events or self._size + size > room.size):
            raise TooManyEvents(waiting=self._events, size=self._size)

    def add(self, who: str, size: int, *, count: int = 1) -> None:
        """Take note of one more; with a *count* of -1 of one less."""
        had, bytes_ = self._of.get(who, NOTHING)
        self._of[who] = max(0, had + count), max(0, bytes_ + count * size)
        if not self._of[who][0]:
            del self._of[who]
        self._events, self._size = max(0, self._events + count), max(0, self._size + count * size)


def beyond(dead: Stored, room: Room) -> list[tuple[str | None, int, int]]:
    """Say of what is set apart whose is too much, and how much may stay; None stands for all together."""
    found: list[tuple[str | None, int, int]] = [
        (who, room.of_one, room.size_of_one)
        for who, (count, size) in dead.items()
        if count > room.of_one or size > room.size_of_one
    ]
    if sum(count for count, _ in dead.values()) > room.events or sum(size for _, size in dead.values()) > room.size:
        found.append((None, room.events, room.size))
    return found
