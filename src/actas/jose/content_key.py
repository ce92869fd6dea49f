"""Find the content encryption key of a JWE with a private key (RFC 7518 section 4, RFC 8037 section 3.2)."""

import secrets
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, x25519
from cryptography.hazmat.primitives.kdf.concatkdf import ConcatKDFHash
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap

from actas.jose import base64url, content
from actas.jose.algorithms import wrapping_length
from actas.jose.content import Unopened
from actas.jose.errors import BadKey, MalformedToken
from actas.jose.key import Key
from actas.jose.material import Material
from actas.jose.material import read as read_material

_MAX_PARTY = 1024  # bytes of apu and apv; they are names


def find(key: Key, header: Mapping[str, Any], encrypted: bytes, length: int) -> bytes:
    """Give the content encryption key of *length* bytes, or raise `Unopened`.

    *header* has been read; ``alg`` fits the *key*.
    """
    alg: str = header["alg"]
    if alg in {"dir", "ECDH-ES"} and encrypted:  # RFC 7516 section 5.2, step 10: the part is empty
        raise MalformedToken(part="encrypted key", why="is not empty, and its algorithm has none")
    found = _found(key, header, encrypted, length)
    if len(found) != length:  # RFC 7516 section 11.5
        raise Unopened
    return found


def _found(key: Key, header: Mapping[str, Any], encrypted: bytes, length: int) -> bytes:
    alg: str = header["alg"]
    match key.material:
        case Material(secret=bytes(secret)):
            if alg == "dir":
                return secret
            return _gcm_unwrapped(secret, header, encrypted) if "GCM" in alg else _unwrapped(secret, encrypted)
        case Material(private=rsa.RSAPrivateKey() as private):
            return _from_rsa(private, alg, encrypted, length)
        case material:
            wrapping = wrapping_length(alg)
            agreed = _agreed(material, header, wrapping or length, header["enc"] if wrapping is None else alg)
            return agreed if wrapping is None else _unwrapped(agreed, encrypted)


def _unwrapped(wrapping: bytes, encrypted: bytes) -> bytes:
    try:
        return aes_key_unwrap(wrapping, encrypted)
    except (InvalidUnwrap, ValueError) as wrong:
        raise Unopened from wrong


def _gcm_unwrapped(wrapping: bytes, header: Mapping[str, Any], encrypted: bytes) -> bytes:
    return content.gcm(wrapping, _octets(header, "iv"), encrypted, _octets(header, "tag"), b"")


def _from_rsa(private: rsa.RSAPrivateKey, alg: str, encrypted: bytes, length: int) -> bytes:
    digest = hashes.SHA256() if alg == "RSA-OAEP-256" else hashes.SHA1()  # noqa: S303 - RFC 7518 section 4.3
    try:
        found = private.decrypt(encrypted, padding.OAEP(padding.MGF1(digest), digest, None))
    except ValueError:
        found = b""
    # RFC 7516 section 11.5: go on with a key that opens nothing, so that time does not tell which step failed.
    return found if len(found) == length else secrets.token_bytes(length)


def _agreed(own: Material, header: Mapping[str, Any], length: int, purpose: str) -> bytes:
    shared = _shared(own, _ephemeral(header))
    named = (purpose.encode("ascii"), _party(header, "apu"), _party(header, "apv"))
    info = b"".join(len(one).to_bytes(4, "big") + one for one in named) + (8 * length).to_bytes(4, "big")
    return ConcatKDFHash(hashes.SHA256(), length, info).derive(shared)


def _shared(own: Material, other: Material) -> bytes:
    try:
        match own.private, other.public:
            case ec.EllipticCurvePrivateKey() as mine, ec.EllipticCurvePublicKey() as theirs:
                return mine.exchange(ec.ECDH(), theirs)
            case x25519.X25519PrivateKey() as mine, x25519.X25519PublicKey() as theirs:
                return mine.exchange(theirs)
            case _:
                pass
    except ValueError as wrong:  # another curve; or all zeros, from a point of small order: RFC 8037 section 5
        raise Unopened from wrong
    raise Unopened


def _ephemeral(header: Mapping[str, Any]) -> Material:
    epk = header.get("epk")
    if not isinstance(epk, dict):
        raise MalformedToken(part="header", why="has no epk, or one that is not a JSON object")
    if "d" in epk:  # RFC 7518 section 4.6.1.1: public members alone
        raise MalformedToken(part="header", why="has an epk that is private")
    try:
        return read_material(epk)
    except BadKey as wrong:
        raise MalformedToken(part="header", why="has an epk that is no sound public key") from wrong


def _party(header: Mapping[str, Any], name: str) -> bytes:
    data = _octets(header, name) if name in header else b""
    if len(data) > _MAX_PARTY:
        raise MalformedToken(part="header", why=f"has an {name} of more than {_MAX_PARTY} bytes")
    return data


def _octets(header: Mapping[str, Any], name: str) -> bytes:
    text = header.get(name)
    if not isinstance(text, str):
        raise MalformedToken(part="header", why=f"has no {name}, or one that is not a text")
    try:
        return base64url.decode_text(text)
    except base64url.NotBase64url as wrong:
        raise MalformedToken(part="header", why=f"has an {name} that is not strict base64url") from wrong
