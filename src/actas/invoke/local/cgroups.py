"""Limits that the kernel holds a whole sandbox to: memory, processes, a fair share of the processor.

Control groups, version 1 or 2, below the gateway's own group, where it may make any. Lambda's memory limit is one;
a limit of address space, which is what is left without, is not: Node does not start under it.
"""

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

MOST_PROCESSES = 128
"""Processes and threads in one sandbox."""
_ROOT = Path("/sys/fs/cgroup")
_SHARE = "1024"


@dataclass(frozen=True, slots=True, kw_only=True)
class Groups:
    """Where this gateway may make control groups: for each controller a folder; none where it may not."""

    version: Literal[1, 2] | None
    parents: tuple[tuple[str, Path], ...] = ()

    @property
    def limits_memory(self) -> bool:
        """Whether memory can be limited this way."""
        return any(name == "memory" for name, _ in self.parents)


NO_GROUPS = Groups(version=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The control groups of one sandbox."""

    folders: tuple[tuple[str, Path], ...]
    version: Literal[1, 2] | None

    def add(self, process: int) -> None:
        """Put a process in; its children follow."""
        for _name, folder in self.folders:
            (folder / "cgroup.procs").write_text(str(process), encoding="ascii")

    def killed(self) -> bool:
        """Tell whether the kernel ended anything in here for want of memory."""
        for name, folder in self.folders:
            if name == "memory":
                file = folder / ("memory.oom_control" if self.version == 1 else "memory.events")
                with contextlib.suppress(OSError):
                    return _field(file, "oom_kill") > 0
        return False

    def peak(self) -> int | None:
        """Give how many bytes were used in here at most; None where memory is not counted."""
        for name, folder in self.folders:
            if name == "memory":
                with contextlib.suppress(OSError, ValueError):
                    file = folder / ("memory.max_usage_in_bytes" if self.version == 1 else "memory.peak")
                    return int(file.read_text(encoding="ascii"))
        return None

    def remove(self) -> None:
        """Take the groups away; they are empty by now."""
        for _name, folder in self.folders:
            with contextlib.suppress(OSError):
                folder.rmdir()


def make(groups: Groups, name: str, *, memory: int) -> Group:
    """Make the groups of one sandbox with their limits."""
    made: list[tuple[str, Path]] = []
    for controller, parent in groups.parents:
        folder = parent / name
        folder.mkdir(exist_ok=True)  # a killed gateway with our process id may have left it
        made.append((controller, folder))
        for file, text in _limits(groups.version, controller, memory):
            with contextlib.suppress(OSError):  # swap may not be accounted for; the rest was tried when we looked
                (folder / file).write_text(text, encoding="ascii")
    return Group(folders=tuple(made), version=groups.version)


def _limits(version: int | None, controller: str, memory: int) -> list[tuple[str, str]]:
    match version, controller:
        case 1, "memory":
            return [("memory.limit_in_bytes", str(memory)), ("memory.memsw.limit_in_bytes", str(memory))]
        case 1, "pids":
            return [("pids.max", str(MOST_PROCESSES))]
        case 1, "cpu":
            return [("cpu.shares", _SHARE)]
        case 2, _:
            return [("memory.max", str(memory)), ("memory.swap.max", "0"), ("pids.max", str(MOST_PROCESSES))]
        case _:
            return []


def look() -> Groups:
    """Find out where groups can be made, by making one."""
    own = _own_groups()
    first = {name: _ROOT / name / own[name].lstrip("/") for name in ("memory", "pids", "cpu") if name in own}
    parents = tuple((name, path) for name, path in first.items() if _can_make(path, _limits(1, name, 1 << 28)))
    if parents:
        return Groups(version=1, parents=parents)
    if (_ROOT / "cgroup.controllers").exists() and "" in own:
        here = _ROOT / own[""].lstrip("/")
        for parent in (here, here.parent):
            if parent.is_relative_to(_ROOT) and _can_make(parent, _limits(2, "memory", 1 << 28)[:1]):
                return Groups(version=2, parents=(("memory", parent),))
    return NO_GROUPS


def _own_groups() -> dict[str, str]:
    """Read which group of each hierarchy we are in; the unified one has no name."""
    try:
        lines = Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    parts = [line.split(":", 2) for line in lines]
    return {name: path for _, names, path in parts for name in names.split(",")}


def _can_make(parent: Path, limits: list[tuple[str, str]]) -> bool:
    trial = parent / f"actas-{os.getpid()}-trial"
    try:
        trial.mkdir()
    except OSError:
        return False
    try:
        for file, text in limits[:1]:
            (trial / file).write_text(text, encoding="ascii")
    except OSError:
        return False
    else:
        return True
    finally:
        trial.rmdir()


def sweep(groups: Groups) -> None:
    """Take away what gateways that were killed have left."""
    for _name, parent in groups.parents:
        for left in parent.glob("actas-*-*"):
            owner = left.name.split("-")[1]
            if not Path("/proc", owner).exists():
                with contextlib.suppress(OSError):
                    left.rmdir()


def _field(file: Path, name: str) -> int:
    for line in file.read_text(encoding="ascii").splitlines():
        word, _, value = line.partition(" ")
        if word == name:
            return int(value)
    return 0
