"""Verify a signed request, and fail closed."""

import hmac
from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import sha256
from operator import itemgetter
from typing import Final, NamedTuple

from actas.sigv4 import canonical
from actas.sigv4.canonical import Gathered, Headers, Target
from actas.sigv4.claimed import TOKEN_PARAMETER, Claim, Pairs, is_signature, read, shown
from actas.sigv4.errors import (
    BadSignature,
    BodyMismatch,
    IncompleteSignature,
    OutsideTime,
    UnknownAccessKey,
    UnsignedHeader,
    WrongScope,
)
from actas.sigv4.keys import SigningKeys, sign_once
from actas.sigv4.plans import must_be_signed, where
from actas.sigv4.scope import ALGORITHM, body_hash, check_time, digest, read_stamp
from actas.sigv4.values import ANY, Caller, Payload, Scope

FindSecret = Callable[[str, str | None], str | None]
_NAME_OF: Final = itemgetter(0)
_DEFAULT_PORTS: Final = {"https": ":443", "http": ":80"}
_KEPT: Final = SigningKeys(8)
"""The default of `verify`, and of nothing else: a small one for each call site, as the public API says."""
_TOKEN: Final = "x-amz-security-token"  # noqa: S105 - a header's name


def verify(
    method: str,
    url: str,
    headers: Headers,
    body: bytes | Payload,
    *,
    find_secret: FindSecret,
    now: datetime,
    region: str | Scope,
    service: str | Scope,
    max_skew: timedelta = timedelta(minutes=5),
    normalize_path: bool = True,
    double_encode: bool = True,
    unsigned_session_token: bool = False,
    keys: SigningKeys | None = _KEPT,
) -> Caller:
    """Give the caller who signed exactly this request, or raise.

    *find_secret* gets the access key id and the session token (or None) and gives the secret key, or None where there
    is no such key; it is asked last but for the signature. *body* is `UNSIGNED_PAYLOAD` where the signer was to leave
    it out. ``unsigned_session_token`` takes a token that is not part of the signature. *keys* keeps derived keys
    (default: the last 8); None derives each time. Raises `SigV4Error` only.
    """
    moment = check_time(now)
    canonical.check_method(method)
    wanted = (region, service, max_skew)
    if keys is not None and not unsigned_session_token and len(headers) <= canonical.MAX_HEADERS:
        target = keys.target(url, normalize_path, double_encode)
        quickly = _by_plan((method, target, headers, body), wanted, keys, find_secret, moment)
        if quickly is not None:
            return quickly
    asked = _Asked(method, *canonical.split_target(url), headers, body)
    rules = _Rules(*wanted, normalize_path, double_encode, unsigned_session_token)
    return _in_full(asked, rules, keys, find_secret, moment)


class _Asked(NamedTuple):  # on the hot path
    """The request."""

    method: str
    front: str
    path: str
    query: str
    headers: Headers
    body: bytes | Payload


class _Rules(NamedTuple):  # on the hot path
    """What it must meet."""

    region: str | Scope
    service: str | Scope
    max_skew: timedelta
    normalize_path: bool
    double_encode: bool
    unsigned_session_token: bool


def _in_full(asked: _Asked, rules: _Rules, keys: SigningKeys | None, find_secret: FindSecret, now: datetime) -> Caller:
    """Verify any request."""
    found = canonical.gathered(asked.headers)
    claim, pairs = read(found, canonical.query_pairs(asked.query) if asked.query else [])
    signed_at = _check_time(claim, read_stamp(claim.time), now, rules.max_skew)
    _check_scope(claim, rules.region, rules.service)
    _check_host(asked.front, found)
    _check_signed(claim, found, unsigned_session_token=rules.unsigned_session_token)
    payload = _payload(found, asked.body)
    path = canonical.canonical_path(asked.path, normalize=rules.normalize_path, double_encode=rules.double_encode)
    digests = [
        digest(
            canonical.canonical_request(
                asked.method, path, query, headers=found.values, signed=claim.names, payload=payload
            )
        )
        for query in _queries(claim, pairs, unsigned_session_token=rules.unsigned_session_token)
    ]
    if not _is_signed(claim, digests, find_secret, keys):
        raise BadSignature
    return _caller(claim, signed_at)


def _queries(claim: Claim, pairs: Pairs, *, unsigned_session_token: bool) -> list[str]:
    """Write the query in the ways in which it may have been signed: with its token, or without where that is taken."""
    whole = canonical.canonical_query(pairs)
    if claim.expires is None or claim.token is None or not unsigned_session_token:
        return [whole]
    return [canonical.canonical_query([pair for pair in pairs if pair[0] != TOKEN_PARAMETER]), whole]


