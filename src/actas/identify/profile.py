"""A provider as configured: its preset and its settings, put together once and checked.

Pure. What is wrong with a provider is found by `requirements`; here everything is taken to be right.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Literal

import msgspec

from actas.identify.paths import EACH, Path, parse_path
from actas.identify.preset import Absent, Form, Preset, Where
from actas.settings.schema import Claim, Provider, many


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Where a fact is read, ready to be read."""

    paths: tuple[Path, ...] = ()
    absent: Absent = "unknown"
    full: int | None = None
    qualified: bool = False
    """Names carry the member that ``*`` stood for, such as a client's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where keys come from; equal sources share one key ring, also over a reload of the settings."""

    provider: str
    discovery: str | None = None
    issuer: str | None = None
    """What the discovery document must say its issuer is."""
    url: str | None = None
    file: str | None = None
    inline: bytes | None = field(default=None, repr=False)
    private: bool = False
    ca: str | None = None
    stale: timedelta = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Everything that the claims of one provider are read by."""

    name: str
    preset: Preset
    takes: Literal["access", "id"]
    typ: tuple[str, ...]
    types: frozenset[str]
    """The same in the form that `normal_type` gives."""
    bears: tuple[str, ...]
    """The preset's, unless the settings say which ``typ`` is taken: then that tells the kinds apart."""
    algorithms: tuple[str, ...]
    audience: frozenset[str]
    clients: frozenset[str]
    by_client: bool
    """The client stands for the audience, where a token names none."""
    tenants: frozenset[str]
    several_tenants: bool
    subject: Path
    address: Path | None
    client: Reading
    tenant: Reading
    groups: Reading
    roles: Reading
    scopes: Reading
    amr: frozenset[str]
    acr: frozenset[str]
    service: tuple[tuple[Path, str], ...] | None
    agents: frozenset[str]
    lookup: Literal["graph", "google", "keycloak-admin"] | None
    leeway: timedelta
    max_age: timedelta | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """One exact ``iss`` that tokens may have, and whose keys verify them."""

    iss: str
    profile: Profile
    source: Source
    tenant: str | None = None
    """The tenant that this issuer stands for; the token's own tenant claim must agree."""
    key_issuers: frozenset[str] = frozenset()
    """What a key's own ``issuer`` member may say; a key with another is not this issuer's."""


def profile_of(name: str, provider: Provider, preset: Preset) -> Profile:
    """Put *provider* and its *preset* together."""
    mfa, takes, clients = (
        frozenset(many(provider.mfa)),
        provider.token or preset.takes,
        frozenset(many(provider.clients)),
    )
    several = provider.tenants is not None and _is_shared(provider.tenant)
    typ = tuple(many(provider.typ)) if provider.typ is not None else preset.typ
    return Profile(
        name=name,
        preset=preset,
        takes=takes,
        typ=typ,
        types=frozenset(map(normal_type, typ)),
        bears=() if provider.typ is not None else preset.bears,
        algorithms=many(provider.algorithms) or preset.algorithms,
        audience=frozenset(many(provider.audience)),
        clients=clients,
        by_client=preset.audience_in == "client" and takes == "access" and bool(clients),
        tenants=frozenset(provider.tenants or (() if _is_shared(provider.tenant) else many(provider.tenant))),
        several_tenants=several,
        subject=parse_path(provider.subject or preset.subject),
        address=None if provider.address is None else parse_path(provider.address),
        client=_reading(provider.client, preset.client),
        tenant=_reading(None, preset.tenant),
        groups=_reading(provider.groups, preset.groups),
        roles=_reading(provider.roles, preset.roles),
        scopes=_reading(provider.scopes, preset.scopes),
        amr=mfa or preset.amr,
        acr=mfa or preset.acr,
        service=_marks(provider.service),
        agents=frozenset(provider.agent_clients),
        lookup=provider.groups.lookup if provider.groups else None,
        leeway=provider.leeway.time,
        max_age=provider.max_age.time if provider.max_age else None,
    )


def normal_type(typ: str) -> str:
    """Write a ``typ`` so that two that mean the same are equal (RFC 7515, section 4.1.9; case as RFC 9068 shows)."""
    return typ.lower().removeprefix("application/")


def issuers_of(provider: Provider, profile: Profile) -> tuple[Issuer, ...]:
    """List each exact issuer whose tokens *provider* takes."""
    if provider.issuer is not None:
        forms: tuple[Form, ...] = (Form(issuer=provider.issuer),)
    else:
        forms = tuple(
            form
            for form in profile.preset.forms
            if form.cloud == (provider.cloud or "global") and (provider.version or form.version) == form.version
        )
    tenants = sorted(profile.tenants) if profile.several_tenants else [None if provider.issuer else provider.tenant]
    return tuple(one for form in forms for tenant in tenants for one in _issuers(form, tenant, provider, profile))


def _issuers(form: Form, tenant: str | None, provider: Provider, profile: Profile) -> tuple[Issuer, ...]:
    filled = tenant or ""
    iss = form.issuer.replace("{tenant}", filled)
    key_issuers = {iss} | ({form.key_issuer.replace("{tenant}", filled)} if form.key_issuer else set())
    source = _source(form, tenant, provider, profile)
    return tuple(
        Issuer(
            iss=spelling,
            profile=profile,
            source=source,
            tenant=tenant if "{tenant}" in form.issuer else None,
            key_issuers=frozenset(key_issuers),
        )
        for spelling in (iss, *form.aliases)
    )


def _source(form: Form, tenant: str | None, provider: Provider, profile: Profile) -> Source:
    bare = Source(provider=profile.name, private=provider.private, ca=provider.ca, stale=provider.stale.time)
    if (keys := provider.keys) is not None:
        inline = None if keys.inline is None else msgspec.json.encode(keys.inline, order="sorted")
        return replace(bare, url=keys.url, file=keys.file, inline=inline)
    issuer = form.issuer.replace("{tenant}", tenant or "")
    discovery = form.discovery.replace("{issuer}", issuer.rstrip("/")).replace("{tenant}", tenant or "")
    if profile.several_tenants and form.directory and form.template:
        issuer, discovery = form.template, form.directory.replace("{tenant}", provider.tenant or "")
    return replace(bare, discovery=discovery, issuer=issuer)


def _reading(setting: Claim | None, preset: Where) -> Reading:
    written = many(setting.claim) if setting and setting.claim is not None else preset.paths
    paths = tuple(parse_path(path) for path in written)
    return Reading(
        paths=paths,
        qualified=any(EACH in path for path in paths),
        absent=(setting.absent if setting else None) or preset.absent,
        full=preset.full,
    )


def _marks(service: Mapping[str, str] | None) -> tuple[tuple[Path, str], ...] | None:
    return None if service is None else tuple((parse_path(claim), value) for claim, value in service.items())


def _is_shared(tenant: str | None) -> bool:
    return tenant in ("common", "organizations")
