"""List every ``may_not`` that a provider's silence decides (design.md, 1).

A ``may_not`` applies unless one of its conditions is known to be false. Where a provider's tokens say nothing of
what it asks, and that silence is not declared to mean an empty list, it therefore applies to all the provider's
callers. That is safe, and rarely what was meant.
"""

from actas.settings.meaning.matching import carries
from actas.settings.meaning.view import FACTS, View
from actas.settings.positions import Path
from actas.settings.schema import Provider, Rule, many


def check(view: View) -> None:
    """Warn of each such rule, once for each provider."""
    for place, rule in view.rules():
        if rule.may_not is None:
            continue
        asked = _asked(rule)
        if not asked or rule.who.subjects is not None or rule.who.kind is not None:
            continue
        for name, provider in view.settings.providers.items():
            if rule.who.provider is not None and name not in many(rule.who.provider):
                continue
            if not view.sketch.is_spoiled(("providers", name)) and all(_silent(view, provider, key) for key in asked):
                _decides(view, ("rules", place), rule, name, provider)


def _asked(rule: Rule) -> list[str]:
    asked = [key for key in FACTS if getattr(rule.who, key, None) is not None]
    if rule.when is not None and rule.when.mfa is not None:
        asked.append("mfa")
    return asked


def _silent(view: View, provider: Provider, key: str) -> bool:
    """Tell whether a token of *provider* may say nothing of *key*, and that leaves it unknown."""
    preset = view.around.presets.get(provider.preset)
    claim = getattr(provider, "client" if key == "clients" else key, None) if key not in ("mfa", "tenants") else None
    if claim is not None and claim.absent is not None and claim.lookup is None:
        return bool(claim.absent == "unknown")
    if claim is not None and claim.lookup is not None:
        return False
    return preset is not None and key not in preset.empty_when_absent


def _decides(view: View, path: Path, rule: Rule, name: str, provider: Provider) -> None:
    asked = _asked(rule)
    what = " and ".join(asked)
    never = [key for key in asked if key not in carries(view, provider)]
    if never:
        message = f"{rule.id} applies to everybody of {name}: its tokens never say anything of {' and '.join(never)}"
    else:
        message = f"{rule.id} applies to everybody of {name} whose token says nothing of {what}"
    claims = [key for key in asked if key in ("groups", "roles", "scopes")]
    if claims:
        hint = f"If silence means that there are none, write {claims[0]}: {{absent: empty}} in providers.{name}."
    else:
        hint = "Name the provider in who: where another one is meant; else leave it: unknown counts against the caller."
    view.warn("settings.absence-decides", path, message, hint)
