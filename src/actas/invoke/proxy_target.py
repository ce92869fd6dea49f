"""Write the target of the request that goes on: the base of the settings, the path that was decided on, the query.

Pure. What is sent is exactly what was decided: a path that is not canonical any more is refused here as well.
"""

import re
from typing import Final
from urllib.parse import SplitResult, urlsplit

from actas.model.paths import PathRefused, canonical_path

# RFC 3986, section 3.4, and what browsers send unencoded beside it.
_NOT_IN_QUERY: Final = re.compile(r"[^A-Za-z0-9\-._~!$&'()*+,;=:@/?%\[\]{}|^`\\\"]")


def read_base(http: str) -> SplitResult:
    """Take the base of an HTTP backend apart; the settings were checked before."""
    return urlsplit(http)


def target(base: SplitResult, path: str, query: str) -> str:
    """Write the URL to send to."""
    canonical = canonical_path(path.encode("utf-8", "surrogateescape"))
    if canonical.path != path:
        raise PathRefused(reason="not-canonical", why="is not the one that was decided on")
    asked = f"?{_NOT_IN_QUERY.sub(_encoded, query)}" if query else ""
    return f"{base.scheme}://{base.netloc}{base.path.rstrip('/')}{path}{asked}"


def _encoded(found: re.Match[str]) -> str:
    """Encode what may not stand in a query: a ``#`` would cut it, a space would end the request line."""
    return "".join(f"%{octet:02X}" for octet in found[0].encode("utf-8", "surrogateescape"))
