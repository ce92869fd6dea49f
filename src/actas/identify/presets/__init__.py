"""Identity providers' habits, as data; each is switched on by one visible line."""

from actas.identify.preset import Preset
from actas.identify.presets import (
    auth0,
    cognito,
    entra,
    github_actions,
    google,
    keycloak,
    kubernetes,
    oidc,
    okta,
    pingfederate,
    pingone,
)

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
"""Each preset by its name in the settings."""


def names() -> tuple[str, ...]:
    """List what may stand behind ``preset:``."""
    return tuple(sorted(PRESETS))
