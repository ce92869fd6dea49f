"""Every way a caller is not believed."""

from actas.errors import ActasError


class IdentifyError(ActasError):
    """We do not know who is calling."""

    status = 401
