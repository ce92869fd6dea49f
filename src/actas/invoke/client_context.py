"""The client context that a function gets: what the caller sent as theirs, and our envelope in it. Pure."""

import json
from typing import Final

from actas.model.call import Call

OURS: Final = "actas"
"""The member of ``custom`` that is ours, whatever a caller writes there."""
_CUSTOM: Final = "custom"


def client_context(call: Call, envelope: str) -> bytes:
    """Write the client context: one line of ASCII, since it travels in a header field."""
    if call.client_context is None:
        return b'{"custom":{"actas":"%b"}}' % envelope.encode("ascii")
    # A runtime may read Custom as custom: nothing beside ours may be taken for it.
    theirs = {key: value for key, value in call.client_context.items() if key.lower() != _CUSTOM}
    custom = {**call.client_context.get(_CUSTOM, {}), OURS: envelope}
    return json.dumps({**theirs, _CUSTOM: custom}, separators=(",", ":"), ensure_ascii=True).encode("ascii")
