"""``actas logs``: what functions print, apart from the trail."""

import time
from collections.abc import Iterator
from pathlib import Path

from actas.cli import DONE, output
from actas.cli.errors import NoLogs
from actas.cli.options import HERE, Where


def logs(
    function: str | None = None,
    *,
    call: str | None = None,
    follow: bool = False,
    where: Where = HERE,
    json: bool = False,
) -> int:
    """Show what functions printed: time, call id, line. With --follow also what they print from now on.

    These lines are a stream of their own that may be deleted; the trail holds only their hash.

    For example:
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
    json:
        Print one JSON object a line.
    """
    folder = where.here().state / "logs"
    if not folder.is_dir() or (function is not None and not (folder / function).is_dir()):
        raise NoLogs(function=function)
    seen: dict[Path, int] = {}
    for line in _lines(folder, function, seen):
        _print(line, call, json=json)
    while follow:
        time.sleep(0.3)
        for line in _lines(folder, function, seen):
            _print(line, call, json=json)
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


def _print(line: str, wanted: str | None, *, json: bool) -> None:
    at, call, text = (*line.split(" ", 2), "", "")[:3]
    if wanted is None or call == wanted:
        print(output.json_line({"at": at, "call": call, "line": text}) if json else output.plain(line))
