"""What callers are told when something is not done (RFC 9457). Strangers are told less: see the table.

Whoever we do not know gets one body for everything. Whoever we know gets the code and, for a decision, its reasons;
messages and hints that speak of our own settings go to the log.
"""

import json

from actas.errors import ActasError
from actas.model.decision import Deny

TITLES: dict[int, str] = {
    400: "The request is malformed",
    401: "Who is calling is not known",
    403: "The rules do not allow this call",
    404: "There is nothing here",
    405: "The path does not take this method",
    408: "The request took too long to arrive",
    409: "The call that it belongs to is over",
    413: "The request is too large",
    414: "The target is too long",
    429: "Too many calls",
    431: "The header section is too large",
    500: "Something went wrong",
    501: "This is not done here",
    502: "The function could not be run",
    503: "The call cannot be taken now",
    504: "The function took too long",
}
TOLD_TO_STRANGERS = ("http.", "model.path-")
"""The beginnings of codes whose messages speak of nothing but the request itself."""
_NOT_TOLD = "identify."
"""The room whose codes would tell a stranger which providers are known here, and how they are."""

_LATER = {429: 1, 503: 5}
"""After how many seconds to come again, where the error does not say."""

Head = list[tuple[bytes, bytes]]
Answer = tuple[int, Head, bytes]
"""Status, header fields, body."""
_REALM = b'Bearer realm="actas"'


def problem(error: ActasError, call: str) -> Answer:
    """Write the answer for *error*: status, header fields, body."""
    status = error.status
    body: dict[str, object] = {"type": "about:blank", "title": TITLES.get(status, TITLES[500]), "status": status}
    head: Head = []
    if status == 401:
        head.append((b"www-authenticate", _challenge(error)))
    elif error.code.startswith(TOLD_TO_STRANGERS):
        body |= {"code": error.code, "detail": str(error)}
    elif not error.code.startswith(_NOT_TOLD):
        body["code"] = error.code
    if error.code == "http.malformed-authorization":
        head.append((b"www-authenticate", _REALM + b', error="invalid_request"'))
    if status in _LATER:
        head.append((b"retry-after", str(getattr(error, "retry_after", _LATER[status])).encode()))
    if methods := getattr(error, "allowed", None) if status == 405 else None:
        head.append((b"allow", ", ".join(methods).encode()))
    return _written(status, head, body, call)


def refusal(decision: Deny, call: str) -> Answer:
    """Write the answer for a no: the caller is known, and learns why."""
    reasons = [{"code": reason.code, "because": reason.because} for reason in decision.reasons]
    body = {"type": "about:blank", "title": TITLES[403], "status": 403, "reasons": reasons}
    return _written(403, [], body, call)


def _challenge(error: ActasError) -> bytes:
    """RFC 6750, section 3: without a token no error is named; with one, nothing but that it is invalid."""
    if error.code == "http.no-token":
        return _REALM
    return _REALM + b', error="invalid_token"'


def _written(status: int, head: Head, body: dict[str, object], call: str) -> Answer:
    content = json.dumps({**body, "call": call}, ensure_ascii=False).encode()
    return status, [*head, *plain(call, len(content), b"application/problem+json")], content


def plain(call: str, length: int, kind: bytes) -> Head:
    """Give the header fields that every answer of ours has."""
    return [
        (b"content-type", kind),
        (b"content-length", str(length).encode()),
        (b"actas-call-id", call.encode()),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
    ]
