"""Say in words what a key of the settings takes: the same words in mistakes and in the documentation."""

from typing import Final

from msgspec import inspect

from actas.settings.schema import SecretRef

SCALARS: Final = {
    "Span": "a span of time (500ms, 10s, 15m, 24h, 7d)",
    "Size": "a size (512B, 64KB, 256MB, 1GB)",
    "Network": "a network (10.0.0.0/8, 2001:db8::/32)",
    "Hours": "hours of the day (07:00-19:00)",
    "object": "anything",
}
_PATTERNS: Final = {
    "^[0-9]{12}$": "twelve digits in quotes",
    "^[a-z0-9-]{1,30}$": "small letters, digits and -",
}


def wanted(one: inspect.Type) -> str:
    """Describe *one* for people."""
    match one:
        case inspect.Metadata():
            return wanted(one.type)
        case inspect.UnionType():
            some = (wanted(each) for each in one.types if not isinstance(each, inspect.NoneType))
            return " or ".join(dict.fromkeys(some))
        case inspect.VarTupleType():
            return f"a list of {_plural(wanted(one.item_type))}"
        case inspect.StructType(cls=cls):
            return "{env: NAME} or {file: PATH}" if cls is SecretRef else "a mapping"
        case inspect.DictType():
            return "a mapping"
        case _:
            return _single(one)


def _single(one: inspect.Type) -> str:
    match one:
        case inspect.BoolType():
            return "true or false"
        case inspect.IntType():
            return _integer(one)
        case inspect.LiteralType():
            return _choice([str(value) for value in one.values])
        case inspect.DateType():
            return "a date (2026-01-31)"
        case inspect.CustomType():
            return SCALARS.get(one.cls.__name__, "a text")
        case inspect.StrType(pattern=str(pattern)):
            return _PATTERNS.get(pattern, "a name of small letters, digits, - and _")
        case _:
            return "a text"


def _integer(one: inspect.IntType) -> str:
    return "a whole number" if one.ge is None else f"a whole number of at least {one.ge}"


def _choice(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _plural(words: str) -> str:
    for one in ("a text", "a mapping", "a network"):
        if words.startswith(one):
            return f"{one[2:]}s{words[len(one) :]}"
    return words
