"""Every way ``actas iam`` cannot do what it was asked to."""

from actas.cli.errors import CliError


class BadPolicy(CliError):
    """A file given on the command line holds no policy of its kind."""

    code = "cli.bad-policy"
    hint = "Run 'actas iam check' on the file: it names every mistake and what to write instead."

    def __init__(self, *, file: str, line: int | None, why: str) -> None:
        """State the file, the line of the first mistake, and the mistake."""
        place = file if line is None else f"{file}, line {line}"
        super().__init__(f"{place} is no such policy: {why.rstrip('.')}")


class BadContext(CliError):
    """A value for ``--context`` is none."""

    code = "cli.bad-context"
    hint = "Write --context KEY=VALUE; a key given twice has two values."

    def __init__(self, *, found: str) -> None:
        """State what was found."""
        super().__init__(f"{found!r} is not of the form KEY=VALUE")


class IncompleteRequest(CliError):
    """It was not said what to decide."""

    code = "cli.incomplete-request"
    hint = "Name --principal and --action, and --resource where it is not *; or give a --table."

    def __init__(self, *, missing: str) -> None:
        """State what is missing."""
        super().__init__(f"the request has no {missing}")


class TwoForms(CliError):
    """Two forms of output at once."""

    code = "cli.two-forms"
    hint = "Choose one of the forms."

    def __init__(self, *, found: tuple[str, ...]) -> None:
        """State which ones."""
        super().__init__(f"{' and '.join(found)} were asked for at once")


class NoSuchPrincipal(CliError):
    """The account's details tell of no such user or role, or of several."""

    code = "cli.no-such-principal"
    hint = "Give the ARN, or as much of its end as names one: user/ana, role/reader."

    def __init__(self, *, found: int, known: int) -> None:
        """State how many were found among how many."""
        super().__init__(f"{found or 'none'} of the {known} principals in the account's details is called so")
