"""What runs inside a function: learn who called, from an envelope that the gateway signed.

One light import, the same on a laptop and in AWS Lambda::

    from actas.lambda_ import caller

    def handler(event, context):
        who = caller(event, context)
        return {"hello": who.subject, "role": who.role}
"""

from actas.lambda_.caller import Acting, Caller, caller, verify
from actas.lambda_.errors import (
    EnvelopeRefused,
    EventChanged,
    EventUnverifiable,
    LambdaError,
    NoEnvelope,
    NoKeys,
)

__all__ = [
    "Acting",
    "Caller",
    "EnvelopeRefused",
    "EventChanged",
    "EventUnverifiable",
    "LambdaError",
    "NoEnvelope",
    "NoKeys",
    "caller",
    "verify",
]
