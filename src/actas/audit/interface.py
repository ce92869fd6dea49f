"""The sockets of this room: records go in and are kept; a subject goes in and a pseudonym comes out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from actas.audit.records import Entry


class Sink(Protocol):
    """Keeps records, in order, durably.

    Promises that the contract holds every sink to:

    * when `write` returns, every record handed to it is durable and in the order given;
    * what was written can be read back and proved unchanged;
    * not being able to keep a record is an `AuditError`, and later writes are refused until it can again.
    """

    def write(self, entries: Sequence[Entry]) -> None:
        """Keep *entries*, all or none; blocking, called off the event loop, by one thread at a time."""
        ...


class Guards(Protocol):
    """A sink that knows beforehand that it could not keep a decision: a disk whose reserve is reached."""

    def check(self) -> None:
        """Raise why not; return if it could."""
        ...


class Anchors(Protocol):
    """A sink that signs its head, so that a copy of it proves all that came before."""

    def checkpoint(self, now: datetime) -> None:
        """Sign the head as it is now."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """One line of the trail for somebody who keeps a copy: its number, its bytes without the line feed, its record."""

    seq: int
    text: bytes
    entry: Entry


class Follower(Protocol):
    """Keeps a copy of the trail, or of what it says, somewhere else; the files stay the chain.

    It gets every line once it is durable here, in order, again where it failed, and at least once.
    """

    @property
    def name(self) -> str:
        """Name it: where it is in the trail is remembered under that."""
        ...

    async def take(self, lines: Sequence[Copied]) -> None:
        """Keep *lines*; return when they are kept, raise an `AuditError` where not, and get the same ones again."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


class Pseudonyms(Protocol):
    """Names a person without naming them."""

    def known(self, issuer: str, subject: str, now: datetime) -> str | None:
        """Give the pseudonym if it is at hand; never waits."""
        ...

    async def of(self, issuer: str, subject: str) -> str:
        """Give the pseudonym of *subject* in this epoch; the same person, the same name until the epoch ends."""
        ...
