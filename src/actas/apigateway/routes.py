"""Match a request's path against a route's template and read its parameters."""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from actas.apigateway.errors import MalformedRoute

DEFAULT: Final = "$default"
_METHOD: Final = re.compile(r"[A-Z]{1,16}")
_VARIABLE: Final = re.compile(r"\{([A-Za-z0-9._:-]{1,128})(\+?)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A route's template, taken apart. ``segments`` are literals, ``{name}`` or, last, ``{name+}``."""

    key: str
    method: str
    path: str
    segments: tuple[str, ...]


def parse(key: str) -> Route:
    """Read ``GET /orders/{id}``, ``ANY /{proxy+}`` or ``$default``."""
    if key == DEFAULT:
        return Route(key=key, method="ANY", path=DEFAULT, segments=())
    method, space, path = key.partition(" ")
    if not (space and _METHOD.fullmatch(method)):
        raise MalformedRoute(why="does not start with a method in capitals and a space")
    if not path.startswith("/"):
        raise MalformedRoute(why="has no path that starts with a slash")
    segments = _split(path)
    _check(segments)
    return Route(key=key, method=method, path=path, segments=segments)


def _check(segments: tuple[str, ...]) -> None:
    """Refuse braces that are no variable, a greedy one that is not last, and a name twice."""
    names: list[str] = []
    for number, segment in enumerate(segments, 1):
        variable = _VARIABLE.fullmatch(segment)
        if variable is None:
            if "{" in segment or "}" in segment or not segment:
                raise MalformedRoute(why="has a segment that is neither a literal nor one variable")
            continue
        if variable[2] and number != len(segments):
            raise MalformedRoute(why="has a greedy variable that is not its last segment")
        names.append(variable[1])
    if len(names) != len(set(names)):
        raise MalformedRoute(why="names a variable twice")


def match(route: Route, method: str, path: str) -> dict[str, str] | None:
    """Give the path's parameters, decoded once; None where the request does not take this route.

    A slash at the end counts for nothing, as at REST APIs. Segments are told apart before they are decoded.
    """
    if route.method not in ("ANY", method):
        return None
    if route.key == DEFAULT:
        return {}
    found = _split(path)
    greedy = bool(route.segments) and route.segments[-1].endswith("+}")
    if len(found) < len(route.segments) or (len(found) > len(route.segments) and not greedy):
        return None
    parameters: dict[str, str] = {}
    for wanted, segment in zip(route.segments, found, strict=False):
        variable = _VARIABLE.fullmatch(wanted)
        if variable is None:
            if unquote(wanted) != unquote(segment):
                return None
            continue
        value = "/".join(found[len(route.segments) - 1 :]) if variable[2] else segment
        if not value:
            return None
        parameters[variable[1]] = unquote(value, errors="replace")
    return parameters


def _split(path: str) -> tuple[str, ...]:
    """Take the segments between slashes; one slash at the end adds none."""
    bare = path.removeprefix("/").removesuffix("/")
    return tuple(bare.split("/")) if bare else ()
