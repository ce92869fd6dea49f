"""Identity providers' habits, as data; each is switched on by one visible line."""

from actas.identify.preset import Preset
from actas.identify.presets import (
    adfs,
    auth0,
    cognito,
    entra,
    entra_saml,
    github_actions,
    google,
    google_saml,
    keycloak,
    keycloak_saml,
    kubernetes,
    oidc,
    okta,
    okta_saml,
    pingfederate,
    pingfederate_saml,
    pingone,
    saml,
    shibboleth,
)
from actas.identify.saml_preset import SamlPreset

PRESETS: dict[str, Preset] = {
    preset.name: preset
    for preset in (
        auth0.PRESET,
        cognito.PRESET,
        entra.PRESET,
        github_actions.PRESET,
        google.PRESET,
        keycloak.PRESET,
        kubernetes.PRESET,
        oidc.PRESET,
        okta.PRESET,
        pingfederate.PRESET,
        pingone.PRESET,
    )
}
"""Each preset of a provider of tokens by its name in the settings."""

SAML_PRESETS: dict[str, SamlPreset] = {
    preset.name: preset
    for preset in (
        adfs.PRESET,
        entra_saml.PRESET,
        google_saml.PRESET,
        keycloak_saml.PRESET,
        okta_saml.PRESET,
        pingfederate_saml.PRESET,
        saml.PRESET,
        shibboleth.PRESET,
    )
}
"""The same of providers that speak SAML."""


def names() -> tuple[str, ...]:
    """List what may stand behind ``preset:``."""
    return tuple(sorted({**PRESETS, **SAML_PRESETS}))
