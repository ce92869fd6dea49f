"""The one-time code by which a command gets the token of a sign-in that its browser made (RFC 6749, RFC 7636).

Sealed, so that any replica takes it; good for a minute, once, and only with the verifier that the command kept.
"""

import base64
import hmac
import secrets
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

import msgspec

from actas.identify.own import Minted
from actas.model.secret import Secret
from actas.secrets import sealed
from actas.secrets.sealed import Ring

LASTS: Final = timedelta(seconds=60)
_PURPOSE: Final = "saml code"


class Code(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a code stands for."""

    id: str
    provider: str
    token: str
    expires_at: datetime
    redirect: str
    challenge: str
    until: datetime
    leave: str
    """What signs out again, sealed."""

    def __repr__(self) -> str:
        return "Code(...)"


def write(
    ring: Ring, provider: str, minted: Minted, leave: Secret, *, redirect: str, challenge: str, now: datetime
) -> Secret:
    """Make a code for a token, and for what signs out again."""
    code = Code(
        id=secrets.token_urlsafe(16),
        provider=provider,
        token=minted.shown.reveal(),
        expires_at=minted.expires_at,
        redirect=redirect,
        challenge=challenge,
        until=now + LASTS,
        leave=leave.reveal(),
    )
    return Secret(sealed.seal(ring, _PURPOSE, msgspec.json.encode(code)))


def opened(ring: Ring, text: str, *, provider: str, redirect: str, verifier: str, now: datetime) -> Code | None:
    """Open a code for whoever holds its verifier; None for everybody else."""
    content = sealed.opened(ring, _PURPOSE, text, now=now)
    if content is None:
        return None
    try:
        code = msgspec.json.decode(content, type=Code)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    if code.provider != provider or code.redirect != redirect or now >= code.until:
        return None
    return code if hmac.compare_digest(_challenge(verifier).encode(), code.challenge.encode()) else None


def _challenge(verifier: str) -> str:
    """Compute the code challenge of method S256 (RFC 7636, section 4.2)."""
    return base64.urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
