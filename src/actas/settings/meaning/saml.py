"""Check SAML providers: their metadata, what is weaker than it should be, and rules that rest on assertions."""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Final

from actas.settings.meaning.offers import account_of, fits
from actas.settings.meaning.view import View
from actas.settings.positions import Path
from actas.settings.schema import Provider, Rule, Texts, many
from actas.settings.secrecy import quoted

AHEAD: Final = timedelta(days=30)
"""How long before its end a certificate is told of (protocols.md, 9.3)."""
_ACCOUNT: Final = 12


def check(view: View) -> None:
    """Check every provider that speaks SAML, and every rule that takes roles from assertions."""
    for name, provider in view.settings.providers.items():
        if _speaks(view, name):
            _weak(view, ("providers", name), provider)
            _metadata(view, ("providers", name), provider)
    for place, rule in view.rules():
        _rule(view, ("rules", place), rule)


def _speaks(view: View, name: str) -> bool:
    provider = view.settings.providers.get(name)
    facts = None if provider is None else view.around.presets.get(provider.preset)
    return facts is not None and facts.speaks_saml


def _weak(view: View, path: Path, provider: Provider) -> None:
    if provider.allow_sha1:
        message = f"{path[1]} may sign with SHA-1 and short keys, for which somebody else's document can be made to fit"
        hint = "Have the provider sign with SHA-256, and remove allow_sha1."
        view.warn("settings.sha1-allowed", (*path, "allow_sha1"), message, hint)
    if provider.old_ciphers:
        message = (
            f"{path[1]} may encrypt with {' and '.join(provider.old_ciphers)}, by whose errors a stranger can decrypt"
        )
        hint = "Have the provider encrypt with RSA-OAEP and AES-GCM, and remove old_ciphers."
        view.warn("settings.old-ciphers", (*path, "old_ciphers"), message, hint)


def _metadata(view: View, path: Path, provider: Provider) -> None:
    """Read metadata that is a file; what comes from an address is looked at when it comes."""
    file = None if provider.metadata is None or "://" in provider.metadata else view.file(provider.metadata)
    if file is None or file.content is None or view.around.today is None:
        return
    from actas import saml

    now = datetime.combine(view.around.today, time(), UTC)
    pinned = None if provider.metadata_certificate is None else view.file(provider.metadata_certificate)
    certificates = () if pinned is None or pinned.content is None else (pinned.content,)
    try:
        found = saml.Metadata.parse(file.content, now=now, certificates=certificates, allow_sha1=provider.allow_sha1)
        providers = [one for one in found.entities if one.is_idp]
        chosen = [one for one in providers if provider.entity_id in {None, one.entity_id}]
        if len(chosen) != 1:
            raise saml.NoSuchEntity(wanted=provider.entity_id, found=tuple(one.entity_id for one in providers))
        saml.Trust.from_entity(chosen[0])
    except saml.SamlError as wrong:
        view.report("settings.bad-metadata", (*path, "metadata"), f"the metadata of {path[1]}: {wrong}", wrong.hint)
        return
    for one in chosen[0].expiring(now + AHEAD):
        message = f"a certificate in the metadata of {path[1]} ends on {one.not_after:%Y-%m-%d}"
        hint = (
            "Ask the provider for metadata that holds its next certificate too; the key counts until it is taken out."
        )
        view.warn("settings.certificate-ends", (*path, "metadata"), message, hint)


def _rule(view: View, path: Path, rule: Rule) -> None:
    if rule.roles_from is None:
        if rule.accounts is not None:
            message = f"accounts has no effect on {rule.id}, which does not take its roles from assertions"
            view.report("settings.no-effect", (*path, "accounts"), message, "Add roles_from, or remove it.", at="key")
        return
    if rule.may is None:
        message = f"{rule.id} forbids, so there is nobody to be: roles_from has no effect"
        view.report("settings.as-without-may", (*path, "roles_from"), message, "Remove it, or write may.", at="key")
    for key, value, hint in (
        ("as", rule.as_, "List the roles that may be taken: names, or patterns of names (finance-*)."),
        ("accounts", rule.accounts, "List the AWS accounts whose roles may be taken."),
    ):
        if not many(value):
            message = f"{rule.id} takes its roles from assertions and has no {key}"
            view.report("settings.missing-key", (*path, key), message, hint, at="key", wanted=key)
    for where, account in _each(rule.accounts, (*path, "accounts")):
        if len(account) != _ACCOUNT or not (account.isascii() and account.isdigit()):
            message = f"{quoted(account)} is no AWS account"
            view.report("settings.bad-account", where, message, "Write its twelve digits in quotes.")
    _patterns(view, path, rule)
    _of_saml(view, path, rule)


def _patterns(view: View, path: Path, rule: Rule) -> None:
    accounts = frozenset(many(rule.accounts))
    for where, pattern in _each(rule.as_, (*path, "as")):
        named = [role for name, role in view.settings.roles.items() if fits(name, pattern)]
        if not named and not any(fits(name, pattern) for name in view.names("roles")):
            message = f"{quoted(pattern)} fits no role of the settings"
            hint = "Add the roles that assertions may claim to the section roles, or correct the pattern."
            view.report("settings.no-such-role", where, message, hint, found=quoted(pattern))
        elif named and accounts and not any(account_of(role.arn) in accounts for role in named):
            message = f"{quoted(pattern)} fits roles of other accounts only"
            hint = "List their account under accounts, or correct the pattern."
            view.warn("settings.other-account", where, message, hint)


def _of_saml(view: View, path: Path, rule: Rule) -> None:
    """Only SAML providers send assertions."""
    named = many(rule.who.provider)
    others = sorted(name for name in named if name in view.settings.providers and not _speaks(view, name))
    if others:
        message = f"{rule.id} takes its roles from assertions, and {others[0]} does not speak SAML"
        hint = "Name SAML providers in who, or write as without roles_from."
        view.report("settings.not-saml", (*path, "who", "provider"), message, hint)
    if not named:
        message = f"{rule.id} takes its roles from assertions and names no provider"
        hint = "Add provider: to who: what one provider may claim says nothing of another."
        view.report("settings.provider-not-named", (*path, "who"), message, hint, at="key")


def _each(value: Texts | None, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str):
        yield path, value
    else:
        for place, text in enumerate(value or ()):
            yield (*path, place), text
