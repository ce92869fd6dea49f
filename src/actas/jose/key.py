"""A JSON Web Key that may be used, and for what; which algorithm fits is decided here and never by a token's header."""

import hmac
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from types import MappingProxyType
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from actas.jose import base64url, jwk, strict_json
from actas.jose.algorithms import SIGNATURES, Signature, allowed
from actas.jose.errors import AskedWrongly, BadKey, UnsuitableKey
from actas.jose.material import CURVES, Material, Private, private_members, public_members

Verify = Callable[[bytes, bytes], bool]
"""Takes a signature and what it signs."""
Sign = Callable[[bytes], bytes]

_HASHES: Mapping[str, hashes.HashAlgorithm] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Key:
    """A usable key. Two keys are compared by ``thumbprint()``; printing one shows no secret."""

    kty: str
    crv: str | None
    kid: str | None
    alg: str | None
    use: str | None
    key_ops: frozenset[str] | None
    extra: Mapping[str, Any] = field(repr=False)
    """The members that no key standard defines, as the provider sent them; Entra's ``issuer`` is one."""
    material: Material = field(repr=False)
    """The key itself, for this library's own use."""
    verifiers: Mapping[str, Verify] = field(repr=False)
    """What this key may verify: its algorithms, each with the check. The only place where the two are joined."""

    @classmethod
    def from_json(cls, data: bytes | str | Mapping[str, Any]) -> "Key":
        """Read one JWK, private or public; raise `BadKey` where it cannot or must not be used."""
        members = data if isinstance(data, Mapping) else jwk.parse(data)
        return _key(jwk.read(members))

    @classmethod
    def generate(cls, algorithm: str, kid: str | None = None) -> "Key":
        """Make a new private key for the signature *algorithm*: RSA of 2048 bits, the curve, or a secret."""
        allowed((algorithm,), SIGNATURES, "algorithm")
        row = SIGNATURES[algorithm]
        if kid is not None and not jwk.is_kid(kid):
            raise AskedWrongly(argument="kid", why=f"must be a text of at most {jwk.MAX_KID} characters")
        plain = jwk.Members(material=_new(row), kid=kid, alg=algorithm, use="sig")
        return _key(plain)

    @property
    def is_private(self) -> bool:
        """Whether the key can sign or open, not only verify."""
        return self.material.private is not None or self.material.secret is not None

    def to_json(self, private: bool = False) -> dict[str, Any]:  # noqa: FBT001, FBT002 - the public API says so
        """Write the key as a JWK; the private members, or the secret, only where *private* is true."""
        members: dict[str, Any] = dict(public_members(self.material))
        if private:
            if not self.is_private:
                raise UnsuitableKey(algorithm=self.alg or self.kty, why="it has no private half to write")
            members |= private_members(self.material)
        named = {"kid": self.kid, "alg": self.alg, "use": self.use}
        members |= {name: value for name, value in named.items() if value is not None}
        if self.key_ops is not None:
            members["key_ops"] = sorted(self.key_ops)
        return members

    def thumbprint(self) -> str:
        """Compute the SHA-256 thumbprint of RFC 7638, in base64url."""
        members = public_members(self.material)
        if self.material.secret is not None:
            members |= private_members(self.material)
        return base64url.encode_text(sha256(strict_json.dumps(dict(sorted(members.items())))).digest())

    def signer(self, algorithm: str) -> Sign:
        """Give the function that signs with *algorithm*, if this key may."""
        row = SIGNATURES[algorithm]
        if not self.is_private:
            raise UnsuitableKey(algorithm=algorithm, why="it is public")
        if not _may(self, row, "sign"):
            raise UnsuitableKey(algorithm=algorithm, why="its type, curve, length, alg, use or key_ops say otherwise")
        return _signer(self.material, row)


def _key(members: jwk.Members) -> Key:
    material = members.material
    rows = [row for row in SIGNATURES.values() if _may(members, row, "verify")]
    return Key(
        kty=material.kty,
        crv=material.crv,
        kid=members.kid,
        alg=members.alg,
        use=members.use,
        key_ops=members.key_ops,
        extra=MappingProxyType(dict(members.extra)),
        material=material,
        verifiers=MappingProxyType({row.name: _verifier(material, row) for row in rows}),
    )


