"""Every way signing in, or staying signed in, fails."""

from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

from actas.cli.errors import CliError


class LoginError(CliError):
    """We hold no token for the person who asks."""

    exit_code: ClassVar[int] = 3


class ProviderNotUsable(LoginError):
    """The provider's own description does not let us sign in safely."""

    code = "cli.provider-not-usable"
    hint = "Compare the issuer in the settings with the provider's discovery document, letter by letter."

    def __init__(self, *, issuer: str, why: str) -> None:
        """State which provider, and what about it is not as it must be."""
        super().__init__(f"{issuer} cannot be used to sign in: {why}")


class NoClient(LoginError):
    """It is not known by which client the provider knows this command."""

    code = "cli.no-client"
    hint = "Name the client that is registered at the provider for this command: --client ID."
    exit_code = 2

    def __init__(self, *, provider: str) -> None:
        """State the provider."""
        super().__init__(f"no client id was given, and the settings of {provider} do not name exactly one")


class ProviderSilent(LoginError):
    """The provider gave no answer that can be read."""

    code = "cli.provider-silent"
    hint = "Check that the provider is up and that this machine reaches it."

    def __init__(self, *, url: str, why: str) -> None:
        """State where we asked, and what came instead of an answer."""
        super().__init__(f"{url} gave no usable answer: {why}")


class ProviderRefused(LoginError):
    """The provider said no, in one of the standard's words."""

    code = "cli.provider-refused"
    hint = "Sign in again; if the provider goes on refusing, check the client it knows this command by."

    def __init__(self, *, error: str, doing: str) -> None:
        """State the provider's error code and what it refused."""
        self.error = error
        super().__init__(f"the provider refused {doing}: {error}")


class WrongResponse(LoginError):
    """What came back to the browser is not the answer to our question."""

    code = "cli.wrong-response"
    hint = "Start again; if it comes back, somebody may be tampering with the sign-in."

    def __init__(self, *, why: str) -> None:
        """State what was wrong with it."""
        super().__init__(f"the sign-in came back wrong: {why}")


class WrongIdToken(LoginError):
    """The provider's statement of who signed in cannot be believed."""

    code = "cli.wrong-id-token"
    hint = "Start again; if it comes back, check the issuer and the client id."

    def __init__(self, *, why: str) -> None:
        """State what was wrong with it."""
        super().__init__(f"the ID token cannot be believed: {why}")


class NobodyCame(LoginError):
    """Nobody finished the sign-in in time."""

    code = "cli.nobody-came"
    hint = "Start again and finish in the browser before the time is over."

    def __init__(self, *, seconds: float) -> None:
        """State how long we waited."""
        super().__init__(f"nobody finished signing in within {seconds:.0f} s")


class CannotListen(LoginError):
    """The loopback address for the browser's return is not free."""

    code = "cli.cannot-listen"
    hint = "Choose another port, or leave it out to take any that is free."
    exit_code = 2

    def __init__(self, *, port: int, why: str) -> None:
        """State the port and why it cannot be used."""
        super().__init__(f"port {port} of this machine cannot be listened on: {why}")


class NotSignedIn(LoginError):
    """There is no sign-in under this name."""

    code = "cli.not-signed-in"
    hint = "Run 'actas login NAME', or 'actas up' for the people of the demo."
    exit_code = 2

    def __init__(self, *, name: str | None, known: Iterable[str]) -> None:
        """State the name that was looked for, if any, and those that are there."""
        there = ", ".join(sorted(known)) or "nobody"
        wanted = "no name was given" if name is None else f"nobody is signed in as {name!r}"
        super().__init__(f"{wanted}; signed in: {there}")


class SeveralSignIns(LoginError):
    """The name stands for sign-ins at several providers."""

    code = "cli.several-sign-ins"
    hint = "Name the provider too: PROVIDER/NAME."
    exit_code = 2

    def __init__(self, *, name: str, providers: Iterable[str]) -> None:
        """State the name and the providers."""
        super().__init__(f"{name!r} is signed in at {' and '.join(sorted(providers))}")


class SignInEnded(LoginError):
    """The sign-in cannot be renewed any more."""

    code = "cli.sign-in-ended"
    hint = "Sign in again with 'actas login'."

    def __init__(self, *, name: str, why: str) -> None:
        """State whose sign-in it was and why it is over."""
        super().__init__(f"the sign-in of {name!r} is over: {why}")


class SignInBusy(LoginError):
    """Another process holds the sign-in for too long."""

    code = "cli.sign-in-busy"
    hint = "Try again; if it stays, end the other process that renews this sign-in."

    def __init__(self, *, name: str, seconds: float) -> None:
        """State whose sign-in it is and how long we waited."""
        super().__init__(f"another process has been renewing the sign-in of {name!r} for {seconds:.0f} s")


class SignInsUnsafe(LoginError):
    """What is kept for you is open to others, or is not what it was."""

    code = "cli.sign-ins-unsafe"
    hint = "Look at who changed it, then set the folder to 0700 and the file to 0600, or remove it and sign in again."

    def __init__(self, *, path: Path, why: str) -> None:
        """State which file or folder, and what is wrong with it."""
        super().__init__(f"{path.name} is not used: {why}")


class KeyringRefused(LoginError):
    """The operating system's keyring is there but gives or takes nothing."""

    code = "cli.keyring-refused"
    hint = "Unlock the keyring, or sign in with --in-file."

    def __init__(self, *, why: str) -> None:
        """State what the keyring said."""
        super().__init__(f"the keyring refused: {why}")


class NoDemo(LoginError):
    """The demo's people cannot be had."""

    code = "cli.no-demo"
    hint = "Start the demo with 'actas up' and call from the same folder."
    exit_code = 2

    def __init__(self, *, why: str) -> None:
        """State what is missing."""
        super().__init__(f"the people of the demo are not here: {why}")


class BadName(LoginError):
    """A sign-in cannot have this name."""

    code = "cli.bad-sign-in-name"
    hint = "Use small letters, digits, '-' and '_', at most 64, beginning and ending with a letter or digit."
    exit_code = 2

    def __init__(self, *, found: str) -> None:
        """State the name."""
        super().__init__(f"{found!r} is no name for a sign-in")
