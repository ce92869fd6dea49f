"""What this machine allows: which walls a sandbox can have here, found out by building one."""

import os
import platform
import stat
import subprocess
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from actas.invoke.local import cgroups, seccomp
from actas.invoke.local.cgroups import NO_GROUPS, Groups

_REHEARSAL = "from actas.invoke.local.rehearsal import rehearse; rehearse()"
_WITHIN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What can be had here."""

    namespaces: bool
    why: str = ""
    """What stands in the way of namespaces, in the kernel's words."""
    filter: bool = True
    own_uid: bool = False
    """Whether functions get a uid that nobody else has, which takes root."""
    groups: Groups = NO_GROUPS

    @property
    def isolated(self) -> bool:
        """Whether functions can be shut in as `isolation: required` asks."""
        return self.namespaces

    @property
    def state(self) -> str:
        """Say it in one line, for the terminal and the log."""
        if not self.namespaces:
            uid = "a uid of its own" if self.own_uid else "the gateway's own uid"
            return f"WEAK: no namespaces ({self.why}); functions run with {uid} and see this machine"
        memory = f"control groups v{self.groups.version}" if self.groups.limits_memory else "process limits"
        calls = "filtered system calls" if self.filter else "unfiltered system calls"
        return f"isolated: namespaces, {calls}, memory by {memory}"


@lru_cache(maxsize=1)
def probe() -> Machine:
    """Find out, once; takes about a tenth of a second."""
    why = _rehearse()
    return Machine(
        namespaces=not why,
        why=why,
        filter=seccomp.program(platform.machine()) is not None,
        own_uid=os.geteuid() == 0 and (not why or _others_may_import()),
        groups=cgroups.look(),
    )


def _others_may_import() -> bool:
    """Tell whether a uid that is nobody's could use our interpreter where no view of the files is built for it."""
    folders = {folder for path in (sys.prefix, sys.base_prefix) for folder in (Path(path), *Path(path).parents)}
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in folders)


def _rehearse() -> str:
    """Build a sandbox around nothing; give what went wrong, nothing where it stood."""
    if not sys.platform.startswith("linux"):
        return "this is not Linux"
    try:
        done = subprocess.run(  # noqa: S603 - a fixed command
            [sys.executable, "-I", "-c", _REHEARSAL],
            env={"PATH": "/usr/bin:/bin"},
            cwd="/",
            capture_output=True,
            timeout=_WITHIN,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as wrong:
        return type(wrong).__name__
    return "" if done.returncode == 0 else done.stdout.decode("utf-8", "replace").strip() or "the trial ended early"
