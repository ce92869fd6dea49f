"""What a transmitter says of itself that keeps events from us. Pure."""

from collections.abc import Iterator
from typing import Protocol

from actas.events.interface import Advice


class Says(Protocol):
    """What its metadata say."""

    @property
    def methods(self) -> tuple[str, ...] | None:
        """How it can deliver; None where it does not say."""
        ...

    @property
    def subjects(self) -> str | None:
        """Whom a new stream speaks of: ``ALL`` or ``NONE``."""
        ...


def about(metadata: Says, method: str, inactivity: int | None, *, adds: bool) -> Iterator[Advice]:
    """Look at how it delivers by *method*, of whom, and for how long without a question of ours.

    *adds* says that the settings name subjects that are to be added.
    """
    if metadata.methods is not None and method not in metadata.methods:
        message = f"the transmitter does not deliver by {'push' if method.endswith('8935') else 'poll'}"
        hint = "Set delivery to the other one."
        yield Advice(code="delivery-not-supported", severity="error", message=message, hint=hint)
    if metadata.subjects == "NONE":  # SSF 1.0, section 7.1
        message = "the transmitter speaks of nobody but the subjects that were added to the stream"
        hint = (
            "Run `actas events doctor --fix`, which adds the source's subjects."
            if adds
            else "Name the people, or their tenant, in the source's subjects, or add them in the transmitter's console."
        )
        yield Advice(code="subjects-to-be-added", severity="warning", message=message, hint=hint, can_mend=adds)
    if inactivity is not None and method.endswith("8935"):  # section 8.1.1
        message = f"the transmitter pauses the stream after {inactivity} s in which nobody asks anything of it"
        hint = "Have `actas events doctor` run more often than that, or have the transmitter wait longer."
        yield Advice(code="stream-pauses", severity="warning", message=message, hint=hint)
