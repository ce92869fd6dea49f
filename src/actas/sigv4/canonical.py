"""Write a request in the one form that is signed (AWS Signature Version 4, "Create a canonical request")."""

import re
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final, NamedTuple
from urllib.parse import quote, unquote_to_bytes

from actas.sigv4.errors import IncompleteSignature, MalformedRequest

Headers = Sequence[tuple[str, str]]
MAX_HEADERS: Final = 256
MAX_URL: Final = 65_536

_UNRESERVED: Final = "-_.~"
_PLAIN_PATH: Final = re.compile(r"/[A-Za-z0-9\-_.~/]*")
_ONE_PARAMETER: Final = re.compile(r"[A-Za-z0-9\-_.~]+=[A-Za-z0-9\-_.~]*")
_PLAIN_QUERY: Final = re.compile(r"[A-Za-z0-9\-_.~]*")
# What may stand in a target by RFC 3986, section 3.3, and the per cent sign of its escapes.
_WIRE: Final = "-_.~%!$&'()*+,;=:@/"
_TARGET: Final = re.compile(r"([A-Za-z][A-Za-z0-9]*://[^/?]+(?=[/?]|\Z)|(?=/))([^?]*)(?:\?(.*))?", re.DOTALL)
_METHODS: Final = frozenset(("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"))
_METHOD: Final = re.compile(r"[A-Za-z0-9!#$%&'*+\-.^_`|~]{1,64}")
_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'*+\-.^_`|~]{1,256}")
# RFC 9112, section 5.2: a line break is part of a value only where the next line is folded.
_BROKEN: Final = re.compile(r"\r?\n(?![ \t])|\r(?!\n)|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")

_VISIBLE: Final = bytes(range(0x21, 0x7F))
_NOTHING: Final = frozenset[str]()
_SPACES: Final = re.compile(r"[ \t\r\n]+")


class Target(NamedTuple):  # on the hot path
    """A target with what is signed of it."""

    front: str
    path: str
    """In canonical form; ``query`` too."""
    query: str
    is_plain: bool
    """Whether the query has nothing that belongs to a signature."""


def target(url: str, *, normalize: bool, double_encode: bool) -> Target:
    """Take a URL apart and write its parts in canonical form."""
    front, path, query = split_target(url)
    written = written_query(query)
    path = canonical_path(path, normalize=normalize, double_encode=double_encode)
    return Target(front, path, written, "x-amz-" not in written.lower())


def split_target(url: str) -> tuple[str, str, str]:
    """Take a URL, or a target that starts with a slash, apart: what is in front, the path, the query."""
    if len(url) > MAX_URL:
        raise MalformedRequest(field="URL", why=f"has more than {MAX_URL} characters")
    if url.startswith("https://"):  # nearly always; in three cuts, as the expression would
        whole, _, query = url.partition("?")
        if (slash := whole.find("/", 8)) > 8:
            return whole[:slash], whole[slash:], query
    found = _TARGET.fullmatch(url)
    if found is None or not url:
        raise MalformedRequest(field="URL", why="has no scheme and host, and does not start with a slash")
    front, path, query = found.groups("")
    return front, path or "/", query


def canonical_path(path: str, *, normalize: bool, double_encode: bool) -> str:
    """Normalise and encode a path; ``double_encode`` encodes the wire's own escapes once more (all but S3)."""
    if normalize and ("//" in path or "/." in path):
        path = _without_dots(path)
    if _PLAIN_PATH.fullmatch(path):
        return path
    return _quoted(path, "/~" if double_encode else _WIRE)


def _without_dots(path: str) -> str:
    """Remove dot segments (RFC 3986, section 5.2.4) and, as AWS does, empty ones."""
    kept: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            del kept[-1:]
        elif segment not in ("", "."):
            kept.append(segment)
    return "/" + "/".join(kept) + ("/" if path.endswith("/") and kept else "")


def written_query(query: str) -> str:
    """Write a query in canonical form."""
    if not query or _ONE_PARAMETER.fullmatch(query):
        return query
    return canonical_query(query_pairs(query))


def query_pairs(query: str) -> list[tuple[str, str]]:
    """Read a query's names and values, each in its canonical spelling, in the order of the wire."""
    pairs = []
    for part in query.split("&"):
        if part:
            name, _, value = part.partition("=")
            pairs.append((_respelt(name), _respelt(value)))
    return pairs


