"""Whom we believe, and by which keys: pinned, never taken from a message."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from actas.saml.certificates import Certificate, PublicKey
from actas.saml.content_errors import BadCertificate, NoSigningKey
from actas.saml.errors import AskedWrongly
from actas.saml.metadata import Entity, Metadata


@dataclass(frozen=True, slots=True)
class Trust:
    """An identity provider: its entity id and the keys that it signs with, old and new alike."""

    entity_id: str
    certificates: tuple[bytes | str, ...]
    keys: tuple[PublicKey, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Read the certificates; each of them must be usable."""
        if not self.entity_id:
            raise AskedWrongly(argument="entity_id", why="is not a text")
        if isinstance(self.certificates, (bytes, str)):
            raise AskedWrongly(argument="certificates", why="is one certificate, not several")
        object.__setattr__(self, "certificates", tuple(self.certificates))
        object.__setattr__(self, "keys", _different(Certificate.read(one).key for one in self.certificates))
        if not self.keys:
            raise NoSigningKey(refused=0)

    @classmethod
    def from_metadata(cls, xml: bytes, entity_id: str | None = None, *, now: datetime) -> "Trust":
        """Trust all usable signing certificates of the identity provider in *xml*."""
        return cls.from_entity(Metadata.parse(xml, now=now).idp(entity_id))

    @classmethod
    def from_entity(cls, entity: Entity) -> "Trust":
        """Trust all usable signing certificates of *entity*; one that cannot be read does not spoil the others."""
        good = []
        for der in entity.signing_certificates:
            try:
                good.append(Certificate.read(der).der)
            except BadCertificate:
                continue
        if not good:
            raise NoSigningKey(refused=len(entity.signing_certificates))
        return cls(entity.entity_id, tuple(good))


def _different(keys: Iterable[PublicKey]) -> tuple[PublicKey, ...]:
    """Leave out keys that were published twice, as in an old certificate and its renewal."""
    return tuple({key.public_numbers(): key for key in keys}.values())
