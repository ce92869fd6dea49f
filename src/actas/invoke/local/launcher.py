"""Prepare one function process: plan its sandbox, have it built, serve its runtime API, set its limits."""

import asyncio
import itertools
import os
from pathlib import Path
from typing import Any

import anyio.to_thread

from actas.invoke.local import cgroups
from actas.invoke.local.code import Code
from actas.invoke.local.errors import RuntimeNotFound, SandboxFailed
from actas.invoke.local.logs import LogPump, Logs
from actas.invoke.local.machine import Machine
from actas.invoke.local.node import CLIENT, Node
from actas.invoke.local.process import FunctionProcess
from actas.invoke.local.relay import LISTENERS, Doors, Relay
from actas.invoke.local.runtime_api import Connection
from actas.invoke.local.sandbox import SandboxBroken
from actas.invoke.local.spawner import ForkServer
from actas.invoke.local.view import FILES, NODE_CLIENT, TASK_ROOT, Visible, view

_LARGEST_TMP = 512 * 1024 * 1024  # Lambda's default
_RUNTIME_ITSELF = {"python": 64 * 1024 * 1024, "node": 512 * 1024 * 1024}
"""What a runtime maps for itself, where memory is limited by what is mapped."""
_OPEN_FILES = 1024


_NUMBERS = itertools.count()
"""One count for all sandboxes of this process: uids and control groups are named by it."""


class Launcher:
    """Knows the machine and starts processes on it."""

    def __init__(
        self,
        *,
        machine: Machine,
        forks: ForkServer,
        hidden: tuple[Path, ...],
        log: Logs,
        node: Node | None,
        doors: Doors,
    ) -> None:
        self._machine, self._forks, self._hidden, self._doors = machine, forks, hidden, doors
        self._log, self._node = log, node

    def task_root(self, code: Code) -> str:
        """Say where the function will see its code."""
        return TASK_ROOT if self._machine.namespaces else str(code.folder)

    async def prepare(self, process: FunctionProcess, code: Code, memory: int) -> None:
        """Build the sandbox of *process*; it then waits for its environment, and has run none of the function."""
        plan = self._plan(process.key.function, code, memory)
        reading, writing = os.pipe()
        process.log_to(LogPump(reading, process.key.function, self._log))
        try:
            await process.sandbox.build(self._forks, plan, writing)
            await self._connect(process, plan["number"], memory)
            await process.sandbox.stands()
        except SandboxBroken as wrong:
            raise SandboxFailed(function=process.key.function, why=str(wrong)) from wrong
        except OSError as wrong:
            raise SandboxFailed(function=process.key.function, why=wrong.strerror or "a system call failed") from wrong
        finally:
            os.close(writing)

    async def _connect(self, process: FunctionProcess, number: int, memory: int) -> None:
        """Serve its runtime API, and limit it as a whole."""
        sandbox = process.sandbox
        (listener, *ways_out), sandbox.listeners = sandbox.listeners, []
        if ways_out:
            process.relay = Relay(process, self._doors, tuple(ways_out))
        loop = asyncio.get_running_loop()
        process.server = await loop.create_server(lambda: Connection(process), sock=listener)
        process.remember_numbers()
        group = cgroups.make(self._machine.groups, f"actas-{os.getpid()}-{number}", memory=memory)
        process.group = group
        if running := sandbox.process_id():  # in a thread: the kernel moves a process when every processor agrees
            try:
                await anyio.to_thread.run_sync(group.add, running)
            except ProcessLookupError:  # it has ended meanwhile; who watches it takes note
                pass
            except OSError:
                if not sandbox.gone.is_set():  # else its group went with it
                    raise

    def _plan(self, function: str, code: Code, memory: int) -> dict[str, Any]:
        node = self._node if code.runtime == "node" else None
        if code.runtime == "node" and node is None:
            raise RuntimeNotFound(function=function, runtime="Node with aws-lambda-ric")
        tmp = min(_LARGEST_TMP, memory)
        plan: dict[str, Any] = {
            "namespaces": self._machine.namespaces,
            "own_uid": self._machine.own_uid,
            "number": (os.getpid() & 0x3FFFF) << 10 | next(_NUMBERS) & 0x3FF,
            "ways_out": len(LISTENERS) if self._doors.public else 0,
            "runtime": code.runtime,
            "filter": self._machine.filter,
            "limits": self._limits(code.runtime, memory, tmp),
            "tmp": tmp,
            "files": FILES,
        }
        if node:
            modules = NODE_CLIENT if self._machine.namespaces else str(node.modules)
            plan["command"] = [str(node.program), f"{modules}/{CLIENT}"]
        if self._machine.namespaces:
            shown = Visible(code=code.folder, hidden=self._hidden)
            if node:
                shown = Visible(code=code.folder, hidden=self._hidden, node_client=node.modules, node=node.program)
            plan["view"] = view(shown)
        return plan

    def _limits(self, runtime: str, memory: int, tmp: int) -> list[tuple[str, int]]:
        limits = [("RLIMIT_CORE", 0), ("RLIMIT_NOFILE", _OPEN_FILES), ("RLIMIT_FSIZE", tmp)]
        if self._machine.namespaces or self._machine.own_uid:  # else the uid is everybody's, and so is its count
            limits.append(("RLIMIT_NPROC", cgroups.MOST_PROCESSES))
        if not self._machine.groups.limits_memory:
            limits.append(("RLIMIT_DATA", memory + _RUNTIME_ITSELF[runtime]))
        return limits
