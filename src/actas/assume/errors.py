"""Every way a role cannot be taken."""

from actas.errors import ActasError


class AssumeError(ActasError):
    """The sessions could not be had."""

    status = 502
