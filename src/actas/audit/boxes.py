"""Seal a person so that any two officers together can open it, and nobody else: not one officer, not the gateway.

Pure: keys, shares and ephemeral keys come from `Randomness`.

The construction, from standard parts only:

1. The person (issuer and subject, padded to a multiple of 64 bytes) is encrypted with AES-256-GCM under a fresh key K.
   The pseudonym is authenticated with it, so a row cannot be passed off as another's.
2. For each pair of officers i < j, K is split in two: a random r for i, and K xor r for j. One half says nothing of K.
3. All halves of one officer go into one box sealed to that officer: an ephemeral X25519 key, HKDF-SHA256 over the
   shared secret (both public keys in its context), AES-256-GCM. Every key encrypts once, so nonces are zero.

With fewer than two officers there is nobody to seal to, and a row holds no person at all.
"""

from collections.abc import Callable
from itertools import combinations

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from actas.audit.errors import CannotOpen

Randomness = Callable[[int], bytes]
"""Gives that many random bytes: `secrets.token_bytes`."""
KEY = 32
_NONCE = bytes(12)
_PAD = 64


class Person(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who stands behind a pseudonym."""

    issuer: str
    subject: str

    def __repr__(self) -> str:
        return "Person(...)"


class Box(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One officer's halves, sealed; ``partners`` says whose other half each belongs to."""

    officer: str
    partners: tuple[str, ...]
    ephemeral: bytes
    text: bytes


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A person, sealed."""

    text: bytes
    boxes: tuple[Box, ...]


def seal(person: Person, pseudonym: str, officers: dict[str, bytes], *, random: Randomness) -> bytes:
    """Seal *person* to *officers* (their ids and raw public keys); give the row, which is empty below two of them."""
    if len(officers) < 2:
        return msgspec.msgpack.encode(Row(text=b"", boxes=()))
    key = random(KEY)
    halves: dict[str, dict[str, bytes]] = {officer: {} for officer in officers}
    for one, other in combinations(sorted(officers), 2):
        halves[one][other] = half = random(KEY)
        halves[other][one] = _xor(key, half)
    plain = msgspec.json.encode(person)
    text = AESGCM(key).encrypt(_NONCE, plain + b" " * (-len(plain) % _PAD), pseudonym.encode())
    boxes = []
    for officer, found in halves.items():
        about, plain = _about(pseudonym, officer), b"".join(found.values())
        ephemeral, sealed = box_up(plain, officers[officer], about, random=random)
        boxes.append(Box(officer=officer, partners=tuple(found), ephemeral=ephemeral, text=sealed))
    return msgspec.msgpack.encode(Row(text=text, boxes=tuple(boxes)))


def half(row: bytes, pseudonym: str, officer: str, partner: str, private: X25519PrivateKey) -> bytes:
    """Open *officer*'s box and give the half that fits *partner*'s."""
    for box in _read(row).boxes:
        if box.officer == officer and partner in box.partners and officer != partner:
            halves = unbox(box.ephemeral, box.text, private, _about(pseudonym, officer))
            start = box.partners.index(partner) * KEY
            return halves[start : start + KEY]
    raise CannotOpen(why="it was not sealed to these two officers")


def join(row: bytes, pseudonym: str, one: bytes, other: bytes) -> Person:
    """Put two halves together and read the person."""
    try:
        plain = AESGCM(_xor(one, other)).decrypt(_NONCE, _read(row).text, pseudonym.encode())
        return msgspec.json.decode(plain, type=Person)
    except (InvalidTag, msgspec.DecodeError, ValueError) as wrong:
        raise CannotOpen(why="the two halves do not fit this row") from wrong


def box_up(text: bytes, public: bytes, about: bytes, *, random: Randomness) -> tuple[bytes, bytes]:
    """Seal *text* to a public key; give the ephemeral key and the sealed text."""
    ephemeral = X25519PrivateKey.from_private_bytes(random(KEY))
    shown = ephemeral.public_key().public_bytes_raw()
    secret = ephemeral.exchange(X25519PublicKey.from_public_bytes(public))
    return shown, AESGCM(_derived(secret, shown, public)).encrypt(_NONCE, text, about)


def unbox(ephemeral: bytes, text: bytes, private: X25519PrivateKey, about: bytes) -> bytes:
    """Open what was sealed to the public half of *private*."""
    try:
        secret = private.exchange(X25519PublicKey.from_public_bytes(ephemeral))
        key = _derived(secret, ephemeral, private.public_key().public_bytes_raw())
        return AESGCM(key).decrypt(_NONCE, text, about)
    except (InvalidTag, ValueError) as wrong:
        raise CannotOpen(why="the officer's key does not fit") from wrong


def _about(pseudonym: str, officer: str) -> bytes:
    return msgspec.json.encode(["actas pseudonym", pseudonym, officer])


def _derived(secret: bytes, ephemeral: bytes, public: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY, salt=None, info=b"actas box" + ephemeral + public).derive(secret)


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))


def _read(row: bytes) -> Row:
    try:
        return msgspec.msgpack.decode(row, type=Row)
    except msgspec.DecodeError as wrong:
        raise CannotOpen(why="the row is damaged") from wrong
