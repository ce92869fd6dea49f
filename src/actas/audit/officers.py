"""The officers' keys: made by an officer, of which the gateway holds the public halves only."""

import os
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from actas.audit.errors import OfficerUnreadable

_LARGEST = 4096


class PublicFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="actas-officer-public"):
    """What the settings name."""

    id: str
    public: bytes


class PrivateFile(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="actas-officer-private"
):
    """What the officer keeps away from the gateway."""

    id: str
    private: bytes

    def __repr__(self) -> str:
        return f"PrivateFile({self.id})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Officer:
    """An officer who can open boxes."""

    id: str
    private: X25519PrivateKey = field(repr=False)


def make_officer(private: Path, public: Path) -> str:
    """Make an officer's key pair in two new files, the private one of mode 0600; give the officer's id."""
    key = X25519PrivateKey.generate()
    shown = key.public_key().public_bytes_raw()
    name = _id(shown)
    _write(private, msgspec.json.encode(PrivateFile(id=name, private=key.private_bytes_raw())), 0o600)
    _write(public, msgspec.json.encode(PublicFile(id=name, public=shown)), 0o644)
    return name


def read_public(path: Path) -> tuple[str, bytes]:
    """Read an officer's public file: id and raw key."""
    try:
        found = msgspec.json.decode(_read(path), type=PublicFile)
        X25519PublicKey.from_public_bytes(found.public)
    except (msgspec.DecodeError, ValueError) as wrong:
        raise OfficerUnreadable(name=path.name, why="it is no officer's public key") from wrong
    if found.id != _id(found.public):
        raise OfficerUnreadable(name=path.name, why="its id is not that of its key")
    return found.id, found.public


def read_private(path: Path) -> Officer:
    """Read an officer's private file."""
    try:
        found = msgspec.json.decode(_read(path), type=PrivateFile)
        key = X25519PrivateKey.from_private_bytes(found.private)
    except (msgspec.DecodeError, ValueError) as wrong:
        raise OfficerUnreadable(name=path.name, why="it is no officer's private key") from wrong
    if found.id != _id(key.public_key().public_bytes_raw()):
        raise OfficerUnreadable(name=path.name, why="its id is not that of its key")
    return Officer(id=found.id, private=key)


def _id(public: bytes) -> str:
    return sha256(b"actas officer" + public).hexdigest()[:16]


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_LARGEST)
    except OSError as wrong:
        raise OfficerUnreadable(name=path.name, why=wrong.strerror or "it cannot be read") from wrong


def _write(path: Path, text: bytes, mode: int) -> None:
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        with os.fdopen(handle, "wb") as file:
            file.write(text + b"\n")
    except OSError as wrong:
        raise OfficerUnreadable(name=path.name, why=wrong.strerror or "it cannot be written") from wrong
