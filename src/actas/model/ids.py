"""Names for calls: time-ordered, unique, unguessable. Pure: time and randomness are arguments."""

from datetime import datetime
from functools import lru_cache

_ALPHABET = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base32
_CHARACTERS = bytes(_ALPHABET[octet % 32] for octet in range(256))
RANDOM = 16
"""How many random bytes a name takes: one for each character, five bits of each."""


def call_id(now: datetime, random: bytes) -> str:
    """Make 26 characters of Crockford base32: ten for the millisecond, then 80 random bits out of *random*."""
    return _moment(int(now.timestamp() * 1000)) + random.translate(_CHARACTERS).decode()


@lru_cache(maxsize=8)  # calls come many to a millisecond
def _moment(milliseconds: int) -> str:
    return bytes(_ALPHABET[(milliseconds >> shift) % 32] for shift in range(45, -1, -5)).decode()