def _may(key: jwk.Members | Key, row: Signature, operation: str) -> bool:
    material = key.material
    if row.kty != material.kty or row.crv not in (None, material.crv):
        return False
    if key.alg not in (None, row.name) and {str(key.alg), row.name} != {"EdDSA", "Ed25519"}:  # RFC 9864: one thing
        return False
    if material.secret is not None and len(material.secret) < row.hash_size:  # RFC 7518 section 3.2
        return False
    return key.use in (None, "sig") and (key.key_ops is None or operation in key.key_ops)


def _verifier(material: Material, row: Signature) -> Verify:
    if material.secret is not None:
        secret, digest = material.secret, row.hash
        return lambda signature, data: hmac.compare_digest(hmac.digest(secret, data, digest), signature)
    match material.public:
        case rsa.RSAPublicKey(verify=by_rsa):
            fill, method = _padding(row), _HASHES[row.hash]
            return _holds(by_rsa, fill, method)
        case ec.EllipticCurvePublicKey(verify=by_ec):
            ecdsa, width = ec.ECDSA(_HASHES[row.hash]), row.width
            return _holds(lambda signature, data: by_ec(_der(signature, width), data, ecdsa))
        case ed25519.Ed25519PublicKey(verify=by_edwards):
            return _holds(by_edwards)
        case _:  # pragma: no cover - no row of SIGNATURES takes such a key
            raise BadKey(why="it verifies nothing")


def _holds(check: Callable[..., None], *more: object) -> Verify:
    def holds(signature: bytes, data: bytes) -> bool:
        try:
            check(signature, data, *more)
        except (InvalidSignature, ValueError):
            return False
        return True

    return holds


def _signer(material: Material, row: Signature) -> Sign:
    if material.secret is not None:
        secret, name = material.secret, row.hash
        return lambda data: hmac.digest(secret, data, name)
    match material.private:
        case rsa.RSAPrivateKey(sign=by_rsa):
            fill, digest = _padding(row), _HASHES[row.hash]
            return lambda data: by_rsa(data, fill, digest)
        case ec.EllipticCurvePrivateKey(sign=by_ec):
            method, width = ec.ECDSA(_HASHES[row.hash]), row.width
            return lambda data: _raw(by_ec(data, method), width)
        case ed25519.Ed25519PrivateKey(sign=by_edwards):
            return by_edwards
        case _:  # pragma: no cover - no row of SIGNATURES takes such a key
            raise UnsuitableKey(algorithm=row.name, why="it signs nothing")


def _padding(row: Signature) -> padding.AsymmetricPadding:
    if row.name.startswith("RS"):
        return padding.PKCS1v15()
    # RFC 7518 section 3.5: the salt is as long as the hash, not as long as it happens to be.
    return padding.PSS(padding.MGF1(_HASHES[row.hash]), salt_length=row.hash_size)


def _der(signature: bytes, width: int) -> bytes:
    if len(signature) != width:  # RFC 7518 section 3.4: both numbers at their full width, and no DER
        raise InvalidSignature
    half = width // 2
    return encode_dss_signature(int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big"))


def _raw(der: bytes, width: int) -> bytes:
    r, s = decode_dss_signature(der)
    return r.to_bytes(width // 2, "big") + s.to_bytes(width // 2, "big")


def _new(row: Signature) -> Material:
    if row.kty == "oct":
        return Material(kty="oct", secret=secrets.token_bytes(row.hash_size))
    private: Private
    match row.kty:
        case "RSA":
            private = rsa.generate_private_key(65537, 2048)
        case "EC":
            private = ec.generate_private_key(CURVES[str(row.crv)][0])
        case _:
            private = ed25519.Ed25519PrivateKey.generate()
    return Material(kty=row.kty, crv=row.crv, public=private.public_key(), private=private)
