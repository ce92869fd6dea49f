"""Keep the trail as files of JSON lines, chained by hashes.

In the settings::

    audit:
      jsonl: {path: /var/lib/actas/audit, segment: 64MB, checkpoint: 60s}
      reserve: 64MB

Each batch is one write and one fdatasync. Blocking, for one thread at a time; the writer calls it off the event loop.
"""

import contextlib
import errno
import os
import secrets
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol

import msgspec

from actas import private_files
from actas.audit import chain, records, segments
from actas.audit.checkpoints import HeadFile
from actas.audit.errors import (
    AuditError,
    DiskFull,
    NotRunning,
    NotWritable,
    ReserveReached,
    TrailBroken,
    Unrecordable,
)
from actas.audit.records import Checkpoint, Entry, Opened, Started
from actas.model.record import Decided, Ended

HEAD = "head.json"
KEYS = "keys.json"
CARRIED_CALLS = 20_000
"""How many open calls the first record of a segment names at most."""
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC


class Signer(Protocol):
    """Signs heads."""

    def sign(self, *, chain: str, head: chain.Head, at: datetime) -> str:
        """Give a signature over *head* that anyone with the public key can check."""
        ...


class Jsonl:
    """A folder of segments that one process writes to."""

    def __init__(
        self, folder: Path, *, segment: int, reserve: int, signer: Signer, sync: Callable[[int], None] = os.fdatasync
    ) -> None:
        self._folder, self._limit, self._reserve, self._signer, self._sync = folder, segment, reserve, signer, sync
        self._lock = self._file = -1
        self._size = 0
        self._torn = False
        """Bytes after `_size` may stand in the file: a write failed half-way."""
        self._chain, self._segment = "", 0
        self._open_calls: set[str] = set()
        self.head = chain.Head(0, "")

    def open(self, now: datetime, *, patience: float = 0) -> frozenset[str]:
        """Go on where the trail ends, or begin one; give the calls that a crash left without an end.

        Another writer gets *patience* seconds to end.
        """
        segments.make_folder(self._folder)
        self._lock = segments.lock(self._folder, patience)
        try:
            tail = self._last()
            if tail is None:
                self._chain = secrets.token_hex(16)
                self.head = chain.genesis(self._chain)
                self._rotate(now)
            else:
                self._resume(tail)
            cut = tail.cut if tail else b""
            left = frozenset(self._open_calls)
            self.write(
                (Started(at=now, cut_bytes=len(cut), cut_sha256=tail.cut_sha256 if tail else None, unknown=len(left)),)
            )
        except BaseException:
            self.close()
            raise
        return left

    @property
    def chain(self) -> str:
        """The id of the chain; empty before `open`."""
        return self._chain

    def check(self) -> None:
        """Raise why a decision could not be kept now; return if it could."""
        if self._file < 0:
            raise NotRunning
        try:
            found = os.fstatvfs(self._file)
        except OSError as wrong:
            raise _translated(wrong) from wrong
        free = found.f_bavail * found.f_frsize
        if free < self._reserve:
            raise ReserveReached(free=free, wanted=self._reserve)

    def write(self, entries: Sequence[Entry]) -> None:
        """Keep *entries*, in order: when this returns they are on the disk, when it raises none is in the trail."""
        if any(type(entry) is Decided for entry in entries):
            self.check()
        elif self._file < 0:
            raise NotRunning
        if entries:
            self._rotate_if_full(entries[0].at)
        linked, head = [], self.head
        for index, entry in enumerate(entries):
            line, head = chain.link(head, _written(entry, index))
            linked.append(line)
        self._append(b"".join(linked))
        self.head = head
        for entry in entries:
            if type(entry) is Decided:
                self._open_calls.add(entry.call)
            elif type(entry) is Ended:
                self._open_calls.discard(entry.call)

    def checkpoint(self, now: datetime) -> None:
        """Sign the head, into the trail and into ``head.json``."""
        self._rotate_if_full(now)  # a segment's first record would come between the head and its signature
        head = self.head
        token = self._signer.sign(chain=self._chain, head=head, at=now)
        self.write((Checkpoint(at=now, seq=head.seq, hash=head.hash, token=token),))
        kept = HeadFile(chain=self._chain, seq=head.seq, hash=head.hash, at=now, token=token)
        self._replace(HEAD, msgspec.json.encode(kept) + b"\n")

    def keep_public(self, keys: bytes) -> None:
        """Lay the public keys of signed heads beside the trail."""
        self._replace(KEYS, keys)

    def close(self) -> None:
        """Let go of the folder."""
        for handle in (self._file, self._lock):
            if handle >= 0:
                os.close(handle)
        self._file = self._lock = -1

    def _last(self) -> segments.Tail | None:
        """Find where the trail ends; a last segment with no whole line was never acknowledged."""
        found = segments.listed(self._folder)
        for path in found:
            segments.own(path)
        tail = None
        for path in reversed(found[-2:]):
            if (tail := segments.read_tail(path)) is not None:
                break
        kept = self._kept_head()
        if tail is None and (len(found) > 1 or kept):
            raise TrailBroken(segment=found[-1].name if found else HEAD, why="the records before it are gone")
        if tail and kept and (kept.chain != tail.chain or kept.seq > tail.head.seq):
            why = f"{HEAD} was signed at record {kept.seq}, the trail ends at record {tail.head.seq}"
            raise TrailBroken(segment=segments.name_of(tail.segment), why=why)
        return tail

    def _kept_head(self) -> HeadFile | None:
        path = self._folder / HEAD
        try:
            return msgspec.json.decode(path.read_bytes(), type=HeadFile)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.DecodeError, UnicodeDecodeError) as wrong:
            raise TrailBroken(segment=HEAD, why="it cannot be read") from wrong

    def _resume(self, tail: segments.Tail) -> None:
        self._chain, self._segment, self.head, self._open_calls = tail.chain, tail.segment, tail.head, tail.open_calls
        self._size, self._torn = tail.size, bool(tail.cut)
        try:
            self._file = os.open(self._folder / segments.name_of(tail.segment), _FLAGS)
        except OSError as wrong:
            raise _translated(wrong) from wrong

    def _rotate_if_full(self, now: datetime) -> None:
        if self._size >= self._limit:
            self._rotate(now)

    def _rotate(self, now: datetime) -> None:
        """Begin the next segment: its first record links to the last one of this."""
        number = self._segment + 1
        path = self._folder / segments.name_of(number)
        opened = Opened(
            at=now, chain=self._chain, segment=number, open_calls=tuple(sorted(self._open_calls)[:CARRIED_CALLS])
        )
        line, head = chain.link(self.head, _written(opened, 0))
        try:
            handle = os.open(path, _FLAGS | os.O_CREAT | os.O_TRUNC, 0o600)
            try:
                _write_all(handle, line)
                self._sync(handle)
                private_files.sync_folder(self._folder)
            except OSError:
                os.close(handle)
                raise
        except OSError as wrong:
            raise _translated(wrong) from wrong
        if self._file >= 0:
            os.close(self._file)
        self._file, self._segment, self._size, self._torn, self.head = handle, number, len(line), False, head

    def _append(self, text: bytes) -> None:
        try:
            if self._torn:
                os.ftruncate(self._file, self._size)
            self._torn = True
            _write_all(self._file, text)
            self._sync(self._file)
        except OSError as wrong:
            # What a failed sync left is unknown: cut it now if the disk lets us, else before the next write.
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, self._size)
            raise _translated(wrong) from wrong
        self._torn = False
        self._size += len(text)

    def _replace(self, name: str, text: bytes) -> None:
        """Put *text* in the place of a small file in one step, durably."""
        draft = self._folder / f"{name}.new"
        try:
            handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
            try:
                _write_all(handle, text)
                self._sync(handle)
            finally:
                os.close(handle)
            draft.replace(self._folder / name)
            private_files.sync_folder(self._folder)
        except OSError as wrong:
            raise _translated(wrong) from wrong


def _written(entry: Entry, index: int) -> bytes:
    try:
        text = records.encode(entry)
    except (TypeError, ValueError, OverflowError) as wrong:  # lone surrogates are ValueErrors too
        raise Unrecordable(index=index, why="a value in it has no JSON form") from wrong
    if len(text) > records.MAX_RECORD:
        raise Unrecordable(index=index, why=f"it takes {len(text)} bytes, {records.MAX_RECORD} are allowed")
    return text


def _write_all(handle: int, text: bytes) -> None:
    done = os.write(handle, text)
    while done < len(text):
        done += os.write(handle, text[done:])


def _translated(wrong: OSError) -> AuditError:
    why = os.strerror(wrong.errno) if wrong.errno else "it fails"
    return DiskFull(why=why) if wrong.errno in _FULL else NotWritable(why=why)
