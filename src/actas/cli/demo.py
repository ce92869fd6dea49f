"""Where the example that comes with Actas lies."""

from pathlib import Path

from actas.cli.errors import NoExample


def example_folder() -> Path:
    """Find the example: beside the source, or in the installed package."""
    for folder in (Path(__file__).parents[3] / "examples", Path(__file__).parents[1] / "_examples"):
        if (folder / "actas.yaml").is_file():
            return folder
    raise NoExample
