"""Match text against ``*`` and ``?`` in linear time, without a regular expression.

A pattern is a tuple of tokens: literal text, ``STAR`` or ``ONE``. Text that came from a policy variable is a literal
token, so it can never act as a wildcard.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import Enum
from typing import Final, Literal

Matcher = Callable[[str], bool]


class Wild(Enum):
    """The two wildcards."""

    STAR = "*"
    ONE = "?"


STAR: Final[Literal[Wild.STAR]] = Wild.STAR
ONE: Final[Literal[Wild.ONE]] = Wild.ONE
Token = str | Wild


class _Piece:
    """A run between two stars: literals at known offsets, and holes that take any one character."""

    __slots__ = ("holes", "length", "masks", "plain", "runs")

    def __init__(self, tokens: Iterable[Token]) -> None:
        self.runs: list[tuple[int, str]] = []
        self.holes = 0
        self.masks: dict[str, int] | None = None
        offset = 0
        for token in tokens:
            if token is ONE:
                self.holes |= 1 << offset
                offset += 1
            elif isinstance(token, str) and token:
                self.runs.append((offset, token))
                offset += len(token)
        self.length = offset
        self.plain = "".join(run for _, run in self.runs) if not self.holes else None

    def fits(self, text: str, start: int) -> bool:
        """Tell whether this piece is at *start*."""
        if start < 0 or start + self.length > len(text):
            return False
        return all(text.startswith(run, start + offset) for offset, run in self.runs)

    def find(self, text: str, start: int, end: int) -> int:
        """Return the leftmost place in text[start:end], or -1."""
        if self.plain is not None:
            return text.find(self.plain, start, end)
        if not self.runs:
            return start if start + self.length <= end else -1
        return self._shift_and(text, start, end)

    def _shift_and(self, text: str, start: int, end: int) -> int:
        """Run Baeza-Yates and Gonnet's bit-parallel search: one step a character."""
        if self.masks is None:
            masks: dict[str, int] = {}
            for offset, run in self.runs:
                for place, char in enumerate(run, offset):
                    masks[char] = masks.get(char, self.holes) | 1 << place
            self.masks = masks
        masks, holes, accept, state = self.masks, self.holes, 1 << (self.length - 1), 0
        for place in range(start, end):
            state = (state << 1 | 1) & masks.get(text[place], holes)
            if state & accept:
                return place - self.length + 1
        return -1


def _split(tokens: Iterable[Token]) -> list[list[Token]]:
    pieces: list[list[Token]] = [[]]
    for token in tokens:
        if token is STAR:
            pieces.append([])
        else:
            pieces[-1].append(token)
    return pieces


def glob(tokens: Iterable[Token]) -> Matcher:
    """Compile a pattern; greedy leftmost matching decides it in one pass."""
    parts = [_Piece(piece) for piece in _split(tokens)]
    if len(parts) == 1:
        return _whole(parts[0])
    head, tail = parts[0], parts[-1]
    middles = [piece for piece in parts[1:-1] if piece.length]
    if not middles and head.plain is not None and tail.plain is not None:
        return _around(head.plain, tail.plain)

    def matches(text: str) -> bool:
        end = len(text) - tail.length
        if end < head.length or not head.fits(text, 0) or not tail.fits(text, end):
            return False
        place = head.length
        for piece in middles:
            found = piece.find(text, place, end)
            if found < 0:
                return False
            place = found + piece.length
        return True

    return matches


def _whole(piece: _Piece) -> Matcher:
    if piece.plain is not None:
        return piece.plain.__eq__
    return lambda text: len(text) == piece.length and piece.fits(text, 0)


def _around(head: str, tail: str) -> Matcher:
    if not head and not tail:
        return lambda _text: True
    if not tail:
        return lambda text: text.startswith(head)
    least = len(head) + len(tail)
    return lambda text: len(text) >= least and text.startswith(head) and text.endswith(tail)


def tokens_of(text: str) -> tuple[Token, ...]:
    """Cut *text* at its wildcards."""
    tokens: list[Token] = []
    start = 0
    for place, char in enumerate(text):
        if char in "*?":
            if place > start:
                tokens.append(text[start:place])
            tokens.append(STAR if char == "*" else ONE)
            start = place + 1
    if start < len(text):
        tokens.append(text[start:])
    return tuple(tokens)
