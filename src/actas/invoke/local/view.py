"""What a function sees of the file system: the interpreter, the system's libraries, its own code, and a `/tmp`.

Pure but for looking at what this machine has. The view is a list of what may be seen, not of what may not: the
state folder, other functions and everybody's homes are not in it. Only where something secret lies *inside*
something that is listed is it covered by name.
"""

import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

TASK_ROOT = "/var/task"
"""Where a function finds its code, here and in Lambda."""
NODE_CLIENT = "/var/runtime/node_modules"
"""Where the runtime client for Node is seen."""

Step = tuple[str, str, str]
"""What to do (``bind``, ``device``, ``link``, ``hide``), with which source, at which target."""

_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64")
_ETC = (
    "/etc/alternatives",
    "/etc/ca-certificates",
    "/etc/ld.so.cache",
    "/etc/mime.types",
    "/etc/pki/ca-trust",
    "/etc/pki/tls/certs",
    "/etc/protocols",
    "/etc/services",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
)
_DEVICES = ("/dev/full", "/dev/null", "/dev/random", "/dev/urandom", "/dev/zero")
FILES = (
    ("/etc/passwd", "root:x:0:0:root:/root:/sbin/nologin\nfunction:x:{uid}:{uid}::/tmp:/sbin/nologin\n"),
    ("/etc/group", "root:x:0:\nfunction:x:{uid}:\n"),
    ("/etc/hosts", "127.0.0.1 localhost\n"),
    ("/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n"),
)
"""Files that are made for the function: it learns of no person and no host."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visible:
    """What one function is shown beside the system: its code, and the runtime client's folder for Node."""

    code: Path
    node_client: Path | None = None
    node: Path | None = None
    hidden: tuple[Path, ...] = ()


def view(visible: Visible) -> tuple[Step, ...]:
    """List what to put where, in order."""
    code = visible.code.resolve()
    steps = [*_machine(), ("bind", str(code), TASK_ROOT)]
    if visible.node_client:
        steps.append(("bind", str(visible.node_client.resolve()), NODE_CLIENT))
    if visible.node and not _covered(str(visible.node), _sources(steps)):
        steps.append(("bind", str(visible.node), str(visible.node)))
    for hidden in visible.hidden:
        steps += _covers(hidden.resolve(), steps)
    return tuple(steps)


@lru_cache(maxsize=1)
def _machine() -> tuple[Step, ...]:
    """Show what every function needs of this machine; it does not change while we run."""
    steps: list[Step] = []
    for folder in _SYSTEM:
        if os.path.islink(folder):  # noqa: PTH114 - the text of the link is wanted as it is
            steps.append(("link", os.readlink(folder), folder))  # noqa: PTH115 - as above
        elif Path(folder).is_dir():
            steps.append(("bind", folder, folder))
    steps += [("bind", path, path) for path in _ETC if Path(path).exists()]
    steps += [("device", path, path) for path in _DEVICES]
    for path in _interpreter():
        if not _covered(path, _sources(steps)):
            steps.append(("bind", path, path))
    return tuple(steps)


def _interpreter() -> list[str]:
    """Name the folders that this interpreter imports from, outer ones first, and our own package."""
    package = str(Path(__file__).resolve().parents[2])
    folders = {sys.prefix, sys.base_prefix, package, *(path for path in sys.path if path.endswith("-packages"))}
    return sorted(path for path in folders if Path(path).is_dir())


def _sources(steps: Iterable[Step]) -> list[str]:
    return [source for kind, source, _target in steps if kind == "bind"]


def _covered(path: str, folders: Iterable[str]) -> bool:
    return any(path == folder or path.startswith(folder + "/") for folder in folders)


def _covers(hidden: Path, steps: Iterable[Step]) -> list[Step]:
    """Cover *hidden* wherever a bound folder shows it."""
    found: list[Step] = []
    for kind, source, target in steps:
        if kind == "bind" and hidden.is_relative_to(source):
            found.append(("hide", "", str(Path(target) / hidden.relative_to(source))))
    return found
