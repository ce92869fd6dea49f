"""Make the best of a tree with mistakes, so that what the rest of it means can be checked in the same run.

Every value that does not fit is left out where the schema has a default, and replaced by a filler where it has
none; what is later said about a place that was spoiled so is not reported.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from msgspec import inspect

from actas.settings.positions import Path
from actas.settings.schema import Settings
from actas.settings.yaml import Hole

_NOTHING: Final = object()
_FILLERS: Final = {"Span": "1s", "Size": "1B", "Network": "192.0.2.0/24", "Hours": "00:00-24:00"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sketch:
    """Settings as far as they could be read."""

    settings: Settings
    spoiled: frozenset[Path] = frozenset()
    """The places of what did not fit."""
    names: frozenset[tuple[str, str]] = frozenset()
    """Every section and name in it that the file has, spoiled or not: ``("functions", "report")``."""

    def is_spoiled(self, path: Path) -> bool:
        """Tell whether *path* is, holds or lies in something that did not fit."""
        return any(path[: len(one)] == one or one[: len(path)] == path for one in self.spoiled)


def names(data: object) -> frozenset[tuple[str, str]]:
    """List the names in every section of the file."""
    if not isinstance(data, dict):
        return frozenset()
    sections = ((section, data.get(section)) for section in ("providers", "functions", "roles"))
    events = data.get("events")
    inner = events.get("sources") if isinstance(events, dict) else None
    everything = (*sections, ("sources", inner))
    return frozenset((section, name) for section, box in everything if isinstance(box, dict) for name in box)


def mended(data: object, wanted: inspect.Type, spoiled: Iterable[Path]) -> object:
    """Give *data* without what is *spoiled*, in the shape of *wanted*."""
    return _mend(data, wanted, (), frozenset(spoiled))


def _mend(data: object, wanted: inspect.Type, path: Path, spoiled: frozenset[Path]) -> object:
    inner = not any(path == one for one in spoiled) and not isinstance(data, Hole)
    for one in _each(wanted):
        match one:
            case inspect.StructType() if inner and isinstance(data, dict):
                return _struct(data, one, path, spoiled)
            case inspect.DictType() if inner and isinstance(data, dict):
                kept = {key: value for key, value in data.items() if (*path, key) not in spoiled}
                return {key: _mend(value, one.value_type, (*path, key), spoiled) for key, value in kept.items()}
            case inspect.VarTupleType() if inner and isinstance(data, list):
                return [_mend(value, one.item_type, (*path, place), spoiled) for place, value in enumerate(data)]
            case _:
                pass
    return data if inner else _filler(wanted)


def _each(wanted: inspect.Type) -> Iterable[inspect.Type]:
    if isinstance(wanted, inspect.Metadata):
        yield from _each(wanted.type)
    elif isinstance(wanted, inspect.UnionType):
        for one in wanted.types:
            yield from _each(one)
    else:
        yield wanted


def _struct(
    data: dict[str, object], shape: inspect.StructType, path: Path, spoiled: frozenset[Path]
) -> dict[str, object]:
    made: dict[str, object] = {}
    for one in shape.fields:
        value = data.get(one.encode_name, _NOTHING)
        where = (*path, one.encode_name)
        if value is not _NOTHING and where not in spoiled and not isinstance(value, Hole):
            made[one.encode_name] = _mend(value, one.type, where, spoiled)
        elif one.required:
            made[one.encode_name] = _filler(one.type)
    return made


def _filler(wanted: inspect.Type) -> object:
    """Make something that fits *wanted*."""
    one = next(iter(_each(wanted)))
    match one:
        case inspect.StructType():
            return {field.encode_name: _filler(field.type) for field in one.fields if field.required}
        case inspect.DictType():
            return {}
        case inspect.VarTupleType():
            return []
        case inspect.CustomType():
            return _FILLERS.get(one.cls.__name__)
        case inspect.LiteralType():
            return one.values[0]
        case inspect.BoolType():
            return False
        case inspect.IntType():
            return one.ge or 0
        case _:
            return "x"
