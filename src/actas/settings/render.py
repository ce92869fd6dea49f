"""Show mistakes to people and to programs. Values in, text out."""

import json
from collections.abc import Sequence
from typing import Any, Final

from actas.settings.mistakes import Mistake

_COLOURS: Final = {"error": "\x1b[1;31m", "warning": "\x1b[1;33m", "dim": "\x1b[2m", "bold": "\x1b[1m"}
_END: Final = "\x1b[0m"


def render(mistakes: Sequence[Mistake], *, colour: bool = False) -> str:
    """Show each mistake with its line and a hint, and count them; the empty text where there are none."""
    if not mistakes:
        return ""
    shown = "\n\n".join(_one(mistake, colour=colour) for mistake in mistakes)
    return f"{shown}\n\n{summary(mistakes)}\n"


def summary(mistakes: Sequence[Mistake]) -> str:
    """Count the mistakes: ``2 errors, 1 warning``."""
    wrong = sum(one.severity == "error" for one in mistakes)
    doubtful = len(mistakes) - wrong
    parts = [_counted(number, word) for number, word in ((wrong, "error"), (doubtful, "warning")) if number]
    return ", ".join(parts) or "no mistakes"


def as_json(mistakes: Sequence[Mistake]) -> str:
    """Show one JSON object a line, with the same facts."""
    return "".join(f"{json.dumps(_facts(one), ensure_ascii=False)}\n" for one in mistakes)


def _facts(one: Mistake) -> dict[str, Any]:
    facts = {
        "code": one.code,
        "severity": one.severity,
        "file": one.file,
        "line": one.line,
        "column": one.column,
        "key": one.key,
        "message": one.message,
        "found": one.found,
        "wanted": one.wanted,
        "nearest": one.nearest,
        "hint": one.hint,
    }
    return {key: value for key, value in facts.items() if value is not None}


def _one(one: Mistake, *, colour: bool) -> str:
    place = _paint(_plain(f"{one.file}:{one.line}:{one.column}"), "bold", colour)
    code = _paint(f"{one.severity}[{one.code}]", one.severity, colour)
    head = f"{place}: {code}: {_plain(one.message)}"
    return "\n".join([head, *_excerpt(one, colour=colour), f"  hint: {_plain(one.hint)}"])


def _plain(text: str) -> str:
    """Keep what a file or a name holds from giving orders to the terminal."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _excerpt(one: Mistake, *, colour: bool) -> list[str]:
    if one.excerpt is None:
        return []
    number = f"{one.line:>5} | "
    carets = " " * (one.excerpt.column - 1) + "^" * max(1, one.excerpt.width)
    margin = " " * (len(number) - 2) + "| "
    return [
        _paint(number, "dim", colour) + one.excerpt.text,
        _paint(margin, "dim", colour) + _paint(carets, one.severity, colour),
    ]


def _paint(text: str, how: str, colour: bool) -> str:  # noqa: FBT001 - passed through
    return f"{_COLOURS[how]}{text}{_END}" if colour else text


def _counted(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
