"""Read a request of AWS's query protocol strictly: a form in which each parameter stands once. Pure.

What two readers could read in two ways is refused: a name twice, an escape that is none, octets that are no UTF-8, a
list with a gap. Lists are ``Name.member.1`` and on, structures in them ``Name.member.1.Field``.
"""

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote_to_bytes

from actas.http.sts.errors import InvalidAction, MalformedQueryString, MissingAction

LARGEST: Final = 256 * 1024
"""Bytes of a form: an assertion may take 100,000 characters, each of them three octets."""
MOST: Final = 400
"""Parameters; 50 tags are 100 of them, 50 transitive keys and ten policies 60 more."""
VERSION: Final = "2011-06-15"
_KIND: Final = re.compile(
    rb"application/x-www-form-urlencoded[ \t]*(?:;[ \t]*charset=\"?utf-8\"?[ \t]*)?", re.IGNORECASE
)
_PLAIN: Final = re.compile(rb"[A-Za-z0-9._~-]*")
_ESCAPE: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_NAME: Final = re.compile(r"[A-Za-z]{1,64}(?:\.[A-Za-z]{1,64}|\.[1-9][0-9]{0,2}){0,4}")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")

Form = Mapping[str, str]


def read(content_type: bytes | None, body: bytes) -> dict[str, str]:
    """Read the form of a POST."""
    if content_type is None or not _KIND.fullmatch(content_type):
        raise MalformedQueryString(sent="the body is not application/x-www-form-urlencoded in UTF-8")
    return pairs(body)


def pairs(text: bytes) -> dict[str, str]:
    """Read names and values; each name once."""
    if len(text) > LARGEST:
        raise MalformedQueryString(sent=f"the form has more than {LARGEST} bytes")
    parts = text.split(b"&")
    if len(parts) > MOST:
        raise MalformedQueryString(sent=f"the form has more than {MOST} parameters")
    found: dict[str, str] = {}
    for part in parts:
        name, equals, value = part.partition(b"=")
        if not equals:
            if not part:  # an empty form, or one that ends in an ampersand
                continue
            raise MalformedQueryString(sent="a parameter has no value")
        key = _decoded(name)
        if key in found:
            raise MalformedQueryString(sent="a parameter is there more than once")
        found[key] = _decoded(value)
    return found


def action(form: dict[str, str]) -> str:
    """Take Action and Version out of *form*; give the action."""
    asked, version = form.pop("Action", None), form.pop("Version", None)
    if not asked:
        raise MissingAction
    if version != VERSION:
        raise InvalidAction(action=asked, version=version)
    return asked


def is_name(text: str) -> bool:
    """Tell whether a parameter could have this name."""
    return _NAME.fullmatch(text) is not None


def _decoded(text: bytes) -> str:
    if _PLAIN.fullmatch(text):  # most names, and tokens
        return text.decode("ascii")
    if _ESCAPE.search(text):
        raise MalformedQueryString(sent="a per cent sign has no two hexadecimal digits after it")
    try:
        decoded = unquote_to_bytes(text.replace(b"+", b" ")).decode("utf-8")
    except UnicodeDecodeError:
        raise MalformedQueryString(sent="the form is not UTF-8") from None
    if _CONTROL.search(decoded):
        raise MalformedQueryString(sent="the form has a control character")
    return decoded
