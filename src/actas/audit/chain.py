r"""Link records so that no change goes unseen, and read linked lines strictly.

Pure. A line is one JSON object with exactly this spelling::

    {"seq":7,"prev":"<64 hex>","record":{...},"hash":"<64 hex>"}

``hash`` is the SHA-256 of the line's own bytes up to (not including) ``,"hash":``; ``prev`` is the hash of the line
before, and of the first line a hash of the chain's id. So anyone can check a line with ``sed`` and ``sha256sum``::

    sed -n 7p 000001.jsonl | sed 's/,"hash":"[0-9a-f]*"}$//' | tr -d '\n' | sha256sum
"""

import re
from dataclasses import dataclass
from hashlib import sha256

from actas.audit.errors import LineUnreadable
from actas.audit.records import MAX_RECORD

MAX_LINE = MAX_RECORD + 256
"""Bytes of the longest line; the frame around a record takes less than 256."""
_LINE = re.compile(
    rb'(\{"seq":(0|[1-9][0-9]{0,17}),"prev":"([0-9a-f]{64})","record":(\{.*\})),"hash":"([0-9a-f]{64})"\}\n'
)
_CHAIN = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Head:
    """The last record of a chain: its number and its hash."""

    seq: int
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line as it stands in a file; ``true`` says whether its hash is that of its own bytes."""

    seq: int
    prev: str
    record: bytes
    hash: str
    true: bool

    @property
    def head(self) -> Head:
        """What the next line must link to."""
        return Head(self.seq, self.hash)


def genesis(chain: str) -> Head:
    """Give what the first record of the chain called *chain* links to."""
    return Head(0, sha256(b"actas audit chain " + chain.encode()).hexdigest())


def is_chain_id(text: str) -> bool:
    """Tell whether *text* has the form of a chain's id: 32 hex digits."""
    return _CHAIN.fullmatch(text) is not None


def link(head: Head, record: bytes) -> tuple[bytes, Head]:
    """Make the line of *record* after *head*; give it and the new head."""
    seq = head.seq + 1
    text = b'{"seq":%d,"prev":"%b","record":%b' % (seq, head.hash.encode(), record)
    digest = sha256(text).hexdigest()
    return b'%b,"hash":"%b"}\n' % (text, digest.encode()), Head(seq, digest)


def parse(line: bytes) -> Line:
    """Read one line, its line feed included; refuse every other spelling."""
    if len(line) > MAX_LINE:
        raise LineUnreadable(why=f"it has more than {MAX_LINE} bytes")
    if not line.endswith(b"\n"):
        raise LineUnreadable(why="its end is missing")
    if not (found := _LINE.fullmatch(line)):
        raise LineUnreadable(why="it has not the form of a line of the trail")
    text, seq, prev, record, stated = found.groups()
    return Line(
        seq=int(seq),
        prev=prev.decode(),
        record=record,
        hash=stated.decode(),
        true=sha256(text).hexdigest().encode() == stated,
    )
