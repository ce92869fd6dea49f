"""Sign a request, in its headers or in its query."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from operator import itemgetter
from typing import Final, NamedTuple

from actas.sigv4 import canonical
from actas.sigv4.canonical import Headers
from actas.sigv4.errors import MalformedRequest
from actas.sigv4.keys import SigningKeys, sign_once
from actas.sigv4.plans import to_sign
from actas.sigv4.scope import (
    ALGORITHM,
    LONGEST,
    body_hash,
    check_time,
    check_word,
    stamp,
    string_to_sign,
)
from actas.sigv4.values import Credentials, Payload, Signed

_TOKEN: Final = "X-Amz-Security-Token"  # noqa: S105 - a header's name
_SHA256: Final = "X-Amz-Content-SHA256"
_NAME_OF: Final = itemgetter(0)
_REPLACED: Final = frozenset(("authorization", "x-amz-date"))
_REPLACED_WITH_TOKEN: Final = _REPLACED | {"x-amz-security-token"}
_KEPT: Final = SigningKeys(8)
"""The default of `sign`, and of nothing else: a small one for each call site, as the public API says."""
_AUTH_PARAMETERS: Final = frozenset(
    (
        *("x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-expires", "x-amz-signedheaders"),
        *("x-amz-security-token", "x-amz-signature"),
    )
)


class _Job(NamedTuple):  # a frozen dataclass of this many fields would cost a tenth of a signature
    """One signing; ``path`` is in canonical form."""

    method: str
    path: str
    query: str
    headers: Headers
    body: bytes | Payload
    credentials: Credentials
    time: str
    scope: str
    region: str
    service: str
    sign_body_header: bool
    keys: SigningKeys | None


def sign(
    method: str,
    url: str,
    headers: Headers,
    body: bytes | Payload,
    credentials: Credentials,
    *,
    region: str,
    service: str,
    now: datetime,
    presign: bool = False,
    expires: timedelta = timedelta(minutes=15),
    normalize_path: bool = True,
    double_encode: bool = True,
    sign_body_header: bool = False,
    omit_session_token: bool = False,
    keys: SigningKeys | None = _KEPT,
) -> Signed:
    """Sign a request as AWS's clients do, byte for byte.

    *url* is the target as on the wire behind scheme and host; *headers* include Host, and all of them are signed.
    For S3 say ``normalize_path=False, double_encode=False, sign_body_header=True``. ``omit_session_token`` sends the
    token outside the signature. *keys* keeps derived keys (default: the last 8); None derives each time.
    Raises `SigV4Error` only.
    """
    moment = check_time(now)
    if keys is not None and not presign and len(headers) <= canonical.MAX_HEADERS:
        asked = (method, url, headers, body, credentials)
        how = (normalize_path, double_encode, sign_body_header, omit_session_token)
        if (quickly := _by_plan(asked, (region, service), moment, how, keys)) is not None:
            return quickly
    scope = _tail(region, service)
    canonical.check_method(method)
    front, raw, query = canonical.split_target(url)
    path = canonical.canonical_path(raw, normalize=normalize_path, double_encode=double_encode)
    time = stamp(moment)
    subject = (method, path, query, headers, body, credentials)
    job = _Job(*subject, time, f"{time[:8]}{scope}", region, service, sign_body_header, keys)
    if presign:
        return _presigned(job, front + raw, expires, omit_session_token=omit_session_token)
    return _in_headers(job, url, omit_session_token=omit_session_token)


def _tail(region: str, service: str) -> str:
    """Write what stands behind the day in a scope."""
    check_word("region", region)
    check_word("service", service)
    return f"/{region}/{service}/aws4_request"


def _by_plan(
    asked: tuple[str, str, Headers, bytes | Payload, Credentials],
    where: tuple[str, str],
    moment: datetime,
    how: tuple[bool, bool, bool, bool],
    keys: SigningKeys,
) -> Signed | None:
    """Sign as `_in_headers` does, by what is kept; None where the request is out of the ordinary."""
    method, url, headers, body, credentials = asked
    normalize, double_encode, sign_body, omit_token = how
    tail = keys.plan(where, _tail, *where)
    canonical.check_method(method)
    target = keys.target(url, normalize, double_encode)
    token = credentials.session_token
    names = tuple(map(_NAME_OF, headers))
    kind = (names, bool(token) and not omit_token, sign_body)
    plan = keys.plan(kind, to_sign, *kind)
    given = [text.strip(" ") for _, text in headers]
    if plan is None or token == "" or not given[plan.host] or not canonical.is_plain("".join(given)):
        return None
    payload, time = body_hash(body), stamp(moment)
    request = plan.write([method, target.path, target.query, payload, time, token or "", *given])
    day = time[:8]
    scope = day + tail
    text = f"{ALGORITHM}\n{time}\n{scope}\n{sha256(request.encode()).hexdigest()}"
    signature = keys.sign(text, credentials.secret_access_key, day, *where)
    sent = [*headers, ("X-Amz-Date", time)]
    if token:
        sent.append((_TOKEN, token))
    if sign_body:
        sent.append((_SHA256, payload))
    said = f"{credentials.access_key_id}/{scope}, SignedHeaders={plan.signed}, Signature={signature}"
    sent.append(("Authorization", f"{ALGORITHM} Credential={said}"))
    return Signed(headers=tuple(sent), url=url, canonical_request=request, string_to_sign=text, signature=signature)


def _in_headers(job: _Job, url: str, *, omit_session_token: bool) -> Signed:
    """Sign with an Authorization header."""
    token = job.credentials.session_token
    sent, values = _taken(job, _REPLACED_WITH_TOKEN if token else _REPLACED)
    values["x-amz-date"] = job.time
    sent.append(("X-Amz-Date", job.time))
    if token:
        sent.append((_TOKEN, token))
        if not omit_session_token:
            values["x-amz-security-token"] = token
    payload = _payload(job, sent, values)
    query = canonical.written_query(job.query)
    names = sorted(values)
    request = canonical.canonical_request(job.method, job.path, query, headers=values, signed=names, payload=payload)
    text, signed = _signature(job, request)
    scope = f"{job.credentials.access_key_id}/{job.scope}"
    value = f"{ALGORITHM} Credential={scope}, SignedHeaders={';'.join(names)}, Signature={signed}"
    sent.append(("Authorization", value))
    return Signed(headers=tuple(sent), url=url, canonical_request=request, string_to_sign=text, signature=signed)


def _presigned(job: _Job, target: str, expires: timedelta, *, omit_session_token: bool) -> Signed:
    """Sign with query parameters, after those that are there."""
    if not timedelta(seconds=1) <= expires <= LONGEST:
        raise MalformedRequest(field="life of a presigned URL", why="is not between 1 s and 7 days")
    sent, values = _taken(job, _REPLACED_WITH_TOKEN)
    payload = _payload(job, sent, values)
    names = sorted(values)
    pairs = canonical.query_pairs(job.query)
    if any(name.lower() in _AUTH_PARAMETERS for name, _ in pairs):
        raise MalformedRequest(field="query", why="has parameters of a signature already")
    said = _parameters(job, expires, names)
    token = job.credentials.session_token
    tokens = [(_TOKEN, canonical.encoded(token))] if token else []
    inside, outside = (said, tokens) if omit_session_token else (said + tokens, [])
    query = canonical.canonical_query(pairs + inside)
    request = canonical.canonical_request(job.method, job.path, query, headers=values, signed=names, payload=payload)
    text, signed = _signature(job, request)
    parts = [f"{name}={value}" for name, value in (*inside, ("X-Amz-Signature", signed), *outside)]
    url = f"{target}?{'&'.join([job.query, *parts] if job.query else parts)}"
    return Signed(headers=tuple(sent), url=url, canonical_request=request, string_to_sign=text, signature=signed)


def _parameters(job: _Job, expires: timedelta, names: Sequence[str]) -> list[tuple[str, str]]:
    """Give the parameters of a presigned URL but for the token and the signature, encoded, in botocore's order."""
    said = (
        ("X-Amz-Algorithm", ALGORITHM),
        ("X-Amz-Credential", f"{job.credentials.access_key_id}/{job.scope}"),
        ("X-Amz-Date", job.time),
        ("X-Amz-Expires", str(expires // timedelta(seconds=1))),
        ("X-Amz-SignedHeaders", ";".join(names)),
    )
    return [(name, canonical.encoded(value)) for name, value in said]


def _taken(job: _Job, replaced: frozenset[str]) -> tuple[list[tuple[str, str]], dict[str, str]]:
    """Give the headers but for those that signing writes itself, as they are sent and as they are signed."""
    found = canonical.gathered(job.headers)
    values = found.values
    if "host" in found.repeated or not values.get("host"):
        raise MalformedRequest(field="header Host", why="is not there exactly once")
    if "x-amz-content-sha256" in found.repeated:
        raise MalformedRequest(field="header x-amz-content-sha256", why="is there more than once")
    sent = list(job.headers)
    written = replaced | {"x-amz-content-sha256"} if job.sign_body_header else replaced
    if not written.isdisjoint(values):
        sent = [pair for pair in sent if pair[0].lower() not in written]
        for name in written:
            values.pop(name, None)
    return sent, values


def _payload(job: _Job, sent: list[tuple[str, str]], values: dict[str, str]) -> str:
    """Give the body's hash; a caller who sends it as a header has said it."""
    said = values.get("x-amz-content-sha256")
    if said is not None:
        return said
    payload = body_hash(job.body)
    if job.sign_body_header:
        sent.append((_SHA256, payload))
        values["x-amz-content-sha256"] = payload
    return payload


def _signature(job: _Job, request: str) -> tuple[str, str]:
    """Give the string to sign and its signature."""
    text = string_to_sign(job.time, job.scope, request)
    scope = (job.credentials.secret_access_key, job.time[:8], job.region, job.service)
    return text, job.keys.sign(text, *scope) if job.keys is not None else sign_once(text, *scope)
