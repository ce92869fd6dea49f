"""The values of this library: credentials, what signing gives, whom verifying finds."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Final

import msgspec

from actas.sigv4.errors import MalformedRequest

_KEY_ID: Final = re.compile(r"[A-Za-z0-9._\-]{1,128}")
_TOKEN: Final = re.compile(r"[\x21-\x7e]*")


class Payload(Enum):
    """What stands for a body's hash."""

    UNSIGNED = "UNSIGNED-PAYLOAD"


class Scope(Enum):
    """What stands for a region or a service."""

    ANY = "any"


UNSIGNED_PAYLOAD: Final = Payload.UNSIGNED
"""As a body: it is not part of the signature (S3's presigned URLs)."""
ANY: Final = Scope.ANY
"""As a region or service: not checked, which must be said."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """A key pair, and the token where it is temporary; refused here if they could not stand in a header."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Look once, not at each signature."""
        if not _KEY_ID.fullmatch(self.access_key_id):
            raise MalformedRequest(
                field="access key id", why="is empty, too long, or holds other than letters, digits, '.', '_', '-'"
            )
        if self.session_token is not None and not _TOKEN.fullmatch(self.session_token):
            raise MalformedRequest(field="session token", why="holds other than printable ASCII")


class Signed(msgspec.Struct, frozen=True, kw_only=True):  # a frozen dataclass would cost a twelfth of a signature
    """A signed request: send ``headers`` and ``url``; the rest is for comparing with another signer."""

    headers: tuple[tuple[str, str], ...]
    url: str
    canonical_request: str
    string_to_sign: str
    signature: str

    def __repr__(self) -> str:
        return "Signed()"


class Caller(msgspec.Struct, frozen=True, kw_only=True):  # as above
    """Who signed a request, for what, and when."""

    access_key_id: str
    session_token: str | None
    region: str
    service: str
    signed_at: datetime

    def __repr__(self) -> str:
        return (
            f"Caller(access_key_id={self.access_key_id!r}, region={self.region!r}, service={self.service!r},"
            f" signed_at={self.signed_at!r})"
        )
