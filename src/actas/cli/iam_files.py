"""Policy files as the commands read them."""

import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from actas import iam
from actas.cli.errors import BadFile
from actas.cli.iam_errors import BadContext, BadPolicy

KindName = Literal["identity", "resource", "trust", "boundary", "session", "scp", "rcp", "endpoint"]


def content(file: Path) -> bytes:
    """Read a file; ``-`` is standard input."""
    try:
        return sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as wrong:
        raise BadFile(file=file, why=wrong.strerror or "it cannot be read") from wrong


def policy(file: Path, kind: iam.Kind, document: bytes | None = None) -> iam.Policy:
    """Read a policy that may be in AWS already, named by its file; *document* is its text where it is read already."""
    try:
        return iam.Policy.parse(document or content(file), kind=kind, name=str(file), stored=True)
    except iam.MalformedPolicy as wrong:
        first = next((one for one in wrong.findings if one.severity == "error"), None)
        raise BadPolicy(file=str(file), line=first.line if first else None, why=str(wrong)) from wrong


def guess(document: bytes) -> iam.Kind:
    """Guess a policy's kind by its statements: who names principals is a resource's, who has no resource a role's."""
    try:
        found = json.loads(document)
    except (ValueError, RecursionError):
        return iam.Kind.IDENTITY
    statements = found.get("Statement") if isinstance(found, dict) else None
    listed = [one for one in (statements if isinstance(statements, list) else [statements]) if isinstance(one, dict)]
    if not any(_has(one, "principal") for one in listed):
        return iam.Kind.IDENTITY
    if any(_has(one, "resource") for one in listed):
        return iam.Kind.RESOURCE
    return iam.Kind.TRUST if all(_takes_roles(one) for one in listed) else iam.Kind.RESOURCE


def _has(statement: dict[str, Any], element: str) -> bool:
    return any(name.lower() in (element, f"not{element}") for name in statement)


def _takes_roles(statement: dict[str, Any]) -> bool:
    actions = statement.get("Action")
    listed = actions if isinstance(actions, list) else [actions]
    return all(isinstance(one, str) and one.lower().startswith("sts:") for one in listed)


def context(given: Iterable[str], unknown: Iterable[str]) -> Mapping[str, object]:
    """Read ``KEY=VALUE`` texts; a key that is there twice has two values, one in *unknown* cannot be told."""
    found: dict[str, list[str]] = {}
    for one in given:
        key, equals, value = one.partition("=")
        if not equals or not key:
            raise BadContext(found=one)
        found.setdefault(key, []).append(value)
    known = {key: values[0] if len(values) == 1 else values for key, values in found.items()}
    return known | dict.fromkeys(unknown, iam.UNKNOWN)


def layer(files: Iterable[Path], kind: iam.Kind) -> tuple[iam.Policy, ...]:
    """Read the policies of a layer."""
    return tuple(policy(file, kind) for file in files)


def plain(text: str) -> str:
    """Keep what a file holds from giving orders to the terminal; line ends stay."""
    return "".join(letter if letter.isprintable() or letter == "\n" else "?" for letter in text)


def json_line(value: Mapping[str, object]) -> str:
    """Write one object on one line; `output` does the same, and brings what these commands do without."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
