"""The section ``providers`` of the settings file: who vouches for callers."""

from typing import Literal

from actas.settings.schema_keys import Keys, SecretRef, Texts
from actas.settings.schema_saml import SamlRequest, SamlRequire
from actas.settings.values import Span


class Claim(Keys, frozen=True):
    """Where a fact about the caller stands in a token, and what its absence means."""

    claim: Texts | None = None
    """A dotted path (``realm_access.roles``), or several; the preset's where it is left out."""
    absent: Literal["unknown", "empty"] | None = None
    """What no claim means: nothing is known (which is never in the caller's favour), or there are none."""
    lookup: Literal["graph", "google", "keycloak-admin"] | None = None
    """Who is asked where the token cannot carry the whole list."""


class LookupClient(Keys, frozen=True):
    """The client the gateway uses to ask a provider about groups."""

    id: str
    """Its client id; at Google, the service account's e-mail."""
    secret: SecretRef
    """Where its secret is kept; at Google, its private key."""
    token_url: str | None = None
    """Where it gets its token; the provider's own where it is left out."""
    url: str | None = None
    """The base of the provider's API; the preset's where it is left out."""
    admin: str | None = None
    """Google: the administrator on whose behalf the directory is read."""


class KeySource(Keys, frozen=True):
    """Where the provider's keys come from when not by discovery: exactly one of the three."""

    url: str | None = None
    """The address of a JWK Set."""
    file: str | None = None
    """A file with a JWK Set, relative to the settings file; read again when it changes."""
    inline: dict[str, object] | None = None
    """The JWK Set itself, public keys only."""


class Provider(Keys, frozen=True):
    """An identity provider; whatever is left out is the preset's."""

    preset: str
    """Whose habits it has: ``keycloak``, ``entra-saml``, …, or ``oidc`` or ``saml`` for anything standard."""
    issuer: str | None = None
    """Its issuer, letter by letter as in its tokens."""
    tenant: str | None = None
    """The tenant, where the preset's issuer is made from one."""
    tenants: tuple[str, ...] | None = None
    """Entra, several tenants: the allow-list; ``tenant`` is then ``organizations`` or ``common``."""
    cloud: Literal["global", "us-government", "china"] | None = None
    """Entra: the national cloud."""
    version: Literal["v1", "v2"] | None = None
    """Entra: the version of its tokens."""
    audience: Texts | None = None
    """What the tokens' audience must be: any of them. SAML: our entity id; made of ``control_url`` where left out."""
    clients: Texts | None = None
    """Client ids that may bring tokens; required where a provider's tokens have no audience."""
    token: Literal["access", "id"] | None = None
    """Which kind of token is taken."""
    typ: Texts | None = None
    """The header ``typ`` values that are taken; the empty string stands for none."""
    algorithms: Texts | None = None
    """The signature algorithms that are taken."""
    keys: KeySource | None = None
    """Where the keys come from, when not by discovery."""
    subject: str | None = None
    """The claim, or the SAML attribute, that names the caller and never changes; ``name-id`` is the NameID."""
    address: str | None = None
    """The claim, or the SAML attribute, that holds a person's e-mail address, where an address is one person's for
    good: events that name somebody by an address alone then end that person's access."""
    groups: Claim | None = None
    """Where the caller's groups stand."""
    roles: Claim | None = None
    """Where the caller's roles at the provider stand."""
    scopes: Claim | None = None
    """Where the token's scopes stand."""
    client: Claim | None = None
    """Where the client stands that the token was issued to."""
    mfa: Texts | None = None
    """``amr`` or ``acr`` values, or SAML authentication contexts, that mean that a second factor was used."""
    service: dict[str, str] | None = None
    """A claim or attribute and its value that mark evidence as a program's own (no person signed in)."""
    agent_clients: tuple[str, ...] = ()
    """Clients that are AI agents: their callers are of kind `agent`."""
    lookup: LookupClient | None = None
    """The client with which groups are looked up."""
    private: bool = False
    """The provider lives at a private address; without this it is refused."""
    ca: str | None = None
    """A file with the certificate authority of a provider whose certificate is not public."""
    leeway: Span = Span.read("60s")
    """How far its clock and ours may differ."""
    max_age: Span | None = None
    """Refuse tokens issued longer ago than this, whatever they say of their own end."""
    stale: Span = Span.read("24h")
    """How long known keys are trusted while the provider cannot be reached."""
    metadata: str | None = None
    """SAML: the provider's metadata, a file or an https address; read again when it changes."""
    metadata_certificate: str | None = None
    """SAML: a file with the certificate by which the metadata must be signed."""
    entity_id: str | None = None
    """SAML: the provider's entity id, where the metadata describes several."""
    name_id: Texts | None = None
    """SAML: the formats of NameID that name the same person for ever: ``persistent``, ``email``, … or URIs."""
    require: SamlRequire = SamlRequire()
    """SAML: what its answers must have beyond being valid."""
    request: SamlRequest = SamlRequest()
    """SAML: how it is asked to sign somebody in."""
    passed_on: str | None = None
    """SAML: AWS's sign-in address that machines' assertions are made for, so that ``aws-saml`` can pass them on."""
    idp_initiated: bool = False
    """SAML: answers are taken in browsers that asked for none; strangers can then sign people in as others."""
    allow_sha1: bool = False
    """SAML: SHA-1 and short RSA keys are taken, as old providers have them."""
    old_ciphers: tuple[Literal["rsa-1_5", "tripledes-cbc"], ...] = ()
    """SAML: ciphers that are opened though they tell a little of what is inside, for a provider that has no others."""
    decryption: tuple[SecretRef, ...] = ()
    """SAML: private keys (PEM) that open what is encrypted to us, beside those that the gateway makes itself."""
    sign_in: Span = Span.read("15m")
    """SAML: how long a sign-in in a browser lasts at most."""
