"""The algorithms that signatures may use, and how each is checked."""

from collections.abc import Sequence

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from actas.saml.certificates import LEAST_RSA_BITS, PublicKey
from actas.saml.content_errors import WeakKey
from actas.saml.names import DS, DS_2007, DS_MORE, XENC

HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha1": hashes.SHA1(),  # noqa: S303 - only where the caller allows it, and inside OAEP
    "sha224": hashes.SHA224(),
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
_LONG = ("sha256", "sha384", "sha512")
DIGESTS = {
    f"{XENC}sha256": "sha256",
    f"{DS_MORE}sha384": "sha384",
    f"{XENC}sha384": "sha384",  # the name in XML Encryption 1.1 section 5.8.3
    f"{XENC}sha512": "sha512",
}
SIGNATURES = {
    **{f"{DS_MORE}{kind}-{name}": (kind, name) for kind in ("rsa", "ecdsa") for name in _LONG},
    **{f"{DS_2007}{name}-rsa-MGF1": ("pss", name) for name in _LONG},
    f"{DS_2007}rsa-pss": ("pss", "sha256"),  # RFC 9231 section 2.3.9: the parameters' defaults
}
OLD_DIGESTS = DIGESTS | {f"{DS}sha1": "sha1"}
OLD_SIGNATURES = SIGNATURES | {f"{DS}rsa-sha1": ("rsa", "sha1")}


def usable(keys: Sequence[PublicKey], *, allow_sha1: bool) -> tuple[PublicKey, ...]:
    """Keep the keys that are long enough."""
    good = tuple(
        key for key in keys if allow_sha1 or not isinstance(key, rsa.RSAPublicKey) or key.key_size >= LEAST_RSA_BITS
    )
    if keys and not good:
        raise WeakKey(bits=max(key.key_size for key in keys), wanted=LEAST_RSA_BITS)
    return good


def holds(key: PublicKey, kind: str, name: str, signature: bytes, signed: bytes) -> bool:
    """Tell whether *signature* over *signed* was made with *key*."""
    digest = HASHES[name]
    try:
        if isinstance(key, rsa.RSAPublicKey):
            if kind == "ecdsa" or len(signature) != (key.key_size + 7) // 8:
                return False
            fill = padding.PKCS1v15() if kind == "rsa" else padding.PSS(padding.MGF1(digest), digest.digest_size)
            key.verify(signature, signed, fill, digest)
            return True
        der = _der(signature, key) if kind == "ecdsa" else None
        if der is None:
            return False
        key.verify(der, signed, ec.ECDSA(digest))
    except InvalidSignature:
        return False
    return True


def _der(signature: bytes, key: ec.EllipticCurvePublicKey) -> bytes | None:
    """Turn XML Signature's r and s, each as wide as the field, into OpenSSL's form (RFC 9231 section 2.3.6)."""
    width = (key.key_size + 7) // 8
    r, s = int.from_bytes(signature[:width], "big"), int.from_bytes(signature[width:], "big")
    if len(signature) != 2 * width or not r or not s:
        return None
    return encode_dss_signature(r, s)
