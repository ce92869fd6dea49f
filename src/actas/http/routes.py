"""Which function a path belongs to: the routes of the settings as a tree. Pure.

A literal segment is preferred to ``{name}``, and that to ``{rest+}``, as API Gateway prefers them. The path is the
canonical one: what is matched here is what is decided upon and what is sent.
"""

from dataclasses import dataclass, field

from actas.settings.schema import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A route that fits."""

    function: str
    template: str
    parameters: tuple[tuple[str, str], ...]


@dataclass(slots=True)
class _Node:
    literal: dict[str, "_Node"] = field(default_factory=dict)
    one: "_Node | None" = None
    name: str = ""
    methods: dict[str, tuple[str, str, tuple[str, ...]]] = field(default_factory=dict)
    rest: dict[str, tuple[str, str, tuple[str, ...]]] = field(default_factory=dict)


class Routes:
    """Every route of one moment's settings."""

    def __init__(self, settings: Settings) -> None:
        self._root = _Node()
        for name, function in settings.functions.items():
            for route in function.routes:
                self._add(name, route)

    def _add(self, function: str, route: str) -> None:
        method, _, path = route.partition(" ")
        names: list[str] = []
        node = self._root
        for segment in path.strip("/").split("/") if path != "/" else []:
            if segment.startswith("{") and segment.endswith("+}"):
                node.rest[method] = (function, route, (*names, segment[1:-2]))
                return
            if segment.startswith("{"):
                names.append(segment[1:-1])
                node.one = node.one or _Node()
                node = node.one
            else:
                node = node.literal.setdefault(segment, _Node())
        node.methods[method] = (function, route, tuple(names))

    def find(self, method: str, segments: tuple[str, ...]) -> tuple[Match | None, tuple[str, ...]]:
        """Find the route for *method* and *segments*; where there is none, the methods that the path does take."""
        others: set[str] = set()
        found = _walk(self._root, method, segments, (), others)
        return found, tuple(sorted(others))


def _walk(node: _Node, method: str, left: tuple[str, ...], taken: tuple[str, ...], others: set[str]) -> Match | None:
    if not left:
        return _match(node.methods, method, taken, others)
    if (literal := node.literal.get(left[0])) and (found := _walk(literal, method, left[1:], taken, others)):
        return found
    if node.one and (found := _walk(node.one, method, left[1:], (*taken, left[0]), others)):
        return found
    return _match(node.rest, method, (*taken, "/".join(left)), others)


def _match(
    there: dict[str, tuple[str, str, tuple[str, ...]]], method: str, values: tuple[str, ...], others: set[str]
) -> Match | None:
    entry = there.get(method) or there.get("ANY")
    if entry is None:
        others.update(there)
        return None
    function, template, names = entry
    return Match(function=function, template=template, parameters=tuple(zip(names, values, strict=True)))
