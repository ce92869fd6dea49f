"""Identity providers' habits, as data; each is switched on by one visible line."""

from actas.identify.preset import Preset
from actas.identify.presets import keycloak, oidc

PRESETS: dict[str, Preset] = {
    preset.name: preset
    for preset in (
        keycloak.PRESET,
        oidc.PRESET,
    )
}
"""Each preset by its name in the settings."""


def names() -> tuple[str, ...]:
    """List what may stand behind ``preset:``."""
    return tuple(sorted(PRESETS))
