"""How an event is handed to a function: as a CloudEvent or as EventBridge would. Pure.

The id outside is the idempotency key: the same at every attempt of one delivery, and of no other. Of the event
itself there is inside what was asked for and nothing more; outside there are its kind and its source.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

import msgspec

from actas.events.subscriptions import Fact

PREFIX: Final = "actas.identity."


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """What stands on the envelope."""

    key: str
    source: str
    kind: str
    at: datetime
    """When it was heard."""
    account: str
    region: str


def wrap(form: Literal["cloudevents", "eventbridge"], outside: Outside, data: dict[str, Fact]) -> bytes:
    """Write the event that a function gets."""
    match form:
        case "cloudevents":
            return cloudevent(outside, data)
        case "eventbridge":
            return eventbridge(outside, data)


def cloudevent(outside: Outside, data: dict[str, Fact]) -> bytes:
    """Write a CloudEvent in structured mode (CloudEvents 1.0.2, JSON event format, section 3)."""
    return msgspec.json.encode(
        {
            "specversion": "1.0",
            "id": outside.key,
            "source": f"/actas/events/{outside.source}",
            "type": PREFIX + outside.kind,
            "time": _rfc3339(outside.at),
            "datacontenttype": "application/json",
            "data": data,
        }
    )


def eventbridge(outside: Outside, data: dict[str, Fact]) -> bytes:
    """Write it as a rule of EventBridge hands it to its target."""
    return msgspec.json.encode(
        {
            "version": "0",
            "id": outside.key,
            "detail-type": PREFIX + outside.kind,
            "source": f"actas.events.{outside.source}",
            "account": outside.account,
            "time": outside.at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": outside.region,
            "resources": [],
            "detail": data,
        }
    )


def _rfc3339(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
