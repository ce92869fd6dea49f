"""Verify a signed request, and fail closed."""

import hmac
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from actas.sigv4 import canonical
from actas.sigv4.canonical import Gathered, Headers
from actas.sigv4.claimed import TOKEN_PARAMETER, Claim, from_header, read
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
from actas.sigv4.plans import to_verify, where
from actas.sigv4.scope import body_hash, check_time, read_stamp, string_to_sign
from actas.sigv4.values import ANY, Caller, Payload, Scope

FindSecret = Callable[[str, str | None], str | None]
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
    asked = _Asked(method, *canonical.split_target(url), headers, body)
    rules = _Rules(region, service, max_skew, normalize_path, double_encode, unsigned_session_token)
    if keys is not None and not unsigned_session_token and len(headers) <= canonical.MAX_HEADERS:
        quickly = _by_plan(asked, rules, keys, find_secret, moment)
        if quickly is not None:
            return quickly
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
    signed_at = _check_time(claim, now, rules.max_skew)
    _check_scope(claim, rules.region, rules.service)
    _check_host(asked.front, found)
    _check_signed(claim, found, unsigned_session_token=rules.unsigned_session_token)
    payload = _payload(found, asked.body)
    if rules.unsigned_session_token and claim.expires is not None:
        pairs = [pair for pair in pairs if pair[0] != TOKEN_PARAMETER]
    path = canonical.canonical_path(asked.path, normalize=rules.normalize_path, double_encode=rules.double_encode)
    query = canonical.canonical_query(pairs)
    request = canonical.canonical_request(
        asked.method, path, query, headers=found.values, signed=claim.names, payload=payload
    )
    _check_signature(claim, request, find_secret, keys)
    return _caller(claim, signed_at)


def _by_plan(asked: _Asked, rules: _Rules, keys: SigningKeys, find_secret: FindSecret, now: datetime) -> Caller | None:
    """Verify by a plan that is kept, with the same result; None where the request is out of the ordinary."""
    names = tuple([name for name, _ in asked.headers])
    at = keys.plan(names, lambda: where(names))
    query = canonical.written_query(asked.query)
    if at is None or "x-amz-" in query.lower():
        return None
    given = [text.strip(" ") for _, text in asked.headers]
    token = given[at.token] if at.token >= 0 else None
    claim = from_header(given[at.authorization], given[at.date], token)
    if claim is None:
        return None
    signed = claim.signed
    plan = keys.plan((names, signed), lambda: to_verify(at.names, signed))
    if plan is None:
        return None
    signed_at = _check_time(claim, now, rules.max_skew)
    _check_scope(claim, rules.region, rules.service)
    if asked.front and not asked.front.endswith(f"://{given[at.host]}"):
        return None
    payload = body_hash(asked.body)
    if at.payload >= 0 and given[at.payload] != payload:
        raise BodyMismatch
    path = canonical.canonical_path(asked.path, normalize=rules.normalize_path, double_encode=rules.double_encode)
    request = plan.write([asked.method, path, query, payload, "", "", *given])
    if request is None or not given[at.host]:
        return None
    _check_signature(claim, request, find_secret, keys)
    return _caller(claim, signed_at)


def _caller(claim: Claim, signed_at: datetime) -> Caller:
    return Caller(
        access_key_id=claim.access_key_id,
        session_token=claim.token,
        region=claim.region,
        service=claim.service,
        signed_at=signed_at,
    )


def _check_time(claim: Claim, now: datetime, max_skew: timedelta) -> datetime:
    """See that it was signed about now; a presigned URL lasts as long as it says."""
    signed_at = read_stamp(claim.time)
    if signed_at is None:
        raise IncompleteSignature(part="time", why="is not written as YYYYMMDDTHHMMSSZ")
    if claim.date != claim.time[:8]:
        raise WrongScope(part="day", wanted="the day of the signature's time")
    age = now - signed_at
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
        if name.startswith("x-amz-") and name not in names and not (name == _TOKEN and unsigned_session_token):
            raise UnsignedHeader(header=name)


def _payload(found: Gathered, body: bytes | Payload) -> str:
    """Hash the body; what the header says must be the same."""
    payload = body_hash(body)
    said = found.once("x-amz-content-sha256")
    if said is not None and said != payload:
        raise BodyMismatch
    return payload


def _check_signature(claim: Claim, request: str, find_secret: FindSecret, keys: SigningKeys | None) -> None:
    """Compute the signature anew and compare, in constant time."""
    secret = find_secret(claim.access_key_id, claim.token)
    if not secret:
        raise UnknownAccessKey
    text = string_to_sign(claim.time, claim.scope, request)
    scope = (secret, claim.date, claim.region, claim.service)
    right = keys.sign(text, *scope) if keys is not None else sign_once(text, *scope)
    if not hmac.compare_digest(right, claim.signature):
        raise BadSignature
