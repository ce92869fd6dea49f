"""What browsers of other origins are told of a function's URL (Fetch Standard, "CORS protocol"). Pure.

No cookie counts at a function's URL, so no answer ever allows credentials: a page shows a token, or signs, by itself.
"""

from typing import Final

from actas.http.problems import Head
from actas.settings.schema import many
from actas.settings.schema_functions import Cors

Pairs = list[tuple[bytes, bytes]]
ANY: Final = "*"
_VARIES: Final = (b"vary", b"Origin")
"""So that no cache gives one page's answer to another."""


def origin(cors: Cors | None, headers: Pairs) -> bytes | None:
    """Give the origin of the page that asks, where it may; None also where nobody can tell which it is."""
    found = [value for name, value in headers if name == b"origin"]
    if cors is None or len(found) != 1:
        return None
    allowed = many(cors.origins)
    return found[0] if ANY in allowed or found[0].decode("latin-1") in allowed else None


def is_preflight(method: str, headers: Pairs) -> bool:
    """Tell whether a browser asks on a page's behalf what it may send."""
    return method == "OPTIONS" and any(name == b"access-control-request-method" for name, _ in headers)


def fields(cors: Cors, asking: bytes | None) -> Head:
    """Give the fields of an answer that the page of the origin *asking* may read; it may not where that is None."""
    if asking is None:
        return [] if ANY in many(cors.origins) else [_VARIES]
    made = _origin(cors, asking)
    if exposed := many(cors.expose):
        made.append((b"access-control-expose-headers", ", ".join(exposed).encode()))
    return made


def preflight(cors: Cors, asking: bytes) -> Head:
    """Give the fields of the answer to a preflight request."""
    return [
        *_origin(cors, asking),
        (b"access-control-allow-methods", ", ".join(many(cors.methods)).encode()),
        (b"access-control-allow-headers", ", ".join(many(cors.headers)).encode()),
        (b"access-control-max-age", str(int(cors.max_age.seconds)).encode()),
    ]


def _origin(cors: Cors, asking: bytes) -> Head:
    if ANY in many(cors.origins):
        return [(b"access-control-allow-origin", b"*")]
    return [(b"access-control-allow-origin", asking), _VARIES]


def without(head: Head) -> Head:
    """Leave out what a function says of this by itself, as Lambda does."""
    return [(name, value) for name, value in head if not name.lower().startswith(b"access-control-")]
