"""Say which bodies travel as text and which as base64."""

import base64
from collections.abc import Sequence
from typing import Final

# Application Load Balancer user guide, "Receive events"; HTTP APIs and function URLs do the same.
_TEXT: Final = frozenset({"application/json", "application/javascript", "application/xml"})


def media_type(header: str) -> str:
    """Give the first media type of a Content-Type or Accept header, without parameters, in lower case."""
    return header.partition(",")[0].partition(";")[0].strip().lower()


def is_binary(media: str, binary_media_types: Sequence[str]) -> bool:
    """Tell whether *media* is one of an API's binary media types; ``*/*`` and ``image/*`` are patterns there."""
    family = media.partition("/")[0]
    for declared in binary_media_types:
        wanted = media_type(declared)
        if wanted == "*/*" or (media and (wanted in (media, f"{family}/*"))):
            return True
    return False


def is_text(media: str) -> bool:
    """Tell whether HTTP APIs, function URLs and load balancers hand a body of this type on as text."""
    return media.startswith("text/") or media in _TEXT


def encode(body: bytes, *, binary: bool) -> tuple[str, bool]:
    """Put a body into an event: its text and False, or its base64 and True.

    What is no UTF-8 goes as base64 whatever its type says: API Gateway would replace octets silently.
    """
    if not binary:
        try:
            return body.decode("utf-8"), False
        except UnicodeDecodeError:
            pass
    return base64.b64encode(body).decode("ascii"), True
