"""Vouch for a caller by a token of our own issuer, which others were told to trust (design.md, 8.2).

It lives for a minute, nobody but the party it is for ever sees it, and who knows our keys can verify it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from actas import jose

LIVES: Final = timedelta(seconds=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Voucher:
    """Signs with the newest key."""

    issuer: str
    newest: Callable[[], jose.Key | jose.Signer] = field(repr=False)
    algorithm: str = "ES256"

    def token(self, *, subject: str, audience: str, now: datetime, more: Mapping[str, Any] | None = None) -> str:
        """Write a token about *subject* for *audience*; every time in it is a whole number, as AWS wants."""
        issued = int(now.timestamp())
        claims = {
            "iss": self.issuer,
            "sub": subject,
            "aud": audience,
            "iat": issued,
            "nbf": issued,
            "exp": issued + int(LIVES.total_seconds()),
            **(more or {}),
        }
        return jose.sign(claims, self.newest(), algorithm=self.algorithm, header={"typ": "JWT"})
