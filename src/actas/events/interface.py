"""The socket of this room: a source brings identity events, and may be able to do more.

What every source has is `Source`. How it is heard is an ability: `Polls`, `Receives`, or both at once, of which
whichever comes first counts. What else it can do for people is `Compares`, `Examines` and `Mends`. Each ability is
a protocol of its own, looked for once, when the source is made.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

from actas.events.normal import IdentityEvent
from actas.identify.flow import Fetch
from actas.model.secret import Secret
from actas.settings.schema import SecretRef


@dataclass(frozen=True, slots=True, kw_only=True)
class Making:
    """What a source is made with besides its settings."""

    name: str
    """Its name in ``events.sources``."""
    folder: Path
    """Where relative paths start."""
    secret: Callable[[SecretRef], Secret]
    """Gives what a reference points to, or raises; read it at each use, it may be changed."""
    clock: Callable[[], datetime]
    fetch: Fetch
    """Makes one request to a provider, with all its limits (`actas.identify.fetch`)."""
    public_url: str
    """Where pushed events come to: ``{public_url}/events/{name}``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What one poll brought."""

    events: tuple[IdentityEvent, ...]
    """In the provider's order, oldest first; what an earlier batch held may come again."""
    cursor: str
    """Where the next poll goes on. It is kept in the transaction that keeps the events, so what it acknowledges is
    durable here."""
    more: bool = False
    """Whether there is more already: the next poll then comes at once."""
    missed: bool = False
    """Whether something may have been missed: the cursor was older than what the provider still keeps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushed:
    """One request to the source's address, within its limits, and not believed yet."""

    method: str
    query: str
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    """Names in lower case."""
    body: bytes = field(repr=False)
    received_at: datetime

    def header(self, name: str) -> str | None:
        """Give the only header called *name*, in lower case; None where there is none or more than one."""
        found = [value for key, value in self.headers if key == name]
        return found[0] if len(found) == 1 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What is answered, once the events are durable."""

    status: int = 202
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    events: tuple[IdentityEvent, ...] = ()
    """What the request told; empty for a verification, and for what repeats only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How a source does, as far as it knows itself."""

    trouble: str | None = None
    """The code of what went wrong last; None where nothing did."""
    reaches_back: timedelta | None = None
    """How far back it could catch up: what the provider keeps. None: nothing can be had again, or it is not known."""
    notes: tuple[str, ...] = ()
    """Sentences for people."""


@runtime_checkable
class Source(Protocol):
    """Hears one provider.

    Promises that the contract holds every source to:

    * an event has the same id whichever way, and however often, it comes;
    * nothing that was not authentic becomes an event; a refusal is an `ActasError`;
    * times are the provider's own, subjects are what its tokens carry;
    * no secret and no name is in an error or a log.
    """

    @property
    def name(self) -> str:
        """Its name in ``events.sources``."""
        ...

    @property
    def provider(self) -> str:
        """The provider in ``providers`` that it speaks of."""
        ...

    def health(self) -> Health:
        """Tell how it does; never waits."""
        ...

    async def close(self) -> None:
        """Let go of everything."""
        ...


@runtime_checkable
class Polls(Source, Protocol):
    """The source asks the provider."""

    @property
    def every(self) -> timedelta:
        """How long to wait between two polls when there is nothing."""
        ...

    async def poll(self, cursor: str | None, *, now: datetime) -> Batch:
        """Ask for what came after *cursor*; None: begin, with what the provider still has that ends access."""
        ...


@runtime_checkable
class Receives(Source, Protocol):
    """The provider pushes to the source's address."""

    async def receive(self, pushed: Pushed, *, now: datetime) -> Reply:
        """Read one request and say what it told, or raise an `ActasError` whose status is then answered."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One event that the provider lists."""

    id: str
    happened_at: datetime
    kind: str


@runtime_checkable
class Compares(Source, Protocol):
    """The source can tell what the provider has, for the gap detector."""

    def compare(self, since: datetime, *, until: datetime) -> AsyncIterator[Listed]:
        """Give every event between the two that the provider lists and this source would bring, in any order."""
        ...


@runtime_checkable
class Begins(Protocol):
    """The source can tell since when it brings everything."""

    def began(self, cursor: str) -> datetime | None:
        """Read it from a cursor of ours; before it, only what ends access was brought. None: it is not known."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """One thing that stands between the provider and a working source."""

    code: str
    """``events-not-saved``, ``retention-too-short``: kebab, never changes."""
    severity: Literal["error", "warning", "fine"]
    message: str
    """What is so."""
    hint: str
    """What to switch on, where, in the imperative; for ``fine`` empty."""
    can_mend: bool = False


@runtime_checkable
class Examines(Source, Protocol):
    """The source can look at the provider's own settings, for ``actas events doctor``."""

    async def examine(self, *, now: datetime) -> tuple[Advice, ...]:
        """Look, change nothing, and tell what was found, also what is fine."""
        ...


@runtime_checkable
class Mends(Source, Protocol):
    """The source can put right what it advises, with an administrator's own token."""

    async def mend(self, administrator: Secret, *, now: datetime) -> tuple[Advice, ...]:
        """Put right what `examine` says can be mended; give what was changed."""
        ...
