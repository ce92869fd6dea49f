"""Shibboleth as a SAML provider, as universities and federations run it.

In the settings::

    providers:
      campus: {preset: shibboleth, metadata: idp/federation.xml, entity_id: "https://idp.example.edu/idp/shibboleth"}

Attributes go by the names of eduPerson (``urn:oid:…``). Entitlements are read as roles.
"""

from actas.identify.preset import Where
from actas.identify.saml_preset import SamlPreset

_EDU_MEMBER, _EDU_PERSON = "urn:oid:1.3.6.1.4.1.5923.1.5.1", "urn:oid:1.3.6.1.4.1.5923.1.1.1"

PRESET = SamlPreset(
    name="shibboleth",
    docs="docs/providers/shibboleth.md",
    metadata_example="https://idp.example.edu/idp/shibboleth",
    groups=Where(paths=(f"{_EDU_MEMBER}.1",)),  # isMemberOf
    roles=Where(paths=(f"{_EDU_PERSON}.7",)),  # eduPersonEntitlement
)
