"""Options that many commands have, told once."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from cyclopts import Parameter
from cyclopts.validators import Number

from actas.cli import places

As = Annotated[str | None, Parameter(name="--as")]
"""A stored sign-in (see 'actas login') or a person of the demo."""


MOST: Final = 100_000
Many = Annotated[int, Parameter(validator=Number(gte=1, lte=MOST))]
"""How many lines are shown."""


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """Which settings, and which gateway's state."""

    settings: Path | None = None
    """The settings file; by default that of the gateway that runs here, else actas.yaml."""
    state: Path | None = None
    """The gateway's state folder; by default that of the gateway that runs here, else that of the settings."""

    def here(self) -> places.Here:
        """Work out both."""
        return places.here(self.settings, self.state)


HERE: Final = Where()
"""Neither is named."""
