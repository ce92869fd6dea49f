"""Revocation as watermarks: what was issued up to an event is refused (design.md, 8.5).

A mark is the provider's event time, for one subject or for a whole provider. Where the marks are kept is another
room's matter; here is what the verifier needs of them, and a table in memory.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from actas.model.identity import Identity

UNREAD_AFTER: Final = timedelta(seconds=5)
"""How old our reading of the marks may be; a table that lives in this process is never old."""


ALWAYS: Final = datetime.max.replace(tzinfo=UTC)
"""When marks were read that live in this process."""


class Watermarks(Protocol):
    """Who was revoked, and when.

    Promises:

    * `sequence` grows with each change, so that an answer given under an older one is asked for anew;
    * `read_at` is when the table was last known to be whole;
    * `refuses` neither waits nor fails;
    * `caught_up` waits a moment at most, for a reading that is due.
    """

    @property
    def sequence(self) -> int:
        """Count the changes."""
        ...

    @property
    def read_at(self) -> datetime:
        """Tell when the table was last read whole."""
        ...

    async def caught_up(self, now: datetime) -> None:
        """Return when the table was read lately, or is not about to be."""
        ...

    def refuses(
        self,
        *,
        provider: str,
        subject: str,
        session: str | None,
        issued_at: datetime | None,
        address: str | None = None,
        acting: Sequence[str] = (),
    ) -> bool:
        """Say whether evidence issued then is revoked: it is when it is not later than a mark.

        With an *address*, also by the marks of people who were named by it; an empty one may be any of theirs.
        Also by the marks of those who are *acting* for the subject.
        """
        ...


@dataclass(slots=True)
class MarksInMemory:
    """Marks of this process alone; they end with it."""

    sequence: int = 0
    read_at: datetime = ALWAYS
    _marks: dict[tuple[str, str | None, str | None], datetime] = field(default_factory=dict)

    def mark(self, *, provider: str, at: datetime, subject: str | None = None, session: str | None = None) -> None:
        """Revoke what was issued up to *at*: of a subject, of one of its sessions, or of the whole provider."""
        key = (provider, subject, session)
        self._marks[key] = max(at, self._marks.get(key, at))
        self.sequence += 1

    async def caught_up(self, now: datetime) -> None:
        """Return: nobody else writes here."""

    def refuses(
        self,
        *,
        provider: str,
        subject: str,
        session: str | None,
        issued_at: datetime | None,
        address: str | None = None,
        acting: Sequence[str] = (),
    ) -> bool:
        """Say whether evidence issued then is revoked; here nobody is named by an address."""
        del address
        keys: set[tuple[str, str | None, str | None]] = {(provider, None, None), (provider, subject, None)}
        if session is not None:
            keys |= {(provider, subject, session), (provider, None, session)}
        keys |= {(provider, actor, None) for actor in acting}
        marks = [self._marks[key] for key in keys if key in self._marks]
        return any(issued_at is None or issued_at <= mark for mark in marks)


def is_revoked(identity: Identity, marks: Watermarks) -> bool:
    """Tell whether what *identity* rests on has ended."""
    return marks.refuses(
        provider=identity.provider,
        subject=identity.subject,
        session=identity.provider_session,
        issued_at=identity.issued_at,
        address=identity.address,
        acting=identity.acting,
    )
