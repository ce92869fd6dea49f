"""Sign the heads of the trail, check such signatures, and read heads that were kept elsewhere.

A signed head is a JWS (Ed25519, ``typ`` ``actas-audit-head``) over the chain's id, the record's number, its hash and
the time. Its keys are a ring of their own, made anew each year; none is ever dropped, so that old heads can be checked.
"""

import json
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from actas import jose
from actas.audit.chain import Head
from actas.audit.errors import AnchorUnreadable, KeyUnreadable, TrailUnreadable
from actas.audit.records import Checkpoint, Pruned
from actas.audit.verify import Anchor, CheckToken
from actas.secrets import rings
from actas.secrets.errors import RingUnreadable

ALGORITHM = "Ed25519"
TYPE = "actas-audit-head"
PRUNED = "actas-audit-pruned"
"""The type of a token that says up to which head segments are pruned."""
EVERY = timedelta(days=365)
KEEP = timedelta(days=365 * 100)
_LARGEST = 64 * 1024


class SignedHead(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a token says."""

    chain: str
    seq: int
    hash: str
    at: datetime


class HeadFile(SignedHead, frozen=True):
    """What ``head.json`` holds: copy it elsewhere, and nobody can shorten or rewrite what came before it."""

    token: str


class Keys:
    """The keys that sign heads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._keys: tuple[jose.Key, ...] = ()

    def rotate(self, now: datetime) -> None:
        """Make a key if there is none or the newest is a year old."""
        self._take(rings.rotate(self._path, "signing", make=_make, every=EVERY, keep=KEEP, now=now))

    def _take(self, found: tuple[rings.RingKey, ...]) -> None:
        try:
            self._keys = tuple(jose.KeySet.from_json(key.material).keys[0] for key in found)
        except (jose.JoseError, IndexError) as wrong:
            raise RingUnreadable(path=self._path, why="a key in it is no usable JWK") from wrong

    def load(self) -> None:
        """Take the keys that there are and make none: for a command beside a gateway."""
        self._take(rings.read(self._path, "signing"))

    def sign(self, *, chain: str, head: Head, at: datetime, typ: str = TYPE) -> str:
        """Sign *head*."""
        if not self._keys:
            raise RingUnreadable(path=self._path, why="it has no key")
        said = msgspec.json.encode(SignedHead(chain=chain, seq=head.seq, hash=head.hash, at=at))
        return jose.sign(said, self._keys[-1], algorithm=ALGORITHM, header={"typ": typ})

    def public(self) -> bytes:
        """Give the public halves as a JWK Set."""
        return json.dumps({"keys": [key.to_json() for key in self._keys]}, indent=1).encode() + b"\n"


def read_public(path: Path) -> jose.KeySet:
    """Read a JWK Set of public keys: ``keys.json`` beside the trail, or a copy from elsewhere."""
    try:
        return jose.KeySet.from_json(_read(path))
    except (OSError, jose.JoseError) as wrong:
        raise KeyUnreadable(name=path.name, why=_why(wrong)) from wrong


def checker(keys: jose.KeySet, chain: str | None = None) -> CheckToken:
    """Make the check of the trail's own signatures by *keys*."""

    def check(entry: Checkpoint | Pruned) -> str | None:
        try:
            said = opened(entry.token, keys, PRUNED if isinstance(entry, Pruned) else TYPE)
        except (jose.JoseError, msgspec.DecodeError) as wrong:
            return _why(wrong)
        if (said.seq, said.hash) != (entry.seq, entry.hash) or chain not in (None, said.chain):
            return "it was made for another head"
        return None

    return check


def opened(token: str, keys: jose.KeySet, typ: str = TYPE) -> SignedHead:
    """Read a signed head; raise what is wrong with it."""
    jws = jose.verify_jws(token, keys, algorithms=(ALGORITHM,))
    if jws.header.get("typ") != typ:
        raise msgspec.DecodeError("the token is of another type")
    return msgspec.json.decode(jws.payload, type=SignedHead)


def read_anchor(path: Path, keys: jose.KeySet | None, *, elsewhere: bool = True) -> Anchor:
    """Read ``head.json`` or a copy of it; with *keys*, its signature must hold."""
    try:
        head = msgspec.json.decode(_read(path), type=HeadFile)
        said = opened(head.token, keys) if keys else head
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, jose.JoseError) as wrong:
        raise AnchorUnreadable(name=path.name, why=_why(wrong)) from wrong
    if (said.chain, said.seq, said.hash) != (head.chain, head.seq, head.hash):
        raise AnchorUnreadable(name=path.name, why="it was signed for another head")
    return Anchor(source=path.name, seq=head.seq, hash=head.hash, elsewhere=elsewhere)


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        found = file.read(_LARGEST + 1)
    if len(found) > _LARGEST:
        raise TrailUnreadable(name=path.name, why=f"it has more than {_LARGEST} bytes")
    return found


def _why(wrong: Exception) -> str:
    if isinstance(wrong, OSError):
        return wrong.strerror or "it cannot be read"
    return wrong.message if isinstance(wrong, jose.JoseError) else "it has not the form of one"


def _make(now: datetime) -> rings.RingKey:
    key = jose.Key.generate(ALGORITHM)
    name = key.thumbprint()[:16]
    material = json.dumps({**key.to_json(private=True), "kid": name})
    return rings.RingKey(id=name, made_at=now, material=material)
