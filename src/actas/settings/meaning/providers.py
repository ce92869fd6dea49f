"""Check identity providers: their preset and what it needs, issuer, keys, claims and look-ups."""

import re
from collections.abc import Iterator
from typing import Final

from actas.settings.meaning.addresses import Url, is_loopback, is_private, url
from actas.settings.meaning.gateway import span
from actas.settings.meaning.view import PresetFacts, View
from actas.settings.mistakes import nearest
from actas.settings.positions import Path
from actas.settings.schema import Claim, Provider, many
from actas.settings.secrecy import quoted

ALGORITHMS: Final = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519",
)  # fmt: skip
"""RFC 7518, section 3.1, RFC 8037 and RFC 9864, less what needs a shared secret, and less ``none``."""
_SHARED: Final = ("organizations", "common")


def check(view: View) -> None:
    """Check every provider, and all of them together."""
    for name, provider in view.settings.providers.items():
        path: Path = ("providers", name)
        facts = _preset(view, path, provider)
        if facts is not None:
            _needs(view, path, provider, facts)
            _issuer(view, path, provider, facts)
            _lookups(view, path, provider, facts)
        _tenants(view, path, provider)
        _lists(view, path, provider)
        _keys(view, path, provider)
        _spans(view, path, provider)
    _same_issuer(view)


def _preset(view: View, path: Path, provider: Provider) -> PresetFacts | None:
    facts = view.around.presets.get(provider.preset)
    if facts is None:
        known = sorted(view.around.presets)
        near = nearest(provider.preset, known)
        message = f"there is no preset {quoted(provider.preset)}"
        hint = f"Write {near}." if near else f"Use one of: {', '.join(known)}; oidc fits any standard provider."
        view.report("settings.unknown-preset", (*path, "preset"), message, hint, nearest=near)
    return facts


def _needs(view: View, path: Path, provider: Provider, facts: PresetFacts) -> None:
    instead = {"tenant": provider.issuer, "clients": provider.audience}
    for key in facts.needs:
        if getattr(provider, key) is None and instead.get(key) is None:
            message = f"{path[1]} has no {key}, which the preset {provider.preset} needs"
            hint = f"Add {key}." if key != "issuer" else f"Add issuer: {facts.issuer_example or 'its https URL'}."
            _lacks(view, path, key, message, hint)


def _lacks(view: View, path: Path, key: str, message: str, hint: str) -> None:
    """Report a missing key, unless something beside it may be that key misspelt."""
    if not view.sketch.is_spoiled(path):
        view.report("settings.missing-key", (*path, key), message, hint, at="key", wanted=key)


def _issuer(view: View, path: Path, provider: Provider, facts: PresetFacts) -> None:
    if provider.issuer is None or (provider.keys is not None and provider.keys.url is None):
        return  # with keys of our own nothing is fetched by it: any text may be an issuer
    where = (*path, "issuer")
    read = url(provider.issuer)
    if isinstance(read, str):  # OpenID Connect Discovery 1.0, section 2: scheme, host, port and path alone
        hint = f"Copy it from the provider's metadata, letter by letter, such as {facts.issuer_example or 'https://…'}."
        view.report("settings.bad-url", where, f"the issuer {read}", hint)
        return
    _reachable(view, path, where, read, private=provider.private, what="the issuer")
    if facts.issuer_path and not re.fullmatch(facts.issuer_path, read.path):
        message = f"the issuer {quoted(provider.issuer)} does not look like one of {provider.preset}"
        hint = f"Compare it with {facts.issuer_example}, the end included."
        view.report("settings.bad-issuer", where, message, hint, wanted=facts.issuer_example)


def _url(view: View, path: Path, where: Path, text: str, *, private: bool, what: str) -> None:
    read = url(text)
    if isinstance(read, str):
        view.report("settings.bad-url", where, f"{what} {read}", "Give its https URL.")
    else:
        _reachable(view, path, where, read, private=private, what=what)


def _reachable(view: View, path: Path, where: Path, read: Url, *, private: bool, what: str) -> None:
    if read.scheme != "https" and not (private or is_loopback(read.host)):
        message = f"{what} is not https: whoever is on the way could read and change what is said"
        view.report("settings.insecure-url", where, message, "Write https://.")
    elif is_private(read.host) and not private:
        message = f"{what} is at a private address"
        hint = f"Add private: true to providers.{path[1]} if that is meant."
        view.report("settings.private-address", where, message, hint)


