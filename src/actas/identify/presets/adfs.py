"""Active Directory Federation Services as a SAML provider: a relying party trust.

In the settings::

    providers:
      ad: {preset: adfs, metadata: "https://fs.example.com/FederationMetadata/2007-06/FederationMetadata.xml"}

A claim rule has to issue the NameID in the format persistent, from an attribute that never changes. ADFS rolls its
signing certificate over by itself: give the address of its metadata, not a copy (protocols.md, 9.3).
"""

from actas.identify.preset import Where
from actas.identify.saml_preset import MICROSOFT_MFA, TWO_FACTORS, SamlPreset

_ROLES = "http://schemas.microsoft.com/ws/2008/06/identity/claims"

PRESET = SamlPreset(
    name="adfs",
    docs="docs/providers/adfs.md",
    metadata_example="https://fs.example.com/FederationMetadata/2007-06/FederationMetadata.xml",
    groups=Where(paths=("http://schemas.xmlsoap.org/claims/Group",)),
    roles=Where(paths=(f"{_ROLES}/role",)),
    contexts=TWO_FACTORS | {MICROSOFT_MFA},
    methods=("http://schemas.microsoft.com/claims/authnmethodsreferences",),
)
