"""How the content of a genuine assertion, and metadata, fail."""

from datetime import datetime

from actas.saml.errors import SamlError, shown


class NotYetValid(SamlError):
    """The assertion will be good later."""

    code = "saml.not-yet-valid"
    hint = "Compare this host's clock with the identity provider's."

    def __init__(self, *, valid_from: datetime, now: datetime) -> None:
        """State from when it is valid and when we looked."""
        self.valid_from, self.now = valid_from, now
        seconds = int((valid_from - now).total_seconds())
        super().__init__(f"the assertion is valid in {seconds} s, from {valid_from:%Y-%m-%dT%H:%M:%SZ}")


class AssertionExpired(SamlError):
    """The assertion was good once."""

    code = "saml.assertion-expired"
    hint = "Sign in again. If it happens at once, compare this host's clock with the identity provider's."

    def __init__(self, *, what: str, ended_at: datetime, now: datetime) -> None:
        """State which of its dates has passed, when, and when we looked."""
        self.what, self.ended_at, self.now = what, ended_at, now
        seconds = int((now - ended_at).total_seconds())
        super().__init__(f"the {what} ended {seconds} s ago, at {ended_at:%Y-%m-%dT%H:%M:%SZ}")


class MessageNotFresh(SamlError):
    """A logout message is too old, or comes from the future."""

    code = "saml.message-not-fresh"
    hint = "Start the sign-out again. If it happens at once, compare this host's clock with the identity provider's."

    def __init__(self, *, what: str, issued_at: datetime, ended_at: datetime, now: datetime) -> None:
        """State when it was issued, until when it counted, and when we looked."""
        self.what, self.issued_at, self.ended_at, self.now = what, issued_at, ended_at, now
        form = "%Y-%m-%dT%H:%M:%SZ"
        super().__init__(
            f"the {what} counts from {issued_at:{form}} until {ended_at:{form}}, and now it is {now:{form}}"
        )


class NotConfirmed(SamlError):
    """No subject confirmation lets the bearer of the assertion use it."""

    code = "saml.not-confirmed"
    hint = "Have the identity provider confirm the subject by bearer, with Recipient and NotOnOrAfter."

    def __init__(self, *, why: str) -> None:
        """State what is missing."""
        self.why = why
        super().__init__(f"the subject is not confirmed: {why}")


class HolderOfKeyRefused(SamlError):
    """The assertion is for whoever proves a key, which we cannot ask for."""

    code = "saml.holder-of-key-refused"
    hint = "Have the identity provider confirm the subject by bearer; holder-of-key is not supported."

    def __init__(self) -> None:
        """Say so."""
        super().__init__("the subject is confirmed by holder-of-key alone, and no key was proven")


class UnknownCondition(SamlError):
    """The assertion has a condition that we cannot weigh, so it counts as not met."""

    code = "saml.unknown-condition"
    hint = "Have the identity provider leave the condition out."  # SAML core 2.5.1.1: indeterminate is not valid

    def __init__(self, *, condition: str) -> None:
        """Name the condition."""
        self.condition = condition
        super().__init__(f"the condition {shown(condition)} is unknown")


class WrongAuthnContext(SamlError):
    """The subject signed in by other means than the caller asked for."""

    code = "saml.wrong-authn-context"
    hint = "Ask for the authentication context in the request, and have the identity provider honour it."

    def __init__(self, *, found: str | None, wanted: tuple[str, ...]) -> None:
        """State the context and those allowed."""
        self.found, self.wanted = found, wanted
        allowed = ", ".join(shown(one) for one in wanted)
        super().__init__(f"the authentication context is {shown(found)}; allowed are {allowed}")


class AmbiguousAttribute(SamlError):
    """Several attributes share the friendly name that was asked for."""

    code = "saml.ambiguous-attribute"
    hint = "Ask for the attribute by its full name."

    def __init__(self, *, name: str) -> None:
        """State the friendly name."""
        self.name = name
        super().__init__(f"several attributes have the friendly name {shown(name)}")


class BadCertificate(SamlError):
    """A certificate or key cannot be used."""

    code = "saml.bad-certificate"
    hint = "Give a certificate or public key in PEM or DER: RSA from 2048 bits, or P-256, P-384 or P-521."
    status = 500

    def __init__(self, *, why: str) -> None:
        """State what is wrong with it."""
        self.why = why
        super().__init__(f"the certificate {why}")


class WeakKey(SamlError):
    """All keys of the provider are too short."""

    code = "saml.weak-key"
    hint = "Have the identity provider sign with RSA of 2048 bits or more; allow_sha1 lets old ones in."

    def __init__(self, *, bits: int, wanted: int) -> None:
        """State the longest key's size and the least that is read."""
        self.bits, self.wanted = bits, wanted
        super().__init__(f"the longest key of the provider has {bits} bits, and {wanted} are the least")


class MetadataExpired(SamlError):
    """The metadata was good once."""

    code = "saml.metadata-expired"
    hint = "Fetch the metadata again; if it stays old, ask whoever publishes it."
    status = 502

    def __init__(self, *, valid_until: datetime, now: datetime) -> None:
        """State until when it was valid and when we looked."""
        self.valid_until, self.now = valid_until, now
        seconds = int((now - valid_until).total_seconds())
        super().__init__(f"the metadata ended {seconds} s ago, at {valid_until:%Y-%m-%dT%H:%M:%SZ}")


class NoSuchEntity(SamlError):
    """The metadata does not say whom it should be read for."""

    code = "saml.no-such-entity"
    hint = "Name one of the metadata's identity providers as entity_id."
    status = 500

    def __init__(self, *, wanted: str | None, found: tuple[str, ...]) -> None:
        """State which was asked for and which there are."""
        self.wanted, self.found = wanted, found
        there = ", ".join(shown(one) for one in found[:8]) or "none"
        super().__init__(f"the metadata's identity providers are {there}; asked for was {shown(wanted)}")


class NoSigningKey(SamlError):
    """The metadata names no key that we can verify with."""

    code = "saml.no-signing-key"
    hint = "Ask the identity provider for metadata with its signing certificate."
    status = 500

    def __init__(self, *, refused: int) -> None:
        """State how many certificates there were that could not be used."""
        self.refused = refused
        super().__init__(f"there is no usable signing certificate; {refused} could not be read")
