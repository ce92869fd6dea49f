"""Hold one SAML provider's keys and addresses: its metadata, fetched ahead, renewed in the background, trusted a while.

An edge, with the rules of the key ring for tokens (`keyring`): nobody waits where the metadata is known, whoever must
wait waits for the one fetch there is, and what cannot be renewed is trusted until it is stale. Metadata also ends by
itself, at its validUntil. All signing certificates count together, so a key rolls over without a gap.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import anyio
from anyio import to_thread

from actas import saml
from actas.identify.errors import FetchError, UnexpectedAnswer, Unreachable
from actas.identify.flow import Fetch, Wish, max_age
from actas.identify.keyring import NEVER, UNKNOWN_KEY_EVERY, Clock, RingState
from actas.identify.saml_errors import SamlUnavailable

LARGEST: Final = 4 * 1024 * 1024
"""Bytes; a federation's metadata is larger than a key set."""
_SOONEST, _USUAL, _LATEST = timedelta(minutes=5), timedelta(minutes=15), timedelta(hours=1)
_RETRY, _RETRY_AT_MOST = timedelta(seconds=5), timedelta(minutes=1)
_FILE_EVERY: Final = timedelta(seconds=5)
_LONGEST: Final = 20.0
_DURATION: Final = re.compile(r"P(?:(\d{1,4})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,6})M)?(?:(\d{1,8})(?:\.\d{1,9})?S)?)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class MetadataSource:
    """Where a provider's metadata comes from; equal sources share one ring, also over a reload of the settings."""

    provider: str
    url: str | None = None
    file: str | None = None
    certificate: str | None = None
    """A file with the certificate that must have signed the metadata."""
    entity_id: str | None = None
    """Which entity counts, where there are several."""
    private: bool = False
    ca: str | None = None
    stale: timedelta = timedelta(hours=24)
    allow_sha1: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the metadata says, as of one version of it."""

    trust: saml.Trust
    entity: saml.Entity
    version: int


class MetadataKeyring:
    """The metadata of one `MetadataSource`."""

    def __init__(self, source: MetadataSource, *, fetch: Fetch, base: Path, clock: Clock) -> None:
        self.source = source
        self.version = 0
        """Grows whenever the metadata changes; whatever was verified under an older one is verified anew."""
        self.good_until = NEVER
        """The instant from which nothing verifies by this metadata."""
        self.due: datetime = clock()
        """When to renew."""
        self._fetch, self._base, self._clock = fetch, base, clock
        self._document: tuple[bytes, bytes | None] | None = None
        self._known: Known | None = None
        self._cache_duration: timedelta | None = None
        self._fetched_at: datetime | None = None
        self._failing_since: datetime | None = None
        self._failures = 0
        self._error: FetchError | None = None
        self._flight: anyio.Event | None = None
        self._asked_at: datetime | None = None

    async def known(self, *, now: datetime) -> Known:
        """Give what the metadata says; wait only if there is none at all, or for a file, which is there at once."""
        is_due = self._clock() >= self.due
        if (now >= self.good_until and (self._flight or is_due)) or (self.source.url is None and is_due):
            await self.renew()
        if self._known is None or now >= self.good_until:
            why = "it could not be read yet" if self._error is None else self._error.message
            raise SamlUnavailable(provider=self.source.provider, why=why)
        return self._known

    async def trust(self, *, now: datetime) -> saml.Trust:
        """Give whom to believe and by which keys, old and new together."""
        return (await self.known(now=now)).trust

    async def look_again(self, *, seen: int, now: datetime) -> bool:
        """Fetch because no key fits a signature, if it is time; say whether the metadata is other than that *seen*."""
        if self._flight is not None:
            await self.renew()
        if self.version != seen:
            return True
        if self._asked_at is not None and now < self._asked_at + UNKNOWN_KEY_EVERY:
            return False
        self._asked_at = now
        await self.renew()
        return self.version != seen

    async def renew(self) -> None:
        """Fetch the metadata; whoever comes meanwhile waits for the same fetch."""
        if self._flight is not None:
            await self._flight.wait()
            return
        self._flight = anyio.Event()
        try:
            # Others wait for this too, so the caller who started it cannot end it by hanging up.
            with anyio.CancelScope(shield=True):
                await self._renew_now()
        finally:
            self._flight.set()
            self._flight = None

    @property
    def is_renewing(self) -> bool:
        """Whether a fetch is under way."""
        return self._flight is not None

    def certificates(self) -> tuple[saml.Certificate, ...]:
        """Give the signing certificates that are known, to announce their ends."""
        return () if self._known is None else self._known.entity.readable_certificates()

    def state(self, *, now: datetime) -> RingState:
        """Tell how it fares, for ``/readyz``."""
        return RingState(
            provider=self.source.provider,
            keys=0 if self._known is None else len(self._known.trust.keys),
            ready=now < self.good_until,
            fetched_at=self._fetched_at,
            stale_since=self._failing_since,
            error=None if self._error is None else self._error.code,
        )

    async def _renew_now(self) -> None:
        try:
            document, wished = await self._read()
            await self._take(document, wished)
        except FetchError as wrong:
            now = self._clock()
            self._error, self._failing_since = wrong, self._failing_since or now
            self.due = now + min(_RETRY * 2**self._failures, _RETRY_AT_MOST)
            self._failures = min(self._failures + 1, 8)

    async def _read(self) -> tuple[bytes, int | None]:
        source = self.source
        if source.url is None:
            return await self._file(source.file or "", "the metadata file"), None
        wish = Wish(url=source.url, private=source.private, ca=source.ca, limit=LARGEST, headers=_ACCEPT)
        try:
            with anyio.fail_after(_LONGEST):
                answer = await self._fetch(wish)
        except TimeoutError as late:
            raise Unreachable(host=source.provider, why=f"no metadata within {_LONGEST:g} s") from late
        if answer.status != 200:
            raise UnexpectedAnswer(what="the metadata", why=f"was answered with status {answer.status}")
        return answer.body, max_age(answer)

    async def _file(self, name: str, what: str) -> bytes:
        try:
            async with await anyio.open_file(self._base / name, "rb") as file:
                document = await file.read(LARGEST + 1)
        except OSError as wrong:
            raise UnexpectedAnswer(what=what, why="cannot be read") from wrong
        if len(document) > LARGEST:
            raise UnexpectedAnswer(what=what, why=f"has more than {LARGEST} bytes")
        return document

    async def _take(self, document: bytes, wished: int | None) -> None:
        now, pinned = self._clock(), None
        if self.source.certificate is not None:
            pinned = await self._file(self.source.certificate, "the certificate that the metadata is signed by")
        if (document, pinned) != self._document or self._known is None or _has_ended(self._known, now):
            # Four megabytes of XML take a while, and calls go on meanwhile.
            read = await to_thread.run_sync(_parsed, document, self.source, pinned, now)
            self._document, self._cache_duration = (document, pinned), read[1]
            if self._known is None or read[0] != self._known.entity:
                self.version += 1
                self._known = Known(trust=saml.Trust.from_entity(read[0]), entity=read[0], version=self.version)
        self._fetched_at, self._failing_since, self._error, self._failures = now, None, None, 0
        ends = self._known.entity.validity
        self.good_until = now + self.source.stale if ends is None else min(now + self.source.stale, ends)
        self.due = now + self._every(wished)

    def _every(self, wished: int | None) -> timedelta:
        if self.source.url is None:
            return _FILE_EVERY
        said = [timedelta(seconds=wished)] if wished is not None else []
        said += [self._cache_duration] if self._cache_duration is not None else []
        return min(max(min(said, default=_USUAL), _SOONEST), _LATEST, self.source.stale / 2)


_ACCEPT: Final = (("Accept", "application/samlmetadata+xml, application/xml, text/xml, */*"),)


def _has_ended(known: Known, now: datetime) -> bool:
    return known.entity.validity is not None and known.entity.validity <= now


def _parsed(
    document: bytes, source: MetadataSource, pinned: bytes | None, now: datetime
) -> tuple[saml.Entity, timedelta | None]:
    """Read the metadata, choose the entity, and see that it has a usable key."""
    try:
        certificates = () if pinned is None else (pinned,)
        metadata = saml.Metadata.parse(document, now=now, certificates=certificates, allow_sha1=source.allow_sha1)
        entity = metadata.idp(source.entity_id)
        saml.Trust.from_entity(entity)
    except saml.SamlError as wrong:
        raise UnexpectedAnswer(what="the metadata", why=f"is refused: {wrong.message}") from wrong
    return entity, _shortest((metadata.cache_duration, entity.cache_duration))


def _shortest(written: Sequence[str | None]) -> timedelta | None:
    """Read the durations of XML Schema that are there; months and years are longer than we ever wait."""
    found = [_DURATION.fullmatch(text.strip()) for text in written if text]
    spans = [
        timedelta(days=int(one[1] or 0), hours=int(one[2] or 0), minutes=int(one[3] or 0), seconds=int(one[4] or 0))
        for one in found
        if one
    ]
    return min(spans, default=None)
