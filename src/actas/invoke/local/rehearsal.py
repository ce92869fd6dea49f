"""Build a sandbox's walls around nothing, to find out whether this machine allows it."""

import os
import platform
import sys
from pathlib import Path
from typing import NoReturn

from actas.invoke.local import seccomp, syscalls, walls
from actas.invoke.local.view import FILES, Visible, view


def rehearse() -> NoReturn:
    """End with 0 where every wall stood; else say which did not on the standard output and end with 1."""
    plan = {
        "namespaces": True,
        "own_uid": os.geteuid() == 0,
        "number": os.getpid(),
        "view": view(Visible(code=Path(__file__).parent)),
        "files": FILES,
        "tmp": 1 << 20,
    }
    try:
        walls.enter_namespaces()
        child = os.fork()
        if child == 0:
            _inside(plan)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    except OSError as wrong:
        _fail(wrong)
    sys.exit(1 if status else 0)


def _inside(plan: dict[str, object]) -> NoReturn:
    try:
        walls.build_view(plan)
        walls.close_off()
        walls.give_up(plan)
        program = seccomp.program(platform.machine())
        if program is not None:
            syscalls.install_filter(program)
    except OSError as wrong:
        _fail(wrong)
    os._exit(0)


def _fail(wrong: OSError) -> NoReturn:
    os.write(1, str(wrong.strerror or wrong).encode())
    os._exit(1)
