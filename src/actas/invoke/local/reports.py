"""The lines that Lambda puts around what a call logged: START, END and REPORT, and what ended a call that did not.

They go to a caller who asks for the end of the log. What is kept of a function's log is what the function wrote.
Their form is that of logs which public repositories hold; not compared with AWS itself.
"""

import contextlib
import json
import math
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from actas.invoke.local.cgroups import Group
from actas.invoke.local.logs import TAIL

_MEGABYTE = 1024 * 1024


@dataclass(slots=True, kw_only=True)
class Report:
    """What is told of one call. Not frozen: it is filled in as the call goes on."""

    call: str
    version: str
    memory: int
    """Bytes that the function may use."""
    began: float | None = None
    """When the event was delivered, by the loop's clock; None where it never was."""
    init: float | None = None
    """Seconds that a new process took to get ready; None where it was there already."""

    def begin(self, now: float, started: float | None) -> None:
        """Take note that the event is delivered, to a process that was *started* for it or was there before."""
        self.began, self.init = now, None if started is None else now - started

    def around(self, log: bytes, fault: bytes | None, *, now: float, at: datetime, used: int | None) -> bytes:
        """Give the end of the log, the lines among it; *fault* is what ended the call where the function did not."""
        lines = f"START RequestId: {self.call} Version: {self.version}\n".encode() + log
        kind = ""
        if fault is not None:
            told = json.loads(fault)
            kind = told["errorType"]
            lines += self._ended(kind, told["errorMessage"], at).encode()
        lines += f"END RequestId: {self.call}\n{self._report(kind, now, used)}\n".encode()
        return lines[-TAIL:]

    def _ended(self, kind: str, message: str, at: datetime) -> str:
        if kind == "Sandbox.Timedout":
            when = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
            return f"{when} {self.call} {message.partition(' Error: ')[2]}\n\n"
        return f"{message}\n{kind}\n"

    def _report(self, kind: str, now: float, used: int | None) -> str:
        took, init = 1000 * (now - (now if self.began is None else self.began)), 1000 * (self.init or 0.0)
        told = [
            f"REPORT RequestId: {self.call}",
            f"Duration: {took:.2f} ms",
            f"Billed Duration: {math.ceil(took + init)} ms",
            f"Memory Size: {self.memory // _MEGABYTE} MB",
        ]
        if used is not None:
            told.append(f"Max Memory Used: {max(1, used // _MEGABYTE)} MB")
        if self.init is not None:
            told.append(f"Init Duration: {init:.2f} ms")
        if kind:
            told.append("Status: timeout" if kind == "Sandbox.Timedout" else f"Status: error\tError Type: {kind}")
        return "\t".join((*told, ""))


def most_used(group: Group | None, process: int | None) -> int | None:
    """Read how many bytes a sandbox, or without a control group its process, has used at most; None if nobody knows."""
    if group is not None and (peak := group.peak()) is not None:
        return peak
    with contextlib.suppress(OSError, ValueError, IndexError):
        if process is not None:
            said = Path(f"/proc/{process}/status").read_text()
            return 1024 * int(said.partition("VmHWM:")[2].split()[0])
    return None