def _tenants(view: View, path: Path, provider: Provider) -> None:
    shared = provider.tenant in _SHARED
    if shared and not provider.tenants:
        message = f"tenant: {provider.tenant} lets every organisation's people in"
        view.report(
            "settings.tenants-missing", (*path, "tenants"), message, "Add tenants: [the ids you take].", at="key"
        )
    if provider.tenants is not None and provider.tenant is not None and not shared:
        message = "tenants has no effect beside one tenant"
        hint = "Write tenant: organizations, or remove tenants."
        view.report("settings.no-effect", (*path, "tenants"), message, hint, at="key")


def _lists(view: View, path: Path, provider: Provider) -> None:
    for key in ("audience", "clients", "typ", "algorithms", "mfa", "tenants"):
        value = getattr(provider, key)
        if value is not None and (not many(value) or (key != "typ" and "" in many(value))):
            message = f"{key} is empty, so that nothing fits it"
            view.report("settings.empty-list", (*path, key), message, f"Name at least one, or remove {key}.")
    for place, name in _each(provider.algorithms, (*path, "algorithms")):
        if name and name not in ALGORITHMS:
            near = next((one for one in ALGORITHMS if one.lower() == name.lower()), None)
            hint = f"Write {near}." if near else f"Use some of: {', '.join(ALGORITHMS)}."
            view.report("settings.unknown-algorithm", place, f"{quoted(name)} is not taken", hint, nearest=near)


def _each(value: str | tuple[str, ...] | None, path: Path) -> Iterator[tuple[Path, str]]:
    """Give every text of *value*, with its place."""
    if isinstance(value, str):
        yield path, value
    else:
        for place, text in enumerate(value or ()):
            yield (*path, place), text


def _keys(view: View, path: Path, provider: Provider) -> None:
    keys, where = provider.keys, (*path, "keys")
    if keys is None:
        return
    if [keys.url, keys.file, keys.inline].count(None) != 2:
        view.report("settings.one-of", where, "keys come from exactly one of url, file and inline", "Keep one of them.")
    if keys.url is not None:
        _url(view, path, (*where, "url"), keys.url, private=provider.private, what="keys.url")


def _claims(provider: Provider) -> Iterator[tuple[str, Claim]]:
    for key in ("groups", "roles", "scopes", "client"):
        claim = getattr(provider, key)
        if claim is not None:
            yield key, claim


def _lookups(view: View, path: Path, provider: Provider, facts: PresetFacts) -> None:
    asked = [(key, claim.lookup) for key, claim in _claims(provider) if claim.lookup is not None]
    for key, lookup in asked:
        where = (*path, key, "lookup")
        if key != "groups":
            view.report("settings.no-effect", where, f"{key} are not looked up", "Remove lookup.", at="key")
        elif lookup != facts.lookup:
            hint = f"Write {facts.lookup}." if facts.lookup else "Remove lookup."
            message = f"{lookup} does not fit the preset {provider.preset}"
            view.report("settings.wrong-lookup", where, message, hint, nearest=facts.lookup)
    if asked and provider.lookup is None:
        message = f"{path[1]} asks the provider about {asked[0][0]} and has no client for it"
        hint = "Add lookup: {id: …, secret: {env: NAME}}."
        _lacks(view, path, "lookup", message, hint)
    if provider.lookup is not None and not asked:
        message = "lookup has no effect: no claim asks for it"
        view.warn("settings.no-effect", (*path, "lookup"), message, "Add groups: {lookup: …}, or remove it.", at="key")
    for key in ("token_url", "url"):
        text = getattr(provider.lookup, key, None)
        if text is not None:
            _url(view, path, (*path, "lookup", key), text, private=provider.private, what=f"lookup.{key}")


def _spans(view: View, path: Path, provider: Provider) -> None:
    span(view, (*path, "leeway"), provider.leeway, least=0, most=300)
    span(view, (*path, "stale"), provider.stale, least=1, most=30 * 86400)
    if provider.max_age is not None:
        span(view, (*path, "max_age"), provider.max_age, least=1, most=366 * 86400)


def _same_issuer(view: View) -> None:
    seen: dict[tuple[object, ...], str] = {}
    for name, provider in view.settings.providers.items():
        tenant = (provider.tenant, provider.cloud, provider.version)
        key: tuple[object, ...] = (provider.issuer,) if provider.issuer is not None else (provider.preset, *tenant)
        if provider.metadata is not None:
            key = ("saml", provider.metadata, provider.entity_id)
        if seen.setdefault(key, name) != name and view.around.presets.get(provider.preset):
            message = f"{name} has the same issuer as {seen[key]}; a token is taken to its provider by the issuer alone"
            hint = "Make one provider of them: audience and clients take lists."
            view.report("settings.same-issuer", ("providers", name), message, hint, at="key")
