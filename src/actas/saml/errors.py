"""Every way that reading a SAML document, or the material to trust one, fails."""

import re
from collections.abc import Collection
from typing import ClassVar

from actas.errors import ActasError

_PLAIN = re.compile(r"[!-?A-~]{1,200}")  # printable ASCII but the space and the at sign of an address


def shown(value: str | None) -> str:
    """Show a protocol value that a stranger may have chosen, unless it could be more than that."""
    if value is None:
        return "nothing"
    return value if _PLAIN.fullmatch(value) else f"a value of {len(value)} characters"


def listed(values: Collection[str]) -> str:
    """Show the first few of *values*."""
    return ", ".join(shown(value) for value in sorted(values)[:8]) or "nothing"


class SamlError(ActasError):
    """A SAML document is not as it must be, or was asked about wrongly."""

    status: ClassVar[int] = 401


class AskedWrongly(SamlError):
    """The caller's own arguments make no sense; no document was looked at."""

    code = "saml.asked-wrongly"
    hint = "Correct the arguments of the call; docs/libraries/saml.md lists what each takes."
    status: ClassVar[int] = 500

    def __init__(self, *, argument: str, why: str) -> None:
        """Name the argument and what is wrong with it."""
        self.argument, self.why = argument, why
        super().__init__(f"the argument {argument} {why}")


class DocumentTooLarge(SamlError):
    """The document is larger, deeper or more crowded than we read."""

    code = "saml.document-too-large"
    hint = "Have the identity provider put less into the document; lists of groups are the usual cause."

    def __init__(self, *, what: str, limit: int) -> None:
        """Name what there is too much of, and how much is read."""
        self.what, self.limit = what, limit
        super().__init__(f"the document has more than {limit} {what}")


class MalformedDocument(SamlError):
    """The bytes are not the XML or base64 that SAML wants."""

    code = "saml.malformed-document"
    hint = "Pass the document on exactly as the identity provider sent it: UTF-8, well-formed, strict base64."

    def __init__(self, *, part: str, why: str) -> None:
        """Name the part and what is wrong with it."""
        self.part, self.why = part, why
        super().__init__(f"the {part} {why}")


class ForbiddenConstruct(SamlError):
    """The document uses a corner of XML that has no place in SAML and serves attacks."""

    code = "saml.forbidden-construct"
    hint = "Have the identity provider send plain elements, without document types or processing instructions."

    def __init__(self, *, construct: str) -> None:
        """Name the construct."""
        self.construct = construct
        super().__init__(f"the document has {construct}, which is refused wherever it stands")


class UnexpectedStructure(SamlError):
    """An element is missing, repeated, or where it must not be."""

    code = "saml.unexpected-structure"
    hint = "Compare the document with the SAML 2.0 schema; a forged document is put together like this too."

    def __init__(self, *, where: str, why: str) -> None:
        """Name the element and what is wrong about it."""
        self.where, self.why = where, why
        super().__init__(f"the {where} {why}")


class NotOneAssertion(SamlError):
    """A response must bring exactly one assertion, as its own child."""

    code = "saml.not-one-assertion"
    hint = "Have the identity provider send one assertion a response; several are how forged ones are smuggled in."

    def __init__(self, *, found: int) -> None:
        """State how many there are."""
        self.found = found
        super().__init__(f"the response has {found} assertions where exactly one is read")


class MisplacedAssertion(SamlError):
    """An assertion, or a response, stands where nothing of the kind belongs."""

    code = "saml.misplaced-assertion"
    hint = "Treat this as an attempt to forge a sign-in: a genuine document was wrapped into another one."

    def __init__(self, *, element: str, inside: str) -> None:
        """Name what was found and where."""
        self.element, self.inside = element, inside
        super().__init__(f"there is a further {element} inside {shown(inside)}")


class NotSigned(SamlError):
    """Nothing that is to be believed is signed."""

    code = "saml.not-signed"
    hint = "Switch on signing at the identity provider, for the assertion, the response or both."

    def __init__(self, *, what: str) -> None:
        """Name what is not signed."""
        self.what = what
        super().__init__(f"the {what} is not signed")


class SignatureRefused(SamlError):
    """The signature is not of the one form that we read."""

    code = "saml.signature-refused"
    hint = "Have the identity provider sign as SAML asks: one enveloped signature with exclusive canonicalisation."

    def __init__(self, *, why: str) -> None:
        """State what is wrong with its form."""
        self.why = why
        super().__init__(f"the signature is not in the form that is read: {why}")


class AlgorithmRefused(SamlError):
    """The document uses an algorithm that is not allowed."""

    code = "saml.algorithm-refused"
    hint = "Choose RSA or ECDSA with SHA-256 or more, and RSA-OAEP with AES, at the identity provider."

    def __init__(self, *, use: str, found: str | None) -> None:
        """State what for, and the algorithm."""
        self.use, self.found = use, found
        super().__init__(f"the {use} algorithm is {shown(found)}, which is not allowed")


