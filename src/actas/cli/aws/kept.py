"""Credentials kept between processes: sealed, one file for each that asks, the key in the system's keyring.

Where there is no keyring the key lies beside them in a file that only its owner may read; then the files are worth
what file modes are worth. What cannot be opened counts as not there: credentials can always be taken anew.
"""

import contextlib
import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from actas import private_files
from actas.cli import login_files as files
from actas.cli.aws.sts import Taken, Wanted
from actas.cli.login_errors import KeyringRefused
from actas.cli.signins_vault import Vault, find_vault

FOLDER = "credentials"
_KEY = "key"
_NONCE = 12


@dataclass(frozen=True, slots=True)
class Kept:
    """The credentials in one state folder."""

    state: Path
    find_vault: Callable[[], Vault | None] = find_vault

    @property
    def folder(self) -> Path:
        """Where the files are."""
        return self.state / FOLDER

    def get(self, wanted: Wanted) -> Taken | None:
        """Open what is kept for *wanted*; None where there is nothing that can be used."""
        if not self.folder.is_dir():
            return None
        files.safe_folder(self.folder)
        name = _name(wanted)
        sealed = files.read(self.folder / name)
        key = self._key(make=False) if sealed else None
        if not sealed or key is None:
            return None
        try:
            opened = AESGCM(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], name.encode())
            return msgspec.msgpack.decode(opened, type=Taken)
        except (InvalidTag, ValueError, msgspec.DecodeError):
            return None

    def put(self, wanted: Wanted, taken: Taken) -> None:
        """Keep *taken* instead of what was there."""
        files.safe_folder(self.folder)
        name, nonce = _name(wanted), secrets.token_bytes(_NONCE)
        key = self._key(make=True)
        assert key is not None
        sealed = AESGCM(key).encrypt(nonce, msgspec.msgpack.encode(taken), name.encode())
        private_files.write(self.folder / name, nonce + sealed)

    def forget(self) -> int:
        """Drop everything that is kept, and the key; tell how many credentials there were."""
        if not self.folder.is_dir():
            return 0
        gone = [path for path in self.folder.iterdir() if not path.name.startswith(".")]
        for path in gone:
            path.unlink(missing_ok=True)
        if vault := self.find_vault():
            vault.drop(self._account)
        return len([path for path in gone if path.suffix == ".sealed"])

    def lock(self, wanted: Wanted) -> Path:
        """Name the file that a process locks to take credentials alone."""
        files.safe_folder(self.folder)
        return self.folder / f"{_name(wanted)}.lock"

    @property
    def _account(self) -> str:
        return f"credentials in {self.state.absolute()}"

    def _key(self, *, make: bool) -> bytes | None:
        """Find the key, or make it; the keyring's where there is one."""
        file = self.folder / _KEY
        if found := files.read(file):
            return found
        vault = self.find_vault()
        kept = vault.get(self._account) if vault else None
        if kept is not None:
            with contextlib.suppress(ValueError):
                return bytes.fromhex(kept)
        if not make:
            return None
        key = secrets.token_bytes(32)
        if vault is not None:
            try:
                vault.put(self._account, key.hex())
            except KeyringRefused:
                private_files.write(file, key)
        else:
            private_files.write(file, key)
        return key


def _name(wanted: Wanted) -> str:
    """Name the file; equal for equal wishes, and it tells nothing of them."""
    return hashlib.sha256(msgspec.json.encode(wanted)).hexdigest()[:32] + ".sealed"
