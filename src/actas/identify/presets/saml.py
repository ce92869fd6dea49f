"""Any provider that speaks SAML 2.0 as it is written.

In the settings::

    providers:
      partner: {preset: saml, metadata: idp/partner.xml}

It takes a persistent NameID for the person's name, and attributes called ``groups`` and ``roles``; say otherwise where
the provider does.
"""

from actas.identify.preset import Where
from actas.identify.saml_preset import SamlPreset

PRESET = SamlPreset(
    name="saml",
    docs="docs/providers/saml.md",
    metadata_example="idp/metadata.xml",
    groups=Where(paths=("groups",)),
    roles=Where(paths=("roles",)),
)
