"""Name people without naming them: a random name per person and epoch, and one row that says whose it is.

The row is found by a keyed hash of the person and holds the person sealed to the officers (see `boxes`). Deleting a
person's rows leaves the trail as it is, chain and all, and makes every name in it that was theirs nobody's.
"""

import base64
import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import anyio

from actas.audit import boxes
from actas.audit.errors import PseudonymLate, Unrecordable
from actas.audit.together import Together
from actas.store.person_key import PersonKey

if TYPE_CHECKING:
    from actas.store.database import Store

REMEMBERED = 100_000
"""People whose pseudonym is in memory at most; the one who came first goes first."""
LIMIT = 6.0
"""Seconds a caller waits for a pseudonym at most."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_Person = tuple[str, str]
_Fresh = tuple[int, str, bytes]
"""A row that is not written yet: epoch, pseudonym, the person sealed."""


class Pseudonyms:
    """Every pseudonym of this epoch that was asked for, in front of the store."""

    def __init__(
        self, key: PersonKey, officers: Mapping[str, bytes], *, epoch: timedelta, clock: Callable[[], datetime]
    ) -> None:
        self._key, self._officers, self._epoch, self._clock = key, dict(officers), epoch, clock
        self._names: dict[_Person, tuple[str, datetime]] = {}
        self._asking: dict[_Person, anyio.Event] = {}
        self._reading = Together(self._read)
        self._writing = Together(self._write)
        self._store: Store | None = None
        self._open = anyio.Event()
        self._erasures = 0

    def attach(self, store: "Store") -> None:
        """Use *store* from now on; whoever asked before waited for it."""
        self._store = store
        self._open.set()

    def known(self, issuer: str, subject: str, now: datetime) -> str | None:
        """Give the pseudonym if it is at hand; never waits."""
        found = self._names.get((issuer, subject))
        return found[0] if found is not None and now < found[1] else None

    async def of(self, issuer: str, subject: str) -> str:
        """Give the pseudonym of *subject* in this epoch; the same person, the same name until the epoch ends."""
        if (name := self.known(issuer, subject, self._clock())) is not None:
            return name
        try:
            with anyio.fail_after(LIMIT):
                return await self._once((issuer, subject))
        except TimeoutError as late:
            raise PseudonymLate(allowed=LIMIT) from late

    async def erase(self, issuer: str, subject: str) -> int:
        """Delete a person's rows of every epoch; give how many they were."""
        from actas.store import rows

        self._names.pop((issuer, subject), None)
        async with (await self._opened()).write() as connection:
            finders = [self._key.row(issuer, subject, epoch) for epoch in await rows.epochs(connection)]
            erased = await rows.erase(connection, finders)
        self._names.pop((issuer, subject), None)
        return erased

    async def sealed(self, pseudonym: str) -> bytes | None:
        """Give the row behind *pseudonym*; None where there is none or none any more."""
        from actas.store import rows

        async with (await self._opened()).read() as connection:
            return await rows.sealed_of(connection, pseudonym)

    async def forget_erased(self) -> None:
        """Forget every name in memory if somebody was erased since the last time, by whichever process."""
        from actas.store import rows

        async with (await self._opened()).read() as connection:
            found = await rows.erasures(connection)
        if found != self._erasures:
            self._erasures = found
            self._names.clear()

    async def _once(self, person: _Person) -> str:
        """Ask the store once, however many wait for the same person."""
        while (other := self._asking.get(person)) is not None:
            await other.wait()
            if (name := self.known(*person, self._clock())) is not None:
                return name
        self._asking[person] = mine = anyio.Event()
        try:
            return await self._ask(person)
        finally:
            del self._asking[person]
            mine.set()

    async def _ask(self, person: _Person) -> str:
        epoch = (self._clock() - _EPOCH) // self._epoch
        finder = self._key.row(*person, epoch)
        erasures = self._erasures
        name = await self._reading.ask(finder, None)
        if name is None:
            fresh = "p" + base64.b32encode(secrets.token_bytes(16)).decode().rstrip("=").lower()
            whom = boxes.Person(issuer=person[0], subject=person[1])
            try:
                sealed = boxes.seal(whom, fresh, self._officers, random=secrets.token_bytes)
            except UnicodeEncodeError as wrong:
                raise Unrecordable(index=0, why="the subject has no JSON form") from wrong
            name = await self._writing.ask(finder, (epoch, fresh, sealed))
        assert name is not None
        if erasures == self._erasures:
            self._remember(person, name, _EPOCH + (epoch + 1) * self._epoch)
        return name

    async def _read(self, asked: Mapping[bytes, None]) -> Mapping[bytes, str]:
        from actas.store import rows

        async with (await self._opened()).read() as connection:
            return await rows.pseudonyms_of(connection, tuple(asked))

    async def _write(self, fresh: Mapping[bytes, _Fresh]) -> Mapping[bytes, str]:
        from actas.store import rows

        async with (await self._opened()).write() as connection:
            return await rows.add_pseudonyms(connection, [(finder, *row) for finder, row in fresh.items()])

    def _remember(self, person: _Person, name: str, until: datetime) -> None:
        if len(self._names) >= REMEMBERED:
            del self._names[next(iter(self._names))]
        self._names[person] = (name, until)

    async def _opened(self) -> "Store":
        await self._open.wait()
        assert self._store is not None
        return self._store
