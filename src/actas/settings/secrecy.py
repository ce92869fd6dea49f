"""What of a settings file must never be shown: values that are, or look like, secrets.

Mistakes quote the file. What they quote goes through here first, and when in doubt it is blotted out.
"""

import re
from collections.abc import Collection
from typing import Final

from actas.settings.positions import Mark, Path, Positions

_SECRET_NAME: Final = re.compile(
    r"(?:secret|passw(?:or)?d|passphrase|passwd|pwd|token|credential|private[-_]?key|api[-_]?key|access[-_]?key|"
    r"signing[-_]?key|encryption[-_]?key|(?:^|[-_])(?:key|pin|auth|bearer|cookie|dsn)$)",
    re.IGNORECASE,
)
_OPEN: Final = frozenset({"token_url", "pass_token", "caller_token", "pass_bearer"})
"""Keys of ours that sound secret and are not."""
_PRIVATE: Final = frozenset({"environment", "inline"})
"""Mappings whose values may be anything."""
_SECRET_VALUE: Final = re.compile(
    r"eyJ[A-Za-z0-9_-]{8,}|-----BEGIN|\b(?:AKIA|ASIA)[A-Z0-9]{12,}|\bgh[opsu]_[A-Za-z0-9]{20,}|\bxox[abprs]-|"
    r"://[^/\s:@]*:[^/\s@]+@"
)
_BLOT: Final = "·"
_WORD: Final = re.compile(r"[^\s\[\]{},:#&*!|>'\"%@`-]")
_KEY: Final = re.compile(r"[A-Za-z0-9_-]+(?=[\"']?:(?:\s|$))")


def names_secret(name: str) -> bool:
    """Tell whether *name* sounds like that of a secret: ``API_TOKEN``, ``db-password``."""
    return _SECRET_NAME.search(name) is not None


def looks_secret(value: str) -> bool:
    """Tell whether *value* has the form of a well-known secret: a token, a private key, a password in a URL."""
    return _SECRET_VALUE.search(value) is not None


def is_private(path: Path) -> bool:
    """Tell whether what stands at *path* may be a secret."""
    names = [part for part in path if isinstance(part, str)]
    return any(name in _PRIVATE or (name not in _OPEN and names_secret(name)) for name in names)


def shown(value: object, path: Path) -> str | None:
    """Quote *value* for a message, or give nothing where it may be a secret."""
    match value:
        case bool():
            return "true" if value else "false"
        case None:
            return "nothing"
        case dict():
            return "a mapping"
        case list():
            return "a list" if value else "an empty list"
        case str() if is_private(path) or looks_secret(value):
            return None
        case int() | float() if is_private(path):
            return None
        case str():
            return quoted(value)
        case _:
            return str(value)


def quoted(text: str, *, longest: int = 80) -> str:
    """Put *text* between quotation marks on one line, cut where it is long."""
    plain = "".join(letter if letter.isprintable() else "?" for letter in text.replace("\n", " "))
    return f'"{plain[: longest - 1]}…"' if len(plain) > longest else f'"{plain}"'


class Blots:
    """The lines of a file with every value blotted out that may be a secret, and without comments.

    The blots are as long as what they hide, so that columns stay true. Values of *unknown* keys are hidden:
    nobody knows what they are. Each line is worked out once.
    """

    def __init__(self, lines: tuple[str, ...], positions: Positions, unknown: Collection[Path]) -> None:
        self._lines, self._unknown = lines, frozenset(unknown)
        self._made: dict[int, str] = {}
        self._scalars: dict[int, list[tuple[Path, Mark]]] = {}
        self._ends: dict[int, int] = {}
        for path, mark in positions.scalars:
            for line in range(mark.line, mark.end_line + 1):
                self._scalars.setdefault(line, []).append((path, mark))
        for mark in positions.keys.values():
            self._ends[mark.line] = max(self._ends.get(mark.line, 0), mark.end_column - 1)

    def line(self, number: int) -> str:
        """Give line *number*, from 1."""
        if number not in self._made:
            self._made[number] = self._blotted(number, self._lines[number - 1])
        return self._made[number]

    def _blotted(self, number: int, text: str) -> str:
        letters, last = list(text), self._ends.get(number, 0)
        for path, mark in self._scalars.get(number, ()):
            start, end = mark.on(number, len(text)) or (0, 0)
            last = max(last, end)
            if is_private(path) or looks_secret(text[start:end]) or self._is_unknown(path):
                letters[start:end] = _BLOT * (end - start)
        comment = text.find("#", last)
        return "".join(letters[:comment] if comment >= 0 else letters).rstrip()

    def _is_unknown(self, path: Path) -> bool:
        return any(path[:depth] in self._unknown for depth in range(1, len(path) + 1))


def shape_only(text: str) -> str:
    """Give a line's keys and punctuation, every other letter blotted out: for a text that is no YAML."""
    keys = [found.span() for found in _KEY.finditer(text)]
    letters = list(text)
    for place, letter in enumerate(letters):
        if _WORD.match(letter) and not any(start <= place < end for start, end in keys):
            letters[place] = _BLOT
    return "".join(letters)
