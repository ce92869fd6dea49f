"""Feed hostile trails to `actas.audit`: whatever stands in the files, a report or an `AuditError` comes out.

Run: ``.venv/bin/python fuzz/fuzz_audit_trail.py -max_total_time=60 [CORPUS]``; libFuzzer's arguments hold.
The first byte says what the rest is: a trail, a record, an anchor's text, or an approval.
"""

import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["actas.audit"]):
    from actas.audit import chain, records, render, unmask, verify
    from actas.audit.errors import AuditError
    from actas.audit.read import Numbered
    from actas.audit.records import Checkpoint, Erased, Gap, Opened

AT = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)
CHAIN = "0123456789abcdef" * 2


def trail() -> bytes:
    """Write a small trail that holds."""
    head, lines = chain.genesis(CHAIN), []
    entries = (
        Opened(at=AT, chain=CHAIN, segment=1),
        Gap(at=AT, since=AT, because="audit.disk-full", late=1, lost=0),
        Erased(at=AT, rows=1),
    )
    for entry in entries:
        line, head = chain.link(head, records.encode(entry))
        lines.append(line)
    line, _ = chain.link(head, records.encode(Checkpoint(at=AT, seq=head.seq, hash=head.hash, token="t")))
    return b"".join([*lines, line])


TRAIL = trail()
SEEDS = (
    b"\x00" + TRAIL,
    b"\x01" + records.encode(Erased(at=AT, rows=1)),
    b"\x02actas-approval-" + b"A" * 40,
)


def test_one_input(data: bytes) -> None:
    """Read one input, in the way that the first byte says."""
    if not data:
        return
    kind, text = data[0] % 3, data[1:]
    try:
        if kind == 0:
            report = verify.verify([("000001.jsonl", text.splitlines(keepends=True))])
            render.report_text(report)
            if report.holds and text and not TRAIL.startswith(text):
                # What holds must be a chain: each line links to the one before, from its genesis on.
                head = chain.genesis(report.chain)
                for raw in text.splitlines(keepends=True):
                    line = chain.parse(raw)
                    if line.prev != head.hash or chain.link(head, line.record)[0] != raw:
                        raise AssertionError("a broken chain holds")
                    head = line.head
        elif kind == 1:
            entry = records.decode(text)
            render.entry_text(Numbered(seq=1, entry=entry))
            if records.encode(entry) != text:
                raise AssertionError("a record has two forms")
        else:
            unmask.read_approval(text.decode("utf-8", "replace"))
    except AuditError:
        return


def main() -> None:
    """Seed a corpus of our own and go."""
    with tempfile.TemporaryDirectory() as seeds:
        for number, seed in enumerate(SEEDS):
            (Path(seeds) / str(number)).write_bytes(seed)
        atheris.Setup([*sys.argv, seeds], test_one_input)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
