"""Know which groups a caller is in, where tokens do not say: asked at first sight, then kept fresh.

An edge. The first call of somebody unknown waits for the answer, one question for all that wait; a known caller
never waits, because the groups of callers that come again are asked for in the background before they are five
minutes old. What cannot be had is unknown, for a few seconds, and never in the caller's favour.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import anyio

from actas.identify.errors import FetchError, Unreachable
from actas.identify.flow import Fetch, drive
from actas.identify.lookup import Account, Lease, Lookup
from actas.identify.renewing import NEVER, Clock
from actas.model.facts import Fact, Known, Missing

OLDEST: Final = timedelta(minutes=5)
RENEWED_AFTER: Final = timedelta(minutes=3)
FAILED_FOR: Final = timedelta(seconds=10)
SIZE: Final = 20_000
_LONGEST: Final = 5.0
_AT_ONCE: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class LookupState:
    """How the look-up of groups fares for one issuer of a provider."""

    provider: str
    error: str | None
    """The code of what went wrong last; None where nothing did."""


@dataclass(slots=True, kw_only=True)
class Membership:
    """One caller's groups. Who made an identity with them compares `version` and `good_until`."""

    subject: str
    fact: Fact[frozenset[str]] = Missing.UNKNOWN
    version: int = 0
    good_until: datetime = NEVER
    asked_at: datetime | None = None
    seen: bool = True
    """Whether the caller came again since the groups were asked for."""


class Members:
    """The groups of the callers of one issuer."""

    def __init__(
        self, lookup: Lookup, account: Callable[[], Account], *, fetch: Fetch, clock: Clock, size: int = SIZE
    ) -> None:
        # The account is read anew for each sign-in, so that a secret that was changed is found.
        self._lookup, self._account, self._fetch, self._clock, self._size = lookup, account, fetch, clock, size
        self._known: dict[str, Membership] = {}
        self._flights: dict[str, anyio.Event] = {}
        self._lease: tuple[Account, Lease] | None = None
        self._door = anyio.Lock()
        self.error: str | None = None
        """The code of what went wrong last."""

    async def of(
        self, subject: str, *, now: datetime, ended: Callable[[datetime], bool] = lambda _: False
    ) -> Membership:
        """Give the groups of *subject*; wait only where nothing fresh is known.

        *ended* says that something was revoked after a moment: what was known then does not count any more.
        """
        membership = self._known.get(subject)
        if membership is None:
            membership = self._known[subject] = Membership(subject=subject)
            self._make_room()
        membership.seen = True
        if membership.asked_at is not None and ended(membership.asked_at):
            membership.good_until = NEVER
        if now >= membership.good_until:
            await self._ask(membership)
        return membership

    async def renew(self) -> None:
        """Ask anew about everybody who came again and whose groups are growing old."""
        now = self._clock()
        due = [one for one in self._known.values() if one.asked_at and one.asked_at + RENEWED_AFTER <= now]
        for gone in [one for one in due if not one.seen and one.good_until <= now]:
            del self._known[gone.subject]
        limiter = anyio.CapacityLimiter(_AT_ONCE)
        async with anyio.create_task_group() as tasks:
            for one in due:
                if one.seen:
                    tasks.start_soon(self._renew, one, limiter)

    async def _renew(self, membership: Membership, limiter: anyio.CapacityLimiter) -> None:
        async with limiter:
            await self._ask(membership)
        membership.seen = False

    async def _ask(self, membership: Membership) -> None:
        """Ask once, whoever wants to know at the same time."""
        if (flight := self._flights.get(membership.subject)) is not None:
            await flight.wait()
            return
        flight = self._flights[membership.subject] = anyio.Event()
        try:
            with anyio.CancelScope(shield=True):  # others wait for it too; it has a limit of its own
                began = self._clock()  # what happens while it is asked may not be in the answer
                self._take(membership, await self._answer(membership.subject), began)
        finally:
            flight.set()
            del self._flights[membership.subject]

    async def _answer(self, subject: str) -> Fact[frozenset[str]]:
        try:
            with anyio.fail_after(_LONGEST):
                account, lease = await self._signed_in()
                found = await drive(self._lookup.groups(account, lease, subject), self._fetch)
        except TimeoutError:
            self.error = Unreachable.code
        except FetchError as wrong:
            self.error, self._lease = wrong.code, None  # the token may be what is wrong: get another next time
        else:
            self.error = None
            return Known(found)
        return Missing.UNKNOWN

    async def _signed_in(self) -> tuple[Account, Lease]:
        async with self._door:
            held = self._lease
            if held is None or held[1].until <= self._clock():
                account = await anyio.to_thread.run_sync(self._account)
                held = self._lease = account, await drive(self._lookup.sign_in(account, self._clock()), self._fetch)
            return held

    def _take(self, membership: Membership, fact: Fact[frozenset[str]], began: datetime) -> None:
        now, membership.asked_at = self._clock(), began
        if isinstance(fact, Missing):
            if now < membership.good_until and isinstance(membership.fact, Known):
                return  # what we know is not five minutes old yet
            membership.good_until = now + FAILED_FOR
        else:
            membership.good_until = now + OLDEST
        if fact != membership.fact:
            membership.fact, membership.version = fact, membership.version + 1

    def _make_room(self) -> None:
        if len(self._known) > self._size:
            oldest = next(iter(self._known))
            self._known.pop(oldest).good_until = NEVER  # whoever still holds it asks again
