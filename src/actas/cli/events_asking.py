"""What the commands about events share: where they ask, whom, since when, and what is said where nothing is there."""

import sys
from collections.abc import Callable, Collection, Coroutine
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from actas.cli import output
from actas.cli.asking import moment
from actas.cli.errors import BadFile, BadMoment
from actas.cli.events_errors import BadSince, NoSources, NoSuchSource, NothingKept
from actas.cli.options import Where
from actas.model.secret import Secret

if TYPE_CHECKING:
    from actas.events.desk import Desk

T = TypeVar("T")


def at(where: Where, work: "Callable[[Desk, dict[str, str]], Coroutine[Any, Any, T]]", *, begun: bool = True) -> T:
    """Do *work* at the desk of the gateway that is meant; where it must have *begun*, its state has to be there."""
    import anyio

    from actas.wiring.event_desk import desk
    from actas.wiring.load import load

    place = where.here()
    loaded = load(place.found(), weak=True)
    state = place.state if where.state else loaded.locate(loaded.usable().gateway.state)
    if begun and not state.is_dir():
        raise NothingKept(folder=str(state))

    async def run() -> T:
        async with desk(loaded, state) as (opened, broken):
            return await work(opened, broken)

    return anyio.run(run)


def known(source: str | None, sources: Collection[str]) -> None:
    """Raise where a source is asked for that is not among these."""
    if source is not None and source not in sources:
        raise NoSuchSource(name=source, known=sources)


def meant(source: str | None, made: Collection[str], broken: dict[str, str]) -> dict[str, str]:
    """Give those of the sources that cannot be made that are asked about; raise where nobody is."""
    if not made and not broken:
        raise NoSources
    known(source, {*made, *broken})
    return {name: code for name, code in broken.items() if source in (None, name)}


def nothing(text: str, *, json: bool) -> None:
    """Say to a person why there is no answer; a program sees that there is none."""
    if not json:
        print(text, file=sys.stderr)


def tell_broken(broken: dict[str, str], *, json: bool) -> None:
    """Say which sources cannot be made."""
    for name, code in sorted(broken.items()):
        print(output.json_line({"source": name, "trouble": code}) if json else f"{name}  cannot be made: {code}")


def since(text: str, now: datetime) -> datetime:
    """Read a span before now, or a moment."""
    from actas.events.desk import SETTLES
    from actas.settings.values import Span

    try:
        found = now - Span.read(text).time
    except (ValueError, OverflowError):
        try:
            found = moment(text, now=now)
        except BadMoment as wrong:
            raise BadSince(found=text, why="is neither a span nor a time") from wrong
    if found >= now - SETTLES:
        seconds = f"{SETTLES.total_seconds():g} s"
        raise BadSince(found=text, why=f"is too late: what happened within {seconds} may still be under way")
    return found


def token(file: Path | None) -> Secret:
    """Read an administrator's token."""
    if file is None:
        raise BadFile(file=Path("--administrator"), why="--fix needs an administrator's token in a file")
    try:
        return Secret(file.read_text().strip())
    except (OSError, UnicodeDecodeError) as wrong:
        raise BadFile(file=file, why="it cannot be read as a token") from wrong
