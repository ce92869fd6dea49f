"""Events of a webhook of your own, read by the paths that the settings give (``user.id``, ``data.at``). Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from actas.events.sources.errors import MalformedDelivery
from actas.events.sources.reading import strict
from actas.events.sources.reading.told import ADDRESS, Kind, Told

DEEPEST: Final = 8
MOST: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Paths:
    """Where the facts stand; what is None is not told."""

    id: str
    type: str
    at: str
    subject: str | None = None
    address: str | None = None
    actor: str | None = None
    client: str | None = None
    session: str | None = None
    roles: str | None = None
    groups: str | None = None
    events: str | None = None
    """Where the list of events stands in a delivery; None where the delivery is one event."""
    kinds: Mapping[str, Kind] = field(default_factory=dict)
    """What each type means; a type that is not named is ``other``."""


def told(value: Any, paths: Paths) -> tuple[Told, ...]:
    """Read a delivery."""
    listed = value if paths.events is None else find(value, paths.events)
    several = listed if isinstance(listed, list) else [listed]
    if len(several) > MOST or (paths.events is not None and not isinstance(listed, list)):
        raise MalformedDelivery(why=f"where its events should stand is no list of at most {MOST}")
    return tuple(event(one, paths) for one in several)


def event(value: Any, paths: Paths) -> Told:
    """Read one event."""
    kind = strict.required(_text(value, paths.type), "the event's type")
    return Told(
        id=strict.required(_text(value, paths.id), "the event's id"),
        type=kind,
        kind=paths.kinds.get(kind, "other"),
        at=_time(find(value, paths.at)),
        subject=strict.name(_text(value, paths.subject)),
        named=_address(strict.name(_text(value, paths.address))),
        actor=strict.name(_text(value, paths.actor)),
        client=strict.name(_text(value, paths.client)),
        session=strict.name(_text(value, paths.session)),
        roles=_texts(value, paths.roles),
        groups=_texts(value, paths.groups),
    )


def find(value: Any, path: str) -> Any:
    """Follow *path*, whose parts are names of members; None where there is nothing."""
    for part in path.split(".")[:DEEPEST]:
        if not isinstance(value, dict):
            return None
        value = value.get(part)
    return value


def _text(value: Any, path: str | None) -> str | None:
    found = None if path is None else find(value, path)
    if isinstance(found, int) and not isinstance(found, bool):
        return str(found) if abs(found) < 10**40 else None
    return found if isinstance(found, str) else None


def _address(found: str | None) -> tuple[str, ...]:
    return () if found is None else ((ADDRESS + found)[: strict.LONGEST],)


def _texts(value: Any, path: str | None) -> tuple[str, ...]:
    found = None if path is None else find(value, path)
    listed = found if isinstance(found, list) else [found]
    return strict.names(tuple(one for one in listed[:MOST] if isinstance(one, str)))


def _time(value: Any) -> datetime:
    """Read RFC 3339, or seconds or milliseconds since 1970; which of the two is told by its size."""
    if isinstance(value, str):
        return strict.instant(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise MalformedDelivery(why="its time is neither a text nor a number")
    return strict.moment(value, per_second=1000 if abs(value) >= 10**11 else 1)
