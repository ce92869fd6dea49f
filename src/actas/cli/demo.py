"""Where the example that comes with Actas lies."""

import shutil
import sys
from pathlib import Path

from actas.cli.errors import NoExample

COPY = Path("actas-demo")


def example_folder() -> Path:
    """Find the example: in a checkout as it is; of an installed package a copy, made in this folder, to play with."""
    checkout = Path(__file__).parents[3] / "examples"
    if (checkout / "actas.yaml").is_file():
        return checkout
    installed = Path(sys.prefix) / "share" / "actas" / "examples"
    if not (installed / "actas.yaml").is_file():
        raise NoExample
    if not COPY.exists():
        shutil.copytree(installed, COPY)
    return COPY
