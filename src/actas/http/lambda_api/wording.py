"""What callers of the Lambda API are told, in AWS's words: a JSON body, and the error's name in a header. Pure."""

import json
from collections.abc import Sequence
from typing import Final, Literal

from actas.errors import ActasError
from actas.http import problems
from actas.http.lambda_api.errors import LambdaApiError, not_authorized
from actas.model.decision import Deny

Answer = problems.Answer

_RATE: Final = "Rate Exceeded."
_BUSY: Final = {
    "http.too-many-calls": "CallerRateLimitExceeded",
    "http.too-many-events": "FunctionInvocationRateLimitExceeded",
    "http.too-many-events-of-caller": "CallerRateLimitExceeded",
    "invoke.too-many-processes": "ConcurrentInvocationLimitExceeded",
    "invoke.lambda-throttled": "ConcurrentInvocationLimitExceeded",
}
"""The ``Reason`` of a TooManyRequestsException; that of a function's own limit where none is named here."""
_SAID: Final = {
    "invoke.no-such-function": ("ResourceNotFoundException", 404, "Function not found"),
    "invoke.client-context-too-large": ("InvalidRequestContentException", 400, "Client context is too large"),
    "invoke.event-not-json": ("InvalidRequestContentException", 400, "Could not parse request body into json"),
    "invoke.event-too-large": ("RequestTooLargeException", 413, "Request must be smaller than 6291456 bytes"),
    "http.request-too-slow": ("RequestTimeoutException", 408, "The request's body did not arrive in time"),
    "invoke.too-deep": ("RecursiveInvocationException", 400, "Lambda has detected a recursive loop and stopped it"),
    "invoke.too-many-nested": ("RecursiveInvocationException", 400, "Lambda has stopped a chain of too many calls"),
}
"""Errors that AWS has words for; the type, the status, the message."""
_UNAVAILABLE: Final = "ServiceUnavailableException"
_EXPLICIT: Final = frozenset({"rule-forbids", "rule-forbids-unknown"})
"""Reasons that AWS would call an explicit deny."""


def told(error: ActasError, call: str) -> Answer:
    """Write the answer for *error*."""
    if isinstance(error, LambdaApiError):
        return written(error.status, error.type, {_member(error.type): error.said}, call, whose=_whose(error.type))
    if error.code in _SAID:
        kind, status, message = _SAID[error.code]
        return written(status, kind, {_member(kind): message}, call)
    if error.status == 429:
        reason = _BUSY.get(error.code, "ReservedFunctionConcurrentInvocationLimitExceeded")
        again = str(getattr(error, "retry_after", 1))
        body = {"Reason": reason, "message": _RATE, "retryAfterSeconds": again}
        return written(429, "TooManyRequestsException", body, call, more=[(b"retry-after", again.encode())])
    if error.status < 500:
        return written(error.status, "InvalidRequestException", {"message": str(error)}, call)
    if error.status == 503:
        body = {"Message": "The service cannot take the call now."}
        return written(503, _UNAVAILABLE, body, call, whose="Service", more=[(b"retry-after", b"5")])
    body = {"Message": f"The function could not be run ({error.code})."}
    return written(500, "ServiceException", body, call, whose="Service")


def refused(decision: Deny, call: str, *, user: str, action: str, resource: str) -> Answer:
    """Write the answer for a no."""
    explicit = any(reason.code in _EXPLICIT for reason in decision.reasons)
    return denied(not_authorized(user, action, resource, explicit=explicit), call)


def denied(message: str, call: str) -> Answer:
    """Write AccessDeniedException; its member is ``Message``, unlike that of most others."""
    return written(403, "AccessDeniedException", {"Message": message}, call, whose=None)


_CAPITAL: Final = frozenset({"AccessDeniedException", "ResourceNotFoundException", "ServiceException"})


def _whose(kind: str) -> Literal["User", "Service"] | None:
    if kind in {"AccessDeniedException", "ValidationException"}:
        return None
    return "Service" if kind == _UNAVAILABLE else "User"


def _member(kind: str) -> str:
    """Lambda's model spells the message of some errors with a capital."""
    return "Message" if kind in _CAPITAL else "message"


def written(
    status: int,
    kind: str,
    body: dict[str, str],
    call: str,
    *,
    whose: Literal["User", "Service"] | None = "User",
    more: Sequence[tuple[bytes, bytes]] = (),
) -> Answer:
    """Write an error as rest-json does; *whose* fault it is, Lambda says and AWS's front does not."""
    content = json.dumps(({"Type": whose} if whose else {}) | body, ensure_ascii=False).encode()
    head = [(b"x-amzn-errortype", kind.encode()), *more, *plain(call, len(content))]
    return status, head, content


def plain(call: str, length: int, kind: bytes = b"application/json") -> problems.Head:
    """Give the header fields that every answer has."""
    return [(b"x-amzn-requestid", call.encode()), *problems.plain(call, length, kind)]
