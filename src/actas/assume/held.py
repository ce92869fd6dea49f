"""How what a session holds (`actas.model.held`) is sealed and opened. Pure.

A session token is ``actas1.`` and the base64url of key id, nonce and ciphertext (AES-256-GCM; the prefix, key id and
access key id are authenticated with it). Whoever holds the ring can open it; nobody else can read or change it, and
no database is asked. It holds no call id: that travels in the envelope.
"""

import base64
import binascii
import zlib
from collections.abc import Callable
from datetime import datetime

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from actas.assume.errors import SessionExpired, SessionNotOurs, SessionTooLarge
from actas.model.held import Held, Mark

__all__ = ["LARGEST", "Held", "Mark", "is_short", "opened", "seal"]

_PREFIX = "actas1."
LARGEST = 16 * 1024
"""Characters; a longer token is none of ours."""
_SURE = 10 * 1024
"""Bytes that make a token of less than `LARGEST` characters however little they repeat themselves."""
_MOST_OPENED = 256 * 1024
_TAG = 16
_WINDOW, _MEMORY = -11, 4
"""Two kilobytes to look back on: with the usual 32 most of the time goes into making room for so little."""
_DECODER = msgspec.msgpack.Decoder(Held)


def seal(held: Held, *, key_id: str, key: AESGCM, nonce: bytes, at_least: int = 0) -> str:
    """Seal *held* in a token of *at_least* so many characters; *nonce* is 12 random bytes, never used twice."""
    head = bytes.fromhex(key_id) + nonce
    # ARNs repeat themselves, and a token travels in a header of each request.
    squeeze = zlib.compressobj(1, zlib.DEFLATED, _WINDOW, _MEMORY)
    content = squeeze.compress(msgspec.msgpack.encode(held)) + squeeze.flush()
    if at_least:  # behind the end of what is compressed, where nobody reads on
        octets = -(-(at_least - len(_PREFIX)) * 3 // 4) - len(head) - 1 - len(held.access_key_id) - _TAG
        content = content.ljust(octets, b"\0")
    sealed = key.encrypt(nonce, content, _bound(key_id, held.access_key_id))
    name = held.access_key_id.encode("ascii")
    token = _PREFIX + base64.urlsafe_b64encode(head + bytes((len(name),)) + name + sealed).rstrip(b"=").decode()
    if len(token) > LARGEST:
        raise SessionTooLarge(size=len(token), allowed=LARGEST)
    return token


def is_short(held: Held) -> bool:
    """Tell whether *held* fits into a token for sure, also where nothing can be squeezed."""
    return len(msgspec.msgpack.encode(held)) <= _SURE


def opened(token: str, find: Callable[[str, datetime], AESGCM | None], *, now: datetime) -> Held:
    """Open *token*; raise `SessionNotOurs` where this ring did not seal it, `SessionExpired` where it has ended."""
    key_id, nonce, name, sealed = _apart(token)
    key = find(key_id, now)
    if key is None:
        raise SessionNotOurs(why="no key of the ring sealed it")
    try:
        content = zlib.decompressobj(_WINDOW).decompress(key.decrypt(nonce, sealed, _bound(key_id, name)), _MOST_OPENED)
        held = _DECODER.decode(content)
    except (InvalidTag, zlib.error, msgspec.DecodeError, UnicodeDecodeError) as wrong:
        raise SessionNotOurs(why="it was changed, or sealed by somebody else") from wrong
    if now >= held.expires_at:
        raise SessionExpired(expired_at=held.expires_at, now=now)
    return held


def _bound(key_id: str, access_key_id: str) -> bytes:
    return f"{_PREFIX}{key_id}.{access_key_id}".encode()


def _apart(token: str) -> tuple[str, bytes, str, bytes]:
    if len(token) > LARGEST or not token.startswith(_PREFIX) or not token.isascii():
        raise SessionNotOurs(why="it has another form")
    text = token[len(_PREFIX) :]
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as wrong:
        raise SessionNotOurs(why="it has another form") from wrong
    if len(raw) < 17 or base64.urlsafe_b64encode(raw).rstrip(b"=").decode() != text:
        raise SessionNotOurs(why="it has another form")
    end = 17 + raw[16]
    try:
        name = raw[17:end].decode("ascii")
    except UnicodeDecodeError as wrong:
        raise SessionNotOurs(why="it has another form") from wrong
    return raw[:4].hex(), raw[4:16], name, raw[end:]
