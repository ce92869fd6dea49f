"""Where the provider keeps what it handed out a handle for: bounded, expiring, found by the handle's hash."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Generic, TypeVar

T = TypeVar("T")


def digest(handle: str) -> bytes:
    """Hash a handle, so that looking it up tells nothing by its timing and memory holds no bearer secret."""
    return sha256(handle.encode("utf-8", "surrogatepass")).digest()


@dataclass(slots=True)
class Shelf(Generic[T]):
    """Things under random handles; the oldest go when it is full."""

    room: int = 4096
    _things: dict[bytes, tuple[datetime, T]] = field(default_factory=dict)

    def put(self, thing: T, *, until: datetime, handle: str | None = None) -> str:
        """Keep *thing* until then; give its handle."""
        handle = handle or secrets.token_urlsafe(32)
        while len(self._things) >= self.room:
            del self._things[next(iter(self._things))]
        self._things[digest(handle)] = (until, thing)
        return handle

    def look(self, handle: str, *, now: datetime) -> T | None:
        """Give what is under *handle*, if it is still good."""
        found = self._things.get(digest(handle))
        return found[1] if found and now < found[0] else None

    def take(self, handle: str, *, now: datetime) -> T | None:
        """Give what is under *handle* and keep it no longer."""
        found = self._things.pop(digest(handle), None)
        return found[1] if found and now < found[0] else None

    def forget(self, handle: str) -> None:
        """Keep what is under *handle* no longer."""
        self._things.pop(digest(handle), None)

    def __iter__(self) -> Iterator[T]:
        return (thing for _, thing in tuple(self._things.values()))
