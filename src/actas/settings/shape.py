"""Compare a tree with the schema and note everything that does not fit, not only the first thing.

msgspec makes the typed values, and stops at the first mistake; this walks its description of the types
(`msgspec.inspect`) to find them all beforehand.
"""

import re
from collections.abc import Callable, Iterable
from datetime import date
from typing import Final

from msgspec import inspect

from actas.settings import secrecy
from actas.settings.mistakes import dotted, nearest
from actas.settings.positions import Path
from actas.settings.schema import SecretRef
from actas.settings.values import Scalar
from actas.settings.wording import wanted
from actas.settings.yaml import Hole

Report = Callable[..., None]
"""Takes code, path, message, hint, and keywords as `Source.mistake` does."""
_BOOLEANS: Final = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}
_BY_KIND: Final[dict[type, tuple[type[inspect.Type], ...]]] = {
    str: (inspect.LiteralType, inspect.DateType, inspect.CustomType, inspect.StrType),
    bool: (inspect.BoolType,),
    int: (inspect.IntType, inspect.FloatType),
    float: (inspect.FloatType,),
    dict: (inspect.StructType, inspect.DictType),
    list: (inspect.VarTupleType,),
}


def fit(data: object, wanted_type: inspect.Type, path: Path, report: Report) -> None:
    """Report everything in *data* that is not of *wanted_type*."""
    if isinstance(data, Hole) or _is_anything(wanted_type):
        return
    choices = tuple(_choices(wanted_type))
    if _refused_as_secret(data, choices, path, report):
        return
    suited = [one for one in choices if isinstance(one, _BY_KIND.get(type(data), ()))]
    match data:
        case _ if not suited:
            _wrong_type(data, wanted_type, choices, path, report)
        case dict():
            _mapping(data, suited[0], path, report)
        case list():
            for place, item in enumerate(data):
                assert isinstance(suited[0], inspect.VarTupleType)
                fit(item, suited[0].item_type, (*path, place), report)
        case str():
            _text(data, suited, wanted_type, path, report)
        case int():
            _number(data, suited[0], wanted_type, path, report)
        case _:  # a decimal number; there is nothing more to say of one
            pass


def _is_anything(wanted_type: inspect.Type) -> bool:
    return isinstance(wanted_type, inspect.AnyType) or (
        isinstance(wanted_type, inspect.CustomType) and wanted_type.cls is object
    )


def _choices(wanted_type: inspect.Type) -> Iterable[inspect.Type]:
    if isinstance(wanted_type, inspect.Metadata):
        yield from _choices(wanted_type.type)
    elif isinstance(wanted_type, inspect.UnionType):
        for one in wanted_type.types:
            yield from _choices(one)
    else:
        yield wanted_type


def _refused_as_secret(data: object, choices: tuple[inspect.Type, ...], path: Path, report: Report) -> bool:
    """Refuse a literal where only a reference to a secret belongs."""
    if isinstance(data, dict) or not all(
        isinstance(one, inspect.StructType) and one.cls is SecretRef for one in choices
    ):
        return False
    hint = "Write {env: NAME} or {file: PATH}; if the secret was ever shared with this file, change it."
    report(
        "settings.secret-in-file",
        path,
        f"{dotted(path)} holds its secret in the file; a secret never stands there",
        hint,
        wanted="{env: NAME} or {file: PATH}",
    )
    return True


def _mapping(data: dict[str, object], shape: inspect.Type, path: Path, report: Report) -> None:
    if isinstance(shape, inspect.DictType):
        for key, value in data.items():
            _name(key, shape.key_type, (*path, key), report)
            fit(value, shape.value_type, (*path, key), report)
        return
    assert isinstance(shape, inspect.StructType)
    fields = {one.encode_name: one for one in shape.fields}
    for key, value in data.items():
        if key in fields:
            fit(value, fields[key].type, (*path, key), report)
        else:
            _unknown_key(key, fields, data, path, report)
    for name, one in fields.items():
        if one.required and name not in data:
            what = wanted(one.type)
            message = f"{dotted(path) or 'the file'} has no {name}"
            report("settings.missing-key", (*path, name), message, f"Add {name}: {what}.", at="key", wanted=what)


def _unknown_key(
    key: str, fields: dict[str, inspect.Field], data: dict[str, object], path: Path, report: Report
) -> None:
    near = nearest(key, fields)
    free = sorted(name for name in fields if name not in data)
    few = f"Remove it, or use one of: {', '.join(free)}." if free else "Remove it."
    hint = f"Write {near}." if near else few if len(free) <= 12 else "Remove it; docs/settings.md has every key."
    report(
        "settings.unknown-key",
        (*path, key),
        f"there is no key {secrecy.quoted(key)} here",
        hint,
        at="key",
        found=secrecy.quoted(key),
        wanted=f"one of: {', '.join(sorted(fields))}",
        nearest=near,
    )


