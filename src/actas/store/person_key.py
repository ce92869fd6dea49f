"""The key under which people are found without being named: keyed hashes of who they are.

Without the key nobody can tell whether a guess at a person fits a row.
"""

import hmac
import json
import os
import secrets
import unicodedata
from pathlib import Path

from actas import private_files
from actas.store.errors import StoreExposed, StoreUnavailable


class PersonKey:
    """Hashes people, for one purpose at a time."""

    def __init__(self, key: bytes) -> None:
        self._rows = hmac.digest(key, b"actas pseudonyms", "sha256")
        self._marks = hmac.digest(key, b"actas watermarks", "sha256")
        self._shown = hmac.digest(key, b"actas shown once", "sha256")

    def row(self, issuer: str, subject: str, epoch: int) -> bytes:
        """Find the row of a person's pseudonym in *epoch*."""
        return hmac.digest(self._rows, json.dumps([issuer, subject, epoch]).encode(), "sha256")

    def role_mark(self, role_arn: str) -> bytes:
        """Find the watermark of a role."""
        return hmac.digest(self._marks, json.dumps(["role", role_arn]).encode(), "sha256")

    def mark(self, provider: str, subject: str | None, session: str | None) -> bytes:
        """Find a watermark: of a subject, of one of its sessions, or of a session whose subject is not known."""
        return hmac.digest(self._marks, json.dumps([provider, subject, session]).encode(), "sha256")

    def address_mark(self, provider: str, address: str, session: str | None) -> bytes:
        """Find the watermark of somebody who was named by an address, however its letters are written."""
        same = unicodedata.normalize("NFC", unicodedata.normalize("NFC", address.strip()).casefold())
        return hmac.digest(self._marks, json.dumps([provider, None, session, same]).encode(), "sha256")

    def shown(self, issuer: str, name: str) -> bytes:
        """Find what may be shown once: the id of an assertion or of a message."""
        return hmac.digest(self._shown, json.dumps([issuer, name]).encode(), "sha256")


def read(path: Path) -> PersonKey:
    """Read the key at *path*, mode 0600; make it where there is none."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _make(path)
        found = private_files.read(path, limit=1024)
    except private_files.NotPrivate as wrong:
        raise StoreExposed(name=path.name, why=str(wrong)) from wrong
    except OSError as wrong:
        raise StoreUnavailable(why=f"{path.name}: {private_files.why(wrong)}") from wrong
    try:
        return PersonKey(_checked(bytes.fromhex((found or b"").decode())))
    except ValueError as wrong:
        raise StoreUnavailable(why=f"{path.name} is no key of 32 bytes in hex") from wrong


def _checked(key: bytes) -> bytes:
    if len(key) != 32:
        raise ValueError("not 32 bytes")
    return key


def _make(path: Path) -> None:
    """Write a key beside *path* and link it there: of several that do so at once, one wins and all read it."""
    if path.exists():
        return
    draft = path.with_suffix(f".{secrets.token_hex(4)}.new")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(secrets.token_hex(32).encode())
        file.flush()
        os.fsync(handle)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
