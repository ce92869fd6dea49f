"""Remember verified tokens, so that a token that is shown again is not verified again.

A cache never changes an answer. An entry stands for one whole token (its SHA-256) in one generation of the settings
(each has a cache of its own), shown in one way (bearer, unbound). It is good only inside the token's own times, as
long as the provider's keys are those it was verified by and are not stale, as long as the looked-up groups are those
it was made with, and as long as nothing new was revoked.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Protocol

from actas.identify.members import Membership
from actas.model.identity import Identity

SIZE: Final = 20_000
"""How many tokens are remembered."""


FOREVER: Final = datetime.max.replace(tzinfo=UTC)


class Keys(Protocol):
    """What an answer rests on: a provider's keys."""

    version: int
    good_until: datetime


@dataclass(slots=True)
class _Ours:
    """Our own keys, which outlive every token of ours by days."""

    version: int = 0
    good_until: datetime = FOREVER


ALWAYS_GOOD: Final = _Ours()


@dataclass(slots=True, kw_only=True)
class Entry:
    """One verified token. ``sequence`` moves on when newer revocations were asked and do not concern it."""

    identity: Identity
    since: datetime
    until: datetime
    ring: Keys
    ring_version: int
    members: Membership | None = None
    members_version: int = 0
    sequence: int

    def holds(self, now: datetime) -> bool:
        """Say whether verifying anew could give no other answer, revocation aside."""
        ring, members = self.ring, self.members
        return (
            self.since <= now < self.until
            and ring.version == self.ring_version
            and now < ring.good_until
            and (members is None or (members.version == self.members_version and now < members.good_until))
        )


class Tokens:
    """Verified tokens by their digest; the ones not seen for longest go first, half of them at a time.

    Two dictionaries instead of an order of use: a hit then costs a look-up and no writing.
    """

    def __init__(self, size: int = SIZE) -> None:
        self._half = max(size // 2, 1)
        self.young: dict[bytes, Entry] = {}
        """Those seen lately; the front looks here itself before it asks `find`."""
        self._old: dict[bytes, Entry] = {}

    def find(self, digest: bytes) -> Entry | None:
        """Give the entry, good or not."""
        found = self.young.get(digest)
        if found is None and (found := self._old.get(digest)) is not None:
            self.put(digest, found)
        return found

    def put(self, digest: bytes, entry: Entry) -> None:
        """Remember *entry*."""
        if len(self.young) >= self._half:
            self._old, self.young = self.young, {}
        self.young[digest] = entry

    def __len__(self) -> int:
        return len(self.young.keys() | self._old.keys())
