"""Check rules one by one: that what they name is there, and that they say one thing."""

from collections.abc import Iterator

from actas.settings.meaning import asynchronous
from actas.settings.meaning.functions import backend
from actas.settings.meaning.targets import ADMIN, named, targets
from actas.settings.meaning.view import View
from actas.settings.mistakes import nearest
from actas.settings.positions import Path
from actas.settings.schema import Rule, Texts, many
from actas.settings.secrecy import quoted

_KINDS = ("agent", "human", "service")
_WHO = ("provider", "groups", "roles", "scopes", "subjects", "clients", "tenants", "actors", "kind")
_OF_ONE_PROVIDER = ("subjects", "groups", "roles", "scopes", "clients")
"""What means something within one provider only (design.md, 1)."""


def check(view: View) -> None:
    """Check every rule by itself, and their ids."""
    everything = targets(view.settings, view.around.admin_actions)
    seen: dict[str, int] = {}
    for place, rule in enumerate(view.settings.rules):
        path: Path = ("rules", place)
        _verdict(view, path, rule)
        for key, patterns in (("may", rule.may), ("may_not", rule.may_not)):
            for where, pattern in _each(patterns, (*path, key)):
                _pattern(view, where, pattern, everything)
        _roles(view, path, rule)
        _who(view, path, rule)
        _provider(view, path, rule)
        if not view.sketch.is_spoiled((*path, "id")) and seen.setdefault(rule.id, place) != place:
            line = view.source.positions.value(("rules", seen[rule.id])).line
            message = f"the rule {rule.id} is there a second time (first in line {line})"
            view.report("settings.rule-twice", (*path, "id"), message, "Give every rule its own id.")


def _each(value: Texts | None, path: Path) -> Iterator[tuple[Path, str]]:
    """Give every text of *value*, with its place."""
    if isinstance(value, str):
        yield path, value
    else:
        for place, text in enumerate(value or ()):
            yield (*path, place), text


def _verdict(view: View, path: Path, rule: Rule) -> None:
    if rule.may is None and rule.may_not is None:
        message = f"{rule.id} says neither may nor may_not"
        view.report("settings.rule-says-nothing", path, message, "Add may: [FUNCTION] or may_not: [FUNCTION].")
    if rule.may is not None and rule.may_not is not None:
        message = f"{rule.id} says both may and may_not"
        view.report("settings.rule-says-both", path, message, "Make two rules of it; may_not wins where both apply.")
    if rule.as_ is not None and rule.may is None and rule.may_not is not None:
        message = f"{rule.id} forbids, so there is nobody to be: as has no effect"
        view.report("settings.as-without-may", (*path, "as"), message, "Remove as, or write may.", at="key")
    for key, value in (("may", rule.may), ("may_not", rule.may_not), ("as", rule.as_)):
        if value is not None and not many(value):
            message = f"{rule.id} has an empty list in {key}"
            view.report("settings.empty-list", (*path, key), message, f"Name at least one, or remove {key}.")


def _pattern(view: View, path: Path, pattern: str, everything: tuple[str, ...]) -> None:
    if named(pattern, everything) or _is_known_but_spoiled(view, pattern):
        return
    if pattern.startswith(ADMIN):
        known = [one for one in everything if one.startswith(ADMIN)]
        message = f"there is no admin action {quoted(pattern)}"
    elif any(letter in pattern for letter in "*?"):
        view.report(
            "settings.names-nothing",
            path,
            f"{quoted(pattern)} matches no function and no route",
            "Correct it, or remove it.",
        )
        return
    else:
        known = [*everything, *view.names("functions")]
        function = pattern.partition(":")[0]
        if ":" in pattern and function in view.settings.functions:
            message = f"{function} has no route {quoted(pattern.partition(':')[2])}"
        else:
            message = f"there is no function {quoted(function)}"
    near = nearest(pattern, known)
    options = ", ".join(sorted(known)[:12])
    hint = f"Write {near}." if near else f"Use one of: {options}." if options else "Add it, or remove it here."
    view.report("settings.names-nothing", path, message, hint, found=quoted(pattern), nearest=near)


