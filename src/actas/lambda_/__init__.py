"""What runs inside a function: learn who called, from an envelope that the gateway signed.

One light import, the same on a laptop and in AWS Lambda::

    from actas.lambda_ import caller

    def handler(event, context):
        who = caller(event, context)
        return {"hello": who.subject, "role": who.role}

`session(event, context)` gives that caller's own rights in AWS, for the work of this call.
"""

from actas.lambda_.caller import Acting, Caller, caller, verify
from actas.lambda_.errors import (
    EnvelopeRefused,
    EventChanged,
    EventUnverifiable,
    GatewayUnreachable,
    LambdaError,
    NoEnvelope,
    NoExecutionRole,
    NoGateway,
    NoKeys,
    SessionRefused,
)
from actas.lambda_.session import WorkSession, session

__all__ = [
    "Acting",
    "Caller",
    "EnvelopeRefused",
    "EventChanged",
    "EventUnverifiable",
    "GatewayUnreachable",
    "LambdaError",
    "NoEnvelope",
    "NoExecutionRole",
    "NoGateway",
    "NoKeys",
    "SessionRefused",
    "WorkSession",
    "caller",
    "session",
    "verify",
]