class BadSignature(SamlError):
    """The signature does not hold under any key of the provider."""

    code = "saml.bad-signature"
    hint = "Fetch the identity provider's metadata again; if the certificate is there, the document was changed."

    def __init__(self, *, what: str, tried: int) -> None:
        """Name what was signed and how many keys were tried."""
        self.what, self.tried = what, tried
        super().__init__(f"the signature of the {what} holds under none of the {tried} keys that could have made it")


class BadDigest(SamlError):
    """The signature is genuine, but what it covers was changed."""

    code = "saml.bad-digest"
    hint = "Find out who changes the document on its way; re-formatting XML is enough to break it."

    def __init__(self, *, what: str) -> None:
        """Name what was changed."""
        self.what = what
        super().__init__(f"the {what} is not the one that was signed")


class NoDecryptionKey(SamlError):
    """Something is encrypted and we were given no key."""

    code = "saml.no-decryption-key"
    hint = "Give the provider's settings the private key of the certificate that the identity provider encrypts to."

    def __init__(self, *, what: str) -> None:
        """Name what is encrypted."""
        self.what = what
        super().__init__(f"the {what} is encrypted and there is no key to open it")


class DecryptionFailed(SamlError):
    """What is encrypted cannot be opened; why is not said, for an attacker would learn from it."""

    code = "saml.decryption-failed"
    hint = "Compare the certificate that the identity provider encrypts to with ours, and that it signs what it seals."

    def __init__(self) -> None:
        """Say the one sentence that there is."""
        super().__init__("what is encrypted cannot be opened, or is not what it must be")


class RequirementUnmet(SamlError):
    """The document is good, but not as good as the caller asked."""

    code = "saml.requirement-unmet"
    hint = "Change what the identity provider sends, or ask for less of it."

    def __init__(self, *, requirement: str) -> None:
        """Name the requirement."""
        self.requirement = requirement
        super().__init__(f"the document does not meet the requirement {requirement}")


class StatusNotSuccess(SamlError):
    """The identity provider says that it could not do as asked."""

    code = "saml.status-not-success"
    hint = "Look into the identity provider's log; its second status code says what it disliked."

    def __init__(self, *, codes: tuple[str, ...]) -> None:
        """State the status codes, outer first."""
        self.codes = codes
        super().__init__(f"the status is {', '.join(shown(code) for code in codes) or 'nothing'}")


class WrongVersion(SamlError):
    """The document is of another version of SAML."""

    code = "saml.wrong-version"
    hint = "Configure the identity provider for SAML 2.0."

    def __init__(self, *, found: str | None) -> None:
        """State the version."""
        self.found = found
        super().__init__(f"the version is {shown(found)}, and 2.0 is read")


class WrongIssuer(SamlError):
    """Somebody else says this than whom we trust for it."""

    code = "saml.wrong-issuer"
    hint = "Compare the entity id in the settings with the issuer that the identity provider writes, to the letter."

    def __init__(self, *, found: str | None, wanted: str) -> None:
        """State the issuer and the one we trust."""
        self.found, self.wanted = found, wanted
        super().__init__(f"the issuer is {shown(found)}, and {shown(wanted)} is trusted")


class WrongAudience(SamlError):
    """The assertion was made for somebody else."""

    code = "saml.wrong-audience"
    hint = "Set the audience at the identity provider to our entity id."

    def __init__(self, *, found: Collection[str], wanted: str) -> None:
        """State the audiences and ours."""
        self.found, self.wanted = tuple(found), wanted
        super().__init__(f"the audience is {listed(found)}, and {shown(wanted)} is ours")


class WrongDestination(SamlError):
    """The response was sent to another address."""

    code = "saml.wrong-destination"
    hint = "Set the assertion consumer service at the identity provider to our address, to the letter."

    def __init__(self, *, found: str | None, wanted: str) -> None:
        """State the destination and ours."""
        self.found, self.wanted = found, wanted
        super().__init__(f"the destination is {shown(found)}, and {shown(wanted)} is ours")


class WrongRecipient(SamlError):
    """The assertion was given out for another address."""

    code = "saml.wrong-recipient"
    hint = "Set the recipient at the identity provider to our assertion consumer service, to the letter."

    def __init__(self, *, found: str | None, wanted: str) -> None:
        """State the recipient and ours."""
        self.found, self.wanted = found, wanted
        super().__init__(f"the recipient is {shown(found)}, and {shown(wanted)} is ours")


class WrongRequest(SamlError):
    """The response answers another request than the one that was made."""

    code = "saml.wrong-request"
    hint = "Start the sign-in again from our side, in the same browser."

    def __init__(self, *, found: str | None, wanted: str | None) -> None:
        """State which request is answered and which is open."""
        self.found, self.wanted = found, wanted
        super().__init__(f"it answers the request {shown(found)}, and {shown(wanted)} is open")
