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

from anyio import to_thread

from actas import saml
from actas.identify.errors import UnexpectedAnswer
from actas.identify.flow import Fetch, Wish, max_age
from actas.identify.renewing import FILE_EVERY, Clock, Renewing, every
from actas.identify.saml_errors import SamlUnavailable

LARGEST: Final = 4 * 1024 * 1024
"""Bytes; a federation's metadata is larger than a key set."""
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


class MetadataKeyring(Renewing):
    """The metadata of one `MetadataSource`."""

    def __init__(self, source: MetadataSource, *, fetch: Fetch, base: Path, clock: Clock) -> None:
        super().__init__(source.provider, base=base, clock=clock)
        self.source = source
        self._fetch = fetch
        self._document: tuple[bytes, bytes | None] | None = None
        self._known: Known | None = None
        self._cache_duration: timedelta | None = None

    async def known(self, *, now: datetime) -> Known:
        """Give what the metadata says; wait only if there is none at all, or for a file, which is there at once."""
        if self.source.url is None and self.is_due:
            await self.renew()
        if not await self._is_there(now) or self._known is None:
            raise SamlUnavailable(provider=self.source.provider, why=self._why_not("it could not be read yet"))
        return self._known

    async def trust(self, *, now: datetime) -> saml.Trust:
        """Give whom to believe and by which keys, old and new together."""
        return (await self.known(now=now)).trust

    def certificates(self) -> tuple[saml.Certificate, ...]:
        """Give the signing certificates that are known, to announce their ends."""
        return () if self._known is None else self._known.entity.readable_certificates()

    @property
    def _keys(self) -> int:
        return 0 if self._known is None else len(self._known.trust.keys)

    async def _renew_now(self) -> None:
        document, wished = await self._read()
        await self._take(document, wished)

    async def _read(self) -> tuple[bytes, int | None]:
        source = self.source
        if source.url is None:
            return await self._file(source.file or "", "the metadata file", limit=LARGEST), None
        wish = Wish(url=source.url, private=source.private, ca=source.ca, limit=LARGEST, headers=_ACCEPT)
        answer = await self._in_time(self._fetch(wish), "metadata")
        if answer.status != 200:
            raise UnexpectedAnswer(what="the metadata", why=f"was answered with status {answer.status}")
        return answer.body, max_age(answer)

    async def _take(self, document: bytes, wished: int | None) -> None:
        now, pinned = self._clock(), None
        if self.source.certificate is not None:
            what = "the certificate that the metadata is signed by"
            pinned = await self._file(self.source.certificate, what, limit=LARGEST)
        if (document, pinned) != self._document or self._known is None or _has_ended(self._known, now):
            # Four megabytes of XML take a while, and calls go on meanwhile.
            read = await to_thread.run_sync(_parsed, document, self.source, pinned, now)
            self._document, self._cache_duration = (document, pinned), read[1]
            if self._known is None or read[0] != self._known.entity:
                self.version += 1
                self._known = Known(trust=saml.Trust.from_entity(read[0]), entity=read[0], version=self.version)
        ends, stale = self._known.entity.validity, now + self.source.stale
        self._renewed(good_until=stale if ends is None else min(stale, ends), due=now + self._every(wished))

    def _every(self, wished: int | None) -> timedelta:
        if self.source.url is None:
            return FILE_EVERY
        said = [timedelta(seconds=wished)] if wished is not None else []
        said += [self._cache_duration] if self._cache_duration is not None else []
        return every(*said, stale=self.source.stale)


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
