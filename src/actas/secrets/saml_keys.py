"""The ring of our own SAML keys: they sign requests and logouts, and open what identity providers encrypt to us.

RSA, because identity providers encrypt to nothing else. A new key is published a week before it signs, beside the one
that signs, so that every identity provider that reads our metadata knows it in time. A retired key still opens what
was encrypted to it by a provider that read our metadata late.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

from actas.secrets import rings
from actas.secrets.errors import RingUnreadable

EVERY = timedelta(days=90)
"""As access keys of IAM users are rotated by most."""
LEAD = timedelta(days=7)
"""Identity providers that read metadata do so daily; where a person carries it there, it is a week's work."""
STILL = timedelta(days=1)
"""A key that signs no more stays published this long, for requests that are on their way."""
KEEP = timedelta(days=21)
"""A key opens what was encrypted to it until two weeks after its successor signs."""
_BITS = 3072
_NAME_LENGTH = 64  # RFC 5280, ub-common-name


class _Material(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    key: bytes
    certificate: bytes
    signs_from: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SamlKey:
    """One key of ours with its certificate."""

    id: str
    private: rsa.RSAPrivateKey = field(repr=False)
    certificate: bytes = field(repr=False)
    """DER; self-signed, because everybody pins it."""
    made_at: datetime
    signs_from: datetime
    ends_at: datetime
    """When the certificate says that it ends."""


class SamlKeys:
    """Our keys, as read from disk."""

    def __init__(self, path: Path, *, name: str, every: timedelta = EVERY) -> None:
        self._path, self._name, self._every = path, name[:_NAME_LENGTH], every
        self._stamp: tuple[int, int] | None = None
        self._keys: tuple[SamlKey, ...] = ()

    def rotate(self, now: datetime, *, force: bool = False) -> None:
        """Make a key if there is none, the newest is old enough or *force* says so; read what others made."""
        # The first key signs at once: nobody knows another.
        make = self._maker(now if not rings.read(self._path, "saml") else now + LEAD)
        found = rings.rotate(self._path, "saml", make=make, every=self._every, keep=KEEP, now=now, force=force)
        self._take(found)

    def restart(self, now: datetime) -> None:
        """Throw all keys away and sign with a new one at once: for a key that was stolen."""
        self._take(rings.restart(self._path, "saml", self._maker(now)(now)))

    def refresh(self) -> None:
        """Read the ring again where somebody else changed it, such as `actas saml rotate`."""
        if _stamp(self._path) != self._stamp:
            self._take(rings.read(self._path, "saml"))

    @property
    def keys(self) -> tuple[SamlKey, ...]:
        """All keys, the oldest first; each of them may open what was encrypted to us."""
        return self._keys

    def signing(self, now: datetime) -> SamlKey:
        """Give the key that signs now: the newest that everybody had time to hear of."""
        return self._keys[self._signs(now)]

    def published(self, now: datetime) -> tuple[SamlKey, ...]:
        """List the keys that verify what we sign: the one that signs first, then the next, then the one before."""
        at = self._signs(now)
        before = self._keys[at - 1 : at] if at and now - self._keys[at].signs_from < STILL else ()
        return (*self._keys[at:], *before)

    def encryption(self, now: datetime) -> tuple[SamlKey, ...]:
        """List the keys that may be encrypted to from now on: the one that signs first, then the next."""
        return self._keys[self._signs(now) :]

    def _signs(self, now: datetime) -> int:
        return max((place for place, key in enumerate(self._keys) if key.signs_from <= now), default=0)

    def _maker(self, signs_from: datetime) -> "_Maker":
        return _Maker(name=self._name, signs_from=signs_from, lasts=self._every + LEAD + KEEP)

    def _take(self, found: Sequence[rings.RingKey]) -> None:
        known = {key.id: key for key in self._keys}
        self._keys = tuple(known.get(one.id) or _read(one, self._path) for one in found)
        self._stamp = _stamp(self._path)


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino


def _read(found: rings.RingKey, path: Path) -> SamlKey:
    try:
        material = msgspec.json.decode(found.material, type=_Material)
        key = load_der_private_key(material.key, password=None)
        certificate = x509.load_der_x509_certificate(material.certificate)
    except (msgspec.DecodeError, ValueError, TypeError) as wrong:
        raise RingUnreadable(path=path, why="a key in it cannot be read") from wrong
    if not isinstance(key, rsa.RSAPrivateKey) or certificate.public_key() != key.public_key():
        raise RingUnreadable(path=path, why="a key and its certificate in it do not belong together")
    return SamlKey(
        id=found.id,
        private=key,
        certificate=material.certificate,
        made_at=found.made_at,
        signs_from=material.signs_from,
        ends_at=certificate.not_valid_after_utc,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Maker:
    """Makes keys; the slow part of it is done only where a key is due."""

    name: str
    signs_from: datetime
    lasts: timedelta

    def __call__(self, now: datetime) -> rings.RingKey:
        key = rsa.generate_private_key(65537, _BITS)
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, self.name)])
        certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(minutes=5))
            .not_valid_after(now + self.lasts)
            .sign(key, hashes.SHA256())
        )
        material = _Material(
            key=key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
            certificate=certificate.public_bytes(Encoding.DER),
            signs_from=self.signs_from,
        )
        name = base64.urlsafe_b64encode(certificate.fingerprint(hashes.SHA256())[:9]).decode()
        return rings.RingKey(id=name, made_at=now, material=msgspec.json.encode(material).decode())
