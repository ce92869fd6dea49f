"""Read a trail as it stands on disk: verify it, show its end or one call, hand it on. The gateway may be writing it.

Blocking; commands call it. Nothing here needs the gateway, its settings or its keys: a copy of the folder will do.
"""

import fcntl
import os
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from actas import jose
from actas.audit import chain, checkpoints, records, segments, verify
from actas.audit.errors import TrailUnreadable
from actas.audit.records import Entry, Gap, Opened
from actas.audit.sinks.jsonl import HEAD, KEYS
from actas.model.record import Decided, Ended


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbered:
    """A record and its number."""

    seq: int
    entry: Entry


def verify_folder(
    folder: Path, *, keys: Path | None = None, anchors: Iterable[Path] = (), archive: Path | None = None
) -> verify.Report:
    """Verify the trail in *folder*; where *archive* has the segments that were pruned, all of it.

    *keys* is a JWK Set kept elsewhere; the one beside the trail is used where it is left out. *anchors* are copies of
    ``head.json`` kept elsewhere, or folders of such copies,
    or the folder of another sink that keeps the same trail.
    """
    found = _keys(keys or folder / KEYS, needed=keys is not None)
    # The head first: whatever is signed there is in the files that are read after it.
    heads = [checkpoints.read_anchor(path, found) for path in _files(anchors)]
    if (folder / HEAD).exists():
        heads.append(checkpoints.read_anchor(folder / HEAD, found, elsewhere=False))
    check = checkpoints.checker(found) if found else None
    return verify.verify(_segments(folder, archive), anchors=heads, check_token=check)


def since(folder: Path, seq: int = 0) -> Iterator[Numbered]:
    """Give the records after number *seq*; a line that is none raises, and `verify_folder` explains it."""
    paths = segments.listed(folder)
    for path, following in zip(paths, [*paths[1:], None], strict=True):
        if following is not None and _first(following) <= seq + 1:
            continue
        for raw in segments.lines(path):
            if not raw.endswith(b"\n"):
                return
            line = chain.parse(raw)
            if line.seq > seq:
                yield Numbered(seq=line.seq, entry=records.decode(line.record))


def tail(folder: Path, count: int) -> list[Numbered]:
    """Give the last *count* records."""
    kept: deque[Numbered] = deque(maxlen=count)
    for path in reversed(segments.listed(folder)):
        last = deque(_whole(path), maxlen=count - len(kept))
        for raw in reversed(last):
            line = chain.parse(raw)
            kept.appendleft(Numbered(seq=line.seq, entry=records.decode(line.record)))
        if len(kept) == count:
            break
    return list(kept)


def show(folder: Path, call: str) -> list[Numbered]:
    """Give everything that the trail says of one call: its own records, calls it was the root of, gaps it fell into."""
    found = []
    wanted = b'"' + call.encode("utf-8", "replace") + b'"'
    for path in segments.listed(folder):
        for raw in _whole(path):
            if wanted not in raw:
                continue
            line = chain.parse(raw)
            entry = records.decode(line.record)
            if _speaks_of(entry, call):
                found.append(Numbered(seq=line.seq, entry=entry))
    return found


def between(folder: Path, start: datetime | None = None, end: datetime | None = None) -> Iterator[Numbered]:
    """Give the records of a time, the end not included."""
    for numbered in since(folder):
        at = numbered.entry.at
        if (start is None or start <= at) and (end is None or at < end):
            yield numbered


def _speaks_of(entry: Entry, call: str) -> bool:
    match entry:
        case Decided():
            return call in {entry.call, entry.root}
        case Ended():
            return entry.call == call
        case Gap():
            return call in entry.calls
        case _:
            return False


def _first(path: Path) -> int:
    """Give the number of a segment's first record."""
    raw = next(segments.lines(path), b"")
    line = chain.parse(raw)
    if not isinstance(records.decode(line.record), Opened):
        raise TrailUnreadable(name=path.name, why="its first record does not open a segment")
    return line.seq


def _whole(path: Path) -> Iterator[bytes]:
    """Give the lines that are whole: the gateway may be in the middle of writing the last one."""
    return (raw for raw in segments.lines(path) if raw.endswith(b"\n"))


def _segments(folder: Path, archive: Path | None) -> Iterator[tuple[str, Iterable[bytes]]]:
    paths = segments.listed(folder)
    if not paths:
        raise TrailUnreadable(name=folder.name, why="it holds no segment")
    for path in segments.listed(archive) if archive else ():
        if int(path.stem) < int(paths[0].stem):
            yield path.name, segments.lines(path)
    for path in paths:
        live = path == paths[-1] and _is_written(folder)
        yield path.name, _whole(path) if live else segments.lines(path)


def _is_written(folder: Path) -> bool:
    """Tell whether a gateway holds the trail at this moment: a half line at its end is then no damage."""
    try:
        handle = os.open(folder / "lock", os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(handle)
    return False


def _keys(path: Path, *, needed: bool) -> jose.KeySet | None:
    return checkpoints.read_public(path) if needed or path.exists() else None


def _files(anchors: Iterable[Path]) -> Iterator[Path]:
    for path in anchors:
        if (path / HEAD).exists():  # another sink's folder
            yield path / HEAD
        else:
            yield from sorted(path.glob("*.json")) if path.is_dir() else (path,)
