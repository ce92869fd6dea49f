"""Prove a trail, or name what is wrong with it: changed, cut, missing, reordered, duplicated.

Pure: lines come in one at a time, in the order of the files; anchors (heads kept elsewhere) come in as values.

What a chain alone proves: nobody changed it who did not also rewrite everything after the change. Somebody who may
write the files can rewrite all of it or cut its end; only a head that was copied elsewhere shows that. So the report
says up to which record an anchor from elsewhere proves the trail.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import Enum

from actas.audit import chain, records
from actas.audit.beginnings import Beginning, runs
from actas.audit.chain import Head
from actas.audit.errors import LineUnreadable
from actas.audit.records import Checkpoint, Gap, Opened, Pruned

MAX_FINDINGS = 1000
MAX_HOLES = 100_000
"""How many missing records are looked out for one by one."""


class Wrong(Enum):
    """What can be wrong with a trail."""

    CHANGED = "changed"
    CUT = "cut"
    MISSING = "missing"
    REORDERED = "reordered"
    DUPLICATED = "duplicated"
    UNREADABLE = "unreadable"
    FOREIGN = "foreign"
    FORGED = "forged"
    REWRITTEN = "rewritten"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong: what, where, which record, and a sentence."""

    wrong: Wrong
    segment: str
    line: int
    """1 for a segment's first line; 0 where no line is meant."""
    seq: int
    """The record's number; 0 where it cannot be told."""
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """A head that was kept elsewhere, and where it comes from."""

    source: str
    seq: int
    hash: str
    elsewhere: bool = True
    """False for the copy beside the trail: it must fit, but whoever can change the trail can change it too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What `verify` found."""

    chain: str
    records: int
    first: int
    last: Head
    findings: tuple[Finding, ...]
    more_findings: int
    gaps: tuple[tuple[int, Gap], ...]
    checkpoints: int
    """How many signed heads in the trail hold."""
    pruned: Pruned | None
    """What accounts for the records before the first one; None where there are none, or nothing does."""
    anchored: Anchor | None
    """The furthest anchor from elsewhere that holds: the trail is proved up to it."""

    @property
    def holds(self) -> bool:
        """Tell whether nothing is wrong."""
        return not self.findings


CheckToken = Callable[[Checkpoint | Pruned], str | None]
"""Says why a signature of the trail's own does not hold; None where it does."""


@dataclass(slots=True, kw_only=True)
class _Walk:
    anchors: dict[int, list[Anchor]]
    check_token: CheckToken | None
    chain: str = ""
    head: Head | None = None
    segment: str = ""
    line: int = 0
    records: int = 0
    first: int = 0
    beginning: Beginning = field(default_factory=Beginning)
    damaged: int = 0
    """Lines in a row that could not be read just before."""
    suspect: bool = False
    """The last record was reported already: its link is not held against the next."""
    holes: dict[int, str] = field(default_factory=dict)
    """Records not seen yet that should have been, and the segment where they were missed."""
    findings: list[Finding] = field(default_factory=list)
    more_findings: int = 0
    gaps: list[tuple[int, Gap]] = field(default_factory=list)
    checkpoints: int = 0
    held: list[Anchor] = field(default_factory=list)

    @property
    def next_seq(self) -> int:
        return (self.head.seq if self.head else 0) + 1 + self.damaged

    def found(self, wrong: Wrong, seq: int, says: str, *, line: int | None = None, segment: str | None = None) -> None:
        if len(self.findings) >= MAX_FINDINGS:
            self.more_findings += 1
            return
        where = self.line if line is None else line
        self.findings.append(
            Finding(wrong=wrong, segment=self.segment if segment is None else segment, line=where, seq=seq, says=says)
        )


def verify(
    segments: Iterable[tuple[str, Iterable[bytes]]],
    *,
    anchors: Iterable[Anchor] = (),
    check_token: CheckToken | None = None,
) -> Report:
    """Walk over *segments* (name and lines, in order) and report; without *check_token* no signature is checked."""
    by_seq: dict[int, list[Anchor]] = {}
    for anchor in anchors:
        by_seq.setdefault(anchor.seq, []).append(anchor)
    walk = _Walk(anchors=by_seq, check_token=check_token)
    for name, lines in segments:
        if walk.head:
            walk.beginning.ends[walk.head.seq] = walk.head.hash
        walk.segment, walk.line = name, 0
        for raw in lines:
            walk.line += 1
            _take(walk, raw)
    return _close(walk)


def _take(walk: _Walk, raw: bytes) -> None:
    try:
        line = chain.parse(raw)
    except LineUnreadable as wrong:
        _damaged(walk, Wrong.UNREADABLE if raw.endswith(b"\n") else Wrong.CUT, str(wrong))
        return
    if not line.true and line.seq != walk.next_seq:
        _damaged(walk, Wrong.CHANGED, f"where record {walk.next_seq} belongs stands a line that was changed")
        return
    walk.records += 1
    entry = _entry(walk, line)
    if walk.head is None:
        _begin(walk, line, entry)
    elif not _in_order(walk, line):
        return
    walk.suspect = not line.true
    walk.head = line.head
    walk.damaged = 0
    _anchors_at(walk, line.seq, line.hash)
    match entry:
        case Checkpoint():
            _checkpoint(walk, line, entry)
        case Pruned():
            _pruned(walk, line, entry)
        case Gap():
            walk.gaps.append((line.seq, entry))
        case Opened() if entry.chain != walk.chain:
            walk.found(Wrong.FOREIGN, line.seq, f"the segment says that it is of chain {entry.chain}")
        case _:
            pass


