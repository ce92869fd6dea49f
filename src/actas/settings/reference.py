"""Tell what each key of the settings file means: from the text under it in the schema.

The documentation's table and the JSON Schema come from here, so that neither says something of its own.
"""

import ast
import inspect as source_of
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from types import ModuleType

import msgspec
from msgspec import inspect

from actas.settings import (
    schema,
    schema_cloudwatch,
    schema_event_sources,
    schema_events,
    schema_functions,
    schema_gateway,
    schema_keys,
    schema_providers,
    schema_roles,
    schema_saml,
)
from actas.settings.schema import Settings
from actas.settings.wording import wanted

_MODULES: tuple[ModuleType, ...] = (
    schema_keys, schema_gateway, schema_saml, schema_providers, schema_roles, schema_cloudwatch,
    schema_event_sources, schema_events, schema_functions, schema,
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One key."""

    key: str
    """``gateway.limits.body``; NAME stands for names of one's own, ``[]`` for the items of a list."""
    type: str
    default: str | None
    """As it would be written; None where the key is required."""
    meaning: str


@lru_cache(maxsize=1)
def meanings() -> dict[tuple[str, str], str]:
    """Give the text under every key, by the class and the key's name in Python."""
    found: dict[tuple[str, str], str] = {}
    for module in _MODULES:
        for one in ast.parse(source_of.getsource(module)).body:
            if isinstance(one, ast.ClassDef):
                found |= {(one.name, name): text for name, text in _documented(one)}
    return found


def _documented(one: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for line, after in zip(one.body, one.body[1:], strict=False):
        if (
            isinstance(line, ast.AnnAssign)
            and isinstance(line.target, ast.Name)
            and isinstance(after, ast.Expr)
            and isinstance(after.value, ast.Constant)
            and isinstance(after.value.value, str)
        ):
            yield line.target.id, source_of.cleandoc(after.value.value)


def entries() -> tuple[Entry, ...]:
    """List every key of the file, in its order."""
    return tuple(_entries(inspect.type_info(Settings), ""))


def _entries(one: inspect.Type, path: str) -> Iterator[Entry]:
    for shape, where in _structs(one, path):
        for field in shape.fields:
            key = f"{where}.{field.encode_name}" if where else field.encode_name
            meaning = meanings()[shape.cls.__name__, field.name]
            if shape.cls.__name__ != "SecretRef":
                yield Entry(key=key, type=wanted(field.type), default=_default(field), meaning=meaning)
                yield from _entries(field.type, key)


def _structs(one: inspect.Type, path: str) -> Iterator[tuple[inspect.StructType, str]]:
    match one:
        case inspect.StructType():
            yield one, path
        case inspect.UnionType():
            for each in one.types:
                yield from _structs(each, path)
        case inspect.Metadata():
            yield from _structs(one.type, path)
        case inspect.DictType():
            yield from _structs(one.value_type, f"{path}.NAME")
        case inspect.VarTupleType():
            yield from _structs(one.item_type, f"{path}[]")
        case _:
            pass


def default_of(field: inspect.Field) -> object:
    """Give what *field* is where it is left out."""
    return field.default if field.default is not msgspec.NODEFAULT else field.default_factory()


def _default(field: inspect.Field) -> str | None:
    if field.required:
        return None
    match default_of(field):
        case None | () | dict() | msgspec.Struct():
            return ""
        case bool(value):
            return str(value).lower()
        case value:
            return str(value)


def table() -> str:
    """Give the reference as Markdown: one table for each section."""
    parts: list[str] = []
    section = None
    for one in entries():
        head = one.key.split(".")[0].split("[")[0]
        if head != section:
            section = head
            parts.append(f"\n## `{head}`\n\n| key | type | default | meaning |\n|---|---|---|---|")
        default = "required" if one.default is None else f"`{one.default}`" if one.default else "-"
        meaning = one.meaning.replace("``", "`").replace("\n", " ").replace("|", "\\|")
        parts.append(f"| `{one.key}` | {one.type.replace('|', chr(92) + '|')} | {default} | {meaning} |")
    return "\n".join(parts) + "\n"
