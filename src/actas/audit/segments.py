"""The files of a trail: their names, their order, who may read them, and what the last one says after a crash."""

import fcntl
import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from actas import private_files
from actas.audit import chain, records
from actas.audit.chain import Head
from actas.audit.errors import LineUnreadable, TrailBroken, TrailExposed, TrailInUse, TrailUnreadable
from actas.audit.records import Opened

_NAME = re.compile(r"([0-9]{6,12})\.jsonl")

_RETRY = 0.05


def name_of(segment: int) -> str:
    """Give the file name of a segment: ``000001.jsonl``."""
    return f"{segment:06d}.jsonl"


def listed(folder: Path) -> list[Path]:
    """List the segments of *folder* in the order of their numbers."""
    try:
        found = [path for path in folder.iterdir() if _NAME.fullmatch(path.name)]
    except OSError as wrong:
        raise TrailUnreadable(name=folder.name, why=wrong.strerror or "it cannot be listed") from wrong
    return sorted(found, key=lambda path: int(path.stem))


def lines(path: Path) -> Iterator[bytes]:
    """Give the lines of a segment, line feeds included; one too long comes in pieces, which no parser takes."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as wrong:
        raise TrailUnreadable(name=path.name, why=wrong.strerror or "it cannot be opened") from wrong
    with os.fdopen(handle, "rb", buffering=1024 * 1024) as file:
        try:
            while line := file.readline(chain.MAX_LINE + 1):
                yield line
        except OSError as wrong:
            raise TrailUnreadable(name=path.name, why=wrong.strerror or "it cannot be read") from wrong


def own(path: Path) -> None:
    """Refuse a file or folder that others may read or change, or that is not ours."""
    try:
        private_files.look(path)
    except private_files.NotPrivate as wrong:
        raise TrailExposed(name=path.name, why=str(wrong)) from wrong
    except OSError as wrong:
        raise TrailUnreadable(name=path.name, why=wrong.strerror or "it cannot be looked at") from wrong


def make_folder(folder: Path) -> None:
    """Make *folder*, mode 0700, or check that it is ours alone."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as wrong:
        raise TrailUnreadable(name=folder.name, why=wrong.strerror or "it cannot be made") from wrong
    own(folder)


def lock(folder: Path, patience: float) -> int:
    """Keep every other writer out of *folder*; give one *patience* seconds to end. The descriptor is the lock."""
    try:
        handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as wrong:
        raise TrailUnreadable(name=folder.name, why=wrong.strerror or "it cannot be locked") from wrong
    for left in range(int(patience / _RETRY), -1, -1):
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as wrong:
            if not left:
                os.close(handle)
                raise TrailInUse(folder=folder.name) from wrong
            time.sleep(_RETRY)
        else:
            break
    return handle


@dataclass(slots=True, kw_only=True)
class Tail:
    """What the last segment says: where to go on, and which calls had not ended."""

    chain: str
    segment: int
    head: Head
    size: int
    """Bytes of the lines that hold."""
    open_calls: set[str] = field(default_factory=set)
    cut: bytes = b""
    """A bad last line."""

    @property
    def cut_sha256(self) -> str | None:
        """Name what was cut by its hash."""
        return sha256(self.cut).hexdigest() if self.cut else None


def read_tail(path: Path) -> Tail | None:
    """Read the segment at *path* whole; None where it holds not one line.

    Only a bad last line is taken for the trace of a crash. A bad line before others is tampering or a failing disk:
    going on would hide it, so that raises `TrailBroken`.
    """
    tail: Tail | None = None
    bad, why = b"", ""
    for raw in lines(path):
        if bad:
            raise TrailBroken(segment=path.name, why=why)
        try:
            tail = _follow(path, tail, raw)
        except LineUnreadable as wrong:
            bad, why = raw, str(wrong)
    if tail is not None:
        tail.cut = bad
    elif bad.endswith(b"\n"):
        raise TrailBroken(segment=path.name, why=why)
    return tail


def _follow(path: Path, tail: Tail | None, raw: bytes) -> Tail:
    line = chain.parse(raw)
    if not line.true:
        raise LineUnreadable(why="it is not what its hash was made of")
    if tail is None:
        entry = records.decode(line.record)
        if not isinstance(entry, Opened) or name_of(entry.segment) != path.name or not chain.is_chain_id(entry.chain):
            raise TrailBroken(segment=path.name, why="its first record does not open this segment")
        tail = Tail(chain=entry.chain, segment=entry.segment, head=line.head, size=len(raw))
        tail.open_calls.update(entry.open_calls)
        return tail
    if (line.seq, line.prev) != (tail.head.seq + 1, tail.head.hash):
        raise TrailBroken(segment=path.name, why=f"record {line.seq} does not follow record {tail.head.seq}")
    tail.head = line.head
    tail.size += len(raw)
    said = records.glance(line.record)
    if said.type == "decided":
        tail.open_calls.add(said.call)
    elif said.type == "ended":
        tail.open_calls.discard(said.call)
    return tail
