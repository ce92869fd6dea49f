"""Every way a key or a secret cannot be had."""

from pathlib import Path

from actas.errors import ActasError


class SecretsError(ActasError):
    """A key or a secret cannot be had."""

    status = 503


class RingUnreadable(SecretsError):
    """A key ring on disk is not one of ours, or others may read it."""

    code = "secrets.ring-unreadable"
    hint = "Restore the file from a copy, or move it away to make new keys: sessions sealed with the old ones then end."

    def __init__(self, *, path: Path, why: str) -> None:
        """State which ring and what is wrong with it."""
        super().__init__(f"the key ring {path.name} cannot be used: {why}")


class Unopenable(SecretsError):
    """What was sealed cannot be opened."""

    code = "secrets.unopenable"
    hint = "Restore the key ring that it was sealed with; without it the content is gone, as it is meant to be."

    def __init__(self, *, why: str) -> None:
        """State why; nothing of the content."""
        super().__init__(f"what lies sealed in the database cannot be opened: {why}")
