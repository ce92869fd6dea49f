"""Names for calls: time-ordered, unique, unguessable. Pure: time and randomness are arguments."""

from datetime import datetime
from itertools import product

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base32
_PAIRS = tuple(one + other for one, other in product(_ALPHABET, _ALPHABET))
_SHIFTS = tuple(range(120, -1, -10))


def call_id(now: datetime, random: bytes) -> str:
    """Make 26 characters of Crockford base32 out of the millisecond and ten random bytes."""
    number = (int(now.timestamp() * 1000) << 80) | int.from_bytes(random)
    return "".join([_PAIRS[(number >> shift) & 1023] for shift in _SHIFTS])
