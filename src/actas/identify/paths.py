r"""Find values in nested claims by a dotted path.

``realm_access.roles`` goes down one level; ``kubernetes\.io.namespace`` has a dot in a name;
``resource_access.*.roles`` visits each member; ``https://acme.example/roles`` is one name as it stands.
"""

from collections.abc import Mapping, Sequence
from typing import Final

Path = tuple[str, ...]
EACH: Final = "*"
_DEEPEST = 8


class NotThere:
    """Stands for a value of the wrong shape on the way: the claim is there but cannot be read."""


MALFORMED: Final = NotThere()


def parse_path(text: str) -> Path:
    """Split *text* into names; raise ValueError where it is no path."""
    if not text or len(text) > 256 or any(ord(one) < 0x20 for one in text):
        raise ValueError("a claim's path has 1 to 256 characters, none of them a control character")
    if "://" in text or text.startswith("urn:"):  # a collision-resistant name, RFC 7519 section 4.2
        return (text,)
    names: list[str] = [""]
    rest = iter(text)
    for one in rest:
        if one == "\\":
            names[-1] += next(rest, "\\")
        elif one == ".":
            names.append("")
        else:
            names[-1] += one
    if not all(names) or len(names) > _DEEPEST or names.count(EACH) > 1 or names[0] == EACH:
        raise ValueError("a claim's path is one to eight names with dots between them, `*` once and not at the start")
    return tuple(names)


def find(claims: Mapping[str, object], path: Path) -> Sequence[tuple[str | None, object]]:
    """Give each value at *path*, with the name of the member that ``*`` stood for; nothing where it is absent."""
    here: object = claims.get(path[0])
    for depth, name in enumerate(path[1:], 2):
        if here is None:
            break
        if not isinstance(here, dict):
            return ((None, MALFORMED),)
        if name == EACH:
            return _each(here, path[depth:])
        here = here.get(name)
    return () if here is None else ((None, here),)  # absent, or null, which says no more


def _each(members: Mapping[str, object], rest: Path) -> Sequence[tuple[str | None, object]]:
    if not members:
        return ((None, ()),)
    found: list[tuple[str | None, object]] = []
    for key, inner in members.items():
        if not rest:
            found.append((key, inner))
        elif isinstance(inner, dict):
            found += [(key, value) for _, value in find(inner, rest)]
        else:
            found.append((key, MALFORMED))
    return found


def first_text(claims: Mapping[str, object], paths: tuple[Path, ...]) -> str | NotThere | None:
    """Give the first text at one of *paths*; None where there is none, `MALFORMED` where it is no text."""
    for path in paths:
        for _, value in find(claims, path):
            return value if isinstance(value, str) and value else MALFORMED
    return None
