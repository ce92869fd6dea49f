"""Between which moments the answer about a verified token is the same. Pure."""

from datetime import UTC, datetime, timedelta
from typing import Final

from actas import jose
from actas.identify.profile import Issuer

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST: Final = 253402300799  # 9999-12-31T23:59:59Z
_MICROSECOND: Final = timedelta(microseconds=1)


def span(claims: jose.Claims, issuer: Issuer, now: datetime) -> tuple[datetime, datetime]:
    """Give the times between which the answer is the same; where they are no whole microseconds, a little less."""
    profile = issuer.profile
    leeway = profile.leeway.total_seconds()
    starts = [claims[name] - leeway for name in ("nbf", "iat") if name in claims]
    ends = [claims["exp"] + leeway]
    if profile.max_age is not None:
        ends.append(claims["iat"] + profile.max_age.total_seconds() + leeway)
    signed_in = claims.get("auth_time")
    if type(signed_in) in (int, float) and 0 <= signed_in <= _LATEST:  # known from then on, and not before
        (starts if now.timestamp() >= signed_in - leeway else ends).append(signed_in - leeway)
    return _time(max(starts, default=0), rounded=_MICROSECOND), _time(min(ends), rounded=-_MICROSECOND)


def _time(number: float, *, rounded: timedelta) -> datetime:
    at = _EPOCH + timedelta(seconds=min(number, _LATEST))
    return at if number == int(number) else at + rounded