def canonical_query(pairs: Iterable[tuple[str, str]]) -> str:
    """Sort by name, then by value, in their canonical spelling."""
    return "&".join([f"{name}={value}" for name, value in sorted(pairs)])


def encoded(text: str) -> str:
    """Encode a query's name or value."""
    return text if _PLAIN_QUERY.fullmatch(text) else _quoted(text, _UNRESERVED)


def _respelt(text: str) -> str:
    """Decode, and encode in the canonical way; a plus is a plus."""
    if _PLAIN_QUERY.fullmatch(text):
        return text
    try:
        return quote(unquote_to_bytes(text.encode("utf-8", "surrogateescape")), safe=_UNRESERVED)
    except UnicodeEncodeError:
        raise MalformedRequest(field="URL", why="holds what is no text") from None


def _quoted(text: str, safe: str) -> str:
    """Percent-encode the octets of UTF-8; octets of the wire may come as surrogate escapes."""
    try:
        return quote(text, safe=safe, encoding="utf-8", errors="surrogateescape")
    except UnicodeEncodeError:
        raise MalformedRequest(field="URL", why="holds what is no text") from None


@dataclass(slots=True)  # not frozen: it is filled in a loop on the hot path, and goes no further
class Gathered:
    """The values of each header under its name in lower case, trimmed, repeats joined with commas."""

    values: dict[str, str]
    repeated: AbstractSet[str]

    def once(self, name: str) -> str | None:
        """Give a header that may be there once."""
        if name in self.repeated:
            raise IncompleteSignature(part=f"header {name}", why="is there more than once")
        return self.values.get(name)


def gathered(headers: Headers) -> Gathered:
    """Put the values of each name together; refuse what would start another line."""
    if len(headers) > MAX_HEADERS:
        raise MalformedRequest(field="headers", why=f"are more than {MAX_HEADERS}")
    values = {name.lower(): text.strip(" ") for name, text in headers}
    if len(values) == len(headers) and "" not in values:
        # Almost always every name is of letters and digits, and no value has anything but single spaces in it.
        names = "-".join([name for name, _ in headers])  # before they were lowered: a Kelvin sign becomes a k
        if names.isascii() and names.replace("-", "").isalnum() and is_plain("".join(values.values())):
            return Gathered(values, _NOTHING)
    return _gathered_slowly(headers)


def is_name(text: str) -> bool:
    """Tell whether it is a header's name."""
    return _NAME.fullmatch(text) is not None


def is_plain(text: str) -> bool:
    """Tell whether there are only printable ASCII characters, and single spaces; the fastest way that was found."""
    if not text.isascii():
        return False
    octets = text.encode()
    left = octets.translate(None, _VISIBLE)
    return not left or (not left.strip(b" ") and b"  " not in octets)


def _gathered_slowly(headers: Headers) -> Gathered:
    """Look at each header by itself."""
    values: dict[str, str] = {}
    repeated: set[str] = set()
    for name, value in headers:
        if not _NAME.fullmatch(name):
            raise MalformedRequest(field="name of a header", why="is no token")
        lower = name.lower()
        text = _trimmed(lower, value)
        if lower in values:
            repeated.add(lower)
            text = f"{values[lower]},{text}"
        values[lower] = text
    return Gathered(values, repeated)


def _trimmed(name: str, value: str) -> str:
    """Take the spaces off a value, and all but one of those inside; refuse what would start another line."""
    if is_plain(value):
        return value.strip(" ")
    if _BROKEN.search(value):
        raise MalformedRequest(field="value of a header", why="holds a control character")
    if name == "authorization":  # never signed, so every octet of it is read
        return value.strip(" \t")
    return " ".join(value.split()) if value.isascii() else _SPACES.sub(" ", value).strip(" ")


def check_method(method: str) -> None:
    """See that it is a method: it is signed as it is written."""
    if method not in _METHODS and not _METHOD.fullmatch(method):
        raise MalformedRequest(field="method", why="is no token")


def canonical_request(
    method: str, path: str, query: str, *, headers: dict[str, str], signed: Sequence[str], payload: str
) -> str:
    """Put the parts together; *signed* are the names, in lower case and sorted."""
    lines = "\n".join([f"{name}:{headers[name]}" for name in signed])
    return f"{method}\n{path}\n{query}\n{lines}\n\n{';'.join(signed)}\n{payload}"
