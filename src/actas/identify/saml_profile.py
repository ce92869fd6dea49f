"""A SAML provider as configured, and ourselves as it knows us: preset and settings, put together once.

Pure. What is wrong with a provider is found by `saml_requirements`; here everything is taken to be right.
"""

import hashlib
from dataclasses import dataclass
from datetime import timedelta

import msgspec

from actas.identify.preset import Absent, Where
from actas.identify.saml_preset import FORMATS, SamlPreset
from actas.settings.schema import Claim, Provider, SamlRequest, SamlRequire, many


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """Where one provider's people and machines come to us: pages of the control origin."""

    login: str
    acs: str
    """The AssertionConsumerService: where browsers bring assertions."""
    logout: str
    metadata: str
    token: str
    """Where machines trade an assertion for a token (RFC 7522)."""
    done: str
    """Where a browser ends up that came from nowhere else."""

    @classmethod
    def of(cls, control_url: str, provider: str) -> "Doors":
        """List the doors of *provider* at a gateway whose control origin is *control_url*."""
        base = f"{control_url.rstrip('/')}/saml/{provider}"
        return cls(
            login=f"{base}/login",
            acs=f"{base}/acs",
            logout=f"{base}/logout",
            metadata=f"{base}/metadata",
            token=f"{base}/token",
            done=f"{base}/signed-in",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """Where a fact is read: the attributes that may hold it, and what it means when none is there."""

    attributes: tuple[str, ...] = ()
    absent: Absent = "unknown"
    full: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SamlProfile:
    """Everything that one provider's assertions are read by."""

    name: str
    preset: SamlPreset
    entity_id: str | None
    """The provider's, where its metadata describes several."""
    audience: str
    """Our own entity id, as this provider knows us."""
    doors: Doors
    subject: str
    """The attribute that names people, or `NAME_ID`."""
    address: str | None
    """The attribute that holds people's addresses, or `NAME_ID`; None where events do not name people by them."""
    name_id: frozenset[str]
    """The formats of NameID that are taken for a name."""
    vouched: bool
    """The settings themselves said that these formats name people for ever."""
    groups: Names
    roles: Names
    tenant: Names
    contexts: frozenset[str]
    contexts_said: bool
    """The settings list every context that means a second factor: any other means that there was none."""
    service: tuple[tuple[str, str], ...] | None
    require: SamlRequire
    request: SamlRequest
    passed_on: str | None
    """Whom assertions at the token door are made for, where they may be passed on there: AWS."""
    idp_initiated: bool
    allow_sha1: bool
    old_ciphers: tuple[str, ...]
    leeway: timedelta
    sign_in: timedelta
    digest: str
    """Names the settings of the provider: what rests on others does not count any more."""


def saml_profile_of(name: str, provider: Provider, preset: SamlPreset, control_url: str) -> SamlProfile:
    """Put *provider* and its *preset* together."""
    doors, mfa = Doors.of(control_url, name), frozenset(many(provider.mfa))
    audience = many(provider.audience)
    return SamlProfile(
        name=name,
        preset=preset,
        entity_id=provider.entity_id,
        audience=audience[0] if audience else doors.metadata,
        doors=doors,
        subject=provider.subject or preset.subject,
        address=provider.address,
        name_id=frozenset(map(format_of, many(provider.name_id) or preset.name_id)),
        vouched=provider.name_id is not None,
        groups=_names(provider.groups, preset.groups),
        roles=_names(provider.roles, preset.roles),
        tenant=_names(None, preset.tenant),
        contexts=mfa or preset.contexts,
        contexts_said=bool(mfa),
        service=None if provider.service is None else tuple(provider.service.items()),
        require=provider.require,
        request=provider.request,
        passed_on=provider.passed_on,
        idp_initiated=provider.idp_initiated,
        allow_sha1=provider.allow_sha1,
        old_ciphers=provider.old_ciphers,
        leeway=provider.leeway.time,
        sign_in=provider.sign_in.time,
        digest=_digest(name, provider, doors),
    )


def format_of(word: str) -> str:
    """Give the URI of a format of NameID; one that has no short word stands for itself."""
    return FORMATS.get(word, word)


def _names(setting: Claim | None, preset: Where) -> Names:
    written = many(setting.claim) if setting and setting.claim is not None else preset.paths
    return Names(attributes=written, absent=(setting.absent if setting else None) or preset.absent, full=preset.full)


def _digest(name: str, provider: Provider, doors: Doors) -> str:
    said = msgspec.to_builtins((name, provider, doors.acs), str_keys=True, enc_hook=repr)
    return hashlib.sha256(msgspec.json.encode(said)).hexdigest()[:16]
