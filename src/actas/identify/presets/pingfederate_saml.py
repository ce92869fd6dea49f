"""PingFederate, and PingOne, as a SAML provider: a connection with an attribute contract.

In the settings::

    providers:
      ping: {preset: pingfederate-saml, metadata: idp/ping.xml}

The contract's ``SAML_SUBJECT`` becomes the NameID, in the format unspecified unless the connection uses pseudonyms; it
must be a name that never changes hands. Groups and roles are what the contract calls so. Facts: protocols.md, 1.8.
"""

from actas.identify.preset import Where
from actas.identify.saml_preset import FORMATS, PERSISTENT, SamlPreset

PRESET = SamlPreset(
    name="pingfederate-saml",
    docs="docs/providers/pingfederate-saml.md",
    metadata_example="idp/ping.xml",
    name_id=(PERSISTENT, FORMATS["unspecified"]),
    groups=Where(paths=("groups", "memberOf")),
    roles=Where(paths=("roles",)),
)
