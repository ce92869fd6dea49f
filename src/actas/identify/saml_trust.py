"""Whom we believe as a SAML provider, by its metadata: what a verifier needs of it, and metadata that is a file."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

import anyio.to_thread

from actas import saml
from actas.identify.saml_errors import SamlUnavailable


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A provider as its metadata describes it at the moment."""

    entity: saml.Entity
    trust: saml.Trust


class Trusts(Protocol):
    """Knows one provider's metadata.

    Promises:

    * keys are those of the metadata, old and new together, and of nothing else;
    * metadata that has ended, or cannot be had, gives no keys: an `IdentifyError` says why.
    """

    async def known(self, *, now: datetime) -> Known:
        """Give what is known of the provider."""
        ...


Reads = Callable[[], bytes]


class FileMetadata:
    """Metadata in a file; read again when the file changes."""

    def __init__(self, provider: str, path: Path, entity_id: str | None, *, certificate: Path | None = None) -> None:
        self._provider, self._path, self._entity_id, self._certificate = provider, path, entity_id, certificate
        self._seen: tuple[int, int] | None = None
        self._known: Known | None = None
        self._ends: datetime | None = None

    async def known(self, *, now: datetime) -> Known:
        """Give what the file says."""
        return await anyio.to_thread.run_sync(self._read, now)

    def _read(self, now: datetime) -> Known:
        try:
            status = self._path.stat()
            seen = (status.st_mtime_ns, status.st_size)
            if self._known is None or seen != self._seen or (self._ends is not None and self._ends <= now):
                certificates = () if self._certificate is None else (self._certificate.read_bytes(),)
                self._known = known_of(self._path.read_bytes(), self._entity_id, certificates=certificates, now=now)
                self._seen, self._ends = seen, self._known.entity.validity
        except OSError as wrong:
            raise SamlUnavailable(provider=self._provider, why=(wrong.strerror or "it is gone").lower()) from wrong
        except saml.SamlError as wrong:
            raise SamlUnavailable(provider=self._provider, why=wrong.message) from wrong
        return self._known


def known_of(xml: bytes, entity_id: str | None, *, certificates: tuple[bytes, ...] = (), now: datetime) -> Known:
    """Read metadata; of several providers the one called *entity_id*. Raise a `SamlError` where it cannot be used."""
    found = [one for one in saml.Metadata.parse(xml, now=now, certificates=certificates).entities if one.is_idp]
    chosen = [one for one in found if entity_id in {None, one.entity_id}]
    if len(chosen) != 1:
        raise saml.NoSuchEntity(wanted=entity_id, found=tuple(one.entity_id for one in found))
    return Known(entity=chosen[0], trust=saml.Trust.from_entity(chosen[0]))
