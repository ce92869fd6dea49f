"""Keycloak 26 as a SAML provider: a client of type SAML in a realm.

In the settings::

    providers:
      corp: {preset: keycloak-saml, metadata: "https://sso.example.com/realms/corp/protocol/saml/descriptor"}

Facts: protocols.md, 1.8; real-parts.md, 1.
"""

from actas.identify.preset import Where
from actas.identify.saml_preset import SamlPreset

PRESET = SamlPreset(
    name="keycloak-saml",
    docs="docs/providers/keycloak-saml.md",
    metadata_example="https://sso.example.com/realms/corp/protocol/saml/descriptor",
    # The client's default format is the user name, which can change hands; `persistent` is a UUID of the realm (1.8).
    groups=Where(paths=("groups", "member")),  # the mapper's default attribute is `member` (1.8)
    roles=Where(paths=("Role",)),  # one Attribute element a role, all of one Name: their values are joined (1.8)
)
