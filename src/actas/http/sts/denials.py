"""Why somebody was refused, sealed: they can pass it on, and somebody who may can have it opened.

The message holds no name: the caller stands in it by the ARN of the session, or by the provider alone.
"""

import base64
import binascii
import json
import zlib
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from actas.http.sts.errors import InvalidAuthorizationMessage
from actas.model.decision import Deny

_BOUND: Final = b"actas denial 1"
_LARGEST: Final = 64 * 1024
_EXPLICIT: Final = frozenset({"rule-forbids", "rule-forbids-unknown", "session-policy"})


class Ring(Protocol):
    """The sealing ring."""

    def newest(self) -> tuple[str, AESGCM]:
        """Give the key that seals now, with its id."""
        ...

    def find(self, key_id: str, now: datetime) -> AESGCM | None:
        """Find a key by its id."""
        ...


def explained(decision: Deny, *, call: str, action: str, resource: str, principal: str) -> dict[str, Any]:
    """Say why, in the shape that AWS gives decoded messages, with our reasons beside it."""
    forbidding = [{"id": reason.rule, "effect": "DENY"} for reason in decision.reasons if reason.code in _EXPLICIT]
    return {
        "allowed": False,
        "explicitDeny": bool(forbidding),
        "matchedStatements": {"items": [one for one in forbidding if one["id"]]},
        "failures": {"items": []},
        "context": {
            "principal": {"arn": principal},
            "action": action,
            "resource": resource,
            "conditions": {"items": []},
        },
        "reasons": [{"code": reason.code, "because": reason.because} for reason in decision.reasons],
        "call": call,
        "generation": decision.generation,
    }


def encoded(message: Mapping[str, Any], ring: Ring, nonce: bytes) -> str:
    """Seal *message*; *nonce* is 12 random bytes, never used twice with one key."""
    key_id, key = ring.newest()
    sealed = key.encrypt(nonce, zlib.compress(json.dumps(message).encode(), 9), _BOUND)
    return base64.urlsafe_b64encode(bytes.fromhex(key_id) + nonce + sealed).rstrip(b"=").decode()


def decoded(text: str, find: Callable[[str, datetime], AESGCM | None], *, now: datetime) -> str:
    """Open a message; raise `InvalidAuthorizationMessage` where it is none of ours."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as wrong:
        raise InvalidAuthorizationMessage from wrong
    key = find(raw[:4].hex(), now) if len(raw) > 16 else None
    if key is None:
        raise InvalidAuthorizationMessage
    try:
        opened = key.decrypt(raw[4:16], raw[16:], _BOUND)
    except InvalidTag as wrong:
        raise InvalidAuthorizationMessage from wrong
    return zlib.decompressobj().decompress(opened, _LARGEST).decode()
