"""Say in time that a certificate ends: 30, 7 and 1 day ahead, and once when it has ended.

Pure. An end is announced and never enforced: a pinned key is believed as long as the metadata shows it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from actas import saml

DAYS: Final = (1, 7, 30)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """A certificate that ends soon, or has ended."""

    provider: str
    fingerprint: str
    """The first 16 hex digits of the certificate's SHA-256."""
    ends_at: datetime
    stage: int
    """Within how many days: 30, 7, 1, or 0 where it has ended."""
    days: int
    """Whole days that are left; negative where it has ended."""

    @property
    def sentence(self) -> str:
        """Say it in words."""
        when = f"{self.ends_at:%Y-%m-%d}"
        told = f"ended on {when}" if self.stage == 0 else f"ends in {self.days} days, on {when}"
        return f"the signing certificate {self.fingerprint} of {self.provider} {told}"


def endings(provider: str, certificates: Iterable[saml.Certificate], *, now: datetime) -> tuple[Ending, ...]:
    """List those that end within 30 days or have ended, the soonest first."""
    found = [_ending(provider, one, one.not_after, now) for one in certificates if one.not_after is not None]
    return tuple(sorted((one for one in found if one is not None), key=lambda one: one.ends_at))


def _ending(provider: str, certificate: saml.Certificate, ends_at: datetime, now: datetime) -> Ending | None:
    left = ends_at - now
    stage = 0 if left <= timedelta(0) else next((days for days in DAYS if left <= days * _DAY), None)
    if stage is None:
        return None
    fingerprint = sha256(certificate.der).hexdigest()[:16]
    return Ending(provider=provider, fingerprint=fingerprint, ends_at=ends_at, stage=stage, days=left // _DAY)


def days_left(certificates: Iterable[saml.Certificate], *, now: datetime) -> float | None:
    """Give the days until no certificate is left that has not ended; None where none says when it ends.

    The newest counts: while a key changes, the old one may end.
    """
    ends = [one.not_after for one in certificates]
    if not ends or None in ends:
        return None
    return max(one for one in ends if one is not None).timestamp() / 86400 - now.timestamp() / 86400


class Announced:
    """Remembers what was said, so that each stage of each certificate is said once."""

    def __init__(self) -> None:
        self._said: dict[tuple[str, str], int] = {}

    def fresh(self, found: Iterable[Ending]) -> list[Ending]:
        """Keep those that were not yet announced at this stage."""
        new = [one for one in found if self._said.get((one.provider, one.fingerprint)) != one.stage]
        self._said |= {(one.provider, one.fingerprint): one.stage for one in new}
        return new
