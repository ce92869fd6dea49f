"""Hold one provider's keys: fetched before they are needed, renewed in the background, trusted for a while.

An edge. A call whose key is known never waits for the network. For a key that is not known the provider is asked
at most once in five minutes, by one call for all that wait. Keys that cannot be renewed are trusted until they are
stale, then nothing verifies: better no answer than an old one.
"""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import msgspec

from actas import jose
from actas.identify.errors import KeysUnavailable, UnexpectedAnswer
from actas.identify.flow import LARGEST, Fetch, Published, drive, find_keys
from actas.identify.profile import Issuer, Source
from actas.identify.renewing import FILE_EVERY, FOREVER, NEVER, UNKNOWN_KEY_EVERY, Clock, Renewing, RingState, every

__all__ = ["NEVER", "UNKNOWN_KEY_EVERY", "Clock", "Ring", "RingState", "key_set_for"]

_TEMPLATE: Final = "{tenantid}"  # protocols.md, 1.2


class Ring(Renewing):
    """The keys of one `Source`."""

    def __init__(self, source: Source, *, fetch: Fetch, base: Path, clock: Clock) -> None:
        super().__init__(source.provider, base=base, clock=clock)
        self.source = source
        self._fetch = fetch
        self._document: bytes | None = None
        self._usable = 0
        self._sets: dict[tuple[frozenset[str], str | None], jose.KeySet] = {}

    async def key_set(self, issuer: Issuer, *, now: datetime) -> jose.KeySet:
        """Give the keys that verify tokens of *issuer*; wait only if there are none at all."""
        if now >= self.good_until and not await self._is_there(now):
            raise KeysUnavailable(provider=self.source.provider, why=self._why_not("they could not be fetched yet"))
        return self._set_of(issuer)

    @property
    def _keys(self) -> int:
        return self._usable

    async def _renew_now(self) -> None:
        published = await self._read()
        if published.document != self._document:
            self._take(published.document)
        self._renewed_for(published.max_age)

    async def _read(self) -> Published:
        source = self.source
        if source.inline is not None:
            return Published(document=source.inline)
        if source.file is not None:
            return Published(document=await self._file(source.file, "the key file", limit=LARGEST))
        return await self._in_time(drive(find_keys(source), self._fetch), "keys")

    def _take(self, document: bytes) -> None:
        try:
            keys = jose.KeySet.from_json(document)
        except jose.JoseError as wrong:
            raise UnexpectedAnswer(what="the key set", why=f"is refused: {wrong.message}") from wrong
        if not keys.keys or keys.is_only_symmetric:
            raise UnexpectedAnswer(what="the key set", why="has no public key that may be used")
        self._document, self._usable, self._sets = document, len(keys.keys), {}
        self.version += 1

    def _renewed_for(self, max_age: int | None) -> None:
        now, stale = self._clock(), self.source.stale
        if self.source.inline is not None:
            self._renewed(good_until=FOREVER, due=None)
        elif self.source.file is not None:
            self._renewed(good_until=now + stale, due=now + FILE_EVERY)
        else:
            wished = () if max_age is None else (timedelta(seconds=max_age),)
            self._renewed(good_until=now + stale, due=now + every(*wished, stale=stale))

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
