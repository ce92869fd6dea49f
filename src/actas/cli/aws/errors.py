"""Every way we come to hold no credentials for a role."""

from pathlib import Path

from actas.cli.errors import CliError


class RoleRefused(CliError):
    """The gateway says no."""

    code = "cli.role-refused"
    hint = "See which roles you may take, and why: actas roles --as NAME."
    exit_code = 1

    def __init__(self, *, role: str, told: str) -> None:
        """State which role and what the gateway told."""
        super().__init__(f"the role {role} was refused: {told}")


class NotBelieved(CliError):
    """The gateway does not believe the token."""

    code = "cli.not-believed"
    hint = "See at which step it fails: actas who --as NAME; or sign in again: actas login."
    exit_code = 3

    def __init__(self, *, told: str) -> None:
        """State what the gateway told."""
        super().__init__(f"the token was not believed: {told}")


class StsFailed(CliError):
    """The gateway gave no credentials, and it is not about who asks."""

    code = "cli.sts-failed"
    hint = "Try again; /readyz of the gateway's control origin says what is not ready."
    exit_code = 3

    def __init__(self, *, url: str, why: str) -> None:
        """State where we asked and what came back."""
        super().__init__(f"{url} gave no credentials: {why}")


class NoSuchRole(CliError):
    """The settings have no role by this name."""

    code = "cli.no-such-role"
    hint = "Name a role of the settings, or give its ARN: --role arn:aws:iam::111122223333:role/reader."

    def __init__(self, *, found: str, known: tuple[str, ...]) -> None:
        """State what was named and what there is."""
        super().__init__(f"there is no role {found}; the settings have {', '.join(known) or 'none'}")


class NoCommand(CliError):
    """There is nothing to run."""

    code = "cli.no-command"
    hint = "Write the command behind two dashes: actas exec --role reader -- aws lambda list-functions."

    def __init__(self, *, found: str | None, why: str = "it is not there") -> None:
        """State what was asked for."""
        super().__init__("no command was given" if found is None else f"{found} cannot be run: {why}")


class ProfileTaken(CliError):
    """A profile by this name is there and was written by somebody else."""

    code = "cli.profile-taken"
    hint = "Choose another name with --profile, or take that section out of the file."

    def __init__(self, *, profile: str, file: Path) -> None:
        """State which profile, in which file."""
        super().__init__(f"{file} has a profile {profile} that this command did not write")


class BadProfile(CliError):
    """A profile cannot have this name."""

    code = "cli.bad-profile"
    hint = "Use letters, digits, dots, dashes and underscores: --profile actas-reader."

    def __init__(self, *, found: str) -> None:
        """State what was found."""
        super().__init__(f"{found!r} is no name for a profile")


class NotOneLine(CliError):
    """A profile's line would become several, and say what nobody meant."""

    code = "cli.not-one-line"
    hint = "Name role, person and files without line ends and other control characters."

    def __init__(self, *, option: str) -> None:
        """State which option holds it."""
        super().__init__(f"{option} holds a control character, and a profile's settings are one line each")
