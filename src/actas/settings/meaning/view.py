"""What a check sees: the settings, where everything stands, and what other rooms know; and where it reports."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final

from actas.settings.mistakes import MOST, Mistake
from actas.settings.positions import Path as KeyPath
from actas.settings.reader import FileRead, Loaded
from actas.settings.schema import Rule, Settings
from actas.settings.sketch import Sketch
from actas.settings.source import Source

FACTS: Final = ("groups", "roles", "scopes", "clients", "tenants", "mfa")
"""What a rule can ask of a caller and a token may not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PresetFacts:
    """What checks need to know of a preset; the room that owns presets fills it in."""

    needs: tuple[str, ...] = ()
    """Keys of a provider that cannot be left out: ``issuer``, ``tenant``, ``audience``, ``clients``."""
    issuer_path: str = ""
    """What the path of an issuer looks like, a regular expression; empty: anything."""
    issuer_example: str = ""
    carries: frozenset[str] = frozenset(FACTS)
    """Which of `FACTS` its tokens can hold without further settings."""
    empty_when_absent: frozenset[str] = frozenset()
    """Those of which it says that absence means an empty list."""
    lookup: str | None = None
    """The look-up that fits the provider."""
    subject: str = "sub"
    """The claim by which its tokens name people, where the settings say none."""
    event_subject: str | None = "sub"
    """The claim by which its events name them; None where events cannot be matched."""
    speaks_saml: bool = False
    """Whether it sends SAML assertions instead of tokens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the settings are checked against and do not hold themselves."""

    presets: Mapping[str, PresetFacts]
    admin_actions: Collection[str] = ()
    """What ``may: [admin:…]`` can name."""
    weak_isolation: bool = False
    """Whether ``isolation: weak`` is taken: only by ``actas up``."""
    today: date | None = None
    """For rules whose last day is over; None: not looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """The settings as a check sees them."""

    loaded: Loaded
    sketch: Sketch
    around: Surroundings
    found: list[Mistake] = field(default_factory=list)
    counted: Counter[str] = field(default_factory=Counter)
    """How many errors and warnings were reported."""

    @property
    def settings(self) -> Settings:
        """The settings, as far as they could be read."""
        return self.sketch.settings

    @property
    def source(self) -> Source:
        """The file they were read from."""
        return self.loaded.source

    def report(self, code: str, path: KeyPath, message: str, hint: str, **more: Any) -> None:
        """Note a mistake, unless what it is about was spoiled by another one."""
        severity = more.get("severity", "error")
        if self.counted[severity] <= MOST and not self.sketch.is_spoiled(path):
            self.counted[severity] += 1
            told = self.counted[severity] <= MOST
            self.found.append(
                self.source.mistake(code, path, message, hint, **more) if told else self.source.more(severity)
            )

    def warn(self, code: str, path: KeyPath, message: str, hint: str, **more: Any) -> None:
        """Note something that works and is probably not meant."""
        self.report(code, path, message, hint, severity="warning", **more)

    def names(self, section: str) -> frozenset[str]:
        """List every name in *section* that the file has, also of entries with mistakes."""
        return frozenset(name for where, name in self.sketch.names if where == section)

    def says(self, *path: str | int) -> bool:
        """Tell whether the file says anything at *path*."""
        return path in self.source.positions.keys

    def file(self, name: str) -> FileRead | None:
        """Give the file called *name* as it was read."""
        where = self.loaded.locate(name)
        return next((one for one in self.loaded.files if one.path == where), None)

    def locate(self, name: str) -> Path:
        """Find the file called *name*."""
        return self.loaded.locate(name)

    def rules(self) -> tuple[tuple[int, Rule], ...]:
        """List the rules of which nothing was spoiled, with their places."""
        return tuple(
            (place, rule)
            for place, rule in enumerate(self.settings.rules)
            if not self.sketch.is_spoiled(("rules", place))
        )
