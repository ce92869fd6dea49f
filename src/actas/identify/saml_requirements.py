"""What the settings of a SAML provider must say, and must not; for `actas check` and for starting.

Pure: it looks at one provider and gives every shortcoming, with its key.
"""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Final
from urllib.parse import urlsplit

from actas.identify.saml_preset import FORMATS, NAME_ID, SamlPreset
from actas.identify.saml_profile import format_of
from actas.identify.shortcoming import Shortcoming
from actas.settings.schema import Claim, Provider, SamlRequest, SamlRequire, many
from actas.settings.values import Span

_OF_TOKENS: Final = (
    "issuer", "tenant", "tenants", "cloud", "version", "clients", "token", "typ", "algorithms", "keys", "scopes",
    "client", "lookup", "max_age",
)  # fmt: skip
_OF_SAML: Final = ("metadata", "metadata_certificate", "entity_id", "name_id", "passed_on")
_MUTABLE: Final = (
    "email", "emailaddress", "mail", "upn", "name", "givenname", "surname", "displayname", "username", "uid",
    "0.9.2342.19200300.100.1.1", "0.9.2342.19200300.100.1.3", "1.3.6.1.4.1.5923.1.1.1.6",
)  # fmt: skip
"""The ends of names of attributes whose values people and administrators change: uid, mail, eduPersonPrincipalName."""
_SIGN_IN_AT_AWS: Final = re.compile(
    r"https://(?:[a-z0-9-]{1,30}\.)?signin\.(?:aws\.amazon\.com|amazonaws-us-gov\.com|amazonaws\.cn)/(?:static/)?saml"
)
_MOST_LEEWAY: Final = timedelta(minutes=5)
_SHORTEST, _LONGEST = timedelta(minutes=1), timedelta(hours=1)


def saml_requirements(provider: Provider, preset: SamlPreset) -> tuple[Shortcoming, ...]:
    """Find everything wrong with *provider*, whose preset is a SAML one."""
    return tuple(one for check in _CHECKS for one in check(provider, preset))


def not_of_tokens(provider: Provider) -> Iterator[Shortcoming]:
    """Find what only SAML providers have, in one whose preset is none."""
    said = [key for key in _OF_SAML if getattr(provider, key) is not None]
    plain = {
        "require": provider.require == SamlRequire(),
        "request": provider.request == SamlRequest(),
        "idp_initiated": not provider.idp_initiated,
        "allow_sha1": not provider.allow_sha1,
        "old_ciphers": not provider.old_ciphers,
        "decryption": not provider.decryption,
        "sign_in": provider.sign_in == Span.read("15m"),
    }
    for key in (*said, *(key for key, is_plain in plain.items() if not is_plain)):
        hint = "Leave it out, or use a preset that speaks SAML."
        yield Shortcoming(key=key, message=f"means nothing to {provider.preset}, which does not speak SAML", hint=hint)


def _metadata(provider: Provider, preset: SamlPreset) -> Iterator[Shortcoming]:
    if not provider.metadata:
        hint = f"Give the provider's metadata, a file or an address, as in {preset.metadata_example}."
        yield Shortcoming(key="metadata", message="is missing", hint=hint)
        return
    if "://" not in provider.metadata:
        return
    try:
        parts = urlsplit(provider.metadata)
        good = parts.scheme in ("https", "http") and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        good = False
    if not good or parts.fragment:
        yield Shortcoming(key="metadata", message="is no address", hint="Write an https URL without a user name.")
    elif parts.scheme == "http" and not provider.private:
        hint = "Use https, or set `private: true` for a provider inside your network."
        yield Shortcoming(key="metadata", message="is http: anybody on the way could put keys of their own", hint=hint)


def _nothing_of_tokens(provider: Provider, preset: SamlPreset) -> Iterator[Shortcoming]:
    said = [key for key in _OF_TOKENS if getattr(provider, key) is not None]
    for key in (*said, *(("agent_clients",) if provider.agent_clients else ())):
        yield Shortcoming(key=key, message=f"means nothing to {preset.name}, which speaks SAML", hint="Leave it out.")


