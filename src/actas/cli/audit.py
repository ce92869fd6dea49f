"""``actas audit …``: read the trail, prove it, and, for officers, learn whom it speaks of."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from cyclopts import App

from actas.cli import DENIED, DONE, output
from actas.cli.asking import moment
from actas.cli.audit_officers import approve, erase, officer, unmask
from actas.cli.audit_prune import prune
from actas.cli.errors import NoSuchCall, NoTrail
from actas.cli.options import Many
from actas.cli.places import here
from actas.model import clock

if TYPE_CHECKING:
    from actas.audit.read import Numbered

app = App(name="audit", help="Read the trail, prove it, and, for officers, learn whom it speaks of.")
for one in (officer, approve, unmask, erase, prune):
    app.command(one)


@app.command
def verify(
    folder: Path | None = None,
    *,
    keys: Path | None = None,
    anchor: list[Path] | None = None,
    archive: Path | None = None,
    json: bool = False,
) -> int:
    """Prove that no record was changed, cut, reordered or lost, up to the last head that is anchored elsewhere.

    For example:
        actas audit verify
        actas audit verify /backup/audit --keys audit-keys.json --anchor heads/
        actas audit verify --archive /archive/audit

    Parameters
    ----------
    folder:
        The trail; by default that of the gateway that runs here, else that of actas.yaml.
    keys:
        The public keys, kept elsewhere; those beside the trail where they are left out.
    anchor:
        Copies of head.json kept elsewhere, or folders of them.
    archive:
        Where segments lie that were pruned, to prove all of it.
    json:
        Print one JSON object.
    """
    from actas.audit.read import verify_folder
    from actas.audit.render import report_data, report_text

    report = verify_folder(_trail(folder), keys=keys, anchors=anchor or (), archive=archive)
    print(output.json_line(report_data(report)) if json else report_text(report), end="\n" if json else "")
    return DONE if report.holds else DENIED


@app.command
def tail(count: Many = 20, *, folder: Path | None = None, follow: bool = False, json: bool = False) -> int:
    """Show the last records, and with --follow those that come.

    For example:
        actas audit tail
        actas audit tail 100 --follow --json

    Parameters
    ----------
    count:
        How many records.
    folder:
        The trail; by default that of the gateway that runs here, else that of actas.yaml.
    follow:
        Go on until Ctrl-C.
    json:
        Print one JSON object a record.
    """
    import time

    from actas.audit import read

    folder = _trail(folder)
    found = read.tail(folder, count)
    _print(found, json=json)
    last = found[-1].seq if found else 0
    while follow:
        time.sleep(0.5)
        found = list(read.since(folder, last))
        _print(found, json=json)
        last = found[-1].seq if found else last
    return DONE


@app.command
def show(call: str, *, folder: Path | None = None, json: bool = False) -> int:
    """Show everything that the trail holds of one call.

    For example:
        actas audit show 06H0H4HJNZAB18K6AAY5Q3GSWC

    Parameters
    ----------
    call:
        The call id, as the answer's Actas-Call-Id gave it.
    folder:
        The trail; by default that of the gateway that runs here, else that of actas.yaml.
    json:
        Print one JSON object a record.
    """
    from actas.audit import read

    found = read.show(_trail(folder), call)
    if not found:
        raise NoSuchCall(call=call)
    _print(found, json=json)
    return DONE


@app.command
def export(
    *,
    since: str | None = None,
    until: str | None = None,
    form: Literal["jsonl", "csv"] = "jsonl",
    folder: Path | None = None,
) -> int:
    """Write the records of a span of time to standard output.

    For example:
        actas audit export --since 2026-11-01T00:00:00Z --form csv > november.csv

    Parameters
    ----------
    since:
        From this time on.
    until:
        Up to this time, it not included.
    form:
        JSON lines, or one CSV line a call.
    folder:
        The trail; by default that of the gateway that runs here, else that of actas.yaml.
    """
    from actas.audit import read
    from actas.audit.render import csv_lines

    now = clock.now()
    found = read.between(_trail(folder), _time(since, now), _time(until, now))
    if form == "jsonl":
        _print(found, json=True)
    else:
        for line in csv_lines(found):
            print(line, end="" if line.endswith("\n") else "\n")
    return DONE


def _trail(given: Path | None) -> Path:
    folder = given or here().trail
    if not folder.is_dir():
        raise NoTrail(folder=folder)
    return folder


def _time(text: str | None, now: datetime) -> datetime | None:
    return None if text is None else moment(text, now=now)


def _print(found: "Iterable[Numbered]", *, json: bool) -> None:
    from actas.audit.render import entry_data, entry_text

    for one in found:
        print(output.json_line(entry_data(one)) if json else entry_text(one))
