"""Every way a command cannot do what it was asked to."""

from pathlib import Path

from actas.errors import ActasError


class CliError(ActasError):
    """The command cannot go on."""


class NoGateway(CliError):
    """No gateway runs here."""

    code = "cli.no-gateway"
    hint = "Start one with 'actas up' or 'actas serve', or name it: --gateway https://functions.example.com."

    def __init__(self, *, state: Path) -> None:
        """State where we looked."""
        super().__init__(f"no gateway has announced itself in {state}")


class NotReachable(CliError):
    """The gateway did not answer."""

    code = "actas.not-reachable"
    hint = "Check that the gateway runs and that the address is right."

    def __init__(self, *, url: str, why: str) -> None:
        """State where it was looked for."""
        super().__init__(f"{url} did not answer: {why}")


class NoExample(CliError):
    """The example is not there."""

    code = "cli.no-example"
    hint = "Name a folder that has an actas.yaml: actas up FOLDER; 'actas init' makes one."

    def __init__(self) -> None:
        """State what is missing."""
        super().__init__("the example that comes with Actas is not installed")
