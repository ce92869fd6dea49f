"""What a verified token says, and the checks of RFC 7519 section 4.1 on it; the time is an argument."""

from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from actas.jose.claim_errors import (
    IssuedInFuture,
    MalformedClaim,
    MissingClaim,
    NotYetValid,
    TokenExpired,
    TokenTooOld,
    WrongAudience,
    WrongClient,
    WrongIssuer,
)
from actas.jose.key import Key

_LATEST = 253402300799  # 9999-12-31T23:59:59Z, the last second that a date can name
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_CLIENT_CLAIMS = ("azp", "client_id", "cid")
_TEXTS = ("sub", "jti")
_ABSENT: Final = object()


class Claims(Mapping[str, Any]):
    """The claims of a token that was verified; read-only. Printing them shows no value."""

    __slots__ = ("_claims", "header", "key")

    def __init__(self, claims: dict[str, Any], header: Mapping[str, Any], key: Key) -> None:
        """Hold *claims*, the *header* that they came under, and the *key* that signed them."""
        self._claims, self.header, self.key = claims, header, key

    def __getitem__(self, name: str) -> Any:
        return self._claims[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._claims)

    def __len__(self) -> int:
        return len(self._claims)

    def __contains__(self, name: object) -> bool:
        return name in self._claims

    def get(self, name: str, default: Any = None) -> Any:
        """Give the claim called *name*, else *default*."""
        return self._claims.get(name, default)

    @property
    def issued_at(self) -> datetime | None:
        """The claim ``iat``, aware, in UTC."""
        return self._time("iat")

    @property
    def expires_at(self) -> datetime | None:
        """The claim ``exp``, aware, in UTC."""
        return self._time("exp")

    @property
    def not_before(self) -> datetime | None:
        """The claim ``nbf``, aware, in UTC."""
        return self._time("nbf")

    def _time(self, name: str) -> datetime | None:
        return as_time(self._claims[name]) if name in self._claims else None

    def __repr__(self) -> str:
        return f"Claims({len(self._claims)} claims)"


def as_time(number: float) -> datetime:
    """Turn a NumericDate into a time."""
    return _EPOCH + timedelta(seconds=number)


def comes_from(claims: dict[str, Any], issuers: Collection[str] | None) -> None:
    """Check ``iss``; None means that any will do."""
    issuer = claims.get("iss", _ABSENT)
    if issuer is _ABSENT:
        if issuers is not None:
            raise MissingClaim(claim="iss")
        return
    if type(issuer) is not str or not issuer:
        raise MalformedClaim(claim="iss", why="is not a text")
    if issuers is not None and issuer not in issuers:  # RFC 7519 section 4.1.1: case-sensitive, and whole
        raise WrongIssuer(found=issuer, wanted=issuers)


def is_meant_for(claims: dict[str, Any], audiences: Collection[str] | None) -> None:
    """Check ``aud``; None means that any will do."""
    found = claims.get("aud", _ABSENT)
    if found is _ABSENT:
        if audiences is not None:
            raise MissingClaim(claim="aud")
        return
    several = found if type(found) is list else [found]
    matched, audiences = audiences is None, audiences or ()
    for one in several:
        if type(one) is not str or not one:
            raise MalformedClaim(claim="aud", why="is neither a text nor a list of texts")
        matched = matched or one in audiences
    if not matched:
        raise WrongAudience(found=several, wanted=audiences)


def was_issued_to(claims: dict[str, Any], clients: Collection[str]) -> None:
    """Check ``azp``, ``client_id`` and ``cid``: one is there, and each that is there is wanted."""
    found = {name: claims[name] for name in _CLIENT_CLAIMS if name in claims}
    if not found:
        raise MissingClaim(claim="azp, client_id or cid")
    for name, value in found.items():
        if type(value) is not str or not value:
            raise MalformedClaim(claim=name, why="is not a text")
    if not all(value in clients for value in found.values()):
        raise WrongClient(found=sorted(set(found.values())), wanted=clients)


def names_are_texts(claims: dict[str, Any]) -> None:
    """Check the form of ``sub`` and ``jti``, where they are there."""
    for name in _TEXTS:
        value = claims.get(name, "absent")
        if type(value) is not str or not value:
            raise MalformedClaim(claim=name, why="is not a text")


def _number(claims: dict[str, Any], name: str) -> float | None:
    value: Any = claims.get(name, _ABSENT)
    if type(value) is int and 0 <= value <= _LATEST:  # nearly always; a boolean is an int to isinstance alone
        return value
    if value is _ABSENT:
        return None
    if type(value) is not int and type(value) is not float:
        raise MalformedClaim(claim=name, why="is not a number")
    if not 0 <= value <= _LATEST:
        raise MalformedClaim(claim=name, why="is not a date between 1970 and 9999")
    number: float = value
    return number


def is_good_now(
    claims: dict[str, Any],
    now: datetime,
    leeway: float,
    require_exp: bool,  # noqa: FBT001 - positional, for speed
    max_age: float | None,
) -> None:
    """Check ``exp``, ``nbf`` and ``iat``; *leeway* and *max_age* are seconds."""
    instant = now.timestamp()
    expires, starts, issued = _number(claims, "exp"), _number(claims, "nbf"), _number(claims, "iat")
    if expires is None:
        if require_exp:
            raise MissingClaim(claim="exp")
    elif instant >= expires + leeway:  # RFC 7519 section 4.1.4: on or after
        raise TokenExpired(expired_at=as_time(expires), now=now)
    if starts is not None and instant < starts - leeway:  # section 4.1.5: before
        raise NotYetValid(valid_from=as_time(starts), now=now)
    if issued is not None and instant < issued - leeway:
        raise IssuedInFuture(issued_at=as_time(issued), now=now)
    if max_age is not None:
        if issued is None:
            raise MissingClaim(claim="iat")
        if instant >= issued + max_age + leeway:
            raise TokenTooOld(issued_at=as_time(issued), now=now, max_age_seconds=max_age)
