"""Every way this library fails; nothing else leaves it, whatever comes in.

No message holds a key, a token or a signature.
"""

from datetime import datetime

from actas.errors import ActasError


class SigV4Error(ActasError):
    """The root of this library's errors."""

    status = 403


class MalformedRequest(SigV4Error):
    """What is to be signed or verified is no request, or asks for what the standard does not allow."""

    code = "sigv4.malformed-request"
    hint = "Give the target, the headers and the times as they go over the wire; docs/libraries/sigv4.md shows them."
    status = 400

    def __init__(self, *, field: str, why: str) -> None:
        """Name the field and what is wrong with it; never its value."""
        self.field, self.why = field, why
        super().__init__(f"the {field} {why}")


class MissingSignature(SigV4Error):
    """Nobody signed the request."""

    code = "sigv4.missing-signature"
    hint = "Sign the request with credentials: by an Authorization header or by X-Amz- query parameters."

    def __init__(self) -> None:
        """State it."""
        super().__init__("the request has no signature")


class IncompleteSignature(SigV4Error):
    """The signature's parts are not all there, or not once, or not as the standard writes them."""

    code = "sigv4.incomplete-signature"
    hint = "Let an AWS SDK sign the request, and pass it on unchanged."
    status = 400

    def __init__(self, *, part: str, why: str) -> None:
        """Name the part and what is wrong with it."""
        self.part, self.why = part, why
        super().__init__(f"the signature's {part} {why}")


class UnsupportedAlgorithm(SigV4Error):
    """Signed by an algorithm other than AWS4-HMAC-SHA256."""

    code = "sigv4.unsupported-algorithm"
    hint = "Sign with AWS4-HMAC-SHA256; asymmetric signatures (SigV4A) are not verified here."
    status = 400

    def __init__(self) -> None:
        """Name the one that is wanted."""
        super().__init__("the request is not signed by AWS4-HMAC-SHA256")


class UnsignedHeader(SigV4Error):
    """A header that matters could have been put in by anybody."""

    code = "sigv4.unsigned-header"
    hint = "Sign Host and each X-Amz- header that is sent."

    def __init__(self, *, header: str) -> None:
        """Name the header."""
        self.header = header
        super().__init__(f"the header {header} is not signed")


class OutsideTime(SigV4Error):
    """Too old, too early, or past the end of a presigned URL."""

    code = "sigv4.outside-time"
    hint = "Sign anew; if it happens at once, compare the two hosts' clocks."

    def __init__(self, *, signed_at: datetime, now: datetime, why: str) -> None:
        """State when it was signed, when we looked, and which limit was passed."""
        self.signed_at, self.now = signed_at, now
        super().__init__(f"signed at {signed_at:%Y-%m-%dT%H:%M:%SZ}, now {now:%Y-%m-%dT%H:%M:%SZ}: {why}")


class WrongScope(SigV4Error):
    """Signed for another day, region or service."""

    code = "sigv4.wrong-scope"
    hint = "Sign for the day, the region and the service that are called."

    def __init__(self, *, part: str, wanted: str) -> None:
        """Name the part of the scope and what it must be."""
        self.part, self.wanted = part, wanted
        super().__init__(f"the credential scope's {part} is not {wanted}")


class BodyMismatch(SigV4Error):
    """The body is not the one whose hash was signed."""

    code = "sigv4.body-mismatch"
    hint = "Send the body that was signed; nothing between may change it."

    def __init__(self) -> None:
        """State it."""
        super().__init__("x-amz-content-sha256 is not the hash of the body")


class UnknownAccessKey(SigV4Error):
    """Nobody has this access key, or not with this session token."""

    code = "sigv4.unknown-access-key"
    hint = "Get new credentials; these were never issued here, or have ended."

    def __init__(self) -> None:
        """State it."""
        super().__init__("the access key is not known")


class BadSignature(SigV4Error):
    """The request is not what was signed, or was signed by another key."""

    code = "sigv4.bad-signature"
    hint = "Compare the canonical request with the signer's; check the secret key and what a proxy may have changed."

    def __init__(self) -> None:
        """State it; the right signature is not told."""
        super().__init__("the signature is not that of this request")
