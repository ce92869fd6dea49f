"""SAML evidence in, a believed identity out: each provider with its metadata, and every assertion once.

An edge. The assertion is verified by `actas.saml`, read by `saml_believe`, and remembered where every door of every
replica looks, so that it counts once.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

import anyio.to_thread

from actas import saml
from actas.identify import saml_suppose
from actas.identify.flow import Fetch
from actas.identify.presets import SAML_PRESETS
from actas.identify.renewing import Clock
from actas.identify.saml_believe import believe
from actas.identify.saml_edges import SamlEdges
from actas.identify.saml_errors import AssertionUsed, NoSamlProvider, SamlRefused
from actas.identify.saml_expiry import Announced, days_left, endings
from actas.identify.saml_metadata import Known, MetadataKeyring, MetadataSource
from actas.identify.saml_profile import SamlProfile, saml_profile_of
from actas.model.evidence import OF_BROWSERS, SamlResponse
from actas.model.identity import Identity
from actas.settings.resolve import resolve
from actas.settings.schema import Provider, SamlRequire, many

log = logging.getLogger("actas")
Read = TypeVar("Read")
_SMALL = 32 * 1024
"""Bytes of a document that takes less than a millisecond, and hostile ones not much more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Believed:
    """An identity, and the assertion it was made of."""

    identity: Identity
    assertion: saml.Assertion = field(repr=False)
    profile: SamlProfile = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Provider:
    profile: SamlProfile
    ring: MetadataKeyring
    keys: tuple[str, ...] = field(repr=False)


class Outside(Protocol):
    """What fetches metadata, where its files are, and the time."""

    @property
    def fetch(self) -> Fetch: ...  # noqa: D102
    @property
    def base(self) -> Path: ...  # noqa: D102
    @property
    def clock(self) -> Clock: ...  # noqa: D102


