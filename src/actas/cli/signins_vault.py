"""The operating system's keyring, where there is one that deserves the name."""

import contextlib
from collections.abc import Iterator
from typing import Any, Protocol

from actas.cli.login_errors import KeyringRefused

SERVICE = "actas"


class Vault(Protocol):
    """Keeps secrets outside our files."""

    def put(self, account: str, secret: str) -> None:
        """Keep a secret, instead of the one that was there."""
        ...

    def get(self, account: str) -> str | None:
        """Give the secret, if there is one."""
        ...

    def drop(self, account: str) -> None:
        """Forget the secret, if there is one."""
        ...


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    from keyring.errors import KeyringError

    try:
        yield
    except KeyringError as wrong:
        raise KeyringRefused(why=type(wrong).__name__) from wrong


class OsKeyring:
    """Secret Service, KWallet, macOS's Keychain or Windows's vault, through the package `keyring`."""

    def __init__(self, backend: Any) -> None:
        self._backend = backend

    def put(self, account: str, secret: str) -> None:
        """Keep a secret."""
        with _translated():
            self._backend.set_password(SERVICE, account, secret)

    def get(self, account: str) -> str | None:
        """Give the secret."""
        with _translated():
            found = self._backend.get_password(SERVICE, account)
        return None if found is None else str(found)

    def drop(self, account: str) -> None:
        """Forget the secret."""
        from keyring.errors import PasswordDeleteError

        with _translated(), contextlib.suppress(PasswordDeleteError):
            self._backend.delete_password(SERVICE, account)


def find_vault() -> Vault | None:
    """Find the keyring; None where the package is not installed or has no back end that the system guards."""
    try:
        import keyring
    except ImportError:
        return None
    backend = keyring.get_keyring()
    return OsKeyring(backend) if backend.priority >= 1 else None  # keyring itself recommends none below 1
