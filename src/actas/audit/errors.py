"""Every way the trail cannot be kept or does not hold."""

from actas.errors import ActasError


class AuditError(ActasError):
    """What happened cannot be written down, so it must not happen."""

    status = 503
