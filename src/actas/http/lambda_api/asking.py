"""What an invocation asks for beside its event: how it is run, what is told of it, the client context. Pure.

Header fields whose value could be read in two ways (given twice, or none of AWS's values) are refused.
"""

import base64
import binascii
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final
from urllib.parse import unquote_to_bytes

import msgspec

from actas.http.lambda_api.errors import BadClientContext, BodyNotJson, EventTooLarge, InvalidName, NotOffered

LARGEST: Final = 6 * 1024 * 1024
LARGEST_LATER: Final = 1024 * 1024
"""Octets of an event that is to be run later (Lambda quotas since October 2025; 256 KB before)."""
LARGEST_CONTEXT: Final = 3_583
_DEEPEST: Final = 32


class Mode(Enum):
    """``X-Amz-Invocation-Type``."""

    NOW = "RequestResponse"
    LATER = "Event"
    NOT_AT_ALL = "DryRun"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """How an event is to be run."""

    mode: Mode = Mode.NOW
    wants_log: bool = False
    client_context: Mapping[str, Any] | None = field(default=None, repr=False)


Pairs = Iterable[tuple[bytes, bytes]]


def asking(headers: Pairs, query: Mapping[str, str] | None = None, *, streams: bool = False) -> Asking:
    """Read an invocation's header fields; clients that presign put some of them into the *query*."""
    hoisted = [(name.lower().encode(), value.encode()) for name, value in (query or {}).items()]
    found = _only((*headers, *hoisted))
    if b"x-amz-tenant-id" in found:
        raise NotOffered(parameter="X-Amz-Tenant-Id", what="tenancy configuration")
    if b"x-amz-durable-execution-name" in found:
        raise NotOffered(parameter="X-Amz-Durable-Execution-Name", what="durable configuration")
    modes = [one.value for one in Mode if not (streams and one is Mode.LATER)]
    mode = _one_of(found.get(b"x-amz-invocation-type"), "invocationType", modes)
    log = _one_of(found.get(b"x-amz-log-type"), "logType", ["None", "Tail"])
    context = found.get(b"x-amz-client-context")
    mode_asked = Mode(mode or Mode.NOW.value)
    return Asking(
        mode=mode_asked,
        wants_log=log == "Tail" and mode_asked is Mode.NOW,
        client_context=_context(context) if context and mode_asked is Mode.NOW else None,
    )


_LOOKED_AT: Final = (
    b"x-amz-invocation-type", b"x-amz-log-type", b"x-amz-client-context",
    b"x-amz-tenant-id", b"x-amz-durable-execution-name",
)  # fmt: skip


def _only(headers: Pairs) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    for name, value in headers:
        if name in _LOOKED_AT:
            if name in found:
                wanted = "Member must be given once"
                raise InvalidName(field=name.decode(), value="", wanted=wanted)
            found[name] = value
    return found


def _one_of(value: bytes | None, name: str, known: list[str]) -> str | None:
    if value is None:
        return None
    text = value.decode("latin-1")
    if text not in known:
        wanted = f"Member must satisfy enum value set: [{', '.join(known)}]"
        raise InvalidName(field=name, value=text, wanted=wanted)
    return text


def _context(value: bytes) -> Mapping[str, Any]:
    """Read a client context; what it says stands beside our own word, and never in its place."""
    if len(value) > LARGEST_CONTEXT:
        raise BadClientContext(why=f"is longer than {LARGEST_CONTEXT} bytes")
    try:
        raw = base64.b64decode(value + b"=" * (-len(value) % 4), validate=True)
        read = msgspec.json.decode(raw)
    except (binascii.Error, ValueError, msgspec.DecodeError, RecursionError):
        raise BadClientContext(why="is not base64 of JSON") from None
    if not isinstance(read, dict):
        raise BadClientContext(why="is no object")
    if not all(isinstance(read.get(part, {}), dict) for part in ("custom", "client", "env")):
        raise BadClientContext(why="has a custom, a client or an env that is no object")
    if _depth(read) > _DEEPEST:
        raise BadClientContext(why=f"is nested more than {_DEEPEST} deep")
    return read


def _depth(value: Any) -> int:
    level, deep = [value], 0
    while level:
        deep += 1
        level = [
            inner
            for one in level
            if isinstance(one, dict | list)
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
    return deep


def event(body: bytes, mode: Mode) -> bytes:
    """See that *body* is an event that may be run so; nothing at all is an empty object."""
    allowed = LARGEST_LATER if mode is Mode.LATER else LARGEST
    if len(body) > allowed:
        raise EventTooLarge(allowed=allowed, later=mode is Mode.LATER)
    if not body:
        return b"{}"
    try:
        body.decode()  # msgspec does not look into the strings that it skips
        msgspec.json.decode(body, type=msgspec.Raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BodyNotJson from None
    return body


_MOST_FIELDS: Final = 100
"""Parameters of a query."""


def query(raw: bytes) -> dict[str, str]:
    """Read a query; a name given twice is refused, and a plus is a plus (RFC 3986)."""
    found: dict[str, str] = {}
    parts = raw.split(b"&") if raw else []
    if len(parts) > _MOST_FIELDS:
        raise InvalidName(field="query", value="", wanted=f"Member must have at most {_MOST_FIELDS} parameters")
    for part in parts:
        name, _, value = part.partition(b"=")
        key = _text(name)
        if key in found:
            raise InvalidName(field=key, value="", wanted="Member must be given once")
        found[key] = _text(value)
    return found


def _text(octets: bytes) -> str:
    return unquote_to_bytes(octets).decode("utf-8", "replace")


def at_most(value: str | None, *, most: int, otherwise: int) -> int:
    """Read ``MaxItems``."""
    if value is None:
        return otherwise
    if not (value.isascii() and value.isdigit() and len(value) <= 5 and 1 <= int(value) <= 10_000):
        wanted = "Member must have value between 1 and 10000, inclusive"
        raise InvalidName(field="maxItems", value=value, wanted=wanted)
    return min(int(value), most)
