"""The values of this library: credentials, what signing gives, whom verifying finds."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Final

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A signed request: send ``headers`` and ``url``; the rest is for comparing with another signer."""

    headers: tuple[tuple[str, str], ...] = field(repr=False)
    url: str = field(repr=False)
    canonical_request: str = field(repr=False)
    string_to_sign: str = field(repr=False)
    signature: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who signed a request, for what, and when."""

    access_key_id: str
    session_token: str | None = field(repr=False)
    region: str
    service: str
    signed_at: datetime
