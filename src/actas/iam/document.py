"""From text, bytes or a mapping to plain JSON values: strict, bounded, and with places for what is wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from actas.iam.finding import Path

LARGEST: Final = 1_048_576
"""Characters of a document; AWS's own quotas are far below."""
DEEPEST: Final = 32
MOST_VALUES: Final = 200_000
_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+', re.DOTALL)
_FOREIGN: Final = re.compile(r"[^\t\n\r\x20-\xff]")


class Numeral(str):
    """A JSON number, as written."""

    __slots__ = ()


class Doubled(dict[str, Any]):
    """A JSON object that has a name twice."""

    __slots__ = ("names",)
    names: tuple[str, ...]


class Unreadable(Exception):
    """The document is no JSON, or more of it than anybody needs."""

    def __init__(self, code: str, why: str, line: int | None = None, column: int | None = None) -> None:
        super().__init__(why)
        self.code, self.why, self.line, self.column = code, why, line, column


def decode(document: object, *, largest: int = LARGEST) -> tuple[object, str | None]:
    """Return the value, and the text where there is one; raise Unreadable."""
    if isinstance(document, Mapping):
        return _Plain(largest).of(document, 0), None
    if isinstance(document, (bytes, bytearray, memoryview)):
        document = _text(bytes(document), largest)
    if not isinstance(document, str):
        raise Unreadable("invalid-json", "the document is neither text nor a mapping")
    if len(document) > largest:
        raise Unreadable("too-large", f"the document has more than {largest} characters")
    return _json(str(document)), str(document)


def _text(raw: bytes, largest: int) -> str:
    if len(raw) > 4 * largest:
        raise Unreadable("too-large", f"the document has more than {largest} characters")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as wrong:
        raise Unreadable("invalid-json", f"byte {wrong.start} of the document is not UTF-8") from None


def _json(text: str) -> object:
    try:
        return json.loads(
            text, object_pairs_hook=_object, parse_int=Numeral, parse_float=Numeral, parse_constant=_constant
        )
    except json.JSONDecodeError as wrong:
        raise Unreadable("invalid-json", f"the JSON ends or breaks: {wrong.msg}", wrong.lineno, wrong.colno) from None
    except (RecursionError, MemoryError):
        raise Unreadable("too-deep", "the document is nested deeper than any policy") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    plain = dict(pairs)
    if len(plain) == len(pairs):
        return plain
    doubled = Doubled(plain)
    names = [name for name, _ in pairs]
    doubled.names = tuple(name for name in plain if names.count(name) > 1)
    return doubled


def _constant(_name: str) -> object:
    raise Unreadable("invalid-json", "the document holds a number that is none in JSON")


class _Plain:
    """Copies a mapping, bounded in depth and size, so that nothing behind it can change or surprise."""

    def __init__(self, largest: int) -> None:
        self.most = self.left = max(MOST_VALUES, largest // 8)

    def of(self, value: object, depth: int) -> object:
        self.left -= 1
        if depth > DEEPEST:
            raise Unreadable("too-deep", "the document is nested deeper than any policy")
        if self.left < 0:
            raise Unreadable("too-large", f"the document has more than {self.most} values")
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str):
            self.left -= len(value) // 64
            return str(value)
        if isinstance(value, (int, float)):
            return Numeral(repr(value) if isinstance(value, float) or value.bit_length() < 1024 else "0")
        if isinstance(value, Mapping):
            if not all(isinstance(name, str) for name in value):
                raise Unreadable("invalid-json", "the document has a name that is not text")
            return {name: self.of(item, depth + 1) for name, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.of(item, depth + 1) for item in value]
        raise Unreadable("invalid-json", "the document holds a value that JSON has not")


def foreign_character(text: str) -> int | None:
    """Where the first character stands that IAM takes in no policy, or None."""
    found = _FOREIGN.search(text)
    return found.start() if found else None


def written(value: object) -> str:
    """Write plain values as JSON, to know how long they are."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def size_of(text: str) -> int:
    """Characters as IAM counts them: without white space."""
    return len(text) - sum(text.count(space) for space in " \t\r\n")


def place_of(text: str, offset: int) -> tuple[int, int]:
    """Line and column, both from 1."""
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


def places(text: str) -> dict[Path, int]:
    """Where each value of a JSON text that is known to be good begins, in one pass and without recursion."""
    found: dict[Path, int] = {}
    path: list[str | int] = []
    closes: list[str] = []
    name_next = False
    for token in _TOKEN.finditer(text):
        mark = token.group()
        if mark in "}]":
            closes.pop()
            path.pop()
            name_next = False
        elif mark == ",":
            name_next = closes[-1] == "}"
            if not name_next:
                path[-1] = int(path[-1]) + 1
        elif mark == ":":
            name_next = False
        elif name_next:
            path[-1] = str(json.loads(mark))
        else:
            found.setdefault(tuple(path), token.start())
            if mark in "{[":
                closes.append("}" if mark == "{" else "]")
                path.append("" if mark == "{" else 0)
                name_next = mark == "{"
    return found
