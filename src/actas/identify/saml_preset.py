"""A SAML provider's habits as data: how its assertions name people, and where their groups, roles and tenant stand.

A preset holds no code; the settings of a provider override what they name. Attributes are named by their Name, or by
their FriendlyName where exactly one Name goes by it.
"""

from dataclasses import dataclass
from typing import Final

from actas.identify.preset import Where

NOWHERE: Final = Where()
NAME_ID: Final = "name-id"
"""The word for the NameID where an attribute could be named instead."""
_FORMAT: Final = "urn:oasis:names:tc:SAML:2.0:nameid-format:"
_FORMAT_1_1: Final = "urn:oasis:names:tc:SAML:1.1:nameid-format:"
PERSISTENT: Final = f"{_FORMAT}persistent"
FORMATS: Final = {
    "persistent": PERSISTENT,
    "transient": f"{_FORMAT}transient",
    "email": f"{_FORMAT_1_1}emailAddress",
    "unspecified": f"{_FORMAT_1_1}unspecified",
    "windows": f"{_FORMAT_1_1}WindowsDomainQualifiedName",
    "x509": f"{_FORMAT_1_1}X509SubjectName",
    "kerberos": f"{_FORMAT}kerberos",
}
"""Short words for the formats of SAML core 8.3."""
_CLASSES: Final = "urn:oasis:names:tc:SAML:2.0:ac:classes:"
REFEDS_MFA: Final = "https://refeds.org/profile/mfa"
MICROSOFT_MFA: Final = "http://schemas.microsoft.com/claims/multipleauthn"
TWO_FACTORS: Final = frozenset(
    {f"{_CLASSES}MobileTwoFactorContract", f"{_CLASSES}MobileTwoFactorUnregistered", REFEDS_MFA}
)
"""Authentication contexts that mean a second factor wherever they are used (SAML authentication contexts 3.4)."""
ONE_FACTOR: Final = frozenset(
    f"{_CLASSES}{name}"
    for name in (
        "Password",
        "PasswordProtectedTransport",
        "InternetProtocol",
        "InternetProtocolPassword",
        "PreviousSession",
    )
)
"""Those that say that there was none. The others, ``unspecified`` above all, say nothing of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SamlPreset:
    """What there is to know about one provider's assertions before seeing any."""

    name: str
    docs: str
    metadata_example: str
    """Where an administrator finds the metadata."""
    subject: str = NAME_ID
    """The attribute that names a person for ever; `NAME_ID` where that is the NameID."""
    event_subject: str | None = None
    """The attribute by which the provider's events name people; None where no attribute is what they name."""
    name_id: tuple[str, ...] = (PERSISTENT,)
    """The formats of NameID that are taken for a name that never changes hands."""
    needs_subject: bool = False
    """The provider has no such name of its own accord: the settings must say what names people."""
    groups: Where = NOWHERE
    roles: Where = NOWHERE
    tenant: Where = NOWHERE
    overage: tuple[str, ...] = ()
    """Attributes that, being there, say that there were too many groups to list."""
    contexts: frozenset[str] = TWO_FACTORS
    """Authentication contexts that mean a second factor."""
    methods: tuple[str, ...] = ()
    """Attributes that list how the person signed in; a value of `contexts` among them means a second factor."""
