"""Whom a sign-in is with: the provider's issuer, the client this command is known by, what it asks for."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Literal

import msgspec

from actas.cli.login_errors import ProviderNotUsable
from actas.cli.login_web import Web, is_safe
from actas.model.secret import Secret

_STANDARD = ("openid", "offline_access")
_SCOPES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "entra": ("openid", "offline_access", "{audience}/.default"),
        "cognito": ("openid",),
        "google": ("openid", "email"),
        "keycloak": ("openid",),  # a refresh token comes without asking; offline_access would outlive the session
    }
)
_EXTRA: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "auth0": {"audience": "{audience}"},
        "google": {"access_type": "offline", "prompt": "consent"},
        "oidc": {"prompt": "consent"},  # OpenID Connect Core 1.0, section 11: offline_access counts only with it
    }
)
"""What some providers want beside the standard's parameters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginClient:
    """A provider, and ourselves as it knows us."""

    provider: str
    """The provider's name in the settings."""
    issuer: str
    client_id: str
    discovery: str | None = None
    """Where the provider describes itself, if not below its issuer."""
    client_secret: Secret | None = field(default=None, repr=False)
    """For providers that give even installed programs a secret; it protects nothing."""
    scopes: tuple[str, ...] = _STANDARD
    extra: Mapping[str, str] = field(default_factory=dict)
    """More parameters of the authorization request."""
    use: Literal["access", "id"] = "access"
    """Which token the gateway is shown."""
    ca: str | None = None


def asking(client: LoginClient, preset: str, audience: str | None) -> LoginClient:
    """Fill in what the *preset*'s providers want asked, for a token that is meant for *audience*."""
    values = {"audience": audience or client.client_id}
    scopes = tuple(scope.format(**values) for scope in _SCOPES.get(preset, _STANDARD))
    extra = {name: value.format(**values) for name, value in _EXTRA.get(preset, {}).items()}
    return replace(client, scopes=scopes, extra=extra)


class Metadata(msgspec.Struct, frozen=True):
    """What we use of a discovery document (OpenID Connect Discovery 1.0, section 3; RFC 8414)."""

    issuer: str
    jwks_uri: str
    authorization_endpoint: str | None = None
    token_endpoint: str | None = None
    device_authorization_endpoint: str | None = None
    revocation_endpoint: str | None = None
    code_challenge_methods_supported: tuple[str, ...] | None = None
    scopes_supported: tuple[str, ...] | None = None
    authorization_response_iss_parameter_supported: bool = False

    def endpoints(self) -> tuple[str, ...]:
        """List the addresses it names."""
        named = (
            self.jwks_uri,
            self.authorization_endpoint,
            self.token_endpoint,
            self.device_authorization_endpoint,
            self.revocation_endpoint,
        )
        return tuple(address for address in named if address is not None)


async def discover(client: LoginClient, web: Web) -> Metadata:
    """Read the provider's description of itself and refuse one that is not its own, or not safe."""
    where = client.discovery or f"{client.issuer.rstrip('/')}/.well-known/openid-configuration"
    found = await web.read(where, Metadata)
    check(found, client.issuer)
    return found


def check(found: Metadata, issuer: str) -> None:
    """Refuse a description that is not the issuer's own, or that names unsafe addresses."""
    if found.issuer != issuer:  # OpenID Connect Discovery 1.0, section 4.3; RFC 9207 rests on it
        raise ProviderNotUsable(issuer=issuer, why=f"its description is that of {found.issuer[:200]!r}")
    if not all(is_safe(address) for address in found.endpoints()):
        raise ProviderNotUsable(issuer=issuer, why="it names an address that is neither https nor on this machine")
    methods = found.code_challenge_methods_supported
    if methods is not None and "S256" not in methods:  # absent says nothing: Entra leaves it out and has PKCE
        raise ProviderNotUsable(issuer=issuer, why="it does not know PKCE with S256")


def wanted_scopes(client: LoginClient, found: Metadata) -> str:
    """Ask for no ``offline_access`` where the provider says it has none; some refuse the whole request for it."""
    known = found.scopes_supported
    scopes = client.scopes if known is None or "offline_access" in known else _without_offline(client.scopes)
    return " ".join(scopes)


def _without_offline(scopes: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(scope for scope in scopes if scope != "offline_access")