def _audience(provider: Provider, _preset: SamlPreset) -> Iterator[Shortcoming]:
    said = many(provider.audience)
    if len(said) > 1 or any(not one or "*" in one for one in said):
        hint = "Write the one name under which the provider knows this gateway, or leave it out."
        yield Shortcoming(key="audience", message="is not one entity id", hint=hint)


def _subject(provider: Provider, preset: SamlPreset) -> Iterator[Shortcoming]:
    subject, said = provider.subject, many(provider.name_id)
    if subject is not None and subject != NAME_ID and _end(subject) in _MUTABLE:
        hint = "Name an attribute that never changes and is never given again, or say name_id where the NameID is one."
        yield Shortcoming(key="subject", message="is a name that can change hands", hint=hint)
    if provider.name_id == () or any(not one for one in said):
        hint = f"List formats: {', '.join(FORMATS)}, or their URIs."
        yield Shortcoming(key="name_id", message="is empty", hint=hint)
    if any(format_of(one) == FORMATS["transient"] for one in said):
        hint = "Take persistent, and have the provider send it."
        yield Shortcoming(key="name_id", message="takes a name that is another at each sign-in", hint=hint)
    if preset.needs_subject and subject is None and not said:
        hint = "Name an attribute that never changes hands, or say `name_id: email` where addresses never do."
        yield Shortcoming(key="subject", message="is missing: this provider sends an e-mail address alone", hint=hint)
    if provider.address == "":
        hint = "Write the attribute's Name, or name-id."
        yield Shortcoming(key="address", message="names no attribute", hint=hint)
    if said and (subject or preset.subject) != NAME_ID:
        hint = "Leave it out, or write `subject: name-id`."
        yield Shortcoming(key="name_id", message="has no effect: an attribute names people", hint=hint)


def _end(name: str) -> str:
    """Give the last part of an attribute's name."""
    return name.lower().removeprefix("urn:oid:").rpartition("/")[2].rpartition(":")[2]


def _facts(provider: Provider, _preset: SamlPreset) -> Iterator[Shortcoming]:
    claims: dict[str, Claim | None] = {"groups": provider.groups, "roles": provider.roles}
    for key, claim in claims.items():
        if claim is not None and claim.lookup is not None:
            hint = "Leave it out: an assertion comes once, so there is no time to ask."
            yield Shortcoming(key=f"{key}.lookup", message="is not possible with SAML", hint=hint)
        if claim is not None and claim.claim is not None and not all(many(claim.claim)):
            yield Shortcoming(key=f"{key}.claim", message="names no attribute", hint="Write the attribute's Name.")
    if provider.service == {}:
        hint = "Name an attribute and its value, or leave it out."
        yield Shortcoming(key="service", message="names no attribute", hint=hint)


def _spans(provider: Provider, _preset: SamlPreset) -> Iterator[Shortcoming]:
    if provider.leeway.time > _MOST_LEEWAY:
        yield Shortcoming(key="leeway", message="is more than 5m", hint="Set the clocks right instead.")
    if not _SHORTEST <= provider.sign_in.time <= _LONGEST:
        yield Shortcoming(key="sign_in", message="is not between 1m and 1h", hint="Write a span such as 15m.")


def _passed_on(provider: Provider, _preset: SamlPreset) -> Iterator[Shortcoming]:
    """AWS takes assertions that are made for one of its sign-in addresses, and no others."""
    if provider.passed_on is not None and not _SIGN_IN_AT_AWS.fullmatch(provider.passed_on):
        hint = "Write https://signin.aws.amazon.com/saml, or the address with the region in front."
        yield Shortcoming(key="passed_on", message="is no sign-in address of AWS's", hint=hint)


def _old_ciphers(provider: Provider, _preset: SamlPreset) -> Iterator[Shortcoming]:
    if "tripledes-cbc" in provider.old_ciphers and provider.require.gcm_only:
        hint = "Remove it, or do not require gcm_only."
        yield Shortcoming(key="old_ciphers", message="has tripledes-cbc, and gcm_only refuses it", hint=hint)


_CHECKS = (_metadata, _nothing_of_tokens, _audience, _subject, _facts, _spans, _passed_on, _old_ciphers)
