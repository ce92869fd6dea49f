"""What follows from one set of settings: issuers, key rings, look-ups, and what was verified under them.

A reload of the settings makes a new generation. It takes over the rings and look-ups that nothing changed for, and
begins with no verified tokens, so that no answer outlives the settings it was given under.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from actas.identify.cache import Tokens
from actas.identify.errors import UnexpectedAnswer
from actas.identify.flow import Fetch
from actas.identify.keyring import Ring
from actas.identify.lookup import Account, account_of
from actas.identify.lookups import LOOKUPS
from actas.identify.members import Members
from actas.identify.presets import SAML_PRESETS
from actas.identify.profile import Issuer, Source
from actas.identify.registry import Registry
from actas.identify.renewing import Clock
from actas.identify.saml_edges import SamlEdges
from actas.settings.errors import SettingsError
from actas.settings.resolve import resolve
from actas.settings.schema import LookupClient, Provider

if TYPE_CHECKING:
    from actas.identify.saml_metadata import MetadataKeyring
    from actas.identify.saml_verifier import SamlProviders


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Everything that a look-up depends on; where it stays the same, so does what it knows."""

    provider: str
    issuer: str
    tenant: str | None
    lookup: str
    client: LookupClient
    cloud: str | None
    private: bool
    ca: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Edges:
    """What reaches outside, and where files are."""

    fetch: Fetch
    clock: Clock
    base: Path
    saml: SamlEdges | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """One set of settings, ready for tokens."""

    registry: Registry
    rings: Mapping[Source, Ring]
    members: Mapping[Asked, Members]
    asked: Mapping[str, Asked]
    """By issuer, how its callers' groups are asked for."""
    saml: "SamlProviders | None" = None
    tokens: Tokens = field(default_factory=Tokens)

    @property
    def every_ring(self) -> tuple["Ring | MetadataKeyring", ...]:
        """List whatever holds a provider's keys."""
        return (*self.rings.values(), *(() if self.saml is None else self.saml.rings))

    def due(self, now: datetime) -> "list[Ring | MetadataKeyring]":
        """List what is to be renewed now."""
        return [one for one in self.every_ring if one.due is not None and one.due <= now and not one.is_renewing]

    def announce(self, now: datetime) -> None:
        """Say in the log which certificates end soon."""
        if self.saml is not None:
            self.saml.announce(now=now)

    def certificate_days_left(self, now: datetime) -> float | None:
        """Give the days until some SAML provider's last certificate ends; None where none says."""
        return None if self.saml is None else self.saml.days_left(now=now)

    def members_of(self, issuer: Issuer) -> Members | None:
        """Give whoever knows the groups of this issuer's callers, if they are looked up."""
        asked = self.asked.get(issuer.iss)
        return None if asked is None else self.members[asked]


def generation(providers: Mapping[str, Provider], edges: Edges, *, before: Generation | None) -> Generation:
    """Put *providers* together; keep of the generation *before* what nothing changed for."""
    registry = Registry.of({name: one for name, one in providers.items() if one.preset not in SAML_PRESETS})
    rings = dict(before.rings) if before else {}
    members = dict(before.members) if before else {}
    asked: dict[str, Asked] = {}
    for issuer in registry.issuers.values():
        if issuer.source not in rings:
            rings[issuer.source] = Ring(issuer.source, fetch=edges.fetch, base=edges.base, clock=edges.clock)
        how = _asked(providers[issuer.profile.name], issuer)
        if how is not None:
            asked[issuer.iss] = how
            members.setdefault(how, _members(how, providers[issuer.profile.name], issuer, edges))
    used = {issuer.source for issuer in registry.issuers.values()}
    return Generation(
        registry=registry,
        rings={source: ring for source, ring in rings.items() if source in used},
        members={how: members[how] for how in asked.values()},
        asked=asked,
        saml=_saml(providers, edges, before),
    )


def _saml(providers: Mapping[str, Provider], edges: Edges, before: Generation | None) -> "SamlProviders | None":
    """Put those together that speak SAML; what reads XML is loaded only where there are such."""
    if edges.saml is None or not any(one.preset in SAML_PRESETS for one in providers.values()):
        return None
    from actas.identify.saml_verifier import SamlProviders

    return SamlProviders(providers, edges.saml, edges, before=None if before is None else before.saml)


def _asked(provider: Provider, issuer: Issuer) -> Asked | None:
    lookup = issuer.profile.lookup
    if lookup is None or provider.lookup is None:
        return None
    return Asked(
        provider=issuer.profile.name,
        issuer=issuer.iss,
        tenant=issuer.tenant,
        lookup=lookup,
        client=provider.lookup,
        cloud=provider.cloud,
        private=provider.private,
        ca=provider.ca,
    )


def _members(how: Asked, provider: Provider, issuer: Issuer, edges: Edges) -> Members:
    def account() -> Account:
        key = f"providers.{how.provider}.lookup.secret"
        try:
            secret = resolve(how.client.secret, key=key, folder=edges.base).secret
        except SettingsError as wrong:
            raise UnexpectedAnswer(what="the look-up client's secret", why=f"cannot be had: {wrong.message}") from wrong
        return account_of(how.client, provider, issuer, secret)

    return Members(LOOKUPS[how.lookup], account, fetch=edges.fetch, clock=edges.clock)
