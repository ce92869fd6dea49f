"""Take the oldest segments off a trail: whole ones, sealed ones, and never before the trail itself says so.

An edge; blocking. The order is what makes it safe: what goes is proved once more and lies in the archive, if there is
one; then the trail has a signed record of it, durably; only then are the files deleted, the oldest first. A crash in
between leaves files that are announced as gone and still verify. Tampering is never pruned away: where the segments
do not hold, nothing goes.
"""

import hashlib
import itertools
import os
import shutil
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from actas import jose, private_files
from actas.audit import chain, checkpoints, records, segments
from actas.audit.chain import Head, Line
from actas.audit.checkpoints import HeadFile, Keys
from actas.audit.errors import NotPruned
from actas.audit.following import Place
from actas.audit.records import Opened, Pruned
from actas.audit.sinks.jsonl import HEAD, KEYS

STAYS = timedelta(days=1)
"""Records that are younger stay, whatever is asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to go: whole segments, the oldest first, up to a record."""

    chain: str
    before: datetime
    paths: tuple[Path, ...]
    first: int
    head: Head
    """The last record that goes."""
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruning:
    """Prunes one trail."""

    folder: Path
    archive: Path | None
    places: tuple[Path, ...]
    """The files that say how far those are who keep a copy: what one of them has not taken stays."""

    def plan(self, before: datetime, most: int | None = None) -> Plan | None:
        """Find the segments, *most* of them, in which every record is from before *before*; None where none is so."""
        found = segments.listed(self.folder)
        if len(found) < 2:
            return None
        begins = _opening(found[0])
        limit = self._needed(begins[1].chain)
        going: list[Path] = []
        for path, following in itertools.pairwise(found):
            if len(going) == most or (limit is not None and int(path.stem) >= limit):
                break
            if _opening(following)[1].at > before:  # what it opens after is no younger
                break
            going.append(path)
        if not going:
            return None
        return self._proved(going, found[len(going)], begins, before)

    def keep_copies(self, plan: Plan) -> None:
        """Lay what goes into the archive, durably, with the public keys; what lies there already must be the same."""
        if self.archive is None:
            return
        segments.make_folder(self.archive)
        try:
            for path in plan.paths:
                _copy(path, self.archive / path.name)
            private_files.write(self.archive / KEYS, (self.folder / KEYS).read_bytes())
        except OSError as wrong:
            raise NotPruned(why=f"the archive cannot be written: {private_files.why(wrong)}") from wrong

    def record(self, plan: Plan, keys: Keys, now: datetime) -> Pruned:
        """Make the record that says what goes."""
        token = keys.sign(chain=plan.chain, head=plan.head, at=now, typ=checkpoints.PRUNED)
        segment, head = int(plan.paths[-1].stem), plan.head
        return Pruned(at=now, segment=segment, seq=head.seq, hash=head.hash, before=plan.before, token=token)

    def remove(self, plan: Plan) -> None:
        """Delete what is announced as gone."""
        try:
            for path in plan.paths:
                path.unlink(missing_ok=True)
            private_files.sync_folder(self.folder)
        except OSError as wrong:
            raise NotPruned(why=f"segments cannot be deleted: {private_files.why(wrong)}") from wrong

    def _needed(self, of: str) -> int | None:
        """Give the first segment that somebody who keeps a copy still needs; None where nobody does."""
        needed: int | None = None
        for file in self.places:
            try:
                place = msgspec.json.decode(file.read_bytes(), type=Place)
            except (OSError, msgspec.DecodeError, UnicodeDecodeError):
                return 0  # it has not begun, or nobody knows where it is
            if place.chain != of:
                return 0
            needed = place.segment if needed is None else min(needed, place.segment)
        return needed

    def _proved(self, going: list[Path], stays: Path, begins: tuple[Line, Opened], before: datetime) -> Plan:
        """See that what goes is whole, is one chain, leads to what stays, and lies below a signed head."""
        line, opened = begins
        head = Head(line.seq - 1, line.prev)
        for path in going:
            found = _opening(path)[0]
            tail = segments.read_tail(path)
            if tail is None or tail.cut or (found.seq, found.prev) != (head.seq + 1, head.hash):
                raise NotPruned(why=f"{path.name} does not hold; `actas audit verify` says more")
            head = tail.head
        left = _opening(stays)[0]
        if (left.seq, left.prev) != (head.seq + 1, head.hash):
            raise NotPruned(why=f"{stays.name} does not follow; `actas audit verify` says more")
        self._is_sealed(opened.chain, head)
        try:
            size = sum(path.stat().st_size for path in going)
        except OSError as wrong:  # somebody takes files away, and it is not us
            raise NotPruned(why=f"segments cannot be looked at: {private_files.why(wrong)}") from wrong
        return Plan(chain=opened.chain, before=before, paths=tuple(going), first=line.seq, head=head, size=size)

    def _is_sealed(self, of: str, head: Head) -> None:
        try:
            signed = msgspec.json.decode((self.folder / HEAD).read_bytes(), type=HeadFile)
            said = checkpoints.opened(signed.token, checkpoints.read_public(self.folder / KEYS))
        except (OSError, msgspec.DecodeError, UnicodeDecodeError, jose.JoseError) as wrong:
            raise NotPruned(why=f"{HEAD} cannot be read, or its signature does not hold") from wrong
        if said.chain != of or said.seq < head.seq:
            raise NotPruned(why=f"the last signed head is of record {said.seq}, and record {head.seq} would go")


def _opening(path: Path) -> tuple[Line, Opened]:
    line = chain.parse(next(segments.lines(path), b""))
    entry = records.decode(line.record)
    if not line.true or not isinstance(entry, Opened):
        raise NotPruned(why=f"{path.name} does not open as a segment does")
    return line, entry


def _copy(source: Path, target: Path) -> None:
    if target.exists():
        if _digest(target) != _digest(source):
            raise NotPruned(why=f"the archive has another {target.name}")
        return
    draft = target.with_name(f"{target.name}.new")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as copy:
        with source.open("rb") as file:
            shutil.copyfileobj(file, copy, 1024 * 1024)
        copy.flush()
        os.fsync(handle)
    if _digest(draft) != _digest(source):
        raise NotPruned(why=f"the copy of {source.name} in the archive is another")
    draft.replace(target)
    private_files.sync_folder(target.parent)


def _digest(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()
