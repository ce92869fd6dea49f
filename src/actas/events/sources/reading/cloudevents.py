"""CloudEvents 1.0 by HTTP: binary, structured and batched (CloudEvents HTTP Protocol Binding, section 3). Pure.

Whichever mode it came in, an event becomes one object with its attributes and, under ``data``, what it carries.
"""

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote

from actas.events.sources.errors import MalformedDelivery
from actas.events.sources.reading import strict

STRUCTURED: Final = "application/cloudevents+json"
BATCH: Final = "application/cloudevents-batch+json"
MOST: Final = 1000
_NAME: Final = re.compile(r"[a-z0-9]{1,40}")
_NEEDED: Final = ("id", "source", "type")
_MOST_ATTRIBUTES: Final = 50


def events(headers: Mapping[str, str], body: bytes, *, limit: int = strict.LARGEST) -> tuple[dict[str, Any], ...]:
    """Read a request whose header fields, in lower case, are *headers*."""
    media = headers.get("content-type", "").partition(";")[0].strip().lower()
    if media == BATCH:
        listed = strict.json_of(body, limit=limit)
        if not isinstance(listed, list) or len(listed) > MOST:
            raise MalformedDelivery(why=f"it is no list of at most {MOST} CloudEvents")
        return tuple(_structured(one) for one in listed)
    if media == STRUCTURED:
        return (_structured(strict.json_of(body, limit=limit)),)
    if "ce-specversion" in headers:
        return (_binary(headers, media, body, limit),)
    raise MalformedDelivery(why="it is no CloudEvent in binary, structured or batched mode")


def _structured(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise MalformedDelivery(why="a CloudEvent is no object")
    if "data" in value and "data_base64" in value:  # JSON Event Format, section 3.1.1
        raise MalformedDelivery(why="a CloudEvent has its data twice")
    return _checked(value)


def _binary(headers: Mapping[str, str], media: str, body: bytes, limit: int) -> dict[str, Any]:
    found: dict[str, Any] = {
        # Section 3.1.3.2: values are percent-encoded where they are not printable ASCII.
        name[3:]: unquote(value, errors="strict") if "%" in value else value
        for name, value in headers.items()
        if name.startswith("ce-")
    }
    if media in ("application/json", "text/json") or media.endswith("+json"):
        found["data"] = strict.json_of(body, limit=limit) if body else None
    return _checked(found)


def _checked(event: dict[str, Any]) -> dict[str, Any]:
    if event.get("specversion") != "1.0":
        raise MalformedDelivery(why="a CloudEvent is not of version 1.0")
    for name in _NEEDED:
        value = event.get(name)
        strict.required(value if isinstance(value, str) else None, f"the CloudEvent's {name}")
    if len(event) > _MOST_ATTRIBUTES or not all(_NAME.fullmatch(name) or name == "data_base64" for name in event):
        raise MalformedDelivery(why="a CloudEvent has an attribute whose name is none")
    return event
