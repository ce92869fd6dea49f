"""Decide one canonical path from the target that came, or refuse it; the same path is decided upon and sent on.

A gateway that decides on one reading of a path and a function that acts on another is a way around every rule
(protocols of the field: GHSA-qvp4-rpmr-xwrr, GHSA-pxq7-h93f-9jrg). So whatever two parsers could read in two
ways is refused, not repaired: encoded slashes, backslashes, NULs and dots, empty and dot segments, ``;params``,
double encoding, bytes that are no UTF-8. What is left has exactly one spelling, and that one is sent.

``/orders/`` has the segments of ``/orders``: a rule about one is a rule about the other.
"""

import re
from dataclasses import dataclass
from typing import Final

from actas.errors import ActasError

MAX_PATH: Final = 8_192
"""Bytes of a target's path, as it came."""
MAX_SEGMENTS: Final = 256

# RFC 3986, section 3.3: pchar, less ";" (Java's servers cut there) and "+" (form decoders read a space).
_KEPT: Final = "A-Za-z0-9\\-._~!$&'()*,=:@"
# One spelling already: nothing to decode, no segment made of dots alone.
_PLAIN: Final = re.compile(rf"(?:/(?!\.+(?:/|\Z))[{_KEPT}]+)*/?".encode())
_TO_ENCODE: Final = re.compile(rf"[^{_KEPT}]")
_ESCAPE: Final = re.compile(rb"%(.{0,2})", re.DOTALL)
_HEX_PAIR: Final = re.compile(rb"[0-9A-Fa-f]{2}")
_STILL_ENCODED: Final = re.compile(r"%(?:[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4})")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class PathError(ActasError):
    """The target's path cannot be decided upon."""

    status = 400


class PathRefused(PathError):
    """Two servers could read the path in two ways, or it is too long."""

    code = "model.path-refused"
    hint = "Send the path as plain segments; encode each octet once, and never a slash, a backslash, a dot or a NUL."

    def __init__(self, *, reason: str, why: str) -> None:
        """Name the trap by *reason*, which never changes, and say it; the path itself is not repeated."""
        self.reason = reason
        super().__init__(f"the path {why}")


@dataclass(frozen=True, slots=True, kw_only=True)
class CanonicalPath:
    """The one reading of a path.

    ``path`` is its one spelling, ASCII: decide on it or on the segments, and send it. ``segments`` are decoded
    and never empty; a trailing slash adds none (``/`` has no segments).
    """

    path: str
    segments: tuple[str, ...]


def canonical_path(raw: bytes) -> CanonicalPath:
    """Read the path of an origin-form target, without its query, as it stood on the wire (ASGI's ``raw_path``)."""
    if len(raw) > MAX_PATH:
        raise PathRefused(reason="too-long", why=f"has {len(raw)} bytes; at most {MAX_PATH} are read")
    if not raw.startswith(b"/"):  # RFC 9112, section 3.2: no absolute form, no authority, no asterisk
        raise PathRefused(reason="not-absolute", why="does not start with a slash")
    if _PLAIN.fullmatch(raw):
        path = raw.decode("ascii")
        return CanonicalPath(path=path, segments=_counted(path))
    _refuse_raw(raw)
    segments = tuple(_segment(part) for part in _counted(raw.decode("latin-1")))
    folder = "/" if segments and raw.endswith(b"/") else ""
    path = "/" + "/".join(_TO_ENCODE.sub(_encode, segment) for segment in segments) + folder
    return CanonicalPath(path=path, segments=segments)


def _counted(path: str) -> tuple[str, ...]:
    """Split *path* into its segments; a last empty one is none."""
    bare = path[1:].removesuffix("/")
    segments = tuple(bare.split("/")) if bare else ()
    if len(segments) > MAX_SEGMENTS:
        raise PathRefused(reason="too-deep", why=f"has {len(segments)} segments; at most {MAX_SEGMENTS} are read")
    return segments


def _refuse_raw(raw: bytes) -> None:
    """Refuse what may not stand in a path in any spelling."""
    if b"//" in raw:
        raise PathRefused(reason="empty-segment", why="has an empty segment")
    for octet, name in ((b"?", "question mark"), (b"#", "hash"), (b" ", "space")):
        if octet in raw:
            raise PathRefused(reason="malformed", why=f"has a {name} that is not encoded")
    for escape in _ESCAPE.findall(raw):
        if not _HEX_PAIR.fullmatch(escape):  # RFC 3986, section 2.1
            raise PathRefused(reason="bad-escape", why="has a per cent sign without two hexadecimal digits after it")
        if escape.lower() == b"2e":  # dots are never encoded by a client that means no harm: section 6.2.2.2
            raise PathRefused(reason="encoded-dot", why="has an encoded dot")


def _segment(part: str) -> str:
    """Decode one segment once and see that it is one, and decoded."""
    octets = _ESCAPE.sub(lambda found: bytes.fromhex(found[1].decode()), part.encode("latin-1"))
    try:
        segment = octets.decode("utf-8")
    except UnicodeDecodeError:
        raise PathRefused(reason="not-utf-8", why="is not UTF-8") from None
    if "/" in segment:
        raise PathRefused(reason="encoded-slash", why="has an encoded slash")
    if "\\" in segment:
        raise PathRefused(reason="backslash", why="has a backslash")
    if _CONTROL.search(segment):
        raise PathRefused(reason="control-character", why="has a control character")
    if ";" in segment:
        raise PathRefused(reason="path-parameter", why="has a semicolon")
    if _STILL_ENCODED.search(segment):
        raise PathRefused(reason="double-encoding", why="is encoded more than once")
    if not segment.strip(". \u3000\u00a0") and "." in segment:
        raise PathRefused(reason="dot-segment", why="has a segment of dots")
    return segment


def _encode(found: re.Match[str]) -> str:
    """Spell one character as RFC 3986, section 2.1, wants it: upper case."""
    return "".join(f"%{octet:02X}" for octet in found[0].encode())
