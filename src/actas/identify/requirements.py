"""What the settings of a provider must say, and must not; for `actas check` and for starting.

Pure: it looks at one provider and gives every shortcoming, with its key, so that all can be shown at once.
"""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Final
from urllib.parse import urlsplit

from actas.identify.paths import parse_path
from actas.identify.preset import ASYMMETRIC, Preset
from actas.identify.presets import PRESETS, SAML_PRESETS, names
from actas.identify.saml_requirements import not_of_tokens, saml_requirements
from actas.identify.shortcoming import Shortcoming
from actas.settings.schema import Claim, Provider, many

MUTABLE: Final = frozenset(
    {"email", "mail", "upn", "preferred_username", "unique_name", "username", "name", "nickname"}
)
"""Names that people and administrators change, so that they name somebody else tomorrow (protocols.md, 1.2, 10.3)."""
_GUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SHARED: Final = ("common", "organizations")
_MOST_LEEWAY: Final = timedelta(minutes=5)  # RFC 9068, section 4: no more than a few minutes


def requirements(provider: Provider) -> tuple[Shortcoming, ...]:
    """Find everything wrong with *provider*."""
    if (speaks_saml := SAML_PRESETS.get(provider.preset)) is not None:
        return saml_requirements(provider, speaks_saml)
    preset = PRESETS.get(provider.preset)
    if preset is None:
        listed = ", ".join(names())
        return (Shortcoming(key="preset", message="is no preset", hint=f"Choose one of {listed}."),)
    return tuple(one for check in _CHECKS for one in check(provider, preset)) + tuple(not_of_tokens(provider))


def _issuer(provider: Provider, preset: Preset) -> Iterator[Shortcoming]:
    issuer = provider.issuer
    if issuer is None:
        if not preset.forms:
            yield Shortcoming(key="issuer", message="is missing", hint=f"Write it as in {preset.issuer_example}.")
        return
    if provider.keys is not None and provider.keys.url is None:  # nothing is fetched by it
        if not issuer or not issuer.isprintable():
            yield Shortcoming(key="issuer", message="is empty or has control characters", hint="Copy the token's iss.")
        return
    try:
        parts = urlsplit(issuer)
        good = bool(parts.hostname) and not (parts.query or parts.fragment or "@" in parts.netloc or "#" in issuer)
    except ValueError:
        good = False
    if not good or parts.scheme not in ("https", "http"):
        hint = "Write an https URL without user name, query and fragment, as the token's iss has it."
        yield Shortcoming(key="issuer", message="is no issuer URL", hint=hint)
    elif parts.scheme == "http" and not provider.private:
        hint = "Use https, or set `private: true` for a provider inside your network."
        yield Shortcoming(key="issuer", message="is http", hint=hint)
    elif preset.issuer_path and not re.fullmatch(preset.issuer_path, parts.path):
        hint = f"Write it as the token's iss has it, as in {preset.issuer_example}; a slash at the end counts."
        yield Shortcoming(key="issuer", message=f"has not the form of {preset.name}'s issuers", hint=hint)


def _audience(provider: Provider, preset: Preset) -> Iterator[Shortcoming]:
    audience, clients = many(provider.audience), many(provider.clients)
    by_client = preset.audience_in == "client" and (provider.token or preset.takes) == "access"
    if by_client and not clients and not audience:
        hint = "List the client ids whose tokens are taken; these tokens have no audience."
        yield Shortcoming(key="clients", message="is missing", hint=hint)
    if not by_client and not audience:
        hint = "Name the audience that the provider writes for this gateway; without it any token of it would pass."
        yield Shortcoming(key="audience", message="is missing", hint=hint)
    for key, values in (("audience", audience), ("clients", clients)):
        if any(not value or "*" in value for value in values):
            yield Shortcoming(key=key, message="has an empty or a wildcard value", hint="Write each value in full.")


