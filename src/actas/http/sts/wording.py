"""What callers are told when something is not done: each of our errors by the code that AWS has for it. Pure.

Of a token that is not believed STS tells more than our other doors tell strangers, because its clients act on the
code: they get a new token where it has expired, and try again where the provider could not be asked. Which providers
there are, and what they are asked, is not told.
"""

from datetime import timedelta
from typing import Final

from actas import sigv4
from actas.assume.errors import LastsTooLong
from actas.errors import ActasError
from actas.http.problems import Head
from actas.http.signature_errors import SignatureOutsideTime
from actas.http.sts import answers
from actas.http.sts.errors import StsError
from actas.identify.saml_errors import SamlRefused

Said = tuple[int, str, str]
"""Status, code, message."""
_SKEW: Final = timedelta(minutes=5)
_MISMATCH: Final = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key "
    "and signing method. Consult the service documentation for details."
)
_INVALID: Final = (403, "InvalidClientTokenId", "The security token included in the request is invalid")
_EXPIRED: Final = (403, "ExpiredToken", "The security token included in the request is expired")
_UNAVAILABLE: Final = (503, "ServiceUnavailable", "The service cannot answer just now; try again in a moment")
_RATE: Final = (400, "Throttling", "Rate exceeded")
_UNBELIEVED: Final = (400, "InvalidIdentityToken", "The token or the assertion is not valid here")
_ENDED: Final = (400, "ExpiredTokenException", "Token expired: its time is over, or it lives no longer than it may")

SAID: Final[dict[str, Said]] = {
    "http.signature-missing": (403, "MissingAuthenticationToken", "Request is missing Authentication Token"),
    "http.signature-wrong": (403, "SignatureDoesNotMatch", _MISMATCH),
    "http.signature-unknown-key": _INVALID,
    "http.signature-session-ended": _EXPIRED,
    "http.signature-session-revoked": _EXPIRED,  # what makes SDKs get a new session
    "http.signature-revocations-unread": _UNAVAILABLE,
    "http.too-many-calls": _RATE,
    "http.request-too-large": (413, "RequestEntityTooLarge", "The request is larger than this service takes"),
    "http.request-too-slow": (408, "RequestTimeout", "The request did not arrive in time"),
    "assume.session-expired": _EXPIRED,
    "assume.session-revoked": _EXPIRED,
    "assume.session-not-ours": _INVALID,
    "assume.evidence-too-short": _ENDED,
    "identify.token-expired": _ENDED,
    "identify.token-too-old": _ENDED,
    "identify.revoked": (403, "IDPRejectedClaim", "The token was revoked, or issued before its bearer's rights ended"),
    "identify.assertion-used": (403, "IDPRejectedClaim", "The assertion was shown before; get a new one"),
    "identify.revocations-unread": _UNAVAILABLE,
    "identify.keys-unavailable": (
        400,
        "IDPCommunicationError",
        "The identity provider's keys could not be fetched; try again in a moment",
    ),
    "identify.wrong-audience": (400, "InvalidIdentityToken", "Incorrect token audience"),
    "identify.missing-claim": (400, "InvalidIdentityToken", "Missing a required claim"),
    "identify.unknown-key": (
        400,
        "InvalidIdentityToken",
        "Couldn't retrieve verification key from your identity provider",
    ),
    "identify.unknown-issuer": (400, "InvalidIdentityToken", "No OpenIDConnect provider found in your account for it"),
    "identify.saml-unavailable": _UNAVAILABLE,
    "identify.no-saml-provider": (400, "InvalidIdentityToken", "No SAML provider by that ARN is found here"),
}
"""Errors that STS has words for."""


def told(error: ActasError, call: str, *, action: str = "") -> tuple[int, Head, bytes]:
    """Write the answer for *error*."""
    status, code, message = said(error, action=action)
    return answers.error(status, code, message, call, is_ours=status >= 500)


def said(error: ActasError, *, action: str = "") -> Said:
    """Find AWS's words for *error*."""
    if isinstance(error, StsError):
        return error.status, error.name, error.sent
    if isinstance(error, SignatureOutsideTime):
        if error.is_presigned and not _is_early(error):
            return 400, "RequestExpired", _outside(error)
        return 403, "SignatureDoesNotMatch", _outside(error)
    if error.code == "http.signature-incomplete":
        return 400, "IncompleteSignature", f"The request signature does not conform to AWS standards: {error}"
    if isinstance(error, LastsTooLong):
        return 400, "ValidationError", _CHAINED if error.is_chained else _LONGER
    found = SAID.get(error.code) or _by_status(error)
    if found is _EXPIRED and action == "AssumeRole":
        return 400, "ExpiredTokenException", _EXPIRED[2]
    return found


def _by_status(error: ActasError) -> Said:
    if isinstance(error, SamlRefused) and error.found == "saml.assertion-expired":
        return _ENDED
    if error.code.startswith("identify."):
        return _UNBELIEVED if error.status < 500 else _UNAVAILABLE
    if error.status in (429, 503):
        return _RATE if error.status == 429 else _UNAVAILABLE
    if error.status < 500:
        return error.status, "ValidationError", str(error) if error.code.startswith("http.") else _REFUSED
    return 500, "InternalFailure", "The request could not be done because of a fault of the service"


_REFUSED: Final = "The request is refused"
_LONGER: Final = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
_CHAINED: Final = "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining."


def _is_early(error: SignatureOutsideTime) -> bool:
    cause = error.__cause__
    return isinstance(cause, sigv4.OutsideTime) and cause.signed_at > cause.now


def _outside(error: SignatureOutsideTime) -> str:
    """Say which of two clocks is behind, as AWS does."""
    cause = error.__cause__
    if not isinstance(cause, sigv4.OutsideTime):
        return "Signature expired"
    signed, now = cause.signed_at, cause.now
    if error.is_presigned and signed <= now:
        return f"Request has expired: it was signed at {signed:%Y%m%dT%H%M%SZ}, and it is {now:%Y%m%dT%H%M%SZ}"
    if signed > now:
        allowed = f"{now + _SKEW:%Y%m%dT%H%M%SZ} ({now:%Y%m%dT%H%M%SZ} + 5 min.)"
        return f"Signature not yet current: {signed:%Y%m%dT%H%M%SZ} is still later than {allowed}"
    allowed = f"{now - _SKEW:%Y%m%dT%H%M%SZ} ({now:%Y%m%dT%H%M%SZ} - 5 min.)"
    return f"Signature expired: {signed:%Y%m%dT%H%M%SZ} is now earlier than {allowed}"
