"""SAML evidence in, a believed identity out: each provider with its metadata, and every assertion once.

An edge. The assertion is verified by `actas.saml`, read by `saml_believe`, and remembered where every door of every
replica looks, so that it counts once.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from actas import saml
from actas.identify.presets import SAML_PRESETS
from actas.identify.saml_believe import believe
from actas.identify.saml_edges import SamlEdges
from actas.identify.saml_errors import AssertionUsed, NoSamlProvider, SamlRefused
from actas.identify.saml_profile import SamlProfile, saml_profile_of
from actas.identify.saml_trust import FileMetadata, Known, Trusts
from actas.model.evidence import SamlResponse
from actas.model.identity import Identity
from actas.settings.resolve import resolve
from actas.settings.schema import Provider, SamlRequire, many


@dataclass(frozen=True, slots=True, kw_only=True)
class Believed:
    """An identity, and the assertion it was made of."""

    identity: Identity
    assertion: saml.Assertion = field(repr=False)
    profile: SamlProfile = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Provider:
    profile: SamlProfile
    trusts: Trusts
    keys: tuple[str, ...] = field(repr=False)


class SamlProviders:
    """The SAML providers of one set of settings."""

    def __init__(self, providers: Mapping[str, Provider], edges: SamlEdges, *, base: Path) -> None:
        self._edges = edges
        self._providers = {
            name: _provider(name, provider, edges, base)
            for name, provider in providers.items()
            if provider.preset in SAML_PRESETS
        }

    @property
    def names(self) -> tuple[str, ...]:
        """List the providers."""
        return tuple(self._providers)

    def profile(self, name: str) -> SamlProfile:
        """Give how a provider's assertions are read, or raise `NoSamlProvider`."""
        return self._find(name).profile

    async def known(self, name: str, *, now: datetime) -> Known:
        """Give a provider as its metadata describes it."""
        return await self._find(name).trusts.known(now=now)

    def decryption_keys(self, name: str) -> tuple[Any, ...]:
        """Give the private keys that open what a provider encrypts to us."""
        return (*self._find(name).keys, *self._edges.decryption_keys())

    async def look(self, evidence: SamlResponse, *, now: datetime) -> Believed:
        """Believe what *evidence* says, without taking it: it can still be shown once."""
        one = self._find(evidence.provider)
        profile, known = one.profile, await one.trusts.known(now=now)
        try:
            assertion = saml.verify(
                saml.decode_post(evidence.shown.reveal()),
                known.trust,
                audience=profile.audience,
                recipient=evidence.recipient,
                now=now,
                in_response_to=saml.ANY if evidence.asked_elsewhere else evidence.answers,
                leeway=profile.leeway,
                allow_sha1=profile.allow_sha1,
                decryption_keys=self.decryption_keys(evidence.provider),
                require=_require(profile.require),
            )
        except saml.SamlError as wrong:
            raise SamlRefused(provider=profile.name, found=wrong.code, why=wrong.message) from wrong
        return Believed(identity=believe(assertion, profile, now=now), assertion=assertion, profile=profile)

    async def take(self, believed: Believed) -> None:
        """Use up the assertion, or raise `AssertionUsed` where it was used before."""
        assertion, profile = believed.assertion, believed.profile
        assert self._edges.replays is not None
        replays = await self._edges.replays()
        until = assertion.not_on_or_after + profile.leeway
        if not await replays.first(issuer=assertion.issuer, id=assertion.id, until=until):
            raise AssertionUsed(provider=profile.name)

    def _find(self, name: str) -> _Provider:
        found = self._providers.get(name)
        if found is None:
            raise NoSamlProvider(wanted=name if name.isascii() and name.isprintable() else "", known=self._providers)
        return found


def _provider(name: str, provider: Provider, edges: SamlEdges, base: Path) -> _Provider:
    profile = saml_profile_of(name, provider, SAML_PRESETS[provider.preset], edges.control_url)
    certificate = None if provider.metadata_certificate is None else base / provider.metadata_certificate
    metadata = base / (provider.metadata or "")
    return _Provider(
        profile=profile,
        trusts=FileMetadata(name, metadata, profile.entity_id, certificate=certificate),
        keys=tuple(
            resolve(one, key=f"providers.{name}.decryption.{place}", folder=base).secret.reveal()
            for place, one in enumerate(provider.decryption)
        ),
    )


def _require(require: SamlRequire) -> saml.Require:
    return saml.Require(
        signed_assertion=require.signed_assertion,
        signed_response=require.signed_response,
        encrypted_assertion=require.encrypted_assertion,
        gcm_only=require.gcm_only,
        authn_contexts=many(require.authn_contexts),
    )
