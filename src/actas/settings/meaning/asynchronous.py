"""Check what becomes of events that are run later, and function URLs: destinations are there, and allowed by a rule."""

import re
from fnmatch import fnmatchcase

from actas.settings.meaning.functions import backend
from actas.settings.meaning.gateway import span
from actas.settings.meaning.view import View
from actas.settings.mistakes import nearest
from actas.settings.positions import Path
from actas.settings.schema import Function, Rule, many
from actas.settings.schema_functions import DESTINATIONS
from actas.settings.secrecy import quoted


def check(view: View) -> None:
    """Check every function's destinations and its URL."""
    for name, function in view.settings.functions.items():
        path: Path = ("functions", name, "asynchronous")
        span(view, (*path, "max_age"), function.asynchronous.max_age, least=60, most=21_600)
        for key in ("on_success", "on_failure"):
            if (wanted := getattr(function.asynchronous, key)) is not None:
                _destination(view, (*path, key), name, wanted)
        _cors(view, ("functions", name, "cors"), function)
        if function.url != "none" and backend(function) == "http":
            message = "url has no effect on a function that runs on http"
            view.warn("settings.no-effect", ("functions", name, "url"), message, "Give it routes instead.", at="key")
    if DESTINATIONS in view.names("providers") and speaks(view):
        message = f"{DESTINATIONS} is what rules call the gateway itself where it runs a destination"
        view.report("settings.reserved-name", ("providers", DESTINATIONS), message, "Give it another name.", at="key")


def _cors(view: View, path: Path, function: Function) -> None:
    cors = function.cors
    if cors is None:
        return
    if function.url == "none":
        view.warn("settings.no-effect", path, "cors has no effect without url", "Remove cors, or add url.", at="key")
    span(view, (*path, "max_age"), cors.max_age, least=0, most=86_400)
    if not many(cors.origins):
        message = "cors.origins is an empty list: no page may ask"
        view.report("settings.empty-list", (*path, "origins"), message, "Name at least one, or remove cors.")
    for key, fits, example in (
        ("origins", _ORIGIN, "https://app.example.com"),
        ("methods", _METHOD, "GET"),
        ("headers", _FIELD, "authorization"),
        ("expose", _FIELD, "x-total"),
    ):
        for text in many(getattr(cors, key)):
            if not fits.fullmatch(text):
                message = f"{quoted(text)} is none of {key} as browsers write them"
                view.report("settings.wrong-value", (*path, key), message, f"Write it like {example}.")


_ORIGIN = re.compile(
    r"\*|https?://(?:[a-z0-9-]+\.)*[a-z0-9-]+(?::[0-9]{1,5})?|https?://\[[0-9a-f:.]+\](?::[0-9]{1,5})?"
)
_METHOD = re.compile(r"[A-Z]{1,20}")
_FIELD = re.compile(r"[a-zA-Z0-9-]{1,64}")


def speaks(view: View) -> frozenset[str]:
    """Give what rules may name as a provider because functions have destinations."""
    return frozenset({DESTINATIONS}) if any(_wants(one) for one in view.settings.functions.values()) else frozenset()


def _wants(function: Function) -> bool:
    return bool(function.asynchronous.on_success or function.asynchronous.on_failure)


def _destination(view: View, path: Path, name: str, wanted: str) -> None:
    known = view.names("functions")
    if wanted not in known:
        near = nearest(wanted, known)
        hint = f"Write {near}." if near else "Name a function of this file."
        message = f"there is no function {quoted(wanted)}"
        view.report("settings.no-such-destination", path, message, hint, found=quoted(wanted), nearest=near)
    elif wanted == name:
        message = f"{name} would be told of itself"
        view.report("settings.no-such-destination", path, message, "Name another function.")
    elif not any(_lets(rule, wanted) for _, rule in view.rules()):
        message = f"no rule lets {DESTINATIONS} run {wanted}"
        hint = f"Add a rule: who: {{provider: {DESTINATIONS}, kind: service}}, may: [{wanted}]."
        view.warn("settings.destination-refused", path, message, hint)


def _lets(rule: Rule, wanted: str) -> bool:
    named = many(rule.who.provider)
    patterns = [pattern.replace("[", "[[]") for pattern in many(rule.may)]
    return (not named or DESTINATIONS in named) and any(fnmatchcase(wanted, one) for one in patterns)
