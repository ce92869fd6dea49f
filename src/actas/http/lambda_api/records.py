"""What a destination is told of an event: Lambda's own invocation record. Pure."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

import msgspec

Condition = Literal["Success", "RetriesExhausted", "EventAgeExceeded", "AccessEnded"]
"""Why a record is made; the last is ours: what the sender rested on does not stand any more, so nothing was run."""
LARGEST_ANSWER: Final = 256 * 1024
"""Bytes of a function's answer that a record repeats; of a larger one it says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """How the last attempt ended."""

    payload: bytes = field(repr=False)
    function_error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a record is about."""

    request: str
    arn: str
    """Qualified."""
    payload: bytes = field(repr=False)
    condition: Condition
    attempts: int
    told: Told | None = None
    """None where nothing was run."""


def record(about: About, *, at: datetime) -> bytes:
    """Write the record."""
    made: dict[str, Any] = {
        "version": "1.0",
        "timestamp": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "requestContext": {
            "requestId": about.request,
            "functionArn": about.arn,
            "condition": about.condition,
            "approximateInvokeCount": about.attempts,
        },
        "requestPayload": msgspec.Raw(about.payload),
    }
    if about.told is not None:
        context = {"statusCode": 200, "executedVersion": about.arn.rpartition(":")[2]}
        if about.told.function_error is not None:
            context["functionError"] = about.told.function_error
        made |= {"responseContext": context, "responsePayload": _payload(about.told.payload)}
    return msgspec.json.encode(made)


def _payload(payload: bytes) -> msgspec.Raw | str | None:
    """Give what a function answered: its JSON, or its text where it is none."""
    if len(payload) > LARGEST_ANSWER:
        return None
    try:
        text = payload.decode()
        msgspec.json.decode(payload, type=msgspec.Raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return payload.decode("utf-8", "replace")
    return msgspec.Raw(text.encode())