def _tenants(provider: Provider, preset: Preset) -> Iterator[Shortcoming]:
    by_tenant = any("{tenant}" in form.issuer for form in preset.forms) and provider.issuer is None
    several = provider.tenants or ()
    if by_tenant and provider.tenant is None:
        hint = "Write the tenant's id, or `organizations` with an allow-list under `tenants`."
        yield Shortcoming(key="tenant", message="is missing", hint=hint)
    if by_tenant and provider.tenant in _SHARED and not several:
        hint = "List the ids of the tenants whose people may call; any tenant in the world could sign in otherwise."
        yield Shortcoming(key="tenants", message="is missing", hint=hint)
    if by_tenant and provider.tenant is not None and provider.tenant not in _SHARED and several:
        hint = "Set `tenant: organizations` to take several tenants."
        yield Shortcoming(key="tenant", message="is one tenant although `tenants` lists several", hint=hint)
    if by_tenant:
        ids = [*several, *(() if provider.tenant in (None, *_SHARED) else (provider.tenant or "",))]
        if any(not _GUID.fullmatch(one) for one in ids):
            hint = "Write the id as in 72f988bf-86f1-41af-91ab-2d7cd011db47, in lower case; a domain is not in tokens."
            yield Shortcoming(key="tenants" if several else "tenant", message="is no tenant id", hint=hint)
    if preset.worldwide and provider.issuer is None and not (provider.tenant or several or many(provider.clients)):
        hint = "List whom you take under `tenant`, `tenants` or `clients`: anybody can get a token for your audience."
        yield Shortcoming(key="tenant", message="is missing, and so is clients", hint=hint)
    for key, value in (("cloud", provider.cloud), ("version", provider.version)):
        if value is not None and not any(form.version for form in preset.forms):
            yield Shortcoming(key=key, message=f"means nothing to {preset.name}", hint="Leave it out.")
    if not preset.tenant.paths and not by_tenant and (provider.tenant is not None or several):
        hint = "Leave it out; this provider's tokens name no tenant."
        yield Shortcoming(key="tenant", message=f"means nothing to {preset.name}", hint=hint)


def _claims(provider: Provider, _preset: Preset) -> Iterator[Shortcoming]:
    if provider.subject is not None and provider.subject.rpartition(".")[2].lower() in MUTABLE:
        hint = "Name a claim that never changes and is never given again, such as sub or oid."
        yield Shortcoming(key="subject", message="is a name that can change hands", hint=hint)
    claims: dict[str, Claim | None] = {
        "groups": provider.groups,
        "roles": provider.roles,
        "scopes": provider.scopes,
        "client": provider.client,
    }
    paths = [(key, path) for key, claim in claims.items() if claim for path in many(claim.claim)]
    paths += [(key, path) for key in ("subject", "address") if (path := getattr(provider, key)) is not None]
    paths += [("service", path) for path in provider.service or {}]
    if provider.service == {}:
        yield Shortcoming(key="service", message="names no claim", hint="Name a claim and its value, or leave it out.")
    for key, path in paths:
        try:
            parse_path(path)
        except ValueError as wrong:
            yield Shortcoming(key=key, message="is no path of a claim", hint=f"Mind that {wrong}.")
    for key in ("roles", "scopes", "client"):
        if (claim := claims[key]) is not None and claim.lookup is not None:
            yield Shortcoming(key=f"{key}.lookup", message="is not possible", hint="Only groups are looked up.")
    if provider.client is not None and provider.client.absent is not None:
        hint = "Leave it out: a token without a client has none that a rule could name."
        yield Shortcoming(key="client.absent", message="means nothing", hint=hint)


def _lookup(provider: Provider, _preset: Preset) -> Iterator[Shortcoming]:
    wanted = provider.groups.lookup if provider.groups else None
    if wanted is not None and provider.lookup is None:
        hint = "Add `lookup: {id: …, secret: {env: …}}`, the client that may read groups."
        yield Shortcoming(key="lookup", message=f"is missing, and groups are looked up by {wanted}", hint=hint)
    if wanted == "google" and provider.lookup is not None and provider.lookup.admin is None:
        hint = "Name the administrator on whose behalf the directory is read."
        yield Shortcoming(key="lookup.admin", message="is missing", hint=hint)
    if wanted not in (None, "google") and provider.lookup is not None and provider.lookup.admin is not None:
        yield Shortcoming(key="lookup.admin", message=f"means nothing to {wanted}", hint="Leave it out.")
    if wanted is None and provider.lookup is not None:
        hint = "Say by what groups are looked up: `groups: {lookup: …}`; or leave `lookup` out."
        yield Shortcoming(key="lookup", message="is never used", hint=hint)


def _trust(provider: Provider, _preset: Preset) -> Iterator[Shortcoming]:
    unknown = [name for name in many(provider.algorithms) if name not in ASYMMETRIC]
    if unknown or provider.algorithms == ():
        hint = f"Choose among {', '.join(ASYMMETRIC)}; secrets that two sides share prove nothing about who signed."
        yield Shortcoming(key="algorithms", message="names an algorithm that is never taken, or none", hint=hint)
    if provider.typ == ():
        yield Shortcoming(key="typ", message="is empty", hint="List the types; '' stands for a token without typ.")
    if (keys := provider.keys) is not None and sum(one is not None for one in (keys.url, keys.file, keys.inline)) != 1:
        yield Shortcoming(key="keys", message="names no source or several", hint="Give one of url, file and inline.")
    if provider.leeway.time > _MOST_LEEWAY:
        yield Shortcoming(key="leeway", message="is more than 5m", hint="Set the clocks right instead.")
    if provider.stale.time <= timedelta():
        yield Shortcoming(key="stale", message="is nothing", hint="Say how long known keys are trusted: 24h.")


_CHECKS = (_issuer, _audience, _tenants, _claims, _lookup, _trust)
