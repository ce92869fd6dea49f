"""What sources of events are set up with: the client that asks, how pushes are signed, where their facts stand."""

from typing import Literal

import msgspec

from actas.settings.schema_keys import Keys, SecretRef
from actas.settings.values import Span

KindName = Literal[
    "signed-in", "sign-in-failed", "token-refreshed", "signed-out", "session-revoked", "role-granted", "role-revoked",
    "group-joined", "group-left", "user-disabled", "user-deleted", "credential-changed", "client-changed",
    "risk-changed", "other",
]  # fmt: skip


class EventClient(Keys, frozen=True):
    """The client by which the provider is asked; it needs no right but to read events."""

    id: str
    """Its client id; at Google, the service account's e-mail."""
    secret: SecretRef
    """Where its secret is kept; at Google, the key file."""
    url: str | None = None
    """The base of the provider's API, where it is not the issuer's own."""
    token_url: str | None = None
    """Where it gets its token; the provider's own where it is left out."""
    admin: str | None = None
    """Google: the administrator in whose name the reports are read."""


class Signature(Keys, frozen=True):
    """How a webhook proves where it comes from: an HMAC in a header, over the body and perhaps the time."""

    header: str
    """The header field that holds it; several, with commas between them, while secrets roll over."""
    algorithm: Literal["hmac-sha256", "hmac-sha512", "hmac-sha1"] = "hmac-sha256"
    """How it is made."""
    encoding: Literal["hex", "base64"] = "hex"
    """How it is written."""
    prefix: str = ""
    """What stands before it: ``sha256=``, ``v1=``."""
    timestamp: str | None = None
    """The header field that holds the time of signing, in seconds or milliseconds since 1970."""
    signed: str = "{body}"
    """What is signed: ``{body}``, or with the time ``{timestamp}.{body}``."""
    tolerance: Span = Span.read("5m")
    """How long ago the time of signing may be."""


class EventFields(Keys, frozen=True):
    """Where the facts stand in what a webhook sends: names of members with dots between them (``user.id``)."""

    id: str = "id"
    """The event's own name, the same each time it is sent."""
    type: str = "type"
    """What the sender calls it."""
    at: str = "time"
    """When it happened: RFC 3339, or a number of seconds or milliseconds since 1970."""
    subject: str | None = None
    """Whom it happened to, by the identifier that tokens carry."""
    address: str | None = None
    """Whom it happened to, by an e-mail address, where there is no identifier: see ``address`` of the provider."""
    actor: str | None = None
    """Who did it."""
    client: str | None = None
    """The client by which it was done."""
    session: str | None = None
    """The provider's session, the ``sid`` of tokens."""
    roles: str | None = None
    """A role or a list of them."""
    groups: str | None = None
    """A group or a list of them."""
    events: str | None = None
    """Where the list of events stands, where one delivery holds several."""
    kinds: dict[str, KindName] = msgspec.field(default_factory=dict)
    """What each type means: ``{user.left: user-disabled}``; a type that is not named is ``other``."""
