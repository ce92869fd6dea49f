"""Microsoft Entra ID as a SAML provider: an enterprise application with SAML sign-on.

In the settings::

    providers:
      azure: {preset: entra-saml, metadata: idp/azure.xml}

The metadata has to be the application's own (``?appid=``), else it lists the tenant's keys alone. Facts: protocols.md,
1.8 and 9.3.
"""

from actas.identify.preset import Where
from actas.identify.saml_preset import MICROSOFT_MFA, TWO_FACTORS, SamlPreset

_IDENTITY = "http://schemas.microsoft.com/identity/claims"
_ROLES = "http://schemas.microsoft.com/ws/2008/06/identity/claims"

PRESET = SamlPreset(
    name="entra-saml",
    docs="docs/providers/entra-saml.md",
    metadata_example="https://login.microsoftonline.com/TENANT/federationmetadata/2007-06/federationmetadata.xml?appid=APP",
    subject=f"{_IDENTITY}/objectidentifier",  # the same in every application; the NameID differs by application (1.8)
    event_subject=f"{_IDENTITY}/objectidentifier",  # what Graph calls the user's id
    groups=Where(paths=(f"{_ROLES}/groups",)),
    # Beyond 150 groups the list is left out, and this points at Graph instead (1.8).
    overage=("http://schemas.microsoft.com/claims/groups.link",),
    roles=Where(paths=(f"{_ROLES}/role",)),
    tenant=Where(paths=(f"{_IDENTITY}/tenantid",)),
    contexts=TWO_FACTORS | {MICROSOFT_MFA},
    methods=("http://schemas.microsoft.com/claims/authnmethodsreferences",),
)
