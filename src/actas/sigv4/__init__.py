"""AWS Signature Version 4: sign requests as AWS's clients do, verify them as AWS does, and fail closed.

Pure: the time is an argument, the secret comes from a callable, nothing is kept but a few `SigningKeys`.

>>> from datetime import UTC, datetime
>>> now = datetime(2026, 3, 14, 9, 0, tzinfo=UTC)
>>> url, headers = "https://functions.example/report?full=1", [("Host", "functions.example")]
>>> ana = Credentials("AKIDANA", "secret")
>>> signed = sign("GET", url, headers, b"", ana, region="eu-west-1", service="lambda", now=now)
>>> [name for name, _ in signed.headers]
['Host', 'X-Amz-Date', 'Authorization']
>>> find = lambda key, token: {"AKIDANA": "secret"}.get(key)
>>> caller = verify("GET", url, signed.headers, b"", find_secret=find, now=now, region="eu-west-1", service=ANY)
>>> caller.access_key_id, caller.service
('AKIDANA', 'lambda')
"""

from actas.sigv4.errors import (
    BadSignature,
    BodyMismatch,
    IncompleteSignature,
    MalformedRequest,
    MissingSignature,
    OutsideTime,
    SigV4Error,
    UnknownAccessKey,
    UnsignedHeader,
    UnsupportedAlgorithm,
    WrongScope,
)
from actas.sigv4.keys import SigningKeys
from actas.sigv4.signing import sign
from actas.sigv4.values import ANY, UNSIGNED_PAYLOAD, Caller, Credentials, Payload, Scope, Signed
from actas.sigv4.verifying import verify

__all__ = [
    "ANY",
    "UNSIGNED_PAYLOAD",
    "BadSignature",
    "BodyMismatch",
    "Caller",
    "Credentials",
    "IncompleteSignature",
    "MalformedRequest",
    "MissingSignature",
    "OutsideTime",
    "Payload",
    "Scope",
    "SigV4Error",
    "Signed",
    "SigningKeys",
    "UnknownAccessKey",
    "UnsignedHeader",
    "UnsupportedAlgorithm",
    "WrongScope",
    "sign",
    "verify",
]
