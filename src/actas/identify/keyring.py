"""Hold one provider's keys: fetched before they are needed, renewed in the background, trusted for a while.

An edge. A call whose key is known never waits for the network. For a key that is not known the provider is asked
at most once in five minutes, by one call for all that wait. Keys that cannot be renewed are trusted until they are
stale, then nothing verifies: better no answer than an old one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import anyio
import msgspec

from actas import jose
from actas.identify.errors import FetchError, KeysUnavailable, UnexpectedAnswer, Unreachable
from actas.identify.flow import LARGEST, Fetch, Published, drive, find_keys
from actas.identify.profile import Issuer, Source

UNKNOWN_KEY_EVERY: Final = timedelta(minutes=5)  # protocols.md, 9.4
_SOONEST, _USUAL, _LATEST = timedelta(minutes=5), timedelta(minutes=15), timedelta(hours=1)
_RETRY, _RETRY_AT_MOST = timedelta(seconds=5), timedelta(minutes=1)
_FILE_EVERY: Final = timedelta(seconds=5)
_LONGEST: Final = 20.0
_REMEMBERED: Final = 1000
_TEMPLATE: Final = "{tenantid}"  # protocols.md, 1.2

Clock = Callable[[], datetime]
NEVER: Final = datetime.min.replace(tzinfo=UTC)
FOREVER: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class RingState:
    """How one key ring fares, for ``/readyz``."""

    provider: str
    keys: int
    ready: bool
    fetched_at: datetime | None
    stale_since: datetime | None
    """Since when renewing has failed; None while the last try was good."""
    error: str | None
    """The code of what went wrong last."""


class Ring:
    """The keys of one `Source`."""

    def __init__(self, source: Source, *, fetch: Fetch, base: Path, clock: Clock) -> None:
        self.source = source
        self.version = 0
        """Grows whenever the published keys change; whatever was verified under an older one is verified anew."""
        self.good_until = NEVER
        """The instant from which nothing verifies by these keys."""
        self.due: datetime | None = None
        """When to renew; None for keys that never change, once they are read."""
        self._fetch, self._base, self._clock = fetch, base, clock
        self._document: bytes | None = None
        self._usable = 0
        """How many keys there are: anybody may ask for it, through ``/readyz``, so it is not worked out each time."""
        self._sets: dict[tuple[frozenset[str], str | None], jose.KeySet] = {}
        self._fetched_at: datetime | None = None
        self._failing_since: datetime | None = None
        self._failures = 0
        self._error: FetchError | None = None
        self._flight: anyio.Event | None = None
        self._asked_at: datetime | None = None
        self._strangers: dict[str, datetime] = {}
        self.due = clock()

    async def key_set(self, issuer: Issuer, *, now: datetime) -> jose.KeySet:
        """Give the keys that verify tokens of *issuer*; wait only if there are none at all."""
        if now >= self.good_until and (self._flight or self.due is None or self._clock() >= self.due):
            await self.renew()
        if now >= self.good_until:
            why = "they could not be fetched yet" if self._error is None else self._error.message
            raise KeysUnavailable(provider=self.source.provider, why=why)
        return self._set_of(issuer)

    async def look_again(self, kid: str, *, seen: int, now: datetime) -> bool:
        """Fetch because of the unknown key *kid*, if it is time; say whether the keys are others than those *seen*."""
        if self._flight is not None:
            await self.renew()
        if self.version != seen:
            return True
        until = self._strangers.get(kid)
        recently = self._asked_at is not None and now < self._asked_at + UNKNOWN_KEY_EVERY
        if recently or (until is not None and now < until):
            return False
        self._asked_at = now
        await self.renew()
        if self.version == seen:
            if len(self._strangers) >= _REMEMBERED:
                self._strangers.clear()
            self._strangers[kid] = now + UNKNOWN_KEY_EVERY
        return self.version != seen

    async def renew(self) -> None:
        """Fetch the keys; whoever comes meanwhile waits for the same fetch."""
        if self._flight is not None:
            await self._flight.wait()
            return
        self._flight = anyio.Event()
        try:
            # Others wait for this too, so the caller who started it cannot end it by hanging up.
            with anyio.CancelScope(shield=True):
                await self._fetch_now()
        finally:
            self._flight.set()
            self._flight = None

    @property
    def is_renewing(self) -> bool:
        """Whether a fetch is under way."""
        return self._flight is not None

    def state(self, *, now: datetime) -> RingState:
        """Tell how the ring fares."""
        return RingState(
            provider=self.source.provider,
            keys=self._usable,
            ready=now < self.good_until,
            fetched_at=self._fetched_at,
            stale_since=self._failing_since,
            error=None if self._error is None else self._error.code,
        )

    async def _fetch_now(self) -> None:
        try:
            published = await self._read()
            self._take(published)
        except FetchError as wrong:
            now = self._clock()
            self._error, self._failing_since = wrong, self._failing_since or now
            self.due = now + min(_RETRY * 2**self._failures, _RETRY_AT_MOST)
            self._failures = min(self._failures + 1, 8)

    async def _read(self) -> Published:
        source = self.source
        if source.inline is not None:
            return Published(document=source.inline)
        if source.file is not None:
            return Published(document=await self._read_file(source.file))
        try:
            with anyio.fail_after(_LONGEST):
                return await drive(find_keys(source), self._fetch)
        except TimeoutError as late:
            raise Unreachable(host=source.provider, why=f"no keys within {_LONGEST:g} s") from late

    async def _read_file(self, name: str) -> bytes:
        try:
            async with await anyio.open_file(self._base / name, "rb") as file:
                document = await file.read(LARGEST + 1)
        except OSError as wrong:
            raise UnexpectedAnswer(what="the key file", why="cannot be read") from wrong
        if len(document) > LARGEST:
            raise UnexpectedAnswer(what="the key file", why=f"has more than {LARGEST} bytes")
        return document

    def _take(self, published: Published) -> None:
        now = self._clock()
        if published.document != self._document:
            try:
                keys = jose.KeySet.from_json(published.document)
            except jose.JoseError as wrong:
                raise UnexpectedAnswer(what="the key set", why=f"is refused: {wrong.message}") from wrong
            if not keys.keys or keys.is_only_symmetric:
                raise UnexpectedAnswer(what="the key set", why="has no public key that may be used")
            self._document, self._usable, self._sets, self._strangers = published.document, len(keys.keys), {}, {}
            self.version += 1
        self._fetched_at, self._failing_since, self._error, self._failures = now, None, None, 0
        self.good_until, self.due = self._life(now, published.max_age)

    def _life(self, now: datetime, max_age: int | None) -> tuple[datetime, datetime | None]:
        if self.source.inline is not None:
            return FOREVER, None
        if self.source.file is not None:
            return now + self.source.stale, now + _FILE_EVERY
        wished = _USUAL if max_age is None else timedelta(seconds=max_age)
        every = min(max(wished, _SOONEST), _LATEST, self.source.stale / 2)
        return now + self.source.stale, now + every

    def _set_of(self, issuer: Issuer) -> jose.KeySet:
        key = (issuer.key_issuers, issuer.tenant)
        if key not in self._sets:
            self._sets[key] = key_set_for(issuer, self._document or b"")
        return self._sets[key]


def key_set_for(issuer: Issuer, document: bytes) -> jose.KeySet:
    """Leave out keys that say they are another issuer's (Entra's member ``issuer``; protocols.md, 1.2)."""
    whole: Any = msgspec.json.decode(document)
    keys = whole.get("keys", [whole])
    if not any(isinstance(key, dict) and "issuer" in key for key in keys):
        return jose.KeySet.from_json(document)
    return jose.KeySet.from_json({"keys": [key for key in keys if _is_of(key, issuer)]})


def _is_of(key: object, issuer: Issuer) -> bool:
    if not isinstance(key, dict) or "issuer" not in key:
        return True
    said = key["issuer"]
    return isinstance(said, str) and said.replace(_TEMPLATE, issuer.tenant or _TEMPLATE) in issuer.key_issuers
