"""Turn the numbers of a JSON Web Key into a key that can compute, or say why it must not.

RFC 7517, RFC 7518 section 6, RFC 8037 section 2. Private members must belong to the public ones.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, x25519

from actas.jose import base64url, edwards, roca
from actas.jose.errors import BadKey

MIN_RSA_BITS = 2048
MAX_RSA_BITS = 8192
MAX_EXPONENT_BITS = 64  # a longer public exponent only makes each verification dear
MAX_SECRET_BYTES = 1024

Public = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | x25519.X25519PublicKey
Private = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | x25519.X25519PrivateKey

CURVES: Mapping[str, tuple[ec.EllipticCurve, int]] = {
    "P-256": (ec.SECP256R1(), 32),
    "P-384": (ec.SECP384R1(), 48),
    "P-521": (ec.SECP521R1(), 66),
}
"""Each curve and the width of its coordinates in bytes."""

_RSA_FACTORS = ("p", "q", "dp", "dq", "qi")
# A text that is a public key is no secret: CVE-2022-29217, CVE-2024-33663.
_PUBLISHED = (b"-----BEGIN ", b"ssh-", b"ecdsa-sha2-", b"---- BEGIN ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """A key that can compute. ``public`` is missing for symmetric keys, ``private`` for public ones."""

    kty: str
    crv: str | None = None
    public: Public | None = None
    private: Private | None = field(default=None, repr=False)
    secret: bytes | None = field(default=None, repr=False)


def read(jwk: Mapping[str, Any]) -> Material:
    """Read the key material of *jwk*."""
    kty = jwk.get("kty")
    reader = _READERS.get(kty) if isinstance(kty, str) else None
    if reader is None:
        raise BadKey(why="its kty is missing or not one of RSA, EC, OKP and oct")
    try:
        return reader(jwk)
    except (ValueError, UnsupportedAlgorithm, OverflowError) as wrong:
        raise BadKey(why="its numbers do not belong together") from wrong


def _octets(jwk: Mapping[str, Any], name: str, width: int | None = None) -> bytes:
    text = jwk.get(name)
    if not isinstance(text, str) or not text:
        raise BadKey(why=f"its {name} is missing or not a text")
    try:
        data = base64url.decode_text(text)
    except base64url.NotBase64url as wrong:
        raise BadKey(why=f"its {name} is not base64url") from wrong
    if width is not None and len(data) != width:  # RFC 7518 section 6.2.1.2: the full width, leading zeros kept
        raise BadKey(why=f"its {name} has {len(data)} bytes where the curve has {width}")
    return data


def _number(jwk: Mapping[str, Any], name: str) -> int:
    data = _octets(jwk, name)
    if data[0] == 0:  # RFC 7518 section 2, Base64urlUInt: the fewest octets
        raise BadKey(why=f"its {name} has a leading zero byte")
    if len(data) > MAX_RSA_BITS // 8:
        raise BadKey(why=f"its {name} is longer than {MAX_RSA_BITS} bits")
    return int.from_bytes(data, "big")


def _rsa(jwk: Mapping[str, Any]) -> Material:
    n, e = _number(jwk, "n"), _number(jwk, "e")
    if n.bit_length() < MIN_RSA_BITS:
        raise BadKey(why=f"its modulus has {n.bit_length()} bits, and {MIN_RSA_BITS} are the least")
    if not n & 1:
        raise BadKey(why="its modulus is even")
    if not e & 1 or e < 3 or e.bit_length() > MAX_EXPONENT_BITS:
        raise BadKey(why="its public exponent is even, 1, or out of proportion")
    if roca.has_fingerprint(n):
        raise BadKey(why="its modulus has the ROCA fingerprint (CVE-2017-15361), so anybody may factor it")
    numbers = rsa.RSAPublicNumbers(e, n)
    return Material(kty="RSA", public=numbers.public_key(), private=_rsa_private(jwk, numbers))


def _rsa_private(jwk: Mapping[str, Any], public: rsa.RSAPublicNumbers) -> rsa.RSAPrivateKey | None:
    if "oth" in jwk:
        raise BadKey(why="it has more than two primes")
    if "d" not in jwk:
        if any(name in jwk for name in _RSA_FACTORS):
            raise BadKey(why="it has private members but no d")
        return None
    d = _number(jwk, "d")
    if d >= public.n or pow(3, d * public.e, public.n) != 3:
        raise BadKey(why="its d does not belong to its n and e")
    if not any(name in jwk for name in _RSA_FACTORS):
        p, q = rsa.rsa_recover_prime_factors(public.n, public.e, d)
        factors = (p, q, rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q))
    else:  # RFC 7518 section 6.3.2: one of them demands the others
        p, q, dp, dq, qi = (_number(jwk, name) for name in _RSA_FACTORS)
        factors = (p, q, dp, dq, qi)
    p, q, dp, dq, qi = factors
    return rsa.RSAPrivateNumbers(p, q, d, dp, dq, qi, public).private_key()


def _ec(jwk: Mapping[str, Any]) -> Material:
    crv = jwk.get("crv")
    if not isinstance(crv, str) or crv not in CURVES:
        raise BadKey(why="its crv is missing or not one of P-256, P-384 and P-521")
    curve, width = CURVES[crv]
    point = b"\x04" + _octets(jwk, "x", width) + _octets(jwk, "y", width)
    try:
        public = ec.EllipticCurvePublicKey.from_encoded_point(curve, point)
    except ValueError as wrong:
        raise BadKey(why="its point is not on its curve") from wrong
    private = None
    if "d" in jwk:
        private = ec.derive_private_key(int.from_bytes(_octets(jwk, "d", width), "big"), curve)
        if private.public_key() != public:
            raise BadKey(why="its d does not belong to its x and y")
    return Material(kty="EC", crv=crv, public=public, private=private)


def _okp(jwk: Mapping[str, Any]) -> Material:
    crv = jwk.get("crv")
    if crv not in ("Ed25519", "X25519"):
        raise BadKey(why="its crv is missing or not one of Ed25519 and X25519")
    x = _octets(jwk, "x", 32)
    d = _octets(jwk, "d", 32) if "d" in jwk else None
    public: Public
    private: ed25519.Ed25519PrivateKey | x25519.X25519PrivateKey | None
    if crv == "Ed25519":
        if not edwards.is_sound(x):
            raise BadKey(why="its point is not on its curve, or of small order")
        public = ed25519.Ed25519PublicKey.from_public_bytes(x)
        private = None if d is None else ed25519.Ed25519PrivateKey.from_private_bytes(d)
    else:
        public = x25519.X25519PublicKey.from_public_bytes(x)
        private = None if d is None else x25519.X25519PrivateKey.from_private_bytes(d)
    if private is not None and private.public_key() != public:
        raise BadKey(why="its d does not belong to its x")
    return Material(kty="OKP", crv=crv, public=public, private=private)


def _oct(jwk: Mapping[str, Any]) -> Material:
    secret = _octets(jwk, "k")
    if len(secret) > MAX_SECRET_BYTES:
        raise BadKey(why=f"its k is longer than {MAX_SECRET_BYTES} bytes")
    start = secret.lstrip()
    if start.startswith(_PUBLISHED) or (start.startswith(b"{") and b'"kty"' in start):
        raise BadKey(why="its k is the text of a published key")
    return Material(kty="oct", secret=secret)


def public_members(material: Material) -> dict[str, str]:
    """Write the public half as the members that RFC 7638 hashes, in its order; a symmetric key has none but ``kty``."""
    members = {"kty": material.kty}
    if material.public is None:
        return members
    match material.public:
        case rsa.RSAPublicKey() as key:
            numbers = key.public_numbers()
            members |= {"e": _uint(numbers.e), "n": _uint(numbers.n)}
        case ec.EllipticCurvePublicKey() as key:
            point = key.public_numbers()
            width = (key.key_size + 7) // 8
            members |= {"crv": str(material.crv), "x": _uint(point.x, width), "y": _uint(point.y, width)}
        case ed25519.Ed25519PublicKey() | x25519.X25519PublicKey() as key:  # pragma: no branch - the last there is
            members |= {"crv": str(material.crv), "x": base64url.encode_text(key.public_bytes_raw())}
    return members


def private_members(material: Material) -> dict[str, str]:
    """Write the private half, or the secret; empty where there is none."""
    if material.private is None:
        return {} if material.secret is None else {"k": base64url.encode_text(material.secret)}
    match material.private:
        case rsa.RSAPrivateKey() as key:
            own = key.private_numbers()
            named = {"d": own.d, "p": own.p, "q": own.q, "dp": own.dmp1, "dq": own.dmq1, "qi": own.iqmp}
            return {name: _uint(number) for name, number in named.items()}
        case ec.EllipticCurvePrivateKey() as key:
            return {"d": _uint(key.private_numbers().private_value, (key.key_size + 7) // 8)}
        case ed25519.Ed25519PrivateKey() | x25519.X25519PrivateKey() as key:  # pragma: no branch - the last there is
            return {"d": base64url.encode_text(key.private_bytes_raw())}


def _uint(number: int, width: int | None = None) -> str:
    return base64url.encode_text(number.to_bytes(width or (number.bit_length() + 7) // 8, "big"))


_READERS: Mapping[str, Callable[[Mapping[str, Any]], Material]] = {"RSA": _rsa, "EC": _ec, "OKP": _okp, "oct": _oct}
