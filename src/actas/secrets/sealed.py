"""Texts that only a gateway with our ring can read: what a browser carries for us, and the inside of our tokens.

A text is base64url of key id, nonce and ciphertext (AES-256-GCM). What it is for is authenticated with it, so that a
text made for one purpose opens for no other. It says nothing of how long it counts: its content does.
"""

import base64
import binascii
import secrets
import zlib
from datetime import datetime
from typing import Final, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_KEY_ID, _NONCE, _TAG = 4, 12, 16
LARGEST: Final = 64 * 1024
"""Characters of a text, and bytes of what is in it; more is none of ours."""


class Ring(Protocol):
    """The keys that seal."""

    def newest(self) -> tuple[str, AESGCM]:
        """Give the key that seals now."""
        ...

    def find(self, key_id: str, now: datetime) -> AESGCM | None:
        """Find a key to open with."""
        ...


def seal(ring: Ring, purpose: str, content: bytes) -> str:
    """Seal *content* for one *purpose*; it is compressed before."""
    key_id, key = ring.newest()
    nonce = secrets.token_bytes(_NONCE)
    sealed = key.encrypt(nonce, zlib.compress(content, 9), purpose.encode())
    return _written(bytes.fromhex(key_id) + nonce + sealed)


def opened(ring: Ring, purpose: str, text: str, *, now: datetime) -> bytes | None:
    """Open what `seal` made for *purpose*; None for anything else."""
    if len(text) > LARGEST or not text.isascii():
        return None
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    if len(raw) <= _KEY_ID + _NONCE + _TAG or _written(raw) != text:  # the last letter has bits that mean nothing
        return None
    key = ring.find(raw[:_KEY_ID].hex(), now)
    if key is None:
        return None
    try:
        packed = key.decrypt(raw[_KEY_ID : _KEY_ID + _NONCE], raw[_KEY_ID + _NONCE :], purpose.encode())
    except InvalidTag:
        return None
    unpacking = zlib.decompressobj()
    content = unpacking.decompress(packed, LARGEST)  # ours, and measured all the same
    return content if unpacking.eof else None


def _written(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
