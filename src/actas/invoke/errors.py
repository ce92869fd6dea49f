"""Every way a function cannot be run."""

from actas.errors import ActasError


class InvokeError(ActasError):
    """The function could not be reached or run."""

    status = 502
