"""Take the public key and the dates out of a certificate, and nothing else.

The key is pinned, so nobody's signature on the certificate matters. Its outer form is walked here instead of in an
X.509 library: real identity providers publish certificates that strict libraries refuse, with sound keys in them.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from actas.saml.content_errors import BadCertificate
from actas.saml.errors import MalformedDocument
from actas.saml.parsing import unbase64

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey
CURVES = ("secp256r1", "secp384r1", "secp521r1")
LEAST_RSA_BITS, LEAST_OLD_RSA_BITS, MOST_RSA_BITS = 2048, 1024, 8192
_SEQUENCE, _INTEGER, _VERSION, _UTC_TIME, _GENERALIZED_TIME = 0x30, 0x02, 0xA0, 0x17, 0x18
_ARMOUR = re.compile(r"-----BEGIN (CERTIFICATE|TRUSTED CERTIFICATE|PUBLIC KEY)-----")


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """A public key as somebody published it."""

    der: bytes
    key: PublicKey
    not_before: datetime | None = None
    not_after: datetime | None = None
    """When the certificate says that it ends; to be announced, never enforced."""

    @classmethod
    def read(cls, data: bytes | str) -> "Certificate":
        """Read a certificate or a bare public key, in PEM, DER or base64."""
        der = _der(data)
        try:
            info, begins, ends = _walk(der)
        except (IndexError, ValueError):
            info, begins, ends = der, None, None  # a bare SubjectPublicKeyInfo, or nothing at all
        return cls(der=der, key=_public_key(info), not_before=begins, not_after=ends)


def _der(data: bytes | str) -> bytes:
    if isinstance(data, bytes) and data[:1] == b"\x30":
        return data
    if not isinstance(data, (bytes, str)):
        raise BadCertificate(why="is neither bytes nor text")
    text = data.decode("latin-1") if isinstance(data, bytes) else data
    if armoured := _ARMOUR.search(text):  # the first one only: looking for the end of each would take for ever
        text = text[armoured.end() :].partition(f"-----END {armoured[1]}-----")[0]
    try:
        return unbase64(text)
    except MalformedDocument:
        raise BadCertificate(why="is neither PEM nor DER nor base64") from None


def _public_key(info: bytes) -> PublicKey:
    try:
        key = load_der_public_key(info)
    except (ValueError, TypeError, UnsupportedAlgorithm) as wrong:
        raise BadCertificate(why="holds no key that can be read") from wrong
    if isinstance(key, rsa.RSAPublicKey):
        if not LEAST_OLD_RSA_BITS <= key.key_size <= MOST_RSA_BITS:
            raise BadCertificate(why=f"has an RSA key of {key.key_size} bits")
        return key
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in CURVES:
        return key
    raise BadCertificate(why="has a key that is neither RSA nor on P-256, P-384 or P-521")


def _element(der: bytes, at: int) -> tuple[int, int, int]:
    """Give the tag at *at*, where its content starts and where it ends."""
    tag, length, at = der[at], der[at + 1], at + 2
    if length & 0x80:
        more = length & 0x7F
        if not 1 <= more <= 4:
            raise ValueError
        length, at = int.from_bytes(der[at : at + more], "big"), at + more
    if at + length > len(der):
        raise ValueError
    return tag, at, at + length


def _walk(der: bytes) -> tuple[bytes, datetime | None, datetime | None]:
    """Find SubjectPublicKeyInfo and validity of a certificate, RFC 5280 section 4.1."""
    _, at, _ = _element(der, 0)
    _, at, _ = _element(der, at)
    tag, _, end = _element(der, at)
    at = end if tag == _VERSION else at
    tags, spans = [], []
    for _ in range(6):  # serial number, signature, issuer, validity, subject, key
        tag, begin, end = _element(der, at)
        tags.append(tag)
        spans.append((at, begin, end))
        at = end
    if tags != [_INTEGER] + [_SEQUENCE] * 5:
        raise ValueError
    begins, after = _time(der, spans[3][1])
    ends, _ = _time(der, after)
    return der[spans[5][0] : spans[5][2]], begins, ends


def _time(der: bytes, at: int) -> tuple[datetime | None, int]:
    tag, begin, end = _element(der, at)
    text = der[begin:end].decode("latin-1")
    form = {_UTC_TIME: "%y%m%d%H%M%SZ", _GENERALIZED_TIME: "%Y%m%d%H%M%SZ"}.get(tag, "")
    try:
        return datetime.strptime(text, form).replace(tzinfo=UTC), end
    except ValueError:
        return None, end  # the date is only announced
