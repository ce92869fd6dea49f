"""Decrypt the content of a JWE, which is authenticated or not read at all (RFC 7518 section 5)."""

import hmac
from collections.abc import Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.padding import PKCS7

_GCM_IV, _GCM_TAG = 12, 16
_BLOCK = 16
_HASHES: Mapping[int, str] = {32: "sha256", 48: "sha384", 64: "sha512"}  # by the length of the whole key


class Unopened(Exception):
    """It does not decrypt; never leaves this library, and never says why."""


def decrypt(enc: str, key: bytes, *, iv: bytes, ciphertext: bytes, tag: bytes, aad: bytes) -> bytes:
    """Decrypt *ciphertext* with *key*, whose length is that of *enc*."""
    if enc.endswith("GCM"):
        return gcm(key, iv, ciphertext, tag, aad)
    return _cbc_hmac(key, iv, ciphertext, tag, aad)


def gcm(key: bytes, iv: bytes, ciphertext: bytes, tag: bytes, aad: bytes) -> bytes:
    """Decrypt AES-GCM with the lengths that section 5.3 fixes."""
    if len(iv) != _GCM_IV or len(tag) != _GCM_TAG:
        raise Unopened
    try:
        return AESGCM(key).decrypt(iv, ciphertext + tag, aad)
    except InvalidTag as wrong:
        raise Unopened from wrong


def _cbc_hmac(key: bytes, iv: bytes, ciphertext: bytes, tag: bytes, aad: bytes) -> bytes:
    half = len(key) // 2
    signed = aad + iv + ciphertext + (8 * len(aad)).to_bytes(8, "big")  # section 5.2.2.1
    wanted = hmac.digest(key[:half], signed, _HASHES[len(key)])[:half]
    if not hmac.compare_digest(wanted, tag):  # before anything is decrypted, so that no padding tells anything
        raise Unopened
    if len(iv) != _BLOCK or not ciphertext or len(ciphertext) % _BLOCK:
        raise Unopened
    opening = Cipher(algorithms.AES(key[half:]), modes.CBC(iv)).decryptor()
    unpadder = PKCS7(8 * _BLOCK).unpadder()
    try:
        return unpadder.update(opening.update(ciphertext) + opening.finalize()) + unpadder.finalize()
    except ValueError as wrong:
        raise Unopened from wrong
