"""Find rules that can never match, whoever calls."""

from actas.settings.meaning.view import View
from actas.settings.positions import Path
from actas.settings.schema import Provider, Rule, many

_SHARED = ("organizations", "common")
_CLAIMS = ("groups", "roles", "scopes")


def carries(view: View, provider: Provider) -> frozenset[str]:
    """Say which facts the tokens of *provider*, or its look-up, can give."""
    preset = view.around.presets.get(provider.preset)
    if preset is None:  # `providers` has said so; nothing more can be known
        return frozenset((*_CLAIMS, "clients", "tenants", "mfa"))
    found = set(preset.carries)
    for key in _CLAIMS:
        claim = getattr(provider, key)
        if claim is not None and (claim.claim is not None or claim.lookup is not None):
            found.add(key)
    if provider.client is not None and provider.client.claim is not None:
        found.add("clients")
    if provider.mfa is not None:
        found.add("mfa")
    return frozenset(found)


def check(view: View) -> None:
    """Report every ``may`` whose conditions none of its providers can ever make true."""
    for place, rule in view.rules():
        if rule.may is None:
            continue
        path: Path = ("rules", place)
        spoken = [name for name in many(rule.who.provider) if name in view.settings.providers]
        if rule.who.provider is None:
            spoken = list(view.settings.providers)
        if not spoken or any(view.sketch.is_spoiled(("providers", name)) for name in spoken):
            continue
        reasons = {name: _impossible(view, rule, view.settings.providers[name]) for name in spoken}
        if all(reasons.values()):
            name, reason = next(iter(reasons.items()))
            message = f"{rule.id} can never match: {name} {reason}"
            view.report("settings.never", path, message, "Correct the rule or the provider, or remove the rule.")


def _impossible(view: View, rule: Rule, provider: Provider) -> str | None:
    can = carries(view, provider)
    for key in (*_CLAIMS, "clients", "tenants"):
        if getattr(rule.who, key) is not None and key not in can:
            return f"never says anything of {key}; name the claim in providers, or have it looked up"
    if rule.when is not None and rule.when.mfa is not None and "mfa" not in can:
        return "never says anything of a second factor; name the values in providers: mfa"
    clients = many(provider.clients)
    if rule.who.clients is not None and clients and not set(many(rule.who.clients)) & set(clients):
        return "takes tokens of none of its clients"
    known = many(provider.tenants) or ((provider.tenant,) if provider.tenant not in (None, *_SHARED) else ())
    if rule.who.tenants is not None and known and not set(many(rule.who.tenants)) & set(known):
        return "takes tokens of none of its tenants"
    if many(rule.who.kind) == ("agent",) and not provider.agent_clients:
        return "knows no agents; name their clients in providers: agent_clients"
    return None
