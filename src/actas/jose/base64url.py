"""Read and write base64url as RFC 7515 section 2 means it: no padding, no spare bits, nothing else beside it."""

import binascii

import msgspec

_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_FOREIGN = ord("!")

STANDARD = bytes(
    ord("+") if byte == ord("-") else ord("/") if byte == ord("_") else byte if byte in _ALPHABET + b"." else _FOREIGN
    for byte in range(256)
)
"""Translates a token to the standard alphabet, its dots kept, and every foreign byte to one that no decoder takes."""

# The last letter of a group of two or three carries four or two bits that must be zero, or two texts mean one value.
_LAST = (frozenset(_ALPHABET), frozenset[int](), frozenset(b"AQgw"), frozenset(b"AEIMQUYcgkosw048"))
_PADDING = (b'"', b'"', b'=="', b'="')

# msgspec's own base64 reader is three times as fast as binascii's, and strict about length and padding.
_decode = msgspec.json.Decoder(bytes).decode


class NotBase64url(ValueError):
    """The text is no strict base64url; never leaves this library."""


def decode_standard(segment: bytes) -> bytes:
    """Decode *segment*, which came through ``STANDARD``."""
    if not segment:
        return b""
    left = len(segment) & 3
    if left and segment[-1] not in _LAST[left]:
        raise NotBase64url
    try:
        return _decode(b'"' + segment + _PADDING[left])
    except msgspec.MsgspecError as wrong:
        raise NotBase64url from wrong


def decode(text: bytes) -> bytes:
    """Decode *text*; a dot is a foreign byte here."""
    return decode_standard(text.translate(STANDARD))


def decode_text(text: str) -> bytes:
    """Decode *text* as it stands in a JSON document."""
    try:
        return decode(text.encode("ascii"))
    except UnicodeEncodeError as wrong:
        raise NotBase64url from wrong


def encode(data: bytes) -> bytes:
    """Encode *data* without padding."""
    return binascii.b2a_base64(data, newline=False).translate(_URL_SAFE).rstrip(b"=")


def encode_text(data: bytes) -> str:
    """Encode *data* for a JSON document."""
    return encode(data).decode("ascii")


_URL_SAFE = bytes.maketrans(b"+/", b"-_")
