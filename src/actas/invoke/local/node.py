"""Where Node and the runtime client for it are on this machine."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CLIENT = "aws-lambda-ric/index.mjs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """Node itself, and the ``node_modules`` folder that holds its runtime client."""

    program: Path
    modules: Path


def find_node(base: Path) -> Node | None:
    """Find both; None where either is missing.

    The client is looked for in ``ACTAS_NODE_RIC``, in the folders of ``NODE_PATH``, and where tools/node-ric.sh puts
    it, below *base* (the settings file's folder) and below the folder we stand in.
    """
    program = shutil.which("node")
    modules = next((folder for folder in _folders(base) if (folder / CLIENT).is_file()), None)
    if program is None or modules is None:
        return None
    return Node(program=Path(program).resolve(), modules=modules.resolve())


def _folders(base: Path) -> Iterator[Path]:
    if named := os.environ.get("ACTAS_NODE_RIC"):
        yield Path(named)
    yield from (Path(folder) for folder in os.environ.get("NODE_PATH", "").split(os.pathsep) if folder)
    for near in (base, Path.cwd()):
        yield near / ".cache/node/node_modules"
