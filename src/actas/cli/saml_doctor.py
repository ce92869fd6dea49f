"""``actas saml doctor``: what is wrong with a response or with metadata, in plain words, and where to change it."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from actas import saml
from actas.cli import DENIED, DONE, output, saml_asking
from actas.cli.options import HERE, Where
from actas.cli.places import Here
from actas.cli.saml_asking import SamlAsked
from actas.cli.saml_places import place, preset_of
from actas.identify.saml_aws import ROLE
from actas.settings.schema import many

_METADATA = (b"EntityDescriptor", b"EntitiesDescriptor")
_HEAD = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """What was found, at which product, and by whose settings."""

    what: str
    provider: str | None
    preset: str | None
    findings: tuple[saml.Finding, ...]


def doctor(
    file: Path, *, provider: str | None = None, at: str | None = None, where: Where = HERE, json: bool = False
) -> int:
    """Say what is wrong with a SAML response, or with a provider's metadata, and what to change at which provider.

    For example:
        actas saml doctor response.xml
        actas saml doctor response.b64 --provider ping --at 2026-11-23T09:00:00Z
        actas saml doctor metadata.xml

    Parameters
    ----------
    file:
        The document: XML, its base64, or the form that a browser sent; - reads standard input.
    provider:
        The provider in the settings that it comes from; by default the one whose entity id it has.
    at:
        When it would be shown: 2026-11-23T23:00:00Z, or 23:00 (UTC); by default now.
    json:
        Print one JSON object a finding.
    """
    import anyio

    xml, here = saml_asking.read_document(file), where.here()
    if any(mark in xml[:_HEAD] for mark in _METADATA):
        found = _of_metadata(xml, saml_asking.moment(at))
    else:
        found = anyio.run(_of_response, xml, provider, here, saml_asking.moment(at))
    if json:
        for one in found.findings:
            print(output.json_line(_data(one, found)))
    else:
        print(text(found))
    return DENIED if any(one.severity == "error" for one in found.findings) else DONE


def text(found: Examined) -> str:
    """Write the verdict, then each finding with what to do."""
    named = f" of the provider {found.provider}" if found.provider else ""
    wrong = sum(one.severity == "error" for one in found.findings)
    verdict = f"the {found.what}{named} is good" if not wrong else f"the {found.what}{named} would be refused"
    lines = [verdict]
    for one in found.findings:
        lines += ["", f"{one.severity}  {one.sentence}  [{one.code}]", f"  hint: {one.hint}"]
        if where := place(found.preset, one.code):
            lines.append(f"  at {where}")
    return output.plain("\n".join(lines))


def _data(one: saml.Finding, found: Examined) -> dict[str, object]:
    return {
        "severity": one.severity, "code": one.code, "sentence": one.sentence, "hint": one.hint,
        "where": place(found.preset, one.code),
    }  # fmt: skip


def _of_metadata(xml: bytes, now: datetime) -> Examined:
    entity_id = ""
    with contextlib.suppress(saml.SamlError, StopIteration):
        entity_id = next(one.entity_id for one in saml.Metadata.parse(xml, now=now).entities)
    return Examined(
        what="metadata", provider=None, preset=preset_of(entity_id), findings=saml.diagnose_metadata(xml, now=now)
    )


async def _of_response(xml: bytes, provider: str | None, here: Here, now: datetime) -> Examined:
    issuers = _issuers(xml)
    asked = saml_asking.ask(here) if provider is not None or here.settings.is_file() else None
    name = provider if provider is not None or asked is None else await _whose(asked, issuers, now)
    if asked is None or name is None:
        findings = saml.diagnose(xml, saml.Wanted(trust=None, now=now))
        preset = next((found for one in issuers if (found := preset_of(one))), None)
        return Examined(what="response", provider=None, preset=preset, findings=findings)
    profile = asked.providers.profile(name)
    known = await asked.providers.known(name, now=now)
    findings = saml.diagnose(
        xml,
        saml.Wanted(
            trust=known.trust,
            audience=profile.audience,
            recipients=(profile.doors.acs, profile.doors.token),
            attributes=_needed(asked, name),
            now=now,
            leeway=profile.leeway,
            allow_sha1=profile.allow_sha1,
            old_ciphers=profile.old_ciphers,
            decryption_keys=asked.providers.decryption_keys(name),
            require=asked.providers.require(name),
        ),
    )
    return Examined(what="response", provider=name, preset=profile.preset.name, findings=findings)


def _issuers(xml: bytes) -> Sequence[str]:
    try:
        return saml.look(xml).issuers
    except saml.SamlError:
        return ()


async def _whose(asked: SamlAsked, issuers: Sequence[str], now: datetime) -> str | None:
    """Find the provider of the settings that has this entity id."""
    for name in asked.providers.names:
        known = await asked.providers.known(name, now=now)
        if known.entity.entity_id in issuers:
            return name
    return None


def _needed(asked: SamlAsked, name: str) -> tuple[str, ...]:
    """List the attributes that the rules of this provider rest on: one of those that may hold each fact."""
    profile = asked.providers.profile(name)
    rules = [one for one in asked.asked.settings.rules if name in many(one.who.provider)]
    who = [one.who for one in rules]
    needed: list[str] = []
    if any(one.groups for one in who):
        needed += profile.groups.attributes[:1]
    if any(one.roles for one in who):
        needed += profile.roles.attributes[:1]
    if any(one.roles_from is not None for one in rules):
        needed.append(ROLE)
    return tuple(needed)
