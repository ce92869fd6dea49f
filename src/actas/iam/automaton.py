"""Match an ARN against a pattern some of whose wildcards may not cross a colon.

One bit a place of the pattern, all places at once: the time is the text's length, whatever the pattern.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from actas.iam.wildcards import ONE, STAR, Matcher, Token

_LAST: Final = 5
"""In this part, and for a star that ends an earlier one, a wildcard crosses colons."""
Place = tuple[Token, bool]
"""A character or a wildcard, and whether it stays in its part."""


def within_parts(parts: list[list[Token]]) -> Matcher:
    """Compile the six parts of a pattern."""
    listed = list(places(parts))
    literals: dict[str, int] = {}
    for number, (token, _) in enumerate(listed):
        if isinstance(token, str):
            literals[token] = literals.get(token, 0) | 1 << number
    one, any_one = _mask(listed, (ONE, True)), _mask(listed, (ONE, False))
    star, any_star = _mask(listed, (STAR, True)), _mask(listed, (STAR, False))
    stars, accept = star | any_star, 1 << len(listed)

    def matches(text: str) -> bool:
        states = past(1, stars)
        for char in text:
            inside = char != ":"
            moved = states & (literals.get(char, 0) | any_one | (one if inside else 0))
            states = past(moved << 1 | states & (any_star | (star if inside else 0)), stars)
            if not states:
                return False
        return bool(states & accept)

    return matches


def places(parts: list[list[Token]], *, stays: bool = False) -> Iterator[Place]:
    """Give the places of a pattern's parts; *stays*: a star that ends an early part does not run on either."""
    for number, part in enumerate(parts):
        if number:
            yield ":", False
        for place, token in enumerate(part):
            if isinstance(token, str):
                yield from ((char, False) for char in token)
            else:
                yield token, number < _LAST and (stays or not (token is STAR and place == len(part) - 1))


def _mask(listed: list[Place], wanted: Place) -> int:
    return sum(1 << number for number, place in enumerate(listed) if place == wanted)


def past(states: int, stars: int) -> int:
    """Step over stars, which can stand for nothing."""
    more = states
    while more:
        more = (more & stars) << 1 & ~states
        states |= more
    return states
