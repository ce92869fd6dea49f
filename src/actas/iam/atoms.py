"""Texts that patterns tell apart: one for each set of patterns that some text matches and no other pattern does.

All patterns are walked at once, a character at a time, breadth first; one character that none of them spells stands
for all such. So nothing is missed, unless a limit cuts the walk short, which is said.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from actas.iam import arns
from actas.iam.automaton import Place, past, places
from actas.iam.wildcards import ONE, STAR, Token

MOST_STATES: Final = 20_000
_FRESH: Final = "wzqxkvjWZQXKVJ0123456789-_"


_ANY_ARN: Final[list[list[Token]]] = [["arn"], [STAR], [STAR], [STAR], [STAR], [STAR]]


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern as places to stand in."""

    places: tuple[Place, ...]
    folded: bool = False
    """Whether letter case does not count."""


def plain(tokens: Iterable[Token], *, folded: bool = False) -> Pattern:
    """Take a text whose wildcards cross everything."""
    return Pattern(tuple(_spread(tokens)), folded)


def arn(tokens: Iterable[Token]) -> Pattern | None:
    """Take an Arn operator's value, each of whose parts is matched by itself; None if it is no ARN."""
    listed = list(tokens)
    parts = _ANY_ARN if listed == [STAR] else arns.cut(listed)
    if len(parts) != arns.PARTS or parts[0] != ["arn"]:
        return None
    return Pattern(tuple(places(parts, stays=True)))


def resource(tokens: Iterable[Token]) -> Pattern:
    """Take an entry of a Resource element."""
    listed = list(tokens)
    parts = arns.cut(listed)
    if listed == [STAR]:
        return plain(listed)
    if not arns.is_ours(parts):
        parts += [[STAR] for _ in range(arns.PARTS - len(parts))]
    return Pattern(tuple(places(parts)))


def _spread(tokens: Iterable[Token]) -> Iterator[Place]:
    for token in tokens:
        if isinstance(token, str):
            yield from ((char, False) for char in token)
        else:
            yield token, False


class Walk:
    """All patterns, walked at once: a state is the set of places in all of them, one bit each."""

    def __init__(self, patterns: Sequence[Pattern]) -> None:
        self.start = self._ends = 0
        self._literals: dict[str, int] = {}
        self._any = [0, 0]
        self._stars = [0, 0]
        bit = 0
        for pattern in patterns:
            self.start |= 1 << bit
            for token, stays in pattern.places:
                self._put(token, bit, stays=stays, folded=pattern.folded)
                bit += 1
            self._ends |= 1 << bit
            bit += 1
        self._every_star = self._stars[0] | self._stars[1]
        self.start = past(self.start, self._every_star)
        self.fresh: str = _fresh(self._literals)

    def _put(self, token: Token, bit: int, *, stays: bool, folded: bool) -> None:
        if token is STAR:
            self._stars[stays] |= 1 << bit
        elif token is ONE:
            self._any[stays] |= 1 << bit
        elif isinstance(token, str):
            for char in {token.lower(), token.upper()} if folded else {token}:
                self._literals[char] = self._literals.get(char, 0) | 1 << bit

    def step(self, state: int, char: str) -> int:
        """Read one character."""
        inside = char != ":"
        moved = state & (self._literals.get(char, 0) | self._any[0] | (self._any[1] if inside else 0))
        stayed = state & (self._stars[0] | (self._stars[1] if inside else 0))
        return past(moved << 1 | stayed, self._every_star)

    def run(self, text: str) -> int:
        """Read a whole text."""
        state = self.start
        for char in text:
            state = self.step(state, char)
        return state

    def matched(self, state: int) -> int:
        """Tell which patterns are at their end: the same number for the same patterns."""
        return state & self._ends

    def next_chars(self, state: int) -> Iterator[str]:
        """Give the characters that lead on in ways of their own."""
        yield self.fresh
        if ":" not in self._literals:
            yield ":"
        for char, mask in self._literals.items():
            if state & mask or char == ":":
                yield char


def _fresh(literals: Iterable[str]) -> str:
    """Choose a character that no pattern spells."""
    spelt = {char.lower() for char in literals}
    unspelt: Iterator[str] = (char for char in (*_FRESH, *map(chr, range(0x100, 0x2000))) if char.lower() not in spelt)
    return next(unspelt)


def texts(patterns: Sequence[Pattern], seeds: Iterable[str], *, most: int) -> tuple[list[str], bool]:
    """Give a text for each set of patterns that one matches; whether these are all. *seeds* are preferred."""
    walk = Walk(patterns)
    found = _by_seeds(walk, seeds)
    whole = _breadth_first(walk, _Free(), found, most)
    found.setdefault(walk.matched(walk.start), "")
    return list(found.values()), whole


def resources(patterns: Sequence[Pattern], seeds: Iterable[str], *, most: int) -> tuple[list[str], bool]:
    """Give ARNs as `texts` gives texts: six parts, of which region and account may be empty; and ``*``."""
    walk = Walk(patterns)
    found = _by_seeds(walk, seeds)
    whole = _breadth_first(walk, _Arns(walk.fresh), found, most)
    found.setdefault(walk.matched(walk.run("*")), "*")
    return list(found.values()), whole


def _by_seeds(walk: Walk, seeds: Iterable[str]) -> dict[int, str]:
    found: dict[int, str] = {}
    for seed in seeds:
        found.setdefault(walk.matched(walk.run(seed)), seed)
    return found


class _Free:
    """Any text but none."""

    begin = ""

    def shape(self, text: str) -> object:
        """Tell apart beginnings that cannot go on alike; None for one that leads to nothing."""
        return bool(text)

    def is_whole(self, text: str) -> bool:
        """Tell whether it may end here."""
        return bool(text)

    def filled(self, text: str) -> str:
        """Write a whole text that begins so."""
        return text


class _Arns:
    """ARNs; those of the gateway's own partition may have fewer parts."""

    begin = "arn:"

    def __init__(self, fresh: str) -> None:
        self._fresh: str = fresh

    def shape(self, text: str) -> object:
        parts = text.split(":", arns.PARTS - 1)
        ours = parts[1] == arns.OURS
        if not ours and not all(parts[1 : min(len(parts) - 1, 3)]):
            return None
        return ours, len(parts), bool(parts[-1])

    def is_whole(self, text: str) -> bool:
        parts = text.split(":", arns.PARTS - 1)
        return bool(parts[-1]) and (len(parts) == arns.PARTS or parts[1] == arns.OURS)

    def filled(self, text: str) -> str:
        parts = text.split(":", arns.PARTS - 1)
        parts += [""] * (arns.PARTS - len(parts))
        for place in (1, 2, arns.PARTS - 1):
            parts[place] = parts[place] or self._fresh
        return ":".join(parts)


def _breadth_first(walk: Walk, form: _Free | _Arns, found: dict[int, str], most: int) -> bool:
    """Add what *found* lacks; tell whether the walk came to its end."""
    start = (walk.run(form.begin), form.shape(form.begin))
    seen, left = {start}, deque([(start[0], form.begin)])
    while left:
        state, text = left.popleft()
        matched = walk.matched(state)
        if matched not in found and form.is_whole(text):
            found[matched] = text
            if len(found) > most:
                return False
        for char in walk.next_chars(state):
            longer = text + char
            key = (walk.step(state, char), form.shape(longer))
            if key[1] is None or key in seen:
                continue
            if not key[0]:  # no pattern is left: the rest is free
                found.setdefault(0, form.filled(longer))
                continue
            if len(seen) >= MOST_STATES:
                return False
            seen.add(key)
            left.append((key[0], longer))
    return True
