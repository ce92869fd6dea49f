"""Tell the settings' checks what they need to know of each preset."""

from actas.identify.preset import Preset
from actas.identify.presets import PRESETS, SAML_PRESETS
from actas.identify.saml_preset import SamlPreset
from actas.model.identity import Kind
from actas.settings.checks import PresetFacts
from actas.settings.schema import Provider


def preset_facts() -> dict[str, PresetFacts]:
    """Give each preset's facts by its name, for `actas.settings.checks.Surroundings`."""
    told = {name: _facts(preset) for name, preset in PRESETS.items()}
    return told | {name: _saml_facts(preset) for name, preset in SAML_PRESETS.items()}


def ends_by_events(provider: Provider) -> bool:
    """Tell whether a provider's events name people by what its tokens name them by.

    Where they do not, an event finds nobody's tokens, and access ends by expiry only.
    """
    preset = PRESETS.get(provider.preset) or SAML_PRESETS[provider.preset]
    return provider.address is not None or (provider.subject or preset.subject) == preset.event_subject


def _saml_facts(preset: SamlPreset) -> PresetFacts:
    read = {"groups": preset.groups, "roles": preset.roles, "tenants": preset.tenant}
    return PresetFacts(
        needs=("metadata",),
        carries=frozenset({"mfa", *(fact for fact, where in read.items() if where.paths)}),
        empty_when_absent=frozenset(fact for fact, where in read.items() if where.absent == "empty"),
        subject=preset.subject,
        event_subject=preset.event_subject,
        speaks_saml=True,
    )


def _facts(preset: Preset) -> PresetFacts:
    by_tenant = any("{tenant}" in form.issuer for form in preset.forms)
    needs = [] if preset.forms else ["issuer"]
    needs += ["tenant"] if by_tenant else []
    needs.append("clients" if preset.audience_in == "client" else "audience")
    read = {
        "groups": preset.groups,
        "roles": preset.roles,
        "scopes": preset.scopes,
        "clients": preset.client,
        "tenants": preset.tenant,
    }
    carries = {fact for fact, where in read.items() if where.paths}
    if preset.kind is not Kind.SERVICE:  # nobody signs in where only programs call
        carries.add("mfa")
    return PresetFacts(
        needs=tuple(needs),
        issuer_path=preset.issuer_path,
        issuer_example=preset.issuer_example,
        carries=frozenset(carries),
        empty_when_absent=frozenset(fact for fact, where in read.items() if where.absent == "empty"),
        lookup=preset.lookup,
        subject=preset.subject,
        event_subject=preset.event_subject,
    )
