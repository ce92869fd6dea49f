"""Policy variables: ``${key}``, ``${key, 'default'}``, ``${*}``, ``${?}``, ``${$}``.

A template is read once. Filling it gives wildcard tokens in which what a variable stood for is literal text: a ``*``
in a tag's value is a star to compare with, never a wildcard, and a ``${…}`` in it is never looked up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from actas.iam.kinds import UNKNOWN, Unknown
from actas.iam.values import Value, text_of
from actas.iam.wildcards import STAR, Token, Wild, tokens_of

_ESCAPES: Final = {"*": "*", "?": "?", "$": "$"}
_KEY_STOPS: Final = frozenset("{}'\"\t\r\n")


@dataclass(frozen=True, slots=True)
class Variable:
    """One ``${…}`` in a template."""

    key: str
    default: str | None = None


Part = Token | Variable


@dataclass(frozen=True, slots=True)
class Template:
    """A policy's text, cut at wildcards and variables."""

    parts: tuple[Part, ...]

    @property
    def fixed(self) -> bool:
        """Whether it is the same for every request."""
        return not any(isinstance(part, Variable) for part in self.parts)

    @property
    def literal(self) -> str | None:
        """The text itself where there is neither wildcard nor variable."""
        if all(isinstance(part, str) for part in self.parts):
            return "".join(part for part in self.parts if isinstance(part, str))
        return None

    def tokens(self) -> tuple[Token, ...]:
        """Return the tokens of a fixed template."""
        return tuple(part for part in self.parts if not isinstance(part, Variable))


Filled = tuple[Token, ...] | None | Literal[Unknown.UNKNOWN]


def read(text: str, *, variables: bool, wildcards: bool) -> Template:
    """Cut *text* into literals, wildcards and variables."""
    if not variables or "${" not in text:
        return Template(tokens_of(text) if wildcards else ((text,) if text else ()))
    parts: list[Part] = []
    rest = text
    while True:
        before, mark, after = rest.partition("${")
        inside, closed, behind = after.partition("}")
        variable = _variable(inside) if mark and closed else None
        if mark and variable is None:  # no variable: the two characters are text like any other
            before, behind = before + mark, after
        if before:
            parts.extend(tokens_of(before) if wildcards else (before,))
        if not mark:
            return Template(_joined(parts))
        if variable is not None:
            parts.append(variable)
        rest = behind


def _variable(inside: str) -> str | Variable | None:
    """Read what stands between the braces; a literal character, a variable, or None."""
    if inside in _ESCAPES:
        return _ESCAPES[inside]
    key, comma, default = inside.partition(",")
    key = key.strip(" ")
    if not key or _KEY_STOPS.intersection(key):
        return None
    if not comma:
        return Variable(key.lower())
    default = default.strip(" ")
    if len(default) < 2 or default[0] != "'" or default[-1] != "'":
        return None
    return Variable(key.lower(), default[1:-1])


def _joined(parts: list[Part]) -> tuple[Part, ...]:
    joined: list[Part] = []
    for part in parts:
        last = joined[-1] if joined else None
        if isinstance(part, str) and isinstance(last, str):
            joined[-1] = last + part
        else:
            joined.append(part)
    return tuple(joined)


def fill(template: Template, facts: Mapping[str, Value]) -> Filled:
    """Replace each variable; None where one cannot be resolved, UNKNOWN where one is unknown.

    Only single-valued keys can be variables. One that cannot be resolved outweighs one that is unknown.
    """
    tokens, resolved = fill_as_far(template, facts)
    if resolved is None:
        return UNKNOWN
    return tokens if resolved else None


def fill_as_far(template: Template, facts: Mapping[str, Value]) -> tuple[tuple[Token, ...], bool | None]:
    """Replace each variable, one without a known value by a star; say whether all were resolved, None: unknown."""
    tokens: list[Token] = []
    resolved: bool | None = True
    for part in template.parts:
        if isinstance(part, (str, Wild)):
            tokens.append(part)
            continue
        value = facts.get(part.key)
        if isinstance(value, tuple) and len(value) == 1:
            value = value[0]
        if value is UNKNOWN:
            resolved = resolved and None
            tokens.append(STAR)
        elif value is not None and not isinstance(value, tuple):
            tokens.append(text_of(value))
        elif value is None and part.default is not None:
            tokens.append(part.default)
        else:
            resolved = False
            tokens.append(STAR)
    return tuple(tokens), resolved


def keys_in(template: Template) -> frozenset[str]:
    """Return the context keys that the template asks for, folded."""
    return frozenset(part.key for part in template.parts if isinstance(part, Variable))
