"""CloudEvents 1.0 by HTTP: binary, structured and batched (CloudEvents HTTP Protocol Binding, section 3). Pure.

Whichever mode it came in, an event becomes one object with its attributes and, under ``data``, what it carries.
"""

import base64
import binascii
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
_ESCAPED: Final = re.compile(r"\\(.)")
"""A quoted pair (RFC 9110, section 5.6.4)."""
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
    if "data_base64" not in value:
        return _checked(value)
    if "data" in value:  # JSON Event Format, section 3.1.1
        raise MalformedDelivery(why="a CloudEvent has its data twice")
    media = str(value.get("datacontenttype", "application/json")).partition(";")[0].strip().lower()
    return _checked(value | {"data": strict.json_of(_octets(value["data_base64"]))} if _is_json(media) else value)


def _octets(value: Any) -> bytes:
    try:
        return base64.b64decode(value if isinstance(value, str) else "?", validate=True)
    except (binascii.Error, ValueError) as wrong:
        raise MalformedDelivery(why="a CloudEvent has data that is no Base64") from wrong


def _is_json(media: str) -> bool:
    return media in ("application/json", "text/json") or media.endswith("+json")


def _binary(headers: Mapping[str, str], media: str, body: bytes, limit: int) -> dict[str, Any]:
    found: dict[str, Any] = {name[3:]: _decoded(value) for name, value in headers.items() if name.startswith("ce-")}
    if _is_json(media):
        found["data"] = strict.json_of(body, limit=limit) if body else None
    return _checked(found)


def _decoded(value: str) -> str:
    """Read an attribute of a header field: first out of its quotes, then one round of percent-decoding (3.1.3.2)."""
    if len(value) > 1 and value[0] == value[-1] == '"':
        value = _ESCAPED.sub(r"\1", value[1:-1])
    try:
        return unquote(value, errors="strict") if "%" in value else value
    except UnicodeDecodeError as wrong:
        raise MalformedDelivery(why="an attribute of a CloudEvent is not percent-encoded UTF-8") from wrong


def _checked(event: dict[str, Any]) -> dict[str, Any]:
    if event.get("specversion") != "1.0":
        raise MalformedDelivery(why="a CloudEvent is not of version 1.0")
    for name in _NEEDED:
        value = event.get(name)
        strict.required(value if isinstance(value, str) else None, f"the CloudEvent's {name}")
    if len(event) > _MOST_ATTRIBUTES or not all(_NAME.fullmatch(name) or name == "data_base64" for name in event):
        raise MalformedDelivery(why="a CloudEvent has an attribute whose name is none")
    return event
