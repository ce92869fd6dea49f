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


class SamlRefused(IdentifyError):
    """The document is not believed; what the library of SAML found is passed on."""

    code = "identify.saml-refused"
    hint = "See what is wrong with it: actas saml doctor FILE; the provider's page says what to change there."

    def __init__(self, *, provider: str, found: str, why: str) -> None:
        """State whose it claims to be, the library's code, and what it found."""
        self.provider, self.found = provider, found
        super().__init__(f"what came from {provider} is not believed: {why} [{found}]")


class SamlUnavailable(IdentifyError):
    """The provider's metadata cannot be had, so nothing of it can be verified."""

    code = "identify.saml-unavailable"
    hint = "Check the metadata that the provider's settings name; sign-ins work again as soon as it can be read."
    status = 503

    def __init__(self, *, provider: str, why: str) -> None:
        """State whose metadata, and why it cannot be used."""
        super().__init__(f"the metadata of {provider} cannot be used: {why}")


class NoStableName(IdentifyError):
    """The assertion names nobody in a way that can be relied on."""

    code = "identify.no-stable-name"
    hint = (
        "Let the provider send a name that never changes hands, as its page shows; or say under `subject` or `name_id` "
        "what names people there."
    )

    def __init__(self, *, why: str) -> None:
        """State what is missing; never the name."""
        super().__init__(f"the assertion names nobody for good: {why}")


class AssertionUsed(IdentifyError):
    """The same assertion was shown before, here or at another door or replica."""

    code = "identify.assertion-used"
    hint = "Sign in again: an assertion counts once. If nobody here used it before, somebody else has it."

    def __init__(self, *, provider: str) -> None:
        """State whose assertion it is."""
        super().__init__(f"the assertion of {provider} was used before")


class AwsAttributeRefused(IdentifyError):
    """An attribute for AWS that AWS would refuse."""

    code = "identify.aws-attribute-refused"
    hint = "Correct the attribute at the provider: docs/providers/saml.md says what AWS takes."

    def __init__(self, *, attribute: str, why: str) -> None:
        """State which attribute and what is wrong with it; never its value."""
        super().__init__(f"the attribute {attribute} {why}")


class SignInOver(IdentifyError):
    """What we made of an assertion does not count any more."""

    code = "identify.sign-in-over"
    hint = "Sign in again: actas login."

    def __init__(self, *, why: str) -> None:
        """State why it is over."""
        super().__init__(f"the sign-in is over: {why}")
