"""What lies in the outbox for each function that an event runs: what it may be told, and nothing more of the event."""

from datetime import datetime
from typing import Final, Literal

import msgspec

QUEUE: Final = "events"


class Delivered(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One event for one function."""

    function: str
    role: str | None
    source: str
    kind: str
    heard_at: datetime
    format: Literal["cloudevents", "eventbridge"]
    data: dict[str, str | tuple[str, ...] | None]
