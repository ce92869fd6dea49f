"""Decrypt JWE compact serialisation (RFC 7516 section 5.2).

Anybody can encrypt for a public key: what comes out proves nothing about who sent it until a signature in it holds.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from actas.jose import base64url
from actas.jose import header as headers
from actas.jose.algorithms import CONTENT_ALGORITHMS, KEY_ALGORITHMS, allowed, wrapping_length
from actas.jose.errors import AlgorithmRefused, AmbiguousKey, DecryptionFailed, MalformedToken, UnknownKey
from actas.jose.key import Key
from actas.jose.keyset import KeySet, the_set

_MOST_TRIED = 8  # keys without a name, or tokens that name none: each costs a private operation
_PARTS = ("header", "encrypted key", "initialization vector", "ciphertext", "authentication tag")


@dataclass(frozen=True, slots=True, kw_only=True)
class Jwe:
    """A message that was encrypted for us, by whomever."""

    payload: bytes = field(repr=False)
    header: Mapping[str, Any]
    key: Key


def decrypt(
    token: bytes | str,
    keys: KeySet | Key,
    *,
    key_algorithms: Collection[str],
    content_algorithms: Collection[str],
) -> Jwe:
    """Decrypt *token* with one of the private *keys*; name the algorithms that may be used.

    Raise `DecryptionFailed`, whatever the step at which it failed.
    """
    allowed(key_algorithms, KEY_ALGORITHMS, "key_algorithms")
    allowed(content_algorithms, CONTENT_ALGORITHMS, "content_algorithms")
    keyset = the_set(keys)
    shown = headers.as_bytes(token)
    segments = shown.translate(base64url.STANDARD).split(b".")
    if len(segments) != len(_PARTS):
        raise MalformedToken(part="token", why=f"has {len(segments)} parts where an encrypted one has five")
    found = headers.read(segments[0], "zip")  # a bomb in each library that took it: CVE-2024-28102 and its like
    enc = _encryption(found.values)
    if found.alg not in key_algorithms:
        raise AlgorithmRefused(found=found.alg, wanted=key_algorithms)
    if enc not in content_algorithms:
        raise AlgorithmRefused(found=enc, wanted=content_algorithms)
    parts = [headers.decoded(segment, part) for segment, part in zip(segments, _PARTS, strict=True)]
    aad = shown[: len(segments[0])]
    for key in _candidates(found, enc, keyset):
        payload = _opened(key, found.values, enc, parts, aad)
        if payload is not None:
            return Jwe(payload=payload, header=found.values, key=key)
    raise DecryptionFailed


def _encryption(values: Mapping[str, Any]) -> str:
    enc = values.get("enc")
    if not isinstance(enc, str) or not enc:
        raise MalformedToken(part="header", why="has no enc, or one that is not a text")
    return enc


def _candidates(found: headers.Header, enc: str, keyset: KeySet) -> tuple[Key, ...]:
    fitting = tuple(key for key in keyset.named(found.kid) if _may_open(key, found.alg, enc))
    if fitting:
        return fitting[:_MOST_TRIED]
    if found.kid is not None and keyset.is_ambiguous(found.kid):
        raise AmbiguousKey(kid=found.kid)
    raise UnknownKey(kid=found.kid, algorithm=found.alg)


def _may_open(key: Key, alg: str, enc: str) -> bool:
    if not key.is_private or key.kty not in KEY_ALGORITHMS[alg] or key.crv == "Ed25519":
        return False
    if key.alg not in {None, alg} and not (alg == "dir" and key.alg == enc):
        return False
    if key.use not in {None, "enc"} or not (key.key_ops is None or key.key_ops & _operations(alg)):
        return False
    secret = key.material.secret
    return secret is None or len(secret) == (wrapping_length(alg) or CONTENT_ALGORITHMS[enc])


def _operations(alg: str) -> frozenset[str]:
    if alg.startswith("ECDH"):
        return frozenset({"deriveKey", "deriveBits"})
    return frozenset({"decrypt"}) if alg == "dir" else frozenset({"decrypt", "unwrapKey"})


def _opened(key: Key, values: Mapping[str, Any], enc: str, parts: list[bytes], aad: bytes) -> bytes | None:
    from actas.jose import content, content_key  # who only verifies does not wait for ciphers

    _, encrypted, iv, ciphertext, tag = parts
    try:
        found = content_key.find(key, values, encrypted, CONTENT_ALGORITHMS[enc])
        return content.decrypt(enc, found, iv=iv, ciphertext=ciphertext, tag=tag, aad=aad)
    except content.Unopened:
        return None
