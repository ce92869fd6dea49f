"""Read what a browser or a machine sends: forms and queries in which each name stands once. Pure."""

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote_to_bytes

from actas.http.saml.errors import BadForm

LARGEST: Final = 1024 * 1024
"""Bytes of a form: 256 KB of XML are 350,000 characters in base64, of which some are written as three octets."""
MOST: Final = 32
"""Fields."""
_KIND: Final = re.compile(
    # Possessive: blanks that two parts of it could share would square its time, and anybody may send them.
    rb"application/x-www-form-urlencoded[ \t]*+(?:;[ \t]*+charset=\"?utf-8\"?[ \t]*+)?",
    re.IGNORECASE,
)
_ESCAPE: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def read(headers: list[tuple[bytes, bytes]], body: bytes) -> Mapping[str, str]:
    """Read the form of a POST."""
    kinds = [value for name, value in headers if name == b"content-type"]
    if len(kinds) != 1 or not _KIND.fullmatch(kinds[0]):
        raise BadForm(why="it is not application/x-www-form-urlencoded in UTF-8")
    return pairs(body)


def pairs(text: bytes) -> Mapping[str, str]:
    """Read names and values; a name that comes twice is refused."""
    if len(text) > LARGEST:
        raise BadForm(why=f"it has more than {LARGEST} bytes")
    parts = text.split(b"&") if text else []
    if len(parts) > MOST:
        raise BadForm(why=f"it has more than {MOST} fields")
    found: dict[str, str] = {}
    for part in parts:
        name, equals, value = part.partition(b"=")
        key = _decoded(name)
        if not equals or not key:
            raise BadForm(why="a field has no name or no value")
        if key in found:
            raise BadForm(why="a field is there more than once")
        found[key] = _decoded(value)
    return found


def _decoded(text: bytes) -> str:
    if _ESCAPE.search(text):
        raise BadForm(why="an escape in it is none")
    try:
        decoded = unquote_to_bytes(text.replace(b"+", b" ")).decode()
    except UnicodeDecodeError:
        raise BadForm(why="it is not UTF-8") from None
    if _CONTROL.search(decoded):
        raise BadForm(why="it has a control character")
    return decoded
