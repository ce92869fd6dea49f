"""What callers are told whose signature does not hold, in the words of AWS's front. Pure."""

from datetime import datetime, timedelta
from typing import Final

from actas import sigv4
from actas.errors import ActasError
from actas.http.lambda_api.wording import Answer, written
from actas.http.signature_errors import SignatureError

_SKEW: Final = timedelta(minutes=5)
_INVALID: Final = "InvalidSignatureException"
_MISMATCH: Final = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key "
    "and signing method. Consult the service documentation for details."
)
_EXPIRED: Final = ("ExpiredTokenException", "The security token included in the request is expired")
_UNKNOWN: Final = ("UnrecognizedClientException", "The security token included in the request is invalid.")
_TOLD: Final = {
    "http.signature-missing": ("MissingAuthenticationTokenException", "Missing Authentication Token"),
    "http.signature-wrong": (_INVALID, _MISMATCH),
    "http.signature-unknown-key": _UNKNOWN,
    "http.signature-session-ended": _EXPIRED,
    "http.signature-session-revoked": _EXPIRED,  # what makes SDKs get a new session
    "assume.session-expired": _EXPIRED,
    "assume.session-revoked": _EXPIRED,
    "assume.evidence-too-short": _EXPIRED,  # in its last second a session is worth no process
    "assume.session-not-ours": _UNKNOWN,
}


def told(error: ActasError, call: str, *, service: str) -> Answer | None:
    """Write the answer for a signature that does not hold; None for another error."""
    if error.code == "http.signature-incomplete":
        return _front("IncompleteSignatureException", f"Request signature is not complete: {error}.", call)
    if error.code == "http.signature-outside-time":
        return _front(_INVALID, _outside(error), call)
    if isinstance(error, SignatureError) and isinstance(error.__cause__, sigv4.WrongScope):
        return _front(_INVALID, f"Credential should be scoped to correct service: '{service}'. ", call)
    found = _TOLD.get(error.code)
    return None if found is None else _front(*found, call)


def _front(kind: str, message: str, call: str) -> Answer:
    return written(403, kind, {"message": message}, call, whose=None)


def _outside(error: ActasError) -> str:
    """Say which of two clocks is behind, as AWS does."""
    cause = error.__cause__
    if not isinstance(cause, sigv4.OutsideTime):
        return "Signature expired"
    signed, now = cause.signed_at, cause.now
    if signed > now:
        return (
            f"Signature not yet current: {_stamp(signed)} is still later than {_stamp(now + _SKEW)} "
            f"({_stamp(now)} + 5 min.)"
        )
    return f"Signature expired: {_stamp(signed)} is now earlier than {_stamp(now - _SKEW)} ({_stamp(now)} - 5 min.)"


def _stamp(moment: datetime) -> str:
    return f"{moment:%Y%m%dT%H%M%SZ}"
