"""Verify and sign in JWS compact serialisation (RFC 7515 section 7.1).

The algorithm is one that the caller allows and the key was made for; the header only says which of those it is.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Protocol, runtime_checkable

import msgspec

from actas.jose import base64url, strict_json
from actas.jose import header as headers
from actas.jose.algorithms import ASYMMETRIC, SIGNATURES, SYMMETRIC, allowed
from actas.jose.errors import (
    AlgorithmRefused,
    AmbiguousKey,
    AskedWrongly,
    BadSignature,
    JoseError,
    MalformedToken,
    SymmetricRefused,
    UnknownKey,
    UnsuitableKey,
)
from actas.jose.key import Key
from actas.jose.keyset import Candidates, KeySet, the_set

_MOST_TRIED = 16  # keys without a name, or tokens that name none: each costs a verification


@dataclass(frozen=True, slots=True, kw_only=True)
class Jws:
    """A message whose signature holds."""

    payload: bytes = field(repr=False)
    header: Mapping[str, Any]
    key: Key


@runtime_checkable
class Signer(Protocol):
    """Signs where the private key may not leave: a KMS, an HSM.

    Promises: ``sign`` gives what RFC 7518 section 3 describes for ``algorithm`` (for ES256 and its like the two
    numbers at full width, not DER), and the key set that others verify with knows the key as ``kid``.
    """

    @property
    def algorithm(self) -> str:
        """The one algorithm that it signs with."""
        ...

    @property
    def kid(self) -> str | None:
        """The name of its key."""
        ...

    def sign(self, data: bytes, /) -> bytes:
        """Sign *data*."""
        ...


def verify_jws(token: bytes | str, keys: KeySet | Key, *, algorithms: Collection[str] = ASYMMETRIC) -> Jws:
    """Verify *token*; give its payload, its header and the key that signed it, or raise a `JoseError`."""
    found, key, payload = verify(token, keys, algorithms)
    return Jws(payload=payload, header=found.values, key=key)


def verify(token: bytes | str, keys: KeySet | Key, algorithms: Collection[str]) -> tuple[headers.Header, Key, bytes]:
    """Verify *token* for the rest of this library."""
    if algorithms is not ASYMMETRIC:
        allowed(algorithms, SIGNATURES, "algorithms")
    keyset = keys if type(keys) is KeySet else the_set(keys)
    shown = headers.as_bytes(token)
    text = shown.translate(base64url.STANDARD)
    first, last = text.find(b"."), text.rfind(b".")
    head, body, tail = text[:first], text[first + 1 : last], text[last + 1 :]
    candidates = known = keyset.remembered.get(head)
    if known is None or not body:
        _has_three_parts(text)  # later too: whatever has another shape gets no further than to an error
    if candidates is None:
        candidates = _candidates(headers.read(head, "enc", "zip"), keyset)
    found = candidates.header
    if found.alg not in algorithms:
        raise AlgorithmRefused(found=found.alg, wanted=algorithms)
    if not candidates.keys:
        raise _unusable(found, keyset)
    try:
        payload, signature = base64url.decode_standard(body), base64url.decode_standard(tail)
    except base64url.NotBase64url as wrong:
        _has_three_parts(text)
        raise MalformedToken(part="payload or signature", why="is not strict base64url") from wrong
    signed = shown[:last]
    for key, holds in candidates.keys:
        if holds(signature, signed):
            if known is None:
                keyset.remember(head, candidates)
            return found, key, payload
    _has_three_parts(text)
    raise BadSignature(algorithm=found.alg, kid=found.kid, tried=len(candidates.keys))


def _has_three_parts(text: bytes) -> None:
    parts = text.split(b".")
    if len(parts) == 5:
        raise MalformedToken(part="token", why="has five parts, so it is encrypted, and a signed one was asked for")
    if len(parts) != 3:
        raise MalformedToken(part="token", why=f"has {len(parts)} parts where a signed one has three")
    if not all(parts):
        raise MalformedToken(part="token", why="has an empty part")


def _candidates(found: headers.Header, keyset: KeySet) -> Candidates:
    named = keyset.named(found.kid)
    if found.alg in SYMMETRIC and not keyset.is_only_symmetric:
        named = ()
    fitting = [(key, key.verifiers[found.alg]) for key in named if found.alg in key.verifiers]
    return Candidates(header=found, keys=tuple(fitting[:_MOST_TRIED]))


def _unusable(found: headers.Header, keyset: KeySet) -> JoseError:
    if found.alg in SYMMETRIC and not keyset.is_only_symmetric:
        return SymmetricRefused(algorithm=found.alg)
    if found.kid is not None and keyset.is_ambiguous(found.kid):
        return AmbiguousKey(kid=found.kid)
    return UnknownKey(kid=found.kid, algorithm=found.alg)


def peek(token: bytes | str) -> Mapping[str, Any]:
    """Read the header of *token* without believing it: for choosing a key set, and nothing else.

    Takes signed and encrypted tokens, and ``alg: none`` with its empty signature.
    """
    text = headers.as_bytes(token).translate(base64url.STANDARD)
    parts = text.split(b".")
    if len(parts) not in {3, 5}:
        _has_three_parts(text)
    for part in parts[1:]:
        headers.decoded(part, "token")
    return MappingProxyType(headers.values(parts[0]))


class _Issued(msgspec.Struct):
    iss: Any = None


_issued = msgspec.json.Decoder(_Issued).decode


def _issuer(payload: bytes) -> object:
    """Read ``iss`` alone where it stands there once, plainly; the rest is read strictly when the signature holds."""
    try:
        if payload.count(b'"iss"') == 1 and b"\\" not in payload:  # else it may be spelt in two ways
            return _issued(payload).iss
        return strict_json.loads_object(payload).get("iss")
    except strict_json.NotStrictJson as wrong:
        raise MalformedToken(part="payload", why=str(wrong)) from wrong
    except (msgspec.MsgspecError, ValueError, RecursionError) as wrong:
        raise MalformedToken(part="payload", why="is not an object in strict JSON") from wrong


def peek_issuer(token: bytes | str) -> str | None:
    """Read who a signed *token* says has issued it, without believing it: for choosing a provider, and nothing else.

    Give None where the payload has no ``iss``; raise `MalformedToken` where it is no object of claims.
    """
    text = headers.as_bytes(token).translate(base64url.STANDARD)
    _has_three_parts(text)
    if b"!" in text:
        raise MalformedToken(part="token", why="is not strict base64url")
    issuer = _issuer(headers.decoded(text.split(b".")[1], "payload"))
    if issuer is not None and (not isinstance(issuer, str) or not issuer):
        raise MalformedToken(part="payload", why="has an iss that is not a text")
    return issuer


def sign(
    payload: bytes | Mapping[str, Any],
    key: Key | Signer,
    *,
    algorithm: str,
    header: Mapping[str, Any] | None = None,
) -> str:
    """Sign *payload*, a mapping as compact JSON, and give the token. *header* adds to ``alg`` and ``kid``."""
    allowed((algorithm,), SIGNATURES, "algorithm")
    body = payload if isinstance(payload, bytes) else _json(payload, "payload")
    if not body:
        raise AskedWrongly(argument="payload", why="is empty, and a token with an empty part verifies nowhere here")
    if isinstance(key, Key):
        make = key.signer(algorithm)
    elif isinstance(key, Signer):
        if key.algorithm != algorithm:
            raise UnsuitableKey(algorithm=algorithm, why="its signer signs with another algorithm")
        make = key.sign
    else:
        raise AskedWrongly(argument="key", why="must be a Key or a Signer")
    signed = _header(algorithm, key.kid, {} if header is None else header) + b"." + base64url.encode(body)
    signature: object = make(signed)
    width = SIGNATURES[algorithm].width
    if not isinstance(signature, bytes) or not signature or (width and len(signature) != width):
        raise UnsuitableKey(algorithm=algorithm, why="its signer gave a signature in another form than RFC 7518's")
    token = signed + b"." + base64url.encode(signature)
    return headers.as_bytes(token).decode("ascii")


def _header(algorithm: str, kid: str | None, more: object) -> bytes:
    if not isinstance(more, Mapping):
        raise AskedWrongly(argument="header", why="must be a mapping")
    own = {"alg": algorithm} if kid is None else {"alg": algorithm, "kid": kid}
    whole = own | dict(more)
    if any(whole[name] != value for name, value in own.items()):
        raise AskedWrongly(argument="header", why="says another alg or kid than the key's")
    segment = base64url.encode(_json(whole, "header"))
    try:
        headers.read(segment.translate(base64url.STANDARD), "enc", "zip")  # or we would not read it back
    except JoseError as wrong:
        raise AskedWrongly(argument="header", why=f"would be refused: {wrong}") from wrong
    return segment


def _json(value: object, argument: str) -> bytes:
    if not isinstance(value, Mapping):
        raise AskedWrongly(argument=argument, why="must be bytes or a mapping")
    try:
        return strict_json.dumps(dict(value))
    except strict_json.NotStrictJson as wrong:
        raise AskedWrongly(argument=argument, why=str(wrong)) from wrong
