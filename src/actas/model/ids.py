"""Names for calls: time-ordered, unique, unguessable. Pure: time and randomness are arguments."""

import base64
from datetime import datetime

_RFC4648 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_CROCKFORD = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_ALPHABET = bytes.maketrans(_RFC4648, _CROCKFORD)


def call_id(now: datetime, random: bytes) -> str:
    """Make 26 characters of Crockford base32 out of the millisecond and ten random bytes."""
    stamp = int(now.timestamp() * 1000).to_bytes(6, "big")
    return base64.b32encode(stamp + random)[:26].translate(_ALPHABET).decode()
