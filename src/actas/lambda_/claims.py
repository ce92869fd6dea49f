"""What an envelope says: the claims between the gateway that mints it and the function that reads it."""

from typing import Final, Literal

import msgspec

TYPE: Final = "actas-envelope+jwt"
"""The header's ``typ``: an envelope is no other kind of token."""
ALGORITHMS: Final = ("ES256", "Ed25519")
LARGEST: Final = 2_660
"""Characters: base64 makes a client context around it of 3,583 bytes at most, which is all that Lambda takes."""

Form = Literal["jcs", "bytes"]
"""What was digested: the event's canonical form, or, where it has none, its bytes as they were sent."""


class Acts(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who acts for the subject (RFC 8693, section 4.1), and who for them."""

    sub: str
    iss: str
    client_id: str | None = None
    act: "Acts | None" = None


class Envelope(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The claims. A fact that is not known is named in ``missing``, with how it is missing."""

    iss: str
    aud: str
    jti: str
    iat: int
    exp: int
    sub: str
    event_sha256: str
    event_form: Form
    provider: str
    identity_issuer: str
    kind: str | None = None
    groups: tuple[str, ...] | None = None
    roles: tuple[str, ...] | None = None
    scopes: tuple[str, ...] | None = None
    client: str | None = None
    tenant: str | None = None
    mfa: bool | None = None
    missing: dict[str, str] = {}
    act: Acts | None = None
    role: str | None = None
    role_arn: str | None = None
    root: str
    depth: int = 0
