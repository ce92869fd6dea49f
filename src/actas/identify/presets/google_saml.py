"""Google Workspace as a SAML provider: a custom web and mobile app.

In the settings::

    providers:
      google: {preset: google-saml, metadata: idp/google.xml, subject: employeeId}

The NameID is the primary e-mail address, which can change hands: map an attribute that cannot, and name it under
``subject``; or say ``name_id: email`` where an address is never given again. Facts: protocols.md, 1.8.
"""

from actas.identify.preset import Where
from actas.identify.saml_preset import SamlPreset

PRESET = SamlPreset(
    name="google-saml",
    docs="docs/providers/google-saml.md",
    metadata_example="idp/google.xml",
    needs_subject=True,
    groups=Where(paths=("groups",)),  # what the admin calls the app attribute of the group membership
    roles=Where(paths=("roles",)),
)
