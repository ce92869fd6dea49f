"""Write and read what a signature is bound to: a time, and a day, region and service."""

import re
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final

from actas.sigv4.errors import MalformedRequest
from actas.sigv4.values import Payload

ALGORITHM: Final = "AWS4-HMAC-SHA256"
LONGEST: Final = timedelta(days=7)
"""A presigned URL's longest life."""
EMPTY_HASH: Final = sha256(b"").hexdigest()
_TWO: Final = tuple(f"{number:02}" for number in range(60))
_STAMP: Final = re.compile(r"\d{8}T\d{6}Z", re.ASCII)
_WORD: Final = re.compile(r"[A-Za-z0-9._\-]{1,128}")


def check_time(now: datetime) -> datetime:
    """See that a time has a zone; give it in UTC."""
    if now.tzinfo is UTC:
        return now
    if now.tzinfo is None:
        raise MalformedRequest(field="time", why="has no zone")
    try:
        return now.astimezone(UTC)
    except OverflowError:
        raise MalformedRequest(field="time", why="is no time in UTC") from None


def check_word(field: str, word: str) -> None:
    """See that a region, a service or an access key id can stand between slashes."""
    if not _WORD.fullmatch(word):
        raise MalformedRequest(
            field=field, why="is empty, too long, or holds other than letters, digits, '.', '_', '-'"
        )


def stamp(now: datetime) -> str:
    """Write a time as signatures do; a table of two digits, because every way of formatting takes twice as long."""
    day = f"{now.year:04}" if now.year < 1000 else str(now.year)
    return f"{day}{_TWO[now.month]}{_TWO[now.day]}T{_TWO[now.hour]}{_TWO[now.minute]}{_TWO[now.second]}Z"


def read_stamp(text: str) -> datetime | None:
    """Read a time as signatures write it; None where it is none."""
    if not _STAMP.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def body_hash(body: bytes | Payload) -> str:
    """Hash a body, or say that it is not signed."""
    if isinstance(body, Payload):
        return body.value
    return sha256(body).hexdigest() if body else EMPTY_HASH


def string_to_sign(time: str, scope: str, canonical: str) -> str:
    """Bind the canonical request to its time and scope."""
    return f"{ALGORITHM}\n{time}\n{scope}\n{digest(canonical)}"


def digest(canonical: str) -> str:
    """Hash a canonical request; octets of the wire may stand in it as surrogate escapes."""
    try:
        return sha256(canonical.encode("utf-8", "surrogateescape")).hexdigest()
    except UnicodeEncodeError:
        raise MalformedRequest(field="request", why="holds what is no text") from None
