"""Every way somebody who shows a SAML assertion is not believed, beyond what the library of SAML finds."""

from collections.abc import Collection

from actas.identify.errors import IdentifyError


class NoSamlProvider(IdentifyError):
    """The evidence names a provider that there is not, or that does not speak SAML."""

    code = "identify.no-saml-provider"
    hint = "Use one of the providers whose preset is a SAML one, by its name in the settings."

    def __init__(self, *, wanted: str, known: Collection[str]) -> None:
        """State which was named and which there are."""
        super().__init__(f"there is no SAML provider {wanted}; there is {', '.join(sorted(known)) or 'none'}")