def _by_plan(
    asked: tuple[str, Target, Headers, bytes | Payload],
    wanted: tuple[str | Scope, str | Scope, timedelta],
    keys: SigningKeys,
    find_secret: FindSecret,
    now: datetime,
) -> Caller | None:
    """Verify by what is kept, with the same result as in full; None where the request is out of the ordinary."""
    method, target, headers, body = asked
    names = tuple(map(_NAME_OF, headers))
    at = keys.plan(names, where, names)
    if at is None or not target.is_plain:
        return None
    given = [text.strip(" ") for _, text in headers]
    token = given[at.token] if at.token >= 0 else None
    value = given[at.authorization]
    said = keys.shown(value[:-64], value, shown)
    if said is None or (plan := at.plan(said[4])) is None:
        return None
    claim: Claim = tuple.__new__(Claim, (*said, value[-64:], given[at.date], token, None))  # half of calling it
    given[at.authorization] = ""  # it was read octet by octet, and is not signed
    host = given[at.host]
    if not host or (target.front and not target.front.endswith(f"://{host}")):
        return None
    region, service, max_skew = wanted
    signed_at = _check_time(claim, keys.time(claim.time, read_stamp), now, max_skew)
    _check_scope(claim, region, service)
    payload = body_hash(body)
    if at.payload >= 0 and given[at.payload] != payload:
        raise BodyMismatch
    if not canonical.is_plain("".join(given)):
        return None
    request = plan.write([method, target.path, target.query, payload, "", "", *given])
    if _is_signed(claim, [sha256(request.encode()).hexdigest()], find_secret, keys):
        return _caller(claim, signed_at)
    if not is_signature(claim.signature):
        return None
    raise BadSignature


def _caller(claim: Claim, signed_at: datetime) -> Caller:
    return Caller(
        access_key_id=claim.access_key_id,
        session_token=claim.token,
        region=claim.region,
        service=claim.service,
        signed_at=signed_at,
    )


def _check_time(claim: Claim, signed_at: datetime | None, now: datetime, max_skew: timedelta) -> datetime:
    """See that it was signed about now; a presigned URL lasts as long as it says."""
    if signed_at is None:
        raise IncompleteSignature(part="time", why="is not written as YYYYMMDDTHHMMSSZ")
    if claim.date != claim.time[:8]:
        raise WrongScope(part="day", wanted="the day of the signature's time")
    age = now - signed_at
    if claim.expires is None and abs(age) <= max_skew:
        return signed_at
    if age < -max_skew:
        raise OutsideTime(signed_at=signed_at, now=now, why="that is still to come")
    if claim.expires is None and age > max_skew:
        raise OutsideTime(signed_at=signed_at, now=now, why=f"at most {max_skew // timedelta(seconds=1)} s may pass")
    if claim.expires is not None and age > claim.expires:
        raise OutsideTime(
            signed_at=signed_at, now=now, why=f"it was good for {claim.expires // timedelta(seconds=1)} s"
        )
    return signed_at


def _check_scope(claim: Claim, region: str | Scope, service: str | Scope) -> None:
    """See that it was signed for this region and service."""
    if region is not ANY and claim.region != region:
        raise WrongScope(part="region", wanted=str(region))
    if service is not ANY and claim.service != service:
        raise WrongScope(part="service", wanted=str(service))


def _check_host(front: str, found: Gathered) -> None:
    """See that there is one Host, and that it is the URL's where the URL has one."""
    host = found.values.get("host")
    if not host or "host" in found.repeated:
        raise IncompleteSignature(part="header host", why="is not there exactly once")
    if not front or front.endswith(f"://{host}"):
        return
    scheme, _, authority = front.partition("://")
    port = _DEFAULT_PORTS.get(scheme, "")
    if authority.lower().removesuffix(port) != host.lower().removesuffix(port):
        raise IncompleteSignature(part="header host", why="is not the URL's host")


def _check_signed(claim: Claim, found: Gathered, *, unsigned_session_token: bool) -> None:
    """See that Host, each signed name and each x-amz- header is there and signed."""
    names = frozenset(claim.names)
    if "host" not in names:
        raise UnsignedHeader(header="host")
    for name in claim.names:
        if name not in found.values:
            raise IncompleteSignature(part="SignedHeaders", why="name a header that is not there")
    for name in found.values:
        if must_be_signed(name) and name not in names and not (name == _TOKEN and unsigned_session_token):
            raise UnsignedHeader(header=name)


def _payload(found: Gathered, body: bytes | Payload) -> str:
    """Hash the body; what the header says must be the same."""
    payload = body_hash(body)
    said = found.once("x-amz-content-sha256")
    if said is not None and said != payload:
        raise BodyMismatch
    return payload


def _is_signed(claim: Claim, digests: list[str], find_secret: FindSecret, keys: SigningKeys | None) -> bool:
    """Compute the signature of one of the canonical requests' *digests* anew and compare, in constant time."""
    secret = find_secret(claim.access_key_id, claim.token)
    if not secret:
        raise UnknownAccessKey
    _, date, region, service, *_ = claim
    front = f"{ALGORITHM}\n{claim.time}\n{date}/{region}/{service}/aws4_request\n"
    scope = (secret, date, region, service)
    if not claim.signature.isascii():
        return False
    for one in digests:
        text = front + one
        right = keys.sign(text, *scope) if keys is not None else sign_once(text, *scope)
        if hmac.compare_digest(right, claim.signature):
            return True
    return False
