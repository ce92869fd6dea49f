"""Settings of a function that only some of its callers notice: what becomes of an event that is to be run later."""

from typing import Annotated

import msgspec

from actas.settings.schema_keys import Keys, Texts
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


class Cors(Keys, frozen=True):
    """Which pages of other origins may ask a function's URL; none may without it. Cookies never count there."""

    origins: Texts
    """Origins as browsers write them, ``https://app.example.com``, or ``*`` for all."""
    methods: Texts = ("GET", "POST")
    """The methods they may use."""
    headers: Texts = ("authorization", "content-type")
    """The header fields they may send."""
    expose: Texts = ()
    """The header fields of an answer that they may read."""
    max_age: Span = Span.read("10m")
    """How long a browser may remember this."""
