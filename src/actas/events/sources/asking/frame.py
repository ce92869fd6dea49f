"""What every source holds, and two halves of a source, one that asks and one that is told, put together."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import TracebackType
from typing import Final, Protocol

from actas.errors import ActasError
from actas.events.interface import Advice, Batch, Health, Listed, Making, Pushed, Reply
from actas.events.sources.asking.fit import Fit
from actas.events.sources.errors import SourceIncomplete
from actas.model.secret import Secret
from actas.settings.schema import Provider, SecretRef
from actas.settings.schema_events import EventSource

ONE_POLL: Final = timedelta(seconds=20)
"""How long one poll goes on reading; far less than it may take in all, so that progress is kept however slow it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A source's settings and surroundings."""

    settings: EventSource
    provider: Provider
    making: Making
    fit: Fit

    @classmethod
    def of(cls, settings: EventSource, provider: Provider, making: Making) -> "Frame":
        """Put them together."""
        fit = Fit(
            source=making.name,
            provider=settings.provider,
            oldest=settings.oldest.time,
            keep_raw=settings.keep_raw,
        )
        return cls(settings=settings, provider=provider, making=making, fit=fit)

    @property
    def name(self) -> str:
        """The source's name."""
        return self.making.name

    def spent(self) -> Callable[[], bool]:
        """Give what tells that a poll has taken its time: what it read so far is kept before it reads on."""
        clock = self.making.clock
        until = clock() + ONE_POLL
        return lambda: clock() >= until

    def secret(self, reference: SecretRef | None, key: str) -> Secret:
        """Read a secret that must be there, as it is at this moment."""
        if reference is None:
            raise SourceIncomplete(source=self.name, why=f"has no {key}")
        return self.making.secret(reference)


class Trouble:
    """Remembers what went wrong last: ``with trouble:`` around each question to the provider."""

    def __init__(self) -> None:
        self.code: str | None = None
        """The code of the last question's error; None where it went well."""

    def __enter__(self) -> None:
        """Begin a question."""

    def __exit__(
        self, kind: type[BaseException] | None, wrong: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take note of how it ended; one that was cancelled says nothing."""
        if wrong is None:
            self.code = None
        elif isinstance(wrong, ActasError):
            self.code = wrong.code


class Asked(Protocol):
    """The half that asks."""

    name: str
    provider: str
    every: timedelta

    def health(self) -> Health:
        """Tell how it does."""
        ...

    async def close(self) -> None:
        """Let go of everything."""
        ...

    async def poll(self, cursor: str | None, *, now: datetime) -> Batch:
        """Ask."""
        ...

    def compare(self, since: datetime, *, until: datetime) -> AsyncIterator[Listed]:
        """List what the provider has."""
        ...

    def began(self, cursor: str) -> datetime | None:
        """Tell since when everything is brought."""
        ...

    async def examine(self, *, now: datetime) -> tuple[Advice, ...]:
        """Look at the provider's settings."""
        ...


class Told(Protocol):
    """The half that is told."""

    name: str
    provider: str

    def health(self) -> Health:
        """Tell how it does."""
        ...

    async def close(self) -> None:
        """Let go of everything."""
        ...

    async def receive(self, pushed: Pushed, *, now: datetime) -> Reply:
        """Be told."""
        ...

    async def examine(self, *, now: datetime) -> tuple[Advice, ...]:
        """Say what to switch on to be told."""
        ...


class Both:
    """Asks and is told: an event has one id whichever way it comes, so the inbox takes it once."""

    def __init__(self, asked: Asked, told: Told) -> None:
        self.asked, self.told = asked, told
        self.name, self.provider, self.every = asked.name, asked.provider, asked.every

    def health(self) -> Health:
        """Tell how both halves do; what can be caught up with is what the asking half reaches."""
        asked, told = self.asked.health(), self.told.health()
        return Health(
            trouble=asked.trouble or told.trouble,
            reaches_back=asked.reaches_back,
            notes=(*asked.notes, *told.notes),
        )

    async def close(self) -> None:
        """Let go of both."""
        await self.asked.close()
        await self.told.close()

    async def poll(self, cursor: str | None, *, now: datetime) -> Batch:
        """Ask."""
        return await self.asked.poll(cursor, now=now)

    async def receive(self, pushed: Pushed, *, now: datetime) -> Reply:
        """Be told."""
        return await self.told.receive(pushed, now=now)

    def began(self, cursor: str) -> datetime | None:
        """Tell since when everything is brought."""
        return self.asked.began(cursor)

    def compare(self, since: datetime, *, until: datetime) -> AsyncIterator[Listed]:
        """List what the provider has."""
        return self.asked.compare(since, until=until)

    async def examine(self, *, now: datetime) -> tuple[Advice, ...]:
        """Look at the provider's settings, and say what to switch on to be told."""
        return (*await self.asked.examine(now=now), *await self.told.examine(now=now))
