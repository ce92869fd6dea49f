"""The keys that a provider signs events by: the same ring that verifies callers' tokens, renewed as it is used."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

import msgspec

from actas import jose
from actas.events.interface import Making
from actas.events.sources.errors import NotAuthentic
from actas.identify.keyring import Ring
from actas.identify.presets import PRESETS
from actas.identify.profile import Issuer, Source, issuers_of, profile_of
from actas.jose import Claims, KeySet
from actas.settings.schema import KeySource, Provider


def issuers(name: str, provider: Provider) -> tuple[Issuer, ...]:
    """List the exact issuers of *provider*; none for one that issues no tokens (SAML)."""
    preset = PRESETS.get(provider.preset)
    return () if preset is None else issuers_of(provider, profile_of(name, provider, preset))


def somewhere(iss: str, provider: Provider, source: Source) -> Issuer:
    """Make an issuer whose keys are at *source*, where the provider's own settings do not say it."""
    profile = profile_of(source.provider, provider, PRESETS["oidc"])
    return Issuer(iss=iss, profile=profile, source=source, key_issuers=frozenset({iss}))


def written(name: str, keys: KeySource, provider: Provider) -> Source:
    """Give where the settings say that keys are."""
    inline = None if keys.inline is None else msgspec.json.encode(keys.inline, order="sorted")
    return Source(
        provider=name, url=keys.url, file=keys.file, inline=inline, private=provider.private, ca=provider.ca,
        stale=provider.stale.time,
    )  # fmt: skip


class SigningKeys:
    """The keys of one issuer."""

    def __init__(self, issuer: Issuer, making: Making) -> None:
        self.issuer = issuer
        self._ring = Ring(issuer.source, fetch=making.fetch, base=making.folder, clock=making.clock)

    async def claims(
        self, token: str, *, audience: str | Collection[str], now: datetime, require_exp: bool = True,
        max_age: timedelta | None = None, typ: str | Collection[str] | None = None, leeway: timedelta | None = None,
    ) -> Claims:  # fmt: skip
        """Verify *token* and give its claims; whatever does not hold is `NotAuthentic`, in the library's words."""
        more: dict[str, Any] = {} if leeway is None else {"leeway": leeway}

        def verify(keys: KeySet) -> Claims:
            return jose.verify_jwt(
                token, keys, issuer=self.issuer.iss, audience=audience, now=now, require_exp=require_exp,
                max_age=max_age, typ=typ, **more,
            )  # fmt: skip

        found: Claims = await self._verified(verify, now)
        return found

    async def payload(self, token: str, *, algorithms: Collection[str], now: datetime) -> bytes:
        """Verify the signature of *token* and give what it signs."""
        found: jose.Jws = await self._verified(lambda keys: jose.verify_jws(token, keys, algorithms=algorithms), now)
        return found.payload

    async def _verified(self, verify: Any, now: datetime) -> Any:
        ring = self._ring
        if ring.due is not None and now >= ring.due:
            await ring.renew()
        keys = await ring.key_set(self.issuer, now=now)
        try:
            try:
                return verify(keys)
            except jose.UnknownKey:
                if not await ring.look_again(seen=ring.version, now=now):
                    raise
                return verify(await ring.key_set(self.issuer, now=now))
        except jose.JoseError as wrong:
            raise NotAuthentic(why=wrong.message) from wrong
