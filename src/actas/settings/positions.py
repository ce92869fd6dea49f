"""Where each key and value of a settings file stands, so that a mistake can point at it."""

from dataclasses import dataclass, field
from typing import NamedTuple

Path = tuple[str | int, ...]
"""The way to a value: names of keys and places in lists."""


class Mark(NamedTuple):
    """A stretch of the file; lines and columns count from 1, the end is the first column that is not in it.

    A tuple, because there is one for every key and value, and a reload is waited for.
    """

    line: int
    column: int
    end_line: int
    end_column: int

    def on(self, line: int, length: int) -> tuple[int, int] | None:
        """Give the part that lies on *line*, as a slice of its *length* letters; None where there is none."""
        if not self.line <= line <= self.end_line:
            return None
        start = self.column - 1 if line == self.line else 0
        end = self.end_column - 1 if line == self.end_line else length
        return start, max(start, min(end, length))


def point(line: int, column: int) -> Mark:
    """Mark one letter."""
    return Mark(line=line, column=column, end_line=line, end_column=column + 1)


START = point(1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Positions:
    """The marks of all keys and values of one file."""

    keys: dict[Path, Mark] = field(default_factory=dict)
    values: dict[Path, Mark] = field(default_factory=dict)
    scalars: list[tuple[Path, Mark]] = field(default_factory=list)
    """Every text and number, those of thrown-away duplicates too: what may have to be blotted out."""

    def value(self, path: Path) -> Mark:
        """Find the value at *path*, or the nearest thing above it that is there."""
        while path:
            if (mark := self.values.get(path) or self.keys.get(path)) is not None:
                return mark
            path = path[:-1]
        return self.values.get((), START)

    def key(self, path: Path) -> Mark:
        """Find the key at *path*; an item of a list stands for itself, and what is not there for what holds it."""
        while path:
            if (mark := self.keys.get(path) or self.values.get(path)) is not None:
                return mark
            path = path[:-1]
        return self.values.get((), START)
