"""The settings file as its writer sees it: what mistakes point at and quote from."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Literal

from actas.settings import secrecy
from actas.settings.mistakes import MOST, Excerpt, Mistake, Severity, dotted
from actas.settings.positions import Mark, Path, Positions
from actas.settings.yaml import Wrong


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One file's name, lines and places."""

    file: str
    """As it is shown: the path that was asked for."""
    lines: tuple[str, ...] = field(default=(), repr=False)
    positions: Positions = field(default_factory=Positions, repr=False)
    unknown: Collection[Path] = ()
    """Keys that the schema does not know; what stands under them is never quoted."""
    _made: list[secrecy.Blots] = field(default_factory=list, init=False, repr=False, compare=False)
    """The lines as they may be shown, worked out when the first is."""

    def mistake(
        self,
        code: str,
        path: Path,
        message: str,
        hint: str,
        *,
        at: Literal["key", "value"] = "value",
        found: str | None = None,
        wanted: str | None = None,
        nearest: str | None = None,
        severity: Severity = "error",
    ) -> Mistake:
        """Make a mistake that points at the key or the value at *path*."""
        mark = self.positions.key(path) if at == "key" else self.positions.value(path)
        return Mistake(
            code=code,
            severity=severity,
            file=self.file,
            line=mark.line,
            column=mark.column,
            key=dotted(path),
            message=message,
            hint=hint,
            found=found,
            wanted=wanted,
            nearest=nearest,
            excerpt=self._excerpt(mark),
        )

    def of_text(self, wrong: Wrong, *, whole: bool) -> Mistake:
        """Make a mistake of what is wrong with the text itself."""
        return Mistake(
            code=wrong.code,
            severity="error",
            file=self.file,
            line=wrong.mark.line,
            column=wrong.mark.column,
            key=dotted(wrong.path),
            message=wrong.message,
            hint=wrong.hint,
            excerpt=self._excerpt(wrong.mark, whole=whole),
        )

    def more(self, severity: Severity = "error") -> Mistake:
        """Say that there is more of the like."""
        message = f"there are more than {MOST} {severity}s; the others are not shown"
        hint = "Correct these first: they may be one and the same."
        return self.mistake("settings.too-many", (), message, hint, severity=severity)

    def _blots(self) -> secrecy.Blots:
        if not self._made:
            self._made.append(secrecy.Blots(self.lines, self.positions, self.unknown))
        return self._made[0]

    def _excerpt(self, mark: Mark, *, whole: bool = True) -> Excerpt | None:
        if not 0 < mark.line <= len(self.lines):
            return None
        line = self.lines[mark.line - 1]
        text = self._blots().line(mark.line) if whole else secrecy.shape_only(line)
        span = mark.on(mark.line, len(line)) or (0, 0)
        return _around(text, span[0], max(1, min(span[1], len(text)) - span[0]))


def _around(text: str, start: int, width: int, *, longest: int = 100) -> Excerpt | None:
    """Cut *text* so that what it is about is on the screen; a tab counts as one letter."""
    skip = max(0, start - longest // 2) if len(text) > longest else 0
    cut = "".join(letter if letter.isprintable() else " " for letter in text[skip : skip + longest])
    if not cut.strip():
        return None
    return Excerpt(text=cut.rstrip(), column=start - skip + 1, width=min(width, longest - (start - skip)))
