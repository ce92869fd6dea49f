"""Where the gateway that runs on this machine says that it is: ``up.json`` in its state folder."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from actas import private_files
from actas.cli.errors import NoGateway, NoSettings

if TYPE_CHECKING:
    from actas.settings.sketch import Sketch

FILE = "up.json"
STATE = Path(".actas")
SETTINGS = Path("actas.yaml")


class Place(msgspec.Struct, frozen=True):
    """A gateway that runs here."""

    public_url: str
    control_url: str
    settings: str
    pid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Here:
    """The settings file and the state folder that a command is about."""

    settings: Path
    state: Path

    def found(self) -> Path:
        """Give the settings file, or raise `NoSettings`."""
        return found(self.settings)

    @property
    def trail(self) -> Path:
        """The folder of the trail, where the settings have it."""
        sketch = _sketched(self.settings)
        path = None if sketch is None else sketch.settings.audit.jsonl.path
        return self.state / "audit" if path is None else self.settings.parent / path


def here(settings: Path | None = None, state: Path | None = None) -> Here:
    """Work out both from what was given.

    What is left out is told by the gateway that runs in this folder, else by the settings file, which is ``actas.yaml``
    where none is named.
    """
    if state is None and settings is None and (STATE / FILE).exists():
        state = STATE
    if state is not None:
        return Here(settings=settings or _announced(state), state=state)
    settings = settings or SETTINGS
    return Here(settings=settings, state=_state_of(settings))


def found(settings: Path) -> Path:
    """Give *settings* back if there is such a file, or raise `NoSettings`."""
    if not settings.exists():
        raise NoSettings(file=settings)
    return settings


def _announced(state: Path) -> Path:
    try:
        return Path(find_gateway(state).settings)
    except NoGateway:
        return SETTINGS


def _state_of(settings: Path) -> Path:
    """Read where the settings keep their state; a file with mistakes elsewhere still tells."""
    sketch = _sketched(settings)
    return settings.parent / (STATE if sketch is None else sketch.settings.gateway.state)


def _sketched(settings: Path) -> "Sketch | None":
    from actas.settings.reader import read

    return read(settings).sketch if settings.is_file() else None


def announce(state: Path, place: Place) -> None:
    """Say where the gateway is, in one step: who looks for the file reads all of it."""
    private_files.write(state / FILE, msgspec.json.encode(place))


def withdraw(state: Path) -> None:
    """Say that it is no more."""
    (state / FILE).unlink(missing_ok=True)


def find_gateway(state: Path) -> Place:
    """Find the gateway that runs here, or raise `NoGateway`."""
    try:
        return msgspec.json.decode((state / FILE).read_bytes(), type=Place)
    except (OSError, msgspec.DecodeError) as wrong:
        raise NoGateway(state=state) from wrong
