r"""A provider's habits as data: how its tokens look, and what is not said in them.

A preset holds no code. Where two providers differ, the difference is a field here; the settings of a provider
override what they name. Paths of claims are dotted (``realm_access.roles``); ``\.`` is a dot in a name, ``*``
stands for each member, and a path with ``://`` or a leading ``urn:`` is one name as it stands.
"""

from dataclasses import dataclass
from typing import Literal

from actas.model.identity import Kind

Absent = Literal["unknown", "empty"]
RSA = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
ASYMMETRIC = (*RSA, "ES256", "ES384", "ES512", "EdDSA", "Ed25519")


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """Where a fact stands in a token, and what it means when it does not."""

    paths: tuple[str, ...] = ()
    """All are read; lists are joined, single values are the first that is there."""
    absent: Absent = "unknown"
    full: int | None = None
    """A list this long may have been cut by the provider, so it counts as overflowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tell:
    """One thing to be seen in the claims; all that it names must be so."""

    claim: str
    present: bool = True
    equals: str | None = None
    same_as: str | None = None
    """Another claim that must have the same value."""
    prefix: str = ""
    suffix: str = ""
    contains: str = ""


Tells = tuple[tuple[Tell, ...], ...]
"""Any of the groups; all of one group."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A payload claim by which the provider itself says which kind of token it is; it must be there."""

    claim: str
    access: frozenset[str]
    id: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """One form of issuer, and where its metadata lives; ``{tenant}`` stands for the settings' tenant."""

    issuer: str
    discovery: str = "{issuer}/.well-known/openid-configuration"
    directory: str | None = None
    """The metadata that several tenants share, ``{tenant}`` being ``common`` or ``organizations``."""
    template: str | None = None
    """The issuer in that shared metadata."""
    key_issuer: str | None = None
    """What a key's own ``issuer`` member may say, besides the issuer."""
    aliases: tuple[str, ...] = ()
    """Other spellings of the issuer in tokens."""
    cloud: str = "global"
    version: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """What there is to know about one provider's tokens before seeing any."""

    name: str
    docs: str
    forms: tuple[Form, ...] = ()
    """Empty: the settings name the issuer."""
    issuer_path: str = ""
    """What the path of an issuer looks like, a regular expression; for `actas check`."""
    issuer_example: str = ""
    takes: Literal["access", "id"] = "access"
    """Which kind of token callers bring: Google's access tokens, for one, are opaque."""
    typ: tuple[str, ...] = ("at+jwt", "JWT", "")
    marks: tuple[Mark, ...] = ()
    bears: tuple[str, ...] = ()
    """Claims that access tokens have and ID tokens do not: one must be there where ``typ`` does not tell them apart."""
    algorithms: tuple[str, ...] = ASYMMETRIC
    worldwide: bool = False
    """Anybody in the world can get its tokens for any audience, so tenants or clients have to be listed."""
    audience_in: Literal["aud", "client"] = "aud"
    """``client``: its access tokens have no ``aud``; who may bring them is said by ``clients``."""
    subject: str = "sub"
    """The stable name of a person, which the provider's events use too."""
    service_subject: str = "sub"
    """The same for a program that calls for itself."""
    event_subject: str = "sub"
    """What the provider's events call a person."""
    token_id: tuple[str, ...] = ("jti",)
    client: Where = Where(paths=("azp", "client_id"))
    tenant: Where = Where()
    groups: Where = Where()
    roles: Where = Where()
    scopes: Where = Where(paths=("scope", "scp"))
    amr: frozenset[str] = frozenset({"mfa"})
    """``amr`` values that mean a second factor (RFC 8176, section 2)."""
    acr: frozenset[str] = frozenset()
    """``acr`` values that mean a second factor; empty where ``acr`` says nothing about it."""
    overage: tuple[str, ...] = ()
    """Claims that, being true, say that there were too many groups to list."""
    kind: Kind | None = None
    """The kind of every caller, where the provider knows one only."""
    human: Tells = ()
    service: Tells = ()
    lookup: Literal["graph", "google", "keycloak-admin"] | None = None
    """The look-up that fits this provider, suggested where its tokens carry no groups."""
