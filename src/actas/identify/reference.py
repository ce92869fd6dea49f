"""Read the secret that a reference of the settings names: an environment variable or a file."""

import os
from pathlib import Path

from actas.identify.errors import UnexpectedAnswer
from actas.model.secret import Secret
from actas.settings.schema import SecretRef

_LARGEST = 64 * 1024


def secret_of(reference: SecretRef, base: Path) -> Secret:
    """Give the secret, or say that it cannot be had; a final line break of a file is not part of it."""
    name = reference.env
    found = _in_file(base / (reference.file or "")) if name is None else os.environ.get(name)
    if not found:
        raise UnexpectedAnswer(what="the look-up client's secret", why="is empty or cannot be read")
    return Secret(found)


def _in_file(path: Path) -> str | None:
    try:
        with path.open(encoding="utf-8") as file:
            return file.read(_LARGEST).rstrip("\r\n")
    except (OSError, UnicodeDecodeError):
        return None
