"""Okta as a SAML provider: an application integration of type SAML 2.0.

In the settings::

    providers:
      okta: {preset: okta-saml, metadata: "https://example.okta.com/app/exk1/sso/saml/metadata"}

Okta sends no groups of its own accord: a group attribute statement has to be added, here called ``groups``. Facts:
protocols.md, 1.8.
"""

from actas.identify.preset import Where
from actas.identify.saml_preset import SamlPreset

PRESET = SamlPreset(
    name="okta-saml",
    docs="docs/providers/okta-saml.md",
    metadata_example="https://example.okta.com/app/exk1/sso/saml/metadata",
    groups=Where(paths=("groups",)),
    roles=Where(paths=("roles",)),
)
