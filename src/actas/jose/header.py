"""Read the header of a token in compact serialisation, before anything in it is believed (RFC 7515 section 4)."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from actas.jose import base64url, strict_json
from actas.jose.errors import HeaderRefused, MalformedToken, TokenTooLarge
from actas.jose.jwk import MAX_KID, is_kid

MAX_TOKEN = 64 * 1024
"""How many bytes a token may have."""
MAX_HEADER = 16 * 1024
"""How many bytes of a token its header may take."""

# RFC 7515 section 4.1.11 and RFC 7797: an extension that must be understood, and none is.
_REFUSED = ("crit", "b64")


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """A header in which the types are right; ``values`` is all of it."""

    alg: str
    kid: str | None
    typ: str | None
    values: Mapping[str, Any]
    is_flat: bool
    """Whether nothing in it can be changed by who reads it."""


def as_bytes(token: object) -> bytes:
    """Give *token* as bytes, if it is a text or bytes of a length that we read."""
    if isinstance(token, str):
        if len(token) > MAX_TOKEN:
            raise TokenTooLarge(part="token", size=len(token), limit=MAX_TOKEN)
        try:
            return token.encode("ascii")
        except UnicodeEncodeError as wrong:
            raise MalformedToken(part="token", why="has characters beyond ASCII") from wrong
    if not isinstance(token, bytes):
        raise MalformedToken(part="token", why="is neither a text nor bytes")
    if len(token) > MAX_TOKEN:
        raise TokenTooLarge(part="token", size=len(token), limit=MAX_TOKEN)
    return token


def decoded(segment: bytes, part: str) -> bytes:
    """Decode a part that came through ``base64url.STANDARD``."""
    try:
        return base64url.decode_standard(segment)
    except base64url.NotBase64url as wrong:
        raise MalformedToken(part=part, why="is not strict base64url") from wrong


def values(segment: bytes) -> dict[str, Any]:
    """Read the header *segment* as a JSON object; an ``alg`` has to be there."""
    if len(segment) > MAX_HEADER:
        raise TokenTooLarge(part="header", size=len(segment), limit=MAX_HEADER)
    try:
        found = strict_json.loads_object(decoded(segment, "header"))
    except strict_json.NotStrictJson as wrong:
        raise MalformedToken(part="header", why=str(wrong)) from wrong
    for name in ("alg", "kid", "typ", "cty"):
        if name in found and not isinstance(found[name], str):
            raise MalformedToken(part="header", why=f"has a {name} that is not a text")
    if not found.get("alg"):
        raise MalformedToken(part="header", why="has no alg")
    if not is_kid(found.get("kid", "")):
        raise MalformedToken(part="header", why=f"has a kid of more than {MAX_KID} characters")
    return found


def read(segment: bytes, *refused: str) -> Header:
    """Read the header *segment* of a token that is to be believed; refuse ``crit``, ``b64`` and those in *refused*."""
    found = values(segment)
    for name in (*_REFUSED, *refused):
        if name in found:
            raise HeaderRefused(parameter=name)
    return Header(
        alg=found["alg"],
        kid=found.get("kid"),
        typ=found.get("typ"),
        values=MappingProxyType(found),
        is_flat=not any(isinstance(value, (dict, list)) for value in found.values()),
    )
