"""Read and write the times of SAML."""

import re
from datetime import UTC, datetime

from actas.saml.errors import MalformedDocument

_TIME = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(\.[0-9]{1,12})?(Z|[+-][0-9]{2}:[0-9]{2})?")


def read_time(text: str, *, what: str) -> datetime:
    """Read an xs:dateTime; one without a zone is UTC (SAML core 1.3.3)."""
    if len(text) == 20 and text[4::3] == "--T::Z":  # the usual form: the rest of it can only be digits
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            raise MalformedDocument(part=what, why="is not a time") from None
    found = _TIME.fullmatch(text)
    if found is None:
        raise MalformedDocument(part=what, why="is not a time")
    whole, fraction, zone = found.groups()
    fraction, zone = (fraction or "")[:7], zone or "Z"
    try:
        if zone == "Z":
            return datetime.fromisoformat(f"{whole}{fraction}+00:00")
        return datetime.fromisoformat(f"{whole}{fraction}{zone}").astimezone(UTC)
    except (ValueError, OverflowError):
        raise MalformedDocument(part=what, why="is not a time") from None


def write_time(at: datetime) -> str:
    """Write *at* as SAML wants it."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
