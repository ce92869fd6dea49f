"""Check routes: their grammar, each other, and the gateway's own paths."""

from typing import Final

from actas.apigateway.errors import MalformedRoute
from actas.apigateway.routes import DEFAULT, Route, parse
from actas.model.paths import PathError, canonical_path
from actas.settings.meaning.view import View
from actas.settings.positions import Path
from actas.settings.secrecy import quoted

LAMBDA_DATES: Final = (
    "2014-11-13", "2015-03-31", "2016-08-19", "2017-03-31", "2017-10-31", "2018-10-31", "2019-09-25", "2019-09-30",
    "2020-04-22", "2020-06-30", "2021-07-20", "2021-10-31", "2021-11-15", "2024-08-31", "2025-11-30", "2025-12-01",
    "2026-07-09",
)  # fmt: skip
"""First segments of the Lambda API's paths."""
_NAMED: Final = ("call", "healthz", "readyz", "metrics", ".well-known", "function-url", "events")
BUILT_IN: Final = frozenset({*_NAMED, *LAMBDA_DATES})
"""First segments of the gateway's own paths on the public listener."""
METHODS: Final = ("ANY", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")


def check(view: View) -> None:
    """Check every route, and all of them together."""
    taken: dict[tuple[str, tuple[str, ...]], str] = {}
    for name, function in view.settings.functions.items():
        for place, text in enumerate(function.routes):
            path: Path = ("functions", name, "routes", place)
            if (route := _read(view, path, text)) is None:
                continue
            if route.segments and route.segments[0] in BUILT_IN:
                message = f"{quoted(text)} hides a path of the gateway's own: /{route.segments[0]}"
                named = ", ".join(f"/{one}" for one in _NAMED)
                hint = f"Choose a path that does not start with {named}, or with a date of the Lambda API."
                view.report("settings.route-built-in", path, message, hint)
            first = taken.setdefault(_shape(route), f"{name}:{text}")
            if first != f"{name}:{text}" or _said_before(function.routes, place):
                message = f"{quoted(text)} takes the same requests as {quoted(first)}"
                view.report("settings.route-twice", path, message, "Keep one of them, or tell them apart by a word.")


def _said_before(routes: tuple[str, ...], place: int) -> bool:
    return routes[place] in routes[:place]


def _read(view: View, path: Path, text: str) -> Route | None:
    hint = "Write a method and a path: GET /orders/{id}, ANY /{proxy+}."
    if text == DEFAULT:
        message = "$default is no route of its own here"
        view.report("settings.bad-route", path, message, "Write ANY /{proxy+}.", nearest='"ANY /{proxy+}"')
        return None
    try:
        route = parse(text)
    except MalformedRoute as wrong:
        view.report("settings.bad-route", path, f"{quoted(text)}: {wrong}", hint)
        return None
    if route.method not in METHODS:
        message = f"{quoted(text)}: there is no method {route.method}"
        view.report("settings.bad-route", path, message, f"Use one of: {', '.join(METHODS)}.")
        return None
    if (why := _spelling(route)) is not None:
        view.report("settings.bad-route", path, f"{quoted(text)}: {why}", hint)
        return None
    return route


def _spelling(route: Route) -> str | None:
    """Say why no request can ever have this path: requests are compared by their canonical path."""
    literal = "/" + "/".join("x" if one.startswith("{") else one for one in route.segments)
    try:
        canonical = canonical_path(literal.encode()).path
    except PathError as wrong:
        return str(wrong)
    if canonical != literal:
        return f"the path would be {canonical}"
    if route.path != "/" and route.path.endswith("/"):
        return "the path ends with a slash; one at the end counts for nothing"
    return None


def _shape(route: Route) -> tuple[str, tuple[str, ...]]:
    """Forget the variables' names: two routes with one shape take the same requests."""
    return route.method, tuple(
        ("{+}" if one.endswith("+}") else "{}") if one.startswith("{") else one for one in route.segments
    )
