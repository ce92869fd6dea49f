"""What a token is to say, before any provider's habits."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from actas.testing.idp.people import Client, Person

Claims = dict[str, Any]
Use = Literal["access", "id"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Who gets a token, for what, and when. Times are seconds since 1970, as tokens have them."""

    issuer: str
    audience: tuple[str, ...]
    client: Client
    person: Person | None
    """None: the client acts for itself."""
    scopes: tuple[str, ...]
    issued: int
    expires: int
    authenticated: int
    session: str
    token_id: str
    nonce: str | None = None
    overflowed: bool = False
    """There are more groups than this provider puts into a token."""

    @property
    def groups(self) -> tuple[str, ...]:
        """The person's groups; a program has none."""
        return self.person.groups if self.person else ()

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles of the person, or of the program that acts for itself."""
        return self.person.roles if self.person else self.client.roles

    @property
    def scope(self) -> str:
        """The scopes as OAuth writes them."""
        return " ".join(self.scopes)

    @property
    def one_audience(self) -> str | list[str]:
        """The audience, a string where there is only one."""
        return self.audience[0] if len(self.audience) == 1 else list(self.audience)

    @property
    def methods(self) -> list[str]:
        """How the person signed in (RFC 8176)."""
        return ["pwd", "otp", "mfa"] if self.person and self.person.mfa else ["pwd"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Paths:
    """Where a provider's endpoints are; ``{issuer}`` and ``{base}`` stand for its addresses. None: it has none."""

    keys: str
    authorize: str | None = None
    token: str | None = None
    userinfo: str | None = None
    device: str | None = None
    revoke: str | None = None
    end_session: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A provider's habits: its addresses and what it writes into tokens."""

    name: str
    issuer: str
    """The issuer, with ``{base}`` for the address of the server."""
    discovery: str = "{issuer}/.well-known/openid-configuration"
    paths: Paths
    access: Callable[[Facts], Claims]
    identity: Callable[[Facts], Claims]
    typ: str | None = "JWT"
    """The header ``typ`` of access tokens; None leaves it out."""
    identity_typ: str | None = "JWT"
    thumbprint_header: bool = False
    """The header also has the key's name as ``x5t``."""
    main: Use = "access"
    """Which token the gateway is shown: at Google the ID token, because access tokens say nothing there."""
    most_groups: int | None = None
    """How many groups fit into a token."""
    too_many: Literal["leave-out", "refuse"] = "leave-out"
    """What happens beyond that: the list is left out (and said to be), or no token is given at all."""
    published: Callable[[Claims, str], Claims] = lambda key, _issuer: key
    """How the provider writes one public key into its key set."""
    own_identity_key: bool = False
    """ID tokens are signed by another key of the same set."""
    encryption_key: bool = False
    """The key set also holds a key for encryption, which must not verify anything."""


def opaque(_facts: Facts) -> Claims:
    """Stand for an access token that says nothing to us."""
    return {}
