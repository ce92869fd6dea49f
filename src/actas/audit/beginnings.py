"""Tell a trail whose oldest segments were pruned from one that lost them.

Pure. A trail that does not begin with record 1 needs a `Pruned` record, further on in itself, that says so: of these
records or of later ones, signed by the key that signs heads, and of the very record that the first one left links to.
"""

from dataclasses import dataclass, field

from actas.audit.chain import Line
from actas.audit.records import Pruned


@dataclass(slots=True, kw_only=True)
class Beginning:
    """Where a trail begins, and what it says of the records before that."""

    first: int = 0
    """The number of the first record; lines before it that could not be read are counted in."""
    prev: str | None = None
    """What the first record links to; None where that cannot be told."""
    segment: str = ""
    ends: dict[int, str] = field(default_factory=dict)
    """The last record of each segment that was walked over."""
    said: Pruned | None = None
    """The furthest claim that holds."""

    def begin(self, line: Line, segment: str, damaged: int) -> None:
        """Take the first line that could be read, after some that could not."""
        self.first, self.segment = line.seq - damaged, segment
        self.prev = line.prev if line.true and not damaged else None

    def doubt(self, entry: Pruned, seq: int) -> str | None:
        """Say what speaks against a claim that is record *seq*; None where it may be."""
        if entry.seq >= seq:
            return "it is of records that come after it"
        if entry.seq >= self.first and self.ends.get(entry.seq) != entry.hash:
            return "no segment ended so"
        if entry.seq == self.first - 1 and self.prev not in (None, entry.hash):
            return f"record {self.first} follows another one"
        return None

    def believe(self, entry: Pruned) -> None:
        """Take a claim that nothing speaks against and whose signature holds."""
        if self.said is None or entry.seq > self.said.seq:
            self.said = entry

    @property
    def gone(self) -> Pruned | None:
        """Tell which claim accounts for the records before the first one."""
        return self.said if self.first > 1 else None

    @property
    def lost(self) -> tuple[int, str] | None:
        """Tell from where on records are not here that no claim accounts for, and say so."""
        pruned = 0 if self.said is None else self.said.seq
        if pruned >= self.first - 1:
            return None
        some = pruned + 1 == self.first - 1
        what = f"record {pruned + 1} is" if some and pruned else f"records {pruned + 1} to {self.first - 1} are"
        return pruned + 1, f"{what} not here" + (f"; pruned were those up to record {pruned}" if pruned else "")


def runs(holes: dict[int, str]) -> list[tuple[int, int, str]]:
    """Put single missing records together: the first, the last, and where they were missed."""
    found: list[tuple[int, int, str]] = []
    for seq in sorted(holes):
        if found and found[-1][1] == seq - 1:
            found[-1] = (found[-1][0], seq, found[-1][2])
        else:
            found.append((seq, seq, holes[seq]))
    return found
