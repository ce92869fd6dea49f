"""Check the settings as a whole: observing, and what is there and never used."""

from actas.settings.meaning.offers import offers
from actas.settings.meaning.targets import named, targets
from actas.settings.meaning.view import View
from actas.settings.schema import many


def check(view: View) -> None:
    """Check the mode, and warn of what nothing uses."""
    _observing(view)
    if not any(path[:1] == ("rules",) for path in view.sketch.spoiled):
        _unused(view)


def _observing(view: View) -> None:
    if view.settings.mode != "observe":
        return
    message = "mode: observe lets calls through that the rules refuse; they are only written down"
    view.warn("settings.observing", ("mode",), message, "Write mode: enforce when you have seen enough.")
    for name, function in view.settings.functions.items():
        if not function.own_authorization:
            message = f"{name} decides nothing by itself, so mode: observe would let everybody in"
            hint = "Add own_authorization: true where the backend decides by itself too, or write mode: enforce."
            view.report("settings.observe-unguarded", ("functions", name), message, hint, at="key")


def _unused(view: View) -> None:
    settings = view.settings
    if not settings.rules:
        view.warn("settings.no-rules", (), "there are no rules, so nobody may call anything", "Add rules.")
        return
    for name in sorted(view.names("roles") - {one for rule in settings.rules for one in offers(rule, settings.roles)}):
        message = f"no rule gives the role {name}"
        view.warn(
            "settings.role-unused", ("roles", name), message, f"Add as: {name} to a rule, or remove it.", at="key"
        )
    if all(rule.who.provider is not None for rule in settings.rules):
        spoken = {one for rule in settings.rules for one in many(rule.who.provider)}
        for name in sorted(view.names("providers") - spoken):
            message = f"no rule speaks of the provider {name}"
            hint = f"Add a rule with provider: {name}, or remove it."
            view.warn("settings.provider-unused", ("providers", name), message, hint, at="key")
    everything = targets(settings, ())
    over = {one for rule in settings.rules for pattern in many(rule.may) for one in named(pattern, everything)}
    for name, function in settings.functions.items():
        if name not in over and not any(f"{name}:{route}" in over for route in function.routes):
            message = f"no rule lets anybody run {name}"
            view.warn(
                "settings.function-unused", ("functions", name), message, f"Add a rule with may: [{name}].", at="key"
            )