def _is_known_but_spoiled(view: View, pattern: str) -> bool:
    """Tell whether the function is there and has mistakes of its own."""
    function = pattern.partition(":")[0]
    if function in view.names("functions") and function not in view.settings.functions:
        return True
    spoiled = ("functions", function, "routes")
    return ":" in pattern and function in view.settings.functions and view.sketch.is_spoiled(spoiled)


def _roles(view: View, path: Path, rule: Rule) -> None:
    if rule.roles_from is not None:
        return  # `saml` looks at its patterns
    known = view.names("roles")
    for where, name in _each(rule.as_, (*path, "as")):
        if name not in known:
            near = nearest(name, known)
            hint = f"Write {near}." if near else f"Add {name} to roles." if known else "Add a section roles."
            message = f"there is no role {quoted(name)}"
            view.report("settings.no-such-role", where, message, hint, found=quoted(name), nearest=near)


def _who(view: View, path: Path, rule: Rule) -> None:
    known = view.names("providers") | view.names("sources") | asynchronous.speaks(view)
    for where, name in _each(rule.who.provider, (*path, "who", "provider")):
        if name not in known:
            near = nearest(name, known)
            options = ", ".join(sorted(known))
            hint = f"Write {near}." if near else f"Use one of: {options}." if options else "Add a section providers."
            message = f"there is no provider {quoted(name)}"
            view.report("settings.no-such-provider", where, message, hint, found=quoted(name), nearest=near)
    for where, kind in _each(rule.who.kind, (*path, "who", "kind")):
        if kind not in _KINDS:
            near = nearest(kind, _KINDS)
            message = f"there is no kind {quoted(kind)}; wanted: agent, human or service"
            view.report("settings.wrong-value", where, message, f"Write {near or 'human'}.", nearest=near)
    for key in _WHO:
        value = getattr(rule.who, key)
        if value is not None and not many(value):
            message = f"who.{key} is an empty list: nobody is in it"
            view.report("settings.empty-list", (*path, "who", key), message, f"Name at least one, or remove {key}.")
        for where, text in _each(value, (*path, "who", key)):
            if "*" in text and key not in ("provider", "kind"):
                message = f"{quoted(text)} is compared letter by letter; * stands for itself"
                view.warn("settings.no-wildcard", where, message, "Write the names out.")


def _provider(view: View, path: Path, rule: Rule) -> None:
    if rule.may is None or rule.who.provider is not None:
        return
    rests = [key for key in _OF_ONE_PROVIDER if getattr(rule.who, key) is not None]
    if rests and len(view.names("providers")) > 1:
        what = " and ".join(rests)
        message = f"{rule.id} rests on {what} and names no provider, while there are {len(view.names('providers'))}"
        hint = f"Add provider: to who: the {what} of one provider say nothing about another's."
        view.report("settings.provider-not-named", (*path, "who"), message, hint, at="key")
    if not any(getattr(rule.who, key) is not None for key in _WHO):
        message = f"{rule.id} lets everybody in whom a provider knows"
        view.warn("settings.anybody", (*path, "who"), message, "Say who, unless that is meant.", at="key")


def check_lambda(view: View) -> None:
    """Check that who may run a Lambda function gets a role that AWS knows."""
    everything = targets(view.settings, view.around.admin_actions)
    for place, rule in view.rules():
        over = {one for pattern in many(rule.may) for one in named(pattern, everything)}
        remote = sorted(
            name for name, function in view.settings.functions.items() if name in over and backend(function) == "lambda"
        )
        if not remote:
            continue
        path: Path = ("rules", place)
        if rule.as_ is None:
            message = f"{rule.id} lets {remote[0]} be run, which is in AWS, and gives no role to run it with"
            view.report("settings.role-needed", path, message, "Add as: ROLE.")
        for where, name in _each(rule.as_ if rule.roles_from is None else None, (*path, "as")):
            role = view.settings.roles.get(name)
            if role is not None and role.broker == "local":
                message = (
                    f"{name} comes from the broker local, whose sessions AWS does not take, and {remote[0]} is in AWS"
                )
                hint = f"Add broker: aws-web-identity to roles.{name}."
                view.warn("settings.local-role-in-aws", where, message, hint)
