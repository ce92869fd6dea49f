"""The sign-ins kept on this machine, one for each name and provider, and the tokens they give.

A sign-in is a file ``sign-ins/PROVIDER.NAME.json`` in the state folder. Its tokens are in the operating system's
keyring where there is one, else in the file, which only its owner may read.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal, TypeVar

import anyio
import anyio.to_thread
import msgspec

from actas import private_files
from actas.cli import login_files as files
from actas.cli.login_errors import BadName, KeyringRefused, NotSignedIn, SeveralSignIns, SignInEnded, SignInsUnsafe
from actas.cli.signins_vault import Vault, find_vault

FOLDER = "sign-ins"
_NAME = re.compile(r"[a-z0-9]([a-z0-9_-]{0,62}[a-z0-9])?")
KEYRING_PATIENCE = 120.0
"""Seconds that a person may take to open the keyring."""
T = TypeVar("T")
MARGIN = timedelta(seconds=30)
"""A token that ends sooner than this is renewed first."""


class SignIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What may be known about a sign-in without any secret."""

    name: str
    provider: str
    issuer: str
    client_id: str
    use: Literal["access", "id"]
    scopes: tuple[str, ...]
    expires_at: datetime
    """When the token at hand ends; a sign-in that can be renewed goes on."""
    renewable: bool
    discovery: str | None = None
    ca: str | None = None


class KeptTokens(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The secret half of a sign-in."""

    shown: str
    subject: str
    refresh: str | None = None
    client_secret: str | None = None
    leave: str | None = None
    """SAML: what signs out again, sealed by the gateway."""

    def __repr__(self) -> str:
        return "KeptTokens(...)"


class Kept(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A sign-in as its file has it; without tokens, those are in the keyring."""

    about: SignIn
    tokens: KeptTokens | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A sign-in with its tokens, and where those were."""

    about: SignIn
    tokens: KeptTokens = field(repr=False)
    vault: Vault | None = None
    """None: in the file."""


@dataclass(frozen=True, slots=True)
class Store:
    """The sign-ins in one state folder. The keyring is looked for only where it is needed."""

    state: Path
    find_vault: Callable[[], Vault | None] = find_vault

    @property
    def folder(self) -> Path:
        """Where the files are."""
        return self.state / FOLDER

    def all(self) -> tuple[SignIn, ...]:
        """List every sign-in, by provider and name."""
        if not self.folder.is_dir():
            return ()
        files.safe_folder(self.folder)
        found = (self._read(path) for path in sorted(self.folder.glob("*.json")) if not path.name.startswith("."))
        return tuple(kept.about for kept in found if kept)

    def find(self, name: str | None) -> SignIn | None:
        """Find the sign-in of ``NAME`` or ``PROVIDER/NAME``; without a name, the only one there is."""
        every = self.all()
        provider, _, person = (name or "").rpartition("/")
        fitting = [one for one in every if name is None or (one.name == person and provider in ("", one.provider))]
        if len(fitting) > 1 and name is not None:
            raise SeveralSignIns(name=person, providers=(one.provider for one in fitting))
        if len(fitting) > 1:
            raise NotSignedIn(name=None, known=(f"{one.provider}/{one.name}" for one in every))
        return fitting[0] if fitting else None

    def keep(self, about: SignIn, tokens: KeptTokens, *, vault: Vault | None) -> None:
        """Keep a sign-in, instead of the one that was there under its name."""
        path = self._path(about.provider, about.name)
        files.safe_folder(self.folder)
        if vault is None:
            private_files.write(path, msgspec.json.encode(Kept(about=about, tokens=tokens)))
            return
        vault.put(_account(about), msgspec.json.encode(tokens).decode())
        private_files.write(path, msgspec.json.encode(Kept(about=about)))

    def open(self, about: SignIn) -> Opened:
        """Read a sign-in with its tokens, as it is now."""
        kept = self._read(self._path(about.provider, about.name))
        if kept is None:
            raise SignInEnded(name=about.name, why="it was removed")
        if kept.tokens is not None:
            return Opened(about=kept.about, tokens=kept.tokens)
        vault = self.find_vault()
        return Opened(about=kept.about, tokens=_from(vault, kept.about), vault=vault)

    def remove(self, about: SignIn) -> None:
        """Forget a sign-in."""
        path = self._path(about.provider, about.name)
        kept = self._read(path)
        if kept and kept.tokens is None and (vault := self.find_vault()):
            vault.drop(_account(about))
        path.unlink(missing_ok=True)
        self.lock(about).unlink(missing_ok=True)

    def lock(self, about: SignIn) -> Path:
        """Name the file that a process locks to renew the sign-in alone."""
        return self._path(about.provider, about.name).with_suffix(".lock")

    def _path(self, provider: str, name: str) -> Path:
        for part in (provider, name):
            if not _NAME.fullmatch(part):
                raise BadName(found=part)
        return self.folder / f"{provider}.{name}.json"

    def _read(self, path: Path) -> Kept | None:
        found = files.read(path)
        if found is None:
            return None
        try:
            return msgspec.json.decode(found, type=Kept)
        except (msgspec.DecodeError, UnicodeDecodeError) as wrong:
            raise SignInsUnsafe(path=path, why="it is not a sign-in as this command writes them") from wrong


def _from(vault: Vault | None, about: SignIn) -> KeptTokens:
    found = vault.get(_account(about)) if vault else None
    if found is None:
        raise SignInEnded(name=about.name, why="its tokens are in a keyring that is not open here")
    try:
        return msgspec.json.decode(found, type=KeptTokens)
    except (msgspec.DecodeError, UnicodeDecodeError) as wrong:
        raise SignInEnded(name=about.name, why="the keyring holds something else under its name") from wrong


def _account(about: SignIn) -> str:
    """Name a sign-in in the keyring, which all folders of this machine share."""
    return f"{about.issuer} {about.provider}/{about.name}"


async def in_thread(work: Callable[[], T]) -> T:
    """Do file and keyring work aside; a keyring may ask the person to open it, but not for ever."""
    try:
        with anyio.fail_after(KEYRING_PATIENCE):
            return await anyio.to_thread.run_sync(work, abandon_on_cancel=True)
    except TimeoutError as late:
        raise KeyringRefused(why=f"it did not answer within {KEYRING_PATIENCE:.0f} s") from late


def is_fresh(about: SignIn, now: datetime) -> bool:
    """Say whether the token at hand still serves for a call."""
    return now + MARGIN < about.expires_at
