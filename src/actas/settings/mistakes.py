"""What is wrong with the settings, as values: where it stands, what was found and wanted, and what to do."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final, Literal

from actas.settings.positions import Path

Severity = Literal["error", "warning"]
MOST: Final = 200
"""Errors, and as many warnings, that are told in one run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Excerpt:
    """The line of the file that a mistake stands in, with what may be a secret blotted out."""

    text: str
    column: int
    """The column in ``text``, from 1."""
    width: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """One thing that is wrong; `errors` keep the settings from being used, warnings do not."""

    code: str
    severity: Severity
    file: str
    line: int
    column: int
    key: str
    """The key's path: ``rules[0].who.groups``; empty where the whole file is meant."""
    message: str
    """The facts in one sentence: lower-case start, no full stop, never a secret."""
    hint: str
    found: str | None = None
    wanted: str | None = None
    nearest: str | None = None
    """The nearest right spelling."""
    excerpt: Excerpt | None = None


def errors(mistakes: Iterable[Mistake]) -> tuple[Mistake, ...]:
    """Keep those that stop the settings from being used."""
    return tuple(one for one in mistakes if one.severity == "error")


def in_order(mistakes: Iterable[Mistake]) -> tuple[Mistake, ...]:
    """Sort as a reader meets them: the settings file from top to bottom, then the files it names."""
    found = dict.fromkeys(mistakes)
    first: dict[str, int] = {}
    for one in found:
        first.setdefault(one.file, len(first))
    return tuple(sorted(found, key=lambda one: (first[one.file], one.line, one.column, one.code, one.message)))


def dotted(path: Path) -> str:
    """Write *path* as people do: ``rules[0].who.groups``."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text


def nearest(word: str, words: Iterable[str]) -> str | None:
    """Find the one of *words* that *word* was probably meant to be."""
    known = sorted(words)
    plain = {_plain(one): one for one in reversed(known)}
    if (same := plain.get(_plain(word))) is not None:
        return same
    close = get_close_matches(_plain(word), plain, n=1, cutoff=0.7)
    return plain[close[0]] if close else None


def _plain(word: str) -> str:
    return word[:64].lower().replace("-", "").replace("_", "").replace(" ", "")
