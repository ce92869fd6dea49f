"""The files that ``actas init`` writes: a commented settings file, a function, a policy."""

from importlib.resources import files
from typing import Final

STARTER: Final = {
    "actas.yaml": "actas.yaml",
    "functions/hello.py": "hello.py.txt",  # not a module of ours
    "policies/reader.json": "reader.json",
}
"""Where each file goes, and what it is called in the package."""


def starter() -> dict[str, str]:
    """Give each file's text by its path, relative to the new folder; together they pass ``actas check``."""
    folder = files("actas.settings") / "templates"
    return {path: (folder / name).read_text(encoding="utf-8") for path, name in STARTER.items()}


def example() -> str:
    """Give the commented settings file alone."""
    return starter()["actas.yaml"]
