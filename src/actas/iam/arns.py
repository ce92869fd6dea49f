"""ARNs: six parts, and how a pattern of six parts matches."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from actas.iam.automaton import within_parts
from actas.iam.values import Scalar
from actas.iam.wildcards import STAR, Matcher, Token, Wild, glob

PARTS: Final = 6
OURS: Final = "actas"
"""The partition of the gateway's own names: they may have fewer parts, and none is filled in."""


def split(value: Scalar) -> tuple[str, ...] | None:
    """Return the six parts of an ARN; None if the value is none."""
    if not isinstance(value, str) or not value.startswith("arn:"):
        return None
    parts = tuple(value.split(":", PARTS - 1))
    return parts if len(parts) == PARTS else None


def account_of(arn: str) -> str | None:
    """Return the twelve digits of the account that the ARN names, or None."""
    parts = arn.split(":", PARTS - 1)
    if len(parts) == PARTS and parts[0] == "arn" and is_account(parts[4]):
        return parts[4]
    return None


def is_account(text: str) -> bool:
    """Tell whether this is a twelve-digit account id."""
    return len(text) == 12 and text.isascii() and text.isdigit()


def fits(found: tuple[str, ...], wanted: Callable[[tuple[str, ...]], bool]) -> bool:
    """Compare parts with a compiled pattern."""
    return wanted(found)


def cut(tokens: Iterable[Token]) -> list[list[Token]]:
    """Cut tokens at the first five colons of their literal text."""
    parts: list[list[Token]] = [[]]
    for token in tokens:
        if isinstance(token, Wild):
            parts[-1].append(token)
            continue
        pieces = token.split(":", PARTS - len(parts))
        for place, piece in enumerate(pieces):
            if place:
                parts.append([])
            if piece:
                parts[-1].append(piece)
    return parts


def pattern(tokens: Iterable[Token]) -> Callable[[tuple[str, ...]], bool] | None:
    """Compile an Arn operator's value; None if it is no ARN.

    Each part is matched by itself, so a star does not cross a colon except inside the sixth part.
    """
    listed = list(tokens)
    if listed == [STAR]:
        return lambda _parts: True
    parts = cut(listed)
    if len(parts) != PARTS or parts[0] != ["arn"]:
        return None
    matchers = [glob(part) for part in parts]
    return lambda found: all(matches(part) for matches, part in zip(matchers, found, strict=True))


def resource(tokens: Iterable[Token]) -> Matcher:
    """Compile a Resource element's pattern.

    A star that ends a part "can expand to match beyond the colon boundaries", and AWS fills an ARN of fewer than six
    parts up with stars (IAM user guide, element Resource). Another wildcard in the first five parts stays in its part.
    """
    listed = list(tokens)
    parts = cut(listed)
    if len(parts) < PARTS and listed != [STAR] and not is_ours(parts):
        for _ in range(PARTS - len(parts)):
            parts.append([STAR])
            listed += [":", STAR]
    early = parts[: PARTS - 1]
    if all(not isinstance(token, Wild) for part in early for token in _without_last_star(part)):
        return glob(listed)
    return within_parts(parts)


def _without_last_star(part: list[Token]) -> list[Token]:
    return part[:-1] if part and part[-1] is STAR else part


def is_ours(parts: list[list[Token]]) -> bool:
    """Tell whether it is a name of the gateway's own."""
    return len(parts) > 1 and parts[1] == [OURS]