def _damaged(walk: _Walk, wrong: Wrong, says: str) -> None:
    walk.found(wrong, walk.next_seq, says)
    walk.damaged += 1


def _entry(walk: _Walk, line: chain.Line) -> records.Entry | None:
    if not line.true:
        walk.found(Wrong.CHANGED, line.seq, f"record {line.seq} is not what its hash was made of")
        return None
    try:
        return records.decode(line.record)
    except LineUnreadable as wrong:
        walk.found(Wrong.UNREADABLE, line.seq, str(wrong))
        return None


def _begin(walk: _Walk, line: chain.Line, entry: records.Entry | None) -> None:
    walk.first = line.seq
    if isinstance(entry, Opened):
        walk.chain = entry.chain
    walk.beginning.begin(line, walk.segment, walk.damaged)
    if line.seq == 1 and line.true and line.prev != chain.genesis(walk.chain).hash:
        walk.found(Wrong.CHANGED, 1, "the first record does not begin the chain that it names")


def _in_order(walk: _Walk, line: chain.Line) -> bool:
    """Place *line* among the others; False where it is out of place and so no part of what follows."""
    head = walk.head
    assert head is not None
    expected = head.seq + 1
    if line.seq < expected:
        if walk.holes.pop(line.seq, None) is not None:
            walk.found(Wrong.REORDERED, line.seq, f"record {line.seq} stands after record {head.seq}")
        else:
            walk.found(Wrong.DUPLICATED, line.seq, f"there is a second record {line.seq}, after record {head.seq}")
        return False
    if line.seq > expected:
        _missed(walk, expected + walk.damaged, line.seq)
    elif line.true and line.prev != head.hash and not walk.suspect:
        walk.found(Wrong.CHANGED, head.seq, f"record {head.seq} was rewritten: record {line.seq} follows another one")
    return True


def _missed(walk: _Walk, first: int, seq: int) -> None:
    """Remember that records from *first* up to *seq* should have come: they may still, out of order."""
    if seq - first + len(walk.holes) > MAX_HOLES:
        walk.found(Wrong.MISSING, first, f"records {first} to {seq - 1} are not here")
        return
    for lost in range(first, seq):
        walk.holes[lost] = walk.segment


def _anchors_at(walk: _Walk, seq: int, digest: str) -> None:
    for anchor in walk.anchors.pop(seq, ()):
        if anchor.hash != digest:
            walk.found(Wrong.REWRITTEN, seq, f"{anchor.source} was kept of another record {seq} than this one")
        elif anchor.elsewhere:
            walk.held.append(anchor)


def _checkpoint(walk: _Walk, line: chain.Line, entry: Checkpoint) -> None:
    if (entry.seq, entry.hash) != (line.seq - 1, line.prev):
        walk.found(Wrong.FORGED, line.seq, f"checkpoint {line.seq} is of another head than the record before it")
    elif walk.check_token is None:
        return
    elif (why := walk.check_token(entry)) is not None:
        walk.found(Wrong.FORGED, line.seq, f"the signature of checkpoint {line.seq} does not hold: {why}")
    else:
        walk.checkpoints += 1


def _pruned(walk: _Walk, line: chain.Line, entry: Pruned) -> None:
    why = walk.beginning.doubt(entry, line.seq)
    if why is None:
        if walk.check_token is None:
            return  # whoever may write the files can say so too: without a key it accounts for nothing
        why = walk.check_token(entry)
    if why is not None:
        walk.found(Wrong.FORGED, line.seq, f"record {line.seq}, which says what was pruned, does not hold: {why}")
        return
    walk.beginning.believe(entry)
    if entry.seq < walk.first:
        _anchors_at(walk, entry.seq, entry.hash)


def _close(walk: _Walk) -> Report:
    if (lost := walk.beginning.lost) is not None:
        walk.found(Wrong.MISSING, lost[0], lost[1], line=0, segment=walk.beginning.segment)
    for first, last, segment in runs(walk.holes):
        what = f"record {first} is" if first == last else f"records {first} to {last} are"
        walk.found(Wrong.MISSING, first, f"{what} not here", line=0, segment=segment)
    head = walk.head or Head(0, "")
    for seq in sorted(walk.anchors):
        for anchor in walk.anchors[seq]:
            if seq > head.seq:
                says = f"{anchor.source} was kept of record {seq}; the trail ends at record {head.seq}"
                walk.found(Wrong.CUT, seq, says, line=0)
    return Report(
        chain=walk.chain,
        records=walk.records,
        first=walk.first,
        last=head,
        findings=tuple(walk.findings),
        more_findings=walk.more_findings,
        gaps=tuple(walk.gaps),
        checkpoints=walk.checkpoints,
        pruned=walk.beginning.gone,
        anchored=_furthest(walk),
    )


def _furthest(walk: _Walk) -> Anchor | None:
    """Where something is wrong, an anchor proves only what comes before the first wrong record."""
    limit = min((finding.seq for finding in walk.findings), default=None)
    return max(
        (anchor for anchor in walk.held if limit is None or anchor.seq < limit), key=lambda held: held.seq, default=None
    )
