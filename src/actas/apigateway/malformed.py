"""Read the members of a returned value as AWS's parsers do: scalars become text, anything else is malformed."""

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any, Final

_NAME: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,1024}")  # RFC 9110, section 5.6.2: a token
_VALUE: Final = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f]*")  # section 5.5: no control character but the tab
_INTEGER_BITS: Final = 1_024
_DIGITS: Final = re.compile(r"[0-9]{3}")


class Malformed(Exception):
    """The function returned what no front door takes; it becomes an answer before it leaves."""


def whole(value: Any) -> Mapping[str, Any]:
    """See that it is an object."""
    if not isinstance(value, dict):
        raise Malformed
    return value


def objects(value: Any) -> Mapping[str, Any]:
    """See that it is an object; null is an empty one."""
    return {} if value is None else whole(value)


def scalar(value: Any) -> str:
    """Write a string, a number or a boolean as text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and value.bit_length() > _INTEGER_BITS:
        raise Malformed  # Python refuses to write a number of thousands of digits
    if isinstance(value, str | int | float):
        return str(value)
    raise Malformed


def status(value: Any, *, absent: int | None = None) -> int:
    """Read a final status code: a number, or its digits in a string."""
    if value is None and absent is not None:
        return absent
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = scalar(value)
    if isinstance(value, bool) or not _DIGITS.fullmatch(text) or not 200 <= int(text) <= 599:
        raise Malformed  # an informational status is no answer: the client would wait for another
    return int(text)


def boolean(value: Any) -> bool:
    """Read a flag; null is no."""
    match value:
        case True | "true":
            return True
        case False | None | "false":
            return False
        case _:
            raise Malformed


def body_text(value: Any) -> str:
    """Read a body: an object or a list must have been made text by the function."""
    return "" if value is None else scalar(value)


def base64_bytes(text: str) -> bytes:
    """Decode strictly."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Malformed from None


def header_text(name: str, value: Any) -> tuple[str, str]:
    """Read one header; a name or value that would start another line is malformed."""
    text = scalar(value).strip(" \t")
    if not (_NAME.fullmatch(name) and _VALUE.fullmatch(text)):
        raise Malformed
    return name, text
