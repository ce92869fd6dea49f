"""Every way a command cannot do what it was asked to."""

from pathlib import Path
from typing import ClassVar

from actas.errors import ActasError


class CliError(ActasError):
    """The command cannot go on."""

    exit_code: ClassVar[int] = 2
    """2 where it was asked wrongly, 3 where it could not tell."""


class NoGateway(CliError):
    """No gateway runs here."""

    code = "cli.no-gateway"
    hint = "Start one with 'actas up' or 'actas serve', or name it: --gateway https://functions.example.com."

    def __init__(self, *, state: Path) -> None:
        """State where we looked."""
        super().__init__(f"no gateway has announced itself in {state}")


class NoSettings(CliError):
    """There is no settings file."""

    code = "cli.no-settings"
    hint = "Go to the folder that has it, name it, or write a first one with 'actas init'."

    def __init__(self, *, file: Path) -> None:
        """State where it was looked for."""
        super().__init__(f"there is no {file}")


class NotReachable(CliError):
    """The gateway did not answer."""

    code = "actas.not-reachable"
    hint = "Check that the gateway runs and that the address is right."
    exit_code = 3

    def __init__(self, *, url: str, why: str) -> None:
        """State where it was looked for."""
        super().__init__(f"{url} did not answer: {why}")


class NotJson(CliError):
    """The event is not JSON."""

    code = "cli.not-json"
    hint = 'Write the event as JSON, a text in double quotes: --payload \'{"month": "2026-10"}\'.'

    def __init__(self) -> None:
        """State what was found; the event itself may be private."""
        super().__init__("the event is not JSON")


class NoExample(CliError):
    """The example is not there."""

    code = "cli.no-example"
    hint = "Name a folder that has an actas.yaml: actas up FOLDER; 'actas init' makes one."

    def __init__(self) -> None:
        """State what is missing."""
        super().__init__("the example that comes with Actas is not installed")


class NoSuchEvent(CliError):
    """No event has this number."""

    code = "cli.no-such-event"
    hint = "Take the number from 'actas events tail'; what is older than events.keep is forgotten."

    def __init__(self, *, number: int) -> None:
        """State which."""
        super().__init__(f"there is no event {number}")


class BadFile(CliError):
    """A file given on the command line cannot be used."""

    code = "cli.bad-file"
    hint = "Give a readable file of the form that --help describes."

    def __init__(self, *, file: Path, why: str) -> None:
        """State which file and what is wrong with it."""
        super().__init__(f"{file} cannot be used: {why}")


class NothingSaysWhen(CliError):
    """Nothing says how old what is to be pruned must be."""

    code = "cli.nothing-says-when"
    hint = "Name a time, as in --before 2026-01-01, or set audit.keep in the settings."

    def __init__(self) -> None:
        """State it."""
        super().__init__("neither --before nor audit.keep says how long records are kept")


class BadMoment(CliError):
    """A time or an address on the command line is none."""

    code = "cli.bad-moment"
    hint = "Write a time as 2026-11-23T23:00:00Z or 23:00, an address as 192.0.2.7."

    def __init__(self, *, found: str) -> None:
        """State what was found."""
        super().__init__(f"{found!r} is neither a time nor an address")


class NobodyNamed(CliError):
    """It was not said who asks."""

    code = "cli.nobody-named"
    hint = "Name somebody: --as NAME (a stored sign-in or a demo person), a TOKEN, or --claims FILE."

    def __init__(self) -> None:
        """State what is missing."""
        super().__init__("it was not said who calls")


class NobodysSessions(CliError):
    """Nothing says which sessions are meant."""

    code = "cli.nobodys-sessions"
    hint = "Name --subject and --provider, --provider alone, --role, or --before for all sessions up to a moment."

    def __init__(self) -> None:
        """State what is missing."""
        super().__init__("whose sessions are to end was not said")


class AlreadyThere(CliError):
    """A file that would be written is there already."""

    code = "cli.already-there"
    hint = "Name another folder, or move the file away."

    def __init__(self, *, file: Path) -> None:
        """State which file."""
        super().__init__(f"{file} is there already")


class CannotWrite(CliError):
    """A file cannot be written."""

    code = "cli.cannot-write"
    hint = "Name a place where you may write."

    def __init__(self, *, file: Path, why: str) -> None:
        """State which file and what the system says."""
        super().__init__(f"{file} cannot be written: {why}")


class NoTrail(CliError):
    """There is no trail where it was looked for."""

    code = "cli.no-trail"
    hint = "Run this in the folder of the gateway's settings, or name the trail: --folder .actas/audit."

    def __init__(self, *, folder: Path) -> None:
        """State where it was looked for."""
        super().__init__(f"there is no trail in {folder}")


class NotEncrypted(CliError):
    """A token would travel where others can read it."""

    code = "cli.not-encrypted"
    hint = "Name the gateway by https; http is for addresses of this machine alone."

    def __init__(self, *, url: str) -> None:
        """State the address."""
        super().__init__(f"a token is not sent to {url}: it is neither https nor on this machine")


class NoSuchCall(CliError):
    """The trail knows no such call."""

    code = "cli.no-such-call"
    hint = "Copy the call id from the answer's Actas-Call-Id; calls by strangers are counted, not trailed."

    def __init__(self, *, call: str) -> None:
        """State which call was asked for."""
        super().__init__(f"the trail has no call {call}")


class NoSecret(CliError):
    """The variable that should hold a client's secret holds none."""

    code = "cli.no-secret"
    hint = "Set the variable for this command, or leave --client-secret-env out for a public client."

    def __init__(self, *, variable: str) -> None:
        """State which variable."""
        super().__init__(f"the environment variable {variable} is not set or empty")


class NoSuchProvider(CliError):
    """The settings name no such provider."""

    code = "cli.no-such-provider"
    hint = "Name one of the providers in the settings file: --provider NAME."

    def __init__(self, *, found: str | None, known: tuple[str, ...]) -> None:
        """State what was named and what there is."""
        named = "no provider was named" if found is None else f"there is no provider {found}"
        super().__init__(f"{named}; the settings have {', '.join(known) or 'none'}")


class NoLogs(CliError):
    """Nothing was printed yet."""

    code = "cli.no-logs"
    hint = "Call the function first, or name the state folder of its gateway: --state FOLDER."

    def __init__(self, *, function: str | None) -> None:
        """State whose logs were looked for."""
        super().__init__("there are no logs" if function is None else f"there are no logs of {function}")


class NoSuchRole(CliError):
    """The settings name no such role."""

    code = "cli.no-such-role"
    hint = "Name one of the roles in the settings file."

    def __init__(self, *, role: str, known: tuple[str, ...]) -> None:
        """State what was named and what there is."""
        super().__init__(f"there is no role {role}; the settings have {', '.join(known) or 'none'}")
