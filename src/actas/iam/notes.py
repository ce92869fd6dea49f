"""The list that a validator fills: what is wrong, where, and in which of AWS's phases it comes to light."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from actas.iam.document import place_of, places
from actas.iam.finding import Finding, Path, Severity, spell

SYNTAX = "Syntax errors in policy."
LEGACY = "The policy failed legacy parsing"


class Phase(IntEnum):
    """AWS reports the first phase that fails; so its wording leads."""

    SYNTAX = 0
    VERSION = 1
    LEGACY = 2
    SID = 3
    ACTION = 4
    RESOURCE = 5
    PREFIX = 6
    PLACE = 7
    KIND = 8
    CATALOGUE = 9
    ADVICE = 10


class _Note(NamedTuple):
    phase: Phase
    path: Path
    code: str
    severity: Severity
    message: str
    fix: str


class Notes:
    """Collects findings; gives them back in AWS's order with their places."""

    def __init__(self) -> None:
        self._notes: list[_Note] = []

    def __bool__(self) -> bool:
        return bool(self._notes)

    @property
    def broken(self) -> bool:
        """Tell whether there is an error among them."""
        return any(note.severity == "error" for note in self._notes)

    def error(self, phase: Phase, path: Path, code: str, message: str, fix: str) -> None:
        """Note what AWS refuses."""
        self._notes.append(_Note(phase, path, code, "error", message, fix))

    def warn(self, phase: Phase, path: Path, code: str, message: str, fix: str) -> None:
        """Note what AWS takes and probably nobody meant."""
        self._notes.append(_Note(phase, path, code, "warning", message, fix))

    def suggest(self, phase: Phase, path: Path, code: str, message: str, fix: str) -> None:
        """Note what could be said better."""
        self._notes.append(_Note(phase, path, code, "suggestion", message, fix))

    def syntax(self, path: Path, code: str, fix: str) -> None:
        """Note what AWS calls a syntax error, whatever it is."""
        self.error(Phase.SYNTAX, path, code, SYNTAX, fix)

    def findings(self, document: object, text: str | None) -> tuple[Finding, ...]:
        """Give everything back: errors first, then in the order of the phases."""
        if not self._notes:
            return ()
        ordered = sorted(self._notes, key=lambda note: (note.severity != "error", note.phase))
        found = places(text) if text is not None else {}
        return tuple(_finding(note, _as_written(note.path, document), found, text) for note in ordered)


def _as_written(path: Path, document: object) -> Path:
    """Leave out the index of a value that stands alone where a list could stand."""
    written: list[str | int] = []
    for step in path:
        if isinstance(step, int):
            if not isinstance(document, list):
                continue
            document = document[step] if step < len(document) else None
        elif isinstance(document, dict):
            document = document.get(step)
        written.append(step)
    return tuple(written)


def _finding(note: _Note, path: Path, found: dict[Path, int], text: str | None) -> Finding:
    line = column = None
    spelled = spell(path)
    if text is not None:
        while path and path not in found:  # a missing element is shown at what should hold it
            path = path[:-1]
        line, column = place_of(text, found.get(path, 0))
    return Finding(
        code=note.code,
        severity=note.severity,
        message=note.message,
        path=spelled,
        fix=note.fix,
        line=line,
        column=column,
    )
