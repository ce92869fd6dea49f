"""Give the settings' shape as JSON Schema (draft 2020-12), for editors.

``# yaml-language-server: $schema=actas.schema.json`` as the first line of a settings file makes an editor complete
keys and mark mistakes while typing. What the keys mean together only ``actas check`` knows.

(`msgspec.json.schema` cannot write the defaults of values of our own, and would allow null everywhere.)
"""

import json
from typing import Any

from msgspec import inspect

from actas.settings.reference import default_of, meanings
from actas.settings.schema import Settings
from actas.settings.values import Hours, Network, Scalar, Size, Span
from actas.settings.wording import SCALARS

_EXAMPLES: dict[type[Scalar], list[str]] = {
    Span: ["500ms", "10s", "15m", "24h", "7d"],
    Size: ["512B", "64KB", "256MB", "1GB"],
    Network: ["10.0.0.0/8", "2001:db8::/32"],
    Hours: ["07:00-19:00", "22:00-06:00"],
}


def schema() -> dict[str, Any]:
    """Give the JSON Schema of the whole file."""
    parts: dict[str, Any] = {}
    whole = _of(inspect.type_info(Settings), parts)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "actas.yaml",
        "description": "The settings of Actas: who may run which function, when, and as whom.",
        **whole,
        "$defs": dict(sorted(parts.items())),
    }


def schema_json() -> str:
    """Give it as text, the same for the same schema, with a line break at its end."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def _of(one: inspect.Type, parts: dict[str, Any]) -> dict[str, Any]:
    match one:
        case inspect.Metadata():
            return _of(one.type, parts)
        case inspect.UnionType():
            some = [_of(each, parts) for each in one.types if not isinstance(each, inspect.NoneType)]
            return some[0] if len(some) == 1 else {"anyOf": some}
        case inspect.StructType():
            return _struct(one, parts)
        case inspect.DictType():
            pattern = _of(one.key_type, parts).get("pattern")
            names = {"propertyNames": {"pattern": pattern}} if pattern else {}
            return {"type": "object", "additionalProperties": _of(one.value_type, parts), **names}
        case inspect.VarTupleType():
            return {"type": "array", "items": _of(one.item_type, parts)}
        case _:
            return _single(one)


def _single(one: inspect.Type) -> dict[str, Any]:
    match one:
        case inspect.BoolType():
            return {"type": "boolean"}
        case inspect.IntType():
            return {"type": "integer", "minimum": one.ge, "maximum": one.le}
        case inspect.LiteralType():
            return {"enum": list(one.values)}
        case inspect.DateType():
            return {"type": "string", "format": "date"}
        case inspect.CustomType() if issubclass(one.cls, Scalar):
            pattern = f"^(?:{one.cls.pattern})$"
            return {
                "type": "string",
                "pattern": pattern,
                "title": SCALARS[one.cls.__name__],
                "examples": _EXAMPLES[one.cls],
            }
        case inspect.StrType(pattern=str(pattern)):
            return {"type": "string", "pattern": pattern}
        case inspect.StrType():
            return {"type": "string"}
        case _:
            return {}  # anything


def _struct(one: inspect.StructType, parts: dict[str, Any]) -> dict[str, Any]:
    name = one.cls.__name__
    if name not in parts:
        parts[name] = {}  # its place is taken, should it hold itself
        parts[name] = {
            "title": name,
            "description": _plain(one.cls.__doc__ or ""),
            "type": "object",
            "properties": {field.encode_name: _property(name, field, parts) for field in one.fields},
            "required": [field.encode_name for field in one.fields if field.required],
            "additionalProperties": False,
        }
    return {"$ref": f"#/$defs/{name}"}


def _property(struct: str, field: inspect.Field, parts: dict[str, Any]) -> dict[str, Any]:
    made = {**_of(field.type, parts), "description": _plain(meanings()[struct, field.name])}
    default = None if field.required else default_of(field)
    match default:
        case bool() | int() | str():
            made["default"] = default
        case Scalar():
            made["default"] = str(default)
        case _:  # nothing, an empty list or a whole mapping: an editor has no use for it
            pass
    return made


def _plain(text: str) -> str:
    return text.replace("``", "`").replace("\n", " ")