def _name(key: str, key_type: inspect.Type, path: Path, report: Report) -> None:
    for one in _choices(key_type):
        if isinstance(one, inspect.StrType) and one.pattern and not re.search(one.pattern, key):
            near = re.sub(r"[^a-z0-9_-]+", "-", key.lower()).strip("-_")[:64]
            hint = f"Write {near}." if near else "Give it a name of small letters and digits."
            report(
                "settings.bad-name",
                path,
                f"{secrecy.quoted(key)} is no name",
                hint,
                at="key",
                found=secrecy.quoted(key),
                wanted="a name of at most 64 small letters, digits, - and _, with a letter or digit at both ends",
                nearest=near or None,
            )


def _text(data: str, suited: list[inspect.Type], whole: inspect.Type, path: Path, report: Report) -> None:
    problems = [_text_problem(data, one) for one in suited]
    if None in problems:
        return
    words = [str(value) for one in suited if isinstance(one, inspect.LiteralType) for value in one.values]
    near = nearest(data, words) if words else None
    why = next((_scalar_problem(data, one.cls) for one in suited if isinstance(one, inspect.CustomType)), None)
    _wrong_value(data, wanted(whole), path, report, near=near, why=why)


def _text_problem(data: str, one: inspect.Type) -> str | None:
    """Say what *one* wants where *data* is not it; None where it is."""
    match one:
        case inspect.LiteralType():
            return None if data in one.values else wanted(one)
        case inspect.DateType():
            return None if _is_date(data) else wanted(one)
        case inspect.CustomType() if issubclass(one.cls, Scalar):
            return _scalar_problem(data, one.cls)
        case inspect.StrType(pattern=str(pattern)):
            return None if re.search(pattern, data) else wanted(one)
        case _:
            return None


def _scalar_problem(data: str, scalar: type[Scalar]) -> str | None:
    try:
        scalar.read(data)
    except ValueError as wrong:
        return str(wrong)
    return None


def _is_date(data: str) -> bool:
    try:
        return re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", data) is not None and bool(date.fromisoformat(data))
    except ValueError:
        return False


def _number(data: int, one: inspect.Type, whole: inspect.Type, path: Path, report: Report) -> None:
    if not isinstance(one, inspect.IntType):
        return
    low = one.ge if one.ge is not None else None
    high = one.le if one.le is not None else None
    if (low is not None and data < low) or (high is not None and data > high):
        _wrong_value(data, wanted(whole), path, report)


def _wrong_value(
    data: object, what: str, path: Path, report: Report, *, near: str | None = None, why: str | None = None
) -> None:
    found = secrecy.shown(data, path)
    message = f"{dotted(path)} is {found or 'not what belongs there'}; {why or f'wanted: {what}'}"
    hint = f"Write {near}." if near else f"Give {what}."
    report("settings.wrong-value", path, message, hint, found=found, wanted=what, nearest=near)


def _wrong_type(
    data: object, whole: inspect.Type, choices: tuple[inspect.Type, ...], path: Path, report: Report
) -> None:
    what, found = wanted(whole), secrecy.shown(data, path)
    near = _meant(data, choices)
    if data is None:
        hint = "Give it a value, or remove the key: a key with nothing after it says nothing."
    elif near is not None and found is not None:
        hint = f"Write {near}."
    elif near is not None:
        near, hint = None, "Put quotes around it."
    else:
        hint = f"Give {what}."
    message = f"{dotted(path) or 'the file'} is {found or 'not what belongs there'}; wanted: {what}"
    report("settings.wrong-type", path, message, hint, found=found, wanted=what, nearest=near)


def _meant(data: object, choices: tuple[inspect.Type, ...]) -> str | None:
    """Guess how *data* should have been written."""
    kinds = {type(one) for one in choices}
    scalars = [one.cls for one in choices if isinstance(one, inspect.CustomType)]
    match data:
        case str() if inspect.BoolType in kinds:
            return _BOOLEANS.get(data.lower())
        case str() if inspect.VarTupleType in kinds and data and len(data) < 80:
            return f"[{data}]"
        case str() if inspect.IntType in kinds and re.fullmatch(r"0[0-9]{1,9}", data):
            return str(int(data))
        case bool() if inspect.StrType in kinds:
            return '"true"' if data else '"false"'
        case int() if scalars and not isinstance(data, bool):
            unit = {"Span": "s", "Size": "B"}.get(scalars[0].__name__)
            return f"{data}{unit}" if unit and data >= 0 else None
        case int() | float() if inspect.StrType in kinds or inspect.LiteralType in kinds:
            return f'"{data}"'
    return None
