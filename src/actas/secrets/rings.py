"""Key rings on disk: the newest key seals or signs, older ones open or verify until what they made has ended.

A ring is one JSON file, mode 0600, in a folder of mode 0700. Every replica that can read the file shares its
keys; a key id that a replica does not know makes it read the file again.
"""

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

import msgspec

from actas import private_files
from actas.secrets.errors import RingUnreadable

LARGEST = 1024 * 1024
"""Bytes."""

RingKind = Literal["sealing", "signing", "saml", "resting"]


class RingKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One key: its id, when it was made, and the key itself (base64 of 32 bytes, or a private JWK)."""

    id: str
    made_at: datetime
    material: str

    def __repr__(self) -> str:
        return f"RingKey({self.id})"


class RingFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A whole ring, the newest key last."""

    kind: RingKind
    keys: tuple[RingKey, ...]


def read(path: Path, kind: RingKind) -> tuple[RingKey, ...]:
    """Read the ring at *path*; an absent file is an empty ring."""
    try:
        found = private_files.read(path, limit=LARGEST)
    except (OSError, private_files.NotPrivate) as wrong:
        raise RingUnreadable(path=path, why=private_files.why(wrong)) from wrong
    if found is None:
        return ()
    try:
        ring = msgspec.json.decode(found, type=RingFile)
    except (msgspec.DecodeError, UnicodeDecodeError) as wrong:
        raise RingUnreadable(path=path, why="it is not a key ring") from wrong
    if ring.kind != kind:
        raise RingUnreadable(path=path, why=f"it holds {ring.kind} keys where {kind} keys belong")
    return ring.keys


def rotate(
    path: Path,
    kind: RingKind,
    *,
    make: Callable[[datetime], RingKey],
    every: timedelta,
    keep: timedelta,
    now: datetime,
    force: bool = False,
) -> tuple[RingKey, ...]:
    """Add a key where the newest is older than *every* or *force* says so, drop those retired longer than *keep*."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _locked(path):
        found = keys = read(path, kind)
        if force or not keys or now - keys[-1].made_at >= every:
            fresh = make(now)
            keys = (*keys, fresh)
        kept = tuple(
            key
            for key, next_key in zip(keys, (*keys[1:], None), strict=True)
            if next_key is None or now - next_key.made_at < keep
        )
        if kept != found:
            private_files.write(path, msgspec.json.encode(RingFile(kind=kind, keys=kept)))
        return kept


def restart(path: Path, kind: RingKind, key: RingKey) -> tuple[RingKey, ...]:
    """Make *key* the only one of the ring, because those before must not be used any more."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _locked(path):
        read(path, kind)  # another ring is not overwritten
        private_files.write(path, msgspec.json.encode(RingFile(kind=kind, keys=(key,))))
    return (key,)


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    handle = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