class SamlProviders:
    """The SAML providers of one set of settings."""

    def __init__(
        self, providers: Mapping[str, Provider], edges: SamlEdges, outside: Outside, *, before: "SamlProviders | None"
    ) -> None:
        self._edges = edges
        self._announced: Announced = Announced() if before is None else before._announced  # noqa: SLF001 - of the same kind
        self._rings: dict[MetadataSource, MetadataKeyring] = (
            {} if before is None else {ring.source: ring for ring in before.rings}
        )
        self._providers = {
            name: self._provider(name, provider, outside)
            for name, provider in providers.items()
            if provider.preset in SAML_PRESETS
        }

    @property
    def rings(self) -> tuple[MetadataKeyring, ...]:
        """List the metadata of every provider, to be renewed."""
        return tuple(one.ring for one in self._providers.values())

    def days_left(self, *, now: datetime) -> float | None:
        """Give the days until some provider has no certificate left that has not ended; None where none says."""
        found = [days_left(ring.certificates(), now=now) for ring in self.rings]
        return min((one for one in found if one is not None), default=None)

    def announce(self, *, now: datetime) -> None:
        """Say once, at each stage, that a certificate ends."""
        for name, one in self._providers.items():
            for ending in self._announced.fresh(endings(name, one.ring.certificates(), now=now)):
                log.warning("%s", ending.sentence)

    @property
    def names(self) -> tuple[str, ...]:
        """List the providers."""
        return tuple(self._providers)

    def profile(self, name: str) -> SamlProfile:
        """Give how a provider's assertions are read, or raise `NoSamlProvider`."""
        return self._find(name).profile

    async def known(self, name: str, *, now: datetime) -> Known:
        """Give a provider as its metadata describes it."""
        return await self._find(name).ring.known(now=now)

    def decryption_keys(self, name: str) -> tuple[Any, ...]:
        """Give the private keys that open what a provider encrypts to us."""
        return (*self._find(name).keys, *self._edges.decryption_keys())

    def require(self, name: str) -> saml.Require:
        """Give what a provider's answers must have beyond being valid."""
        return _require(self._find(name).profile.require)

    async def look(self, evidence: SamlResponse, *, now: datetime) -> Believed:
        """Believe what *evidence* says, without taking it: it can still be shown once."""
        one = self._find(evidence.provider)
        try:
            xml = saml.decode_post(evidence.shown.reveal())
        except saml.SamlError as wrong:
            raise SamlRefused(provider=one.profile.name, found=wrong.code, why=wrong.message) from wrong
        answers = saml.ANY if evidence.asked_elsewhere else evidence.answers
        believed = await self._verified(one, xml, recipient=evidence.recipient, answers=answers, now=now)
        if evidence.asked_elsewhere and (believed.assertion.in_response_to or "").startswith(OF_BROWSERS):
            why = "it answers the sign-in of a browser, which alone may hand it in"
            raise SamlRefused(provider=one.profile.name, found="saml.wrong-request", why=why)
        return believed

    async def read(self, name: str, xml: bytes, *, now: datetime) -> Believed:
        """Read a document for somebody who wants to know what is in it; whose door it is for is not looked at."""
        return await self._verified(self._find(name), xml, recipient=None, answers=saml.ANY, now=now)

    async def _verified(
        self, one: _Provider, xml: bytes, *, recipient: str | None, answers: Any, now: datetime
    ) -> Believed:
        profile = one.profile

        def verify(known: Known) -> saml.Assertion:
            return saml.verify(
                xml,
                known.trust,
                audience=profile.audience,
                recipient=recipient,
                now=now,
                in_response_to=answers,
                leeway=profile.leeway,
                allow_sha1=profile.allow_sha1,
                old_ciphers=profile.old_ciphers,
                decryption_keys=self.decryption_keys(profile.name),
                require=_require(profile.require),
            )

        try:
            assertion = await self.signed(profile.name, verify, size=len(xml), now=now)
        except saml.SamlError as wrong:
            raise SamlRefused(provider=profile.name, found=wrong.code, why=wrong.message) from wrong
        return Believed(identity=believe(assertion, profile, now=now), assertion=assertion, profile=profile)

    async def signed(self, name: str, read: Callable[[Known], Read], *, size: int, now: datetime) -> Read:
        """Read a message of *size* bytes that a provider signed, perhaps by a key that it published since."""
        ring = self._find(name).ring
        known = await ring.known(now=now)
        try:
            return await _aside(partial(read, known), size)
        except saml.BadSignature:
            if not await ring.look_again(seen=known.version, now=now):
                raise
            return await _aside(partial(read, await ring.known(now=now)), size)

    def suppose(self, claims: Mapping[str, object], *, now: datetime) -> Identity:
        """Read *claims* as if a provider had signed them: for ``--claims FILE``, never for a call."""
        supposed = saml_suppose.read(claims)
        return saml_suppose.suppose(supposed, self.profile(supposed.provider), now=now)

    async def take(self, believed: Believed) -> None:
        """Use up the assertion, or raise `AssertionUsed` where it was used before."""
        assertion, profile = believed.assertion, believed.profile
        assert self._edges.replays is not None
        replays = await self._edges.replays()
        until = _after(assertion.usable_until or assertion.not_on_or_after, profile.leeway)
        if not await replays.first(issuer=assertion.issuer, id=assertion.id, until=until):
            raise AssertionUsed(provider=profile.name)

    def _provider(self, name: str, provider: Provider, outside: Outside) -> _Provider:
        source = _source(name, provider)
        ring = self._rings.get(source)
        return _Provider(
            profile=saml_profile_of(name, provider, SAML_PRESETS[provider.preset], self._edges.control_url),
            ring=ring or MetadataKeyring(source, fetch=outside.fetch, base=outside.base, clock=outside.clock),
            keys=tuple(
                resolve(one, key=f"providers.{name}.decryption.{place}", folder=outside.base).secret.reveal()
                for place, one in enumerate(provider.decryption)
            ),
        )

    def _find(self, name: str) -> _Provider:
        found = self._providers.get(name)
        if found is None:
            raise NoSamlProvider(wanted=name if name.isascii() and name.isprintable() else "", known=self._providers)
        return found


def _source(name: str, provider: Provider) -> MetadataSource:
    metadata = provider.metadata or ""
    is_address = "://" in metadata
    return MetadataSource(
        provider=name,
        url=metadata if is_address else None,
        file=None if is_address else metadata,
        certificate=provider.metadata_certificate,
        entity_id=provider.entity_id,
        private=provider.private,
        ca=provider.ca,
        stale=provider.stale.time,
        allow_sha1=provider.allow_sha1,
    )


def _after(at: datetime, leeway: timedelta) -> datetime:
    try:
        return at + leeway
    except OverflowError:  # in the year 9999
        return at


async def _aside(read: Callable[[], Read], size: int) -> Read:
    """Read a large document in a thread: whatever a stranger makes of it, calls go on meanwhile."""
    return read() if size <= _SMALL else await anyio.to_thread.run_sync(read)


def _require(require: SamlRequire) -> saml.Require:
    return saml.Require(
        signed_assertion=require.signed_assertion,
        signed_response=require.signed_response,
        encrypted_assertion=require.encrypted_assertion,
        gcm_only=require.gcm_only,
        authn_contexts=many(require.authn_contexts),
    )
