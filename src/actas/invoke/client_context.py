"""The client context that a function gets: what the caller sent as theirs, and our envelope in it. Pure."""

import json
from typing import Final

from actas.invoke.errors import InvokeError
from actas.model.call import Call

OURS: Final = "actas"
"""The member of ``custom`` that is ours, whatever a caller writes there."""
_CUSTOM: Final = "custom"
LARGEST: Final = 3_583 // 4 * 3
"""Bytes that base64 makes 3,583 of at most, which is all that Lambda takes."""


class ClientContextTooLarge(InvokeError):
    """What the caller says of its client does not fit beside the envelope."""

    code = "invoke.client-context-too-large"
    hint = "Send a shorter client context, or put what it says into the event."
    status = 400

    def __init__(self, *, function: str, size: int) -> None:
        """State both sizes."""
        super().__init__(
            f"the client context for {function} has {size} bytes with the envelope; Lambda takes {LARGEST}"
        )


def client_context(call: Call, envelope: str) -> bytes:
    """Write the client context: one line of ASCII, since it travels in a header field."""
    if call.client_context is None:
        return b'{"custom":{"actas":"%b"}}' % envelope.encode("ascii")
    # A runtime may read Custom as custom: nothing beside ours may be taken for it.
    theirs = {key: value for key, value in call.client_context.items() if key.lower() != _CUSTOM}
    custom = {**call.client_context.get(_CUSTOM, {}), OURS: envelope}
    return json.dumps({**theirs, _CUSTOM: custom}, separators=(",", ":"), ensure_ascii=True).encode("ascii")


def for_lambda(call: Call, envelope: str) -> bytes:
    """Write the client context for AWS, which takes so much and no more."""
    made = client_context(call, envelope)
    if len(made) > LARGEST:
        raise ClientContextTooLarge(function=call.function, size=len(made))
    return made
