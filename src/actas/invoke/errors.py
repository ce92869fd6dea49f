"""Every way a function cannot be run."""

from actas.errors import ActasError


class InvokeError(ActasError):
    """The function could not be reached or run."""

    status = 502


class NoSuchFunction(InvokeError):
    """The rules allow it, but nothing by this name runs here."""

    code = "invoke.no-such-function"
    hint = "Name a function that the settings file lists under functions."
    status = 404

    def __init__(self, *, function: str) -> None:
        """State which function was asked for."""
        super().__init__(f"there is no function {function}")
