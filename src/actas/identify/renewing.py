"""Hold what a provider publishes: fetched before it is needed, renewed in the background, trusted for a while.

An edge, shared by the ring of a provider's keys and the one of its metadata. Whoever must wait waits for the one fetch
there is. What cannot be renewed is trusted until it is stale and tried again ever more seldom; from then on nothing
verifies by it.
"""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, TypeVar

import anyio

from actas.identify.errors import FetchError, UnexpectedAnswer, Unreachable

T = TypeVar("T")
Clock = Callable[[], datetime]
NEVER: Final = datetime.min.replace(tzinfo=UTC)
FOREVER: Final = datetime.max.replace(tzinfo=UTC)
UNKNOWN_KEY_EVERY: Final = timedelta(minutes=5)  # protocols.md, 9.4
FILE_EVERY: Final = timedelta(seconds=5)
_SOONEST, _USUAL, _LATEST = timedelta(minutes=5), timedelta(minutes=15), timedelta(hours=1)
_RETRY, _RETRY_AT_MOST, _DOUBLINGS = timedelta(seconds=5), timedelta(minutes=1), 8
_LONGEST: Final = 20.0
"""Seconds that a whole conversation with a provider may take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RingState:
    """How one ring fares, for ``/readyz``."""

    provider: str
    keys: int
    ready: bool
    fetched_at: datetime | None
    stale_since: datetime | None
    """Since when renewing has failed; None while the last try was good."""
    error: str | None
    """The code of what went wrong last."""


class Renewing(ABC):
    """What is renewed, by whom and when; what it is says the class that inherits."""

    def __init__(self, provider: str, *, base: Path, clock: Clock) -> None:
        self.version = 0
        """Grows whenever what is published changes; whatever was verified under an older one is verified anew."""
        self.good_until = NEVER
        """The instant from which nothing verifies by this."""
        self.due: datetime | None = clock()
        """When to renew; None for what never changes, once it is read."""
        self._provider, self._base, self._clock = provider, base, clock
        self._fetched_at: datetime | None = None
        self._failing_since: datetime | None = None
        self._failures = 0
        self._error: FetchError | None = None
        self._flight: anyio.Event | None = None
        self._asked_at: datetime | None = None

    @abstractmethod
    async def _renew_now(self) -> None:
        """Read what is published and tell `_renewed`; raise a `FetchError` where that cannot be."""

    @property
    @abstractmethod
    def _keys(self) -> int:
        """How many keys there are: anybody may ask, so it is not worked out each time."""

    async def renew(self) -> None:
        """Renew; whoever comes meanwhile waits for the same fetch."""
        if self._flight is not None:
            await self._flight.wait()
            return
        self._flight = anyio.Event()
        try:
            # Others wait for this too, so the caller who started it cannot end it by hanging up.
            with anyio.CancelScope(shield=True):
                await self._renew_now()
        except FetchError as wrong:
            self._failed(wrong)
        finally:
            self._flight.set()
            self._flight = None

    async def look_again(self, *, seen: int, now: datetime) -> bool:
        """Fetch because of a key that is not known, if it is time; say whether there is another version than *seen*.

        Once in five minutes, whatever the keys are called: what was not there is not asked for again before that.
        """
        if self._flight is not None:
            await self.renew()
        if self.version != seen:
            return True
        if self._asked_at is not None and now < self._asked_at + UNKNOWN_KEY_EVERY:
            return False
        self._asked_at = now
        await self.renew()
        return self.version != seen

    @property
    def is_renewing(self) -> bool:
        """Whether a fetch is under way."""
        return self._flight is not None

    @property
    def is_due(self) -> bool:
        """Whether it is time to fetch; while the last try was bad, it is not before the next one is due."""
        return self.due is None or self._clock() >= self.due

    def state(self, *, now: datetime) -> RingState:
        """Tell how it fares."""
        return RingState(
            provider=self._provider,
            keys=self._keys,
            ready=now < self.good_until,
            fetched_at=self._fetched_at,
            stale_since=self._failing_since,
            error=None if self._error is None else self._error.code,
        )

    async def _is_there(self, now: datetime) -> bool:
        """Wait if there is nothing good at all and something may be fetched; say whether there is now."""
        if now >= self.good_until and (self.is_renewing or self.is_due):
            await self.renew()
        return now < self.good_until

    def _why_not(self, otherwise: str) -> str:
        """Say why there is nothing good."""
        return otherwise if self._error is None else self._error.message

    def _renewed(self, *, good_until: datetime, due: datetime | None) -> None:
        self._fetched_at, self._failing_since, self._error, self._failures = self._clock(), None, None, 0
        self.good_until, self.due = good_until, due

    def _failed(self, wrong: FetchError) -> None:
        now = self._clock()
        self._error, self._failing_since = wrong, self._failing_since or now
        self.due = now + min(_RETRY * 2**self._failures, _RETRY_AT_MOST)
        self._failures = min(self._failures + 1, _DOUBLINGS)

    async def _in_time(self, conversation: Awaitable[T], what: str) -> T:
        try:
            with anyio.fail_after(_LONGEST):
                return await conversation
        except TimeoutError as late:
            raise Unreachable(host=self._provider, why=f"no {what} within {_LONGEST:g} s") from late

    async def _file(self, name: str, what: str, *, limit: int) -> bytes:
        """Read what an administrator put into a file, which is published anyway and so may be readable to all."""
        try:
            async with await anyio.open_file(self._base / name, "rb") as file:
                document = await file.read(limit + 1)
        except OSError as wrong:
            raise UnexpectedAnswer(what=what, why="cannot be read") from wrong
        if len(document) > limit:
            raise UnexpectedAnswer(what=what, why=f"has more than {limit} bytes")
        return document


def every(*wished: timedelta, stale: timedelta) -> timedelta:
    """Say how often to renew what may be kept for the shortest of *wished*, and is stale after *stale*."""
    return min(max(min(wished, default=_USUAL), _SOONEST), _LATEST, stale / 2)
