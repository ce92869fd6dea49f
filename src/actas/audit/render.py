"""Say what was read from a trail: as text for people, as plain data for programs, as CSV for spreadsheets. Pure."""

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from actas.audit import records
from actas.audit.read import Numbered
from actas.audit.records import (
    Checkpoint,
    Counted,
    Entry,
    Erased,
    Gap,
    Handed,
    Opened,
    Pruned,
    Reloaded,
    Started,
    Unmasked,
)
from actas.audit.verify import Report
from actas.model.record import Decided, Ended

COLUMNS = (
    "call", "at", "provider", "subject", "actors", "kind", "function", "qualifier", "route", "verdict", "role", "rules",
    "reasons", "generation", "evidence_id", "trace", "root", "ended_at", "outcome", "error", "took_us", "log_hash",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def report_text(report: Report) -> str:
    """Say what `verify` found: the verdict, then why, then what to do."""
    lines = ["holds" if report.holds else "does not hold"]
    lines += [f"  {_where(f.segment, f.line)}{f.says}  [{f.wrong.value}]" for f in report.findings]
    if report.more_findings:
        lines.append(f"  and {report.more_findings} more")
    lines.append(
        f"  {report.records} records of chain {report.chain or 'unknown'}, {report.first} to {report.last.seq};"
        f" {report.checkpoints} signed heads hold"
    )
    if (gone := report.pruned) is not None:
        when = f"{gone.at:%Y-%m-%dT%H:%M:%SZ}"
        lines.append(f"  records up to {gone.seq} were pruned on {when}; the trail itself says so, signed")
    for seq, gap in report.gaps:
        lines.append(f"  gap before record {seq + 1}: {_gap(gap)}")
    if report.anchored is None:
        lines.append("  proved by no head kept elsewhere: whoever may write these files could have rewritten them")
    else:
        lines.append(
            f"  proved up to record {report.anchored.seq} by {report.anchored.source}; what follows is not anchored yet"
        )
    return "\n".join(_printable(line) for line in lines) + "\n"


def report_data(report: Report) -> dict[str, Any]:
    """Give the same as plain data."""
    data: dict[str, Any] = msgspec.to_builtins(report)
    return {"holds": report.holds, **data, "gaps": [{"seq": seq, **_plain(gap)} for seq, gap in report.gaps]}


def entry_data(numbered: Numbered) -> dict[str, Any]:
    """Give a record and its number as plain data, for JSON lines."""
    return {"seq": numbered.seq, **_plain(numbered.entry)}


def entry_text(numbered: Numbered) -> str:
    """Say a record in one line."""
    return _printable(f"{numbered.seq:>8}  {numbered.entry.at:%Y-%m-%dT%H:%M:%S.%f}Z  {_said(numbered.entry)}")


def csv_lines(found: Iterable[Numbered]) -> Iterator[str]:
    """Give one line a call: what was decided and how it ended; calls without an end come last."""
    yield _row(COLUMNS)
    open_calls: dict[str, Decided] = {}
    for numbered in found:
        entry = numbered.entry
        if isinstance(entry, Decided):
            open_calls[entry.call] = entry
        elif isinstance(entry, Ended):
            yield _call_row(open_calls.pop(entry.call, None), entry)
    for decided in open_calls.values():
        yield _call_row(decided, None)


def _call_row(decided: Decided | None, ended: Ended | None) -> str:
    data = {} if decided is None else _plain(decided)
    if ended is not None:
        more = _plain(ended)
        data = {**data, **more, "ended_at": more["at"], "at": data.get("at")}
    return _row(" ".join(v) if isinstance(v := data.get(name), list) else v for name in COLUMNS)


def _row(values: Iterable[object]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow([_cell(value) for value in values])
    return out.getvalue()


def _cell(value: object) -> str:
    """Write a cell that no spreadsheet takes for a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _plain(entry: Entry) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(records.encode(entry))
    return found


def _printable(line: str) -> str:
    """Keep a trail that somebody made up from moving the cursor of whoever reads it."""
    return line if line.isprintable() else "".join(one if one.isprintable() else "\ufffd" for one in line)


def _where(segment: str, line: int) -> str:
    return f"{segment}:{line}  " if line else f"{segment}  "


def _gap(gap: Gap) -> str:
    return (
        f"from {gap.since:%Y-%m-%dT%H:%M:%SZ} the trail could not be written ({gap.because});"
        f" {gap.late} records came late, {gap.lost} are lost"
    )


def _said(entry: Entry) -> str:  # noqa: C901 - one case a type
    match entry:
        case Decided():
            role = f" as {entry.role}" if entry.role else ""
            why = ", ".join(entry.reasons)
            return f"{entry.verdict:<8} {entry.call}  {entry.subject} may{_no(entry)} {entry.function}{role}  [{why}]"
        case Ended():
            error = f" [{entry.error}]" if entry.error else ""
            return f"{entry.outcome:<8} {entry.call}{error}"
        case Opened():
            return f"segment  {entry.segment} of chain {entry.chain}"
        case Started():
            cut = f"; {entry.cut_bytes} bytes of a half-written line were cut" if entry.cut_bytes else ""
            return f"started  {entry.unknown} calls were found without an end{cut}"
        case Checkpoint():
            return f"signed   record {entry.seq}"
        case Gap():
            return f"gap      {_gap(entry)}"
        case Counted():
            return f"strangers {entry.count} from {entry.network}  [{entry.reason}]"
        case Reloaded():
            return f"rules    {entry.generation}"
        case Unmasked():
            return f"unmasked {entry.pseudonym} by {' and '.join(entry.officers)}: {entry.reason}"
        case Handed():
            return f"handed   {entry.call}  {entry.function} gets the session of {entry.role}"
        case Erased():
            return f"erased   {entry.rows} rows of a person"
        case Pruned():
            return f"pruned   segments up to {entry.segment}, records up to {entry.seq}"


def _no(entry: Decided) -> str:
    return " not" if entry.verdict == "deny" else ""
