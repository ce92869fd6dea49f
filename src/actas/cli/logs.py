"""``actas logs``: what functions print, apart from the trail."""

import time
from collections.abc import Iterator
from pathlib import Path

from actas.cli import DONE
from actas.cli.errors import NoLogs


def logs(
    function: str | None = None, *, call: str | None = None, follow: bool = False, state: Path = Path(".actas")
) -> int:
    """Show what functions printed: time, call id, line. With --follow also what they print from now on.

    These lines are a stream of their own that may be deleted; the trail holds only their hash.

    Examples:
        actas logs payroll
        actas logs --call 01M84C84M479M51VY2W0WKQGFR
        actas logs payroll --follow

    Parameters
    ----------
    function:
        One function; all where it is left out.
    call:
        One call, by its id.
    follow:
        Go on until Ctrl-C.
    state:
        The state folder of the gateway.
    """
    folder = state / "logs"
    if not folder.is_dir() or (function is not None and not (folder / function).is_dir()):
        raise NoLogs(function=function)
    seen: dict[Path, int] = {}
    for line in _lines(folder, function, seen):
        _print(line, call)
    while follow:
        time.sleep(0.3)
        for line in _lines(folder, function, seen):
            _print(line, call)
    return DONE


def _lines(folder: Path, function: str | None, seen: dict[Path, int]) -> Iterator[str]:
    """Give the lines that came since the last look, file by file in the order of days."""
    for file in sorted(folder.glob(f"{function or '*'}/*.log"), key=lambda one: one.name):
        with file.open("rb") as opened:
            opened.seek(seen.get(file, 0))
            content = opened.read()
        whole = content[: content.rfind(b"\n") + 1]
        seen[file] = seen.get(file, 0) + len(whole)
        yield from whole.decode("utf-8", "replace").splitlines()


def _print(line: str, call: str | None) -> None:
    parts = line.split(" ", 2)
    if call is None or (len(parts) > 1 and parts[1] == call):
        print(line)
