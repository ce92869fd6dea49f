"""What is wrong with policies, as text, JSON lines, SARIF and annotations. Values in, text out."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from actas import __version__
from actas.iam.finding import Finding, Severity

_COLOURS: Final = {"error": "\x1b[1;31m", "warning": "\x1b[1;33m", "suggestion": "\x1b[1;36m", "bold": "\x1b[1m"}
_END: Final = "\x1b[0m"
_WIDEST: Final = 100
_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[^\s,\[\]{}:]+')
_SARIF: Final = {"error": "error", "warning": "warning", "suggestion": "note"}
_GITHUB: Final = {"error": "error", "warning": "warning", "suggestion": "notice"}
RANKS: Final[dict[Severity, int]] = {"error": 3, "warning": 2, "suggestion": 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One file and what was found in it."""

    file: str
    kind: str
    text: str
    findings: tuple[Finding, ...]


def text(checked: Sequence[Checked], *, colour: bool = False) -> str:
    """Show each finding with its line, and count them."""
    shown = [_one(one, finding, colour=colour) for one in checked for finding in one.findings]
    return "\n\n".join([*shown, summary(checked)])


def summary(checked: Sequence[Checked]) -> str:
    """Count: ``2 errors, 1 warning in 3 files``."""
    severities = [finding.severity for one in checked for finding in one.findings]
    parts = [_counted(severities.count(word), word) for word in RANKS if word in severities]
    return f"{', '.join(parts) or 'nothing to say'} in {_counted(len(checked), 'file')}"


def _counted(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _one(one: Checked, finding: Finding, *, colour: bool) -> str:
    place = one.file if finding.line is None else f"{one.file}:{finding.line}:{finding.column or 1}"
    code = _paint(f"{finding.severity}[{finding.code}]", finding.severity, colour=colour)
    where = f"  at: {_plain(finding.path)}" if finding.path else ""
    lines = [
        f"{_paint(_plain(place), 'bold', colour=colour)}: {code}: {_plain(finding.message)}",
        *_excerpt(one.text, finding, colour=colour),
        where,
        f"  fix: {_plain(finding.fix)}",
    ]
    return "\n".join(line for line in lines if line)


def _excerpt(document: str, finding: Finding, *, colour: bool) -> list[str]:
    """Show the line with carets under the value; of a long line the part around it."""
    lines = document.split("\n")
    if finding.line is None or not 0 < finding.line <= len(lines):
        return []
    line, column = lines[finding.line - 1].rstrip("\r"), (finding.column or 1) - 1
    token = _TOKEN.match(line, column)
    width = token.end() - column if token else 1
    start = 0 if len(line) <= _WIDEST else max(0, column - _WIDEST // 4)
    part = line[start : start + _WIDEST]
    carets = "^" * max(1, min(width, len(part) - (column - start)))
    number = f"{finding.line:>5} | "
    margin = " " * (len(number) - 2) + "| " + " " * (column - start)
    return [number + _plain(part), margin + _paint(carets, finding.severity, colour=colour)]


def _plain(words: str) -> str:
    """Keep what a file or a name holds from giving orders to the terminal."""
    return "".join(letter if letter.isprintable() else " " if letter == "\t" else "?" for letter in words)


def _paint(words: str, how: str, *, colour: bool) -> str:
    return f"{_COLOURS[how]}{words}{_END}" if colour else words


def json_lines(checked: Sequence[Checked]) -> str:
    """Write one object a finding."""
    return "\n".join(
        json.dumps(
            {
                "file": one.file,
                "kind": one.kind,
                "line": finding.line,
                "column": finding.column,
                "path": finding.path,
                "severity": finding.severity,
                "code": finding.code,
                "message": finding.message,
                "fix": finding.fix,
            },
            ensure_ascii=False,
        )
        for one in checked
        for finding in one.findings
    )


def github(checked: Sequence[Checked]) -> str:
    """Write one workflow command a finding (GitHub Actions, "Workflow commands": notice, warning, error)."""
    return "\n".join(
        f"::{_GITHUB[finding.severity]} file={_property(one.file)},line={finding.line or 1},"
        f"col={finding.column or 1},title={_property(finding.code)}::{_data(f'{finding.message} {finding.fix}')}"
        for one in checked
        for finding in one.findings
    )


def _data(words: str) -> str:
    return words.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(words: str) -> str:
    return _data(words).replace(":", "%3A").replace(",", "%2C")


def sarif(checked: Sequence[Checked]) -> str:
    """Write a SARIF 2.1.0 log of one run."""
    codes = sorted({finding.code for one in checked for finding in one.findings})
    driver = {"name": "actas iam check", "version": __version__, "rules": [{"id": code} for code in codes]}
    results = [_result(one, finding, codes.index(finding.code)) for one in checked for finding in one.findings]
    log = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}],
    }
    return json.dumps(log, ensure_ascii=False, indent=2)


def _result(one: Checked, finding: Finding, rule: int) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": {"uri": quote(one.file.replace("\\", "/"))}}
    if finding.line is not None:
        place["region"] = {"startLine": finding.line, "startColumn": finding.column or 1}
    location: dict[str, Any] = {"physicalLocation": place}
    if finding.path:
        location["logicalLocations"] = [{"fullyQualifiedName": finding.path}]
    return {
        "ruleId": finding.code,
        "ruleIndex": rule,
        "level": _SARIF[finding.severity],
        "message": {"text": f"{finding.message} {finding.fix}"},
        "locations": [location],
    }
