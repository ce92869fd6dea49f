"""Where each identity provider keeps what must be changed: data for ``actas saml doctor``.

By the finding's code, in the words of the provider's own console.
"""

from typing import Final

_KEYCLOAK: Final = {
    "unsigned": "Clients > the client > Settings > Sign assertions: on.",
    "sha1": "Clients > the client > Settings > Signature algorithm: RSA_SHA256.",
    "certificate-not-in-metadata": "Realm settings > Keys has the active one; fetch protocol/saml/descriptor again.",
    "audience": "The client's id is the audience: name the client as our entity id.",
    "recipient": "Clients > the client > Advanced > Assertion Consumer Service POST Binding URL.",
    "encrypted": "Clients > the client > Keys > Encrypt assertions: import our certificate, or switch it off.",
    "missing-attribute": "Clients > the client > Client scopes > ...-dedicated > Add mapper.",
    "transient-name": "Clients > the client > Settings > Name ID format: persistent.",
}
_ENTRA: Final = {
    "unsigned": "Single sign-on > SAML Certificates > Edit > Signing Option: Sign SAML response and assertion.",
    "sha1": "Single sign-on > SAML Certificates > Edit > Signing Algorithm: SHA-256.",
    "certificate-not-in-metadata": "Fetch the App Federation Metadata Url, with its ?appid=, not the tenant's.",
    "audience": "Single sign-on > Basic SAML Configuration > Identifier (Entity ID).",
    "recipient": "Single sign-on > Basic SAML Configuration > Reply URL (Assertion Consumer Service URL).",
    "encrypted": "Token encryption: import our certificate, or deactivate it.",
    "missing-attribute": "Single sign-on > Attributes & Claims > Add a group claim, or a new claim.",
    "transient-name": "Single sign-on > Attributes & Claims > Unique User Identifier > Name identifier format.",
}
_OKTA: Final = {
    "unsigned": "General > SAML Settings > Show Advanced Settings > Assertion Signature: Signed.",
    "sha1": "General > SAML Settings > Show Advanced Settings > Signature and Digest Algorithm: SHA256.",
    "certificate-not-in-metadata": "Sign On > SAML Signing Certificates: one active; take its metadata again.",
    "audience": "General > SAML Settings > Audience URI (SP Entity ID).",
    "recipient": "General > SAML Settings > Single sign-on URL, used for Recipient and Destination too.",
    "encrypted": "General > SAML Settings > Show Advanced Settings > Assertion Encryption and its certificate.",
    "missing-attribute": "General > SAML Settings > Attribute Statements, or Group Attribute Statements.",
    "transient-name": "General > SAML Settings > Name ID format: Persistent.",
}
_PING: Final = {
    "unsigned": "SP Connection > Browser SSO > Protocol Settings > Signature Policy: sign the assertion.",
    "sha1": "SP Connection > Credentials > Digital Signature Settings > Signing Algorithm: RSA SHA256.",
    "certificate-not-in-metadata": "SP Connection > Credentials > Digital Signature Settings; export metadata again.",
    "audience": "SP Connection > General Info > Partner's Entity ID.",
    "recipient": "SP Connection > Browser SSO > Protocol Settings > Assertion Consumer Service URL.",
    "encrypted": "SP Connection > Browser SSO > Protocol Settings > Encryption Policy.",
    "missing-attribute": "SP Connection > Browser SSO > Assertion Creation > Attribute Contract, and its fulfilment.",
    "transient-name": "SP Connection > Browser SSO > Assertion Creation > Identity Mapping: Standard or Pseudonym.",
}
_ADFS: Final = {
    "unsigned": "Set-AdfsRelyingPartyTrust -TargetName NAME -SamlResponseSignature MessageAndAssertion",
    "sha1": "Relying Party Trusts > the trust > Properties > Advanced > Secure hash algorithm: SHA-256.",
    "certificate-not-in-metadata": "Service > Certificates > Token-signing; fetch FederationMetadata.xml again.",
    "audience": "Relying Party Trusts > the trust > Properties > Identifiers.",
    "recipient": "Relying Party Trusts > the trust > Properties > Endpoints > SAML Assertion Consumer Endpoints.",
    "encrypted": "Relying Party Trusts > the trust > Properties > Encryption.",
    "missing-attribute": "Relying Party Trusts > the trust > Edit Claim Issuance Policy.",
    "clock": "Set-AdfsRelyingPartyTrust -TargetName NAME -NotBeforeSkew 2",
}
_GOOGLE: Final = {
    "unsigned": "Apps > Web and mobile apps > the app > Service provider details > Signed response.",
    "certificate-not-in-metadata": "Apps > Web and mobile apps > the app > Download metadata.",
    "audience": "Apps > Web and mobile apps > the app > Service provider details > Entity ID.",
    "recipient": "Apps > Web and mobile apps > the app > Service provider details > ACS URL.",
    "missing-attribute": "Apps > Web and mobile apps > the app > SAML attribute mapping, and Group membership.",
}
_SHIBBOLETH: Final = {
    "unsigned": "conf/relying-party.xml: p:signAssertions or p:signResponses of SAML2.SSO.",
    "sha1": "conf/idp.properties: idp.signing.config, and idp.security.config.",
    "certificate-not-in-metadata": "credentials/idp-signing.crt and metadata/idp-metadata.xml must agree.",
    "audience": "conf/metadata-providers.xml: our entity id is what our metadata says.",
    "recipient": "conf/metadata-providers.xml: load our metadata again, for it names our doors.",
    "encrypted": "conf/relying-party.xml: p:encryptAssertions; it encrypts to the certificate in our metadata.",
    "missing-attribute": "conf/attribute-resolver.xml defines it, conf/attribute-filter.xml releases it to us.",
    "transient-name": "conf/saml-nameid.properties: idp.persistentId; and our metadata asks for it.",
}
PLACES: Final = {
    "keycloak-saml": ("Keycloak", _KEYCLOAK),
    "entra-saml": ("Entra ID", _ENTRA),
    "okta-saml": ("Okta", _OKTA),
    "pingfederate-saml": ("PingFederate", _PING),
    "adfs": ("AD FS", _ADFS),
    "google-saml": ("Google", _GOOGLE),
    "shibboleth": ("Shibboleth", _SHIBBOLETH),
}
"""By preset: the product's name, and where each thing is changed."""
_MARKS: Final = (
    ("://sts.windows.net/", "entra-saml"),
    ("://accounts.google.com/", "google-saml"),
    ("okta.com/", "okta-saml"),
    ("/realms/", "keycloak-saml"),
    ("/adfs/", "adfs"),
    ("/idp/shibboleth", "shibboleth"),
)


def preset_of(issuer: str) -> str | None:
    """Guess by an issuer which product it is; the settings know better where there are any."""
    return next((preset for mark, preset in _MARKS if mark in issuer), None)


def place(preset: str | None, code: str) -> str | None:
    """Say where at the provider a finding is mended."""
    name, places = PLACES.get(preset or "", ("", {}))
    return f"{name}: {places[code]}" if code in places else None
