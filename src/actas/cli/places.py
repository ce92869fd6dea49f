"""Where the gateway that runs on this machine says that it is: ``up.json`` in its state folder."""

import os
from pathlib import Path

import msgspec

from actas.cli.errors import NoGateway


class Place(msgspec.Struct, frozen=True):
    """A gateway that runs here."""

    public_url: str
    control_url: str
    settings: str
    pid: int


def announce(state: Path, place: Place) -> None:
    """Say where the gateway is."""
    file = state / "up.json"
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "wb") as out:
        out.write(msgspec.json.encode(place))


def withdraw(state: Path) -> None:
    """Say that it is no more."""
    (state / "up.json").unlink(missing_ok=True)


def find_gateway(state: Path) -> Place:
    """Find the gateway that runs here, or raise `NoGateway`."""
    try:
        return msgspec.json.decode((state / "up.json").read_bytes(), type=Place)
    except (OSError, msgspec.DecodeError) as wrong:
        raise NoGateway(state=state) from wrong
