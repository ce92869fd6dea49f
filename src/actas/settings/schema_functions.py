"""Settings of a function that only some of its callers notice: what becomes of an event that is to be run later."""

from typing import Annotated

import msgspec

from actas.settings.schema_keys import Keys
from actas.settings.values import Span

DESTINATIONS = "destinations"
"""What rules call the gateway where it runs a destination: ``who: {provider: destinations, kind: service}``."""


class Asynchronous(Keys, frozen=True):
    """What becomes of an event that a caller has kept to be run later (``Event`` of the Lambda API)."""

    retries: Annotated[int, msgspec.Meta(ge=0, le=2)] = 2
    """How often it is run again after the function failed: after one minute, then after two."""
    max_age: Span = Span.read("6h")
    """How old it may be when it is run; it also ends with the session of whoever sent it."""
    on_success: str | None = None
    """A function that is told when it was run; a rule for ``destinations`` must let it."""
    on_failure: str | None = None
    """A function that is told when it will not be run any more; a rule for ``destinations`` must let it."""
