"""``actas trail match``: what our trail says was issued, against what AWS's own trail says was taken."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from actas.audit.cloudtrail import read_events
from actas.audit.cloudtrail_match import Report, Window, match
from actas.audit.read import between
from actas.cli import DENIED, DONE, asking, output
from actas.cli.asking import moment
from actas.cli.errors import BadFile
from actas.cli.options import HERE, Where
from actas.model import clock
from actas.model.record import Decided
from actas.settings.schema import Settings

app = App(name="trail", help="Compare the trail with what others wrote down.")
_AWS = "aws-"
_MORE = timedelta(seconds=1)


@app.command(name="match")
def match_(
    files: Annotated[list[Path], Parameter(negative="")],
    *,
    since: str | None = None,
    until: str | None = None,
    skew: int = 60,
    folder: Path | None = None,
    where: Where = HERE,
    json: bool = False,
) -> int:
    """Pair each role that we gave out with the CloudTrail event of taking it; say what is missing or unexpected.

    For example:
        actas trail match cloudtrail/*.json.gz
        actas trail match events.json --since 2026-11-23T00:00:00Z --json

    Parameters
    ----------
    files:
        CloudTrail's log files, gzip or plain, or JSON arrays or lines of its records.
    since:
        Report on what was from this time on; by default from the first of the events. Sessions that were taken before
        it still cover calls after it, so give files from a session's length earlier.
    until:
        Report on what was up to this time; by default up to the last of the events.
    skew:
        Seconds that clocks may differ, and that taking a role may last.
    folder:
        The trail; by default that of the gateway that runs here, else that of actas.yaml.
    json:
        Print one JSON object.
    """
    place, now = where.here(), clock.now()
    settings = asking.ask(place).settings
    start, end = (None if one is None else moment(one, now=now) for one in (since, until))
    events, may_differ = read_events(_contents(files)), timedelta(seconds=max(skew, 0))
    # A little more on both sides: what was decided just before is the cause of what was taken just after.
    around = (None if start is None else start - may_differ - _MORE, None if end is None else end + may_differ + _MORE)
    records = between(folder or place.trail, *around)
    decided = [one.entry for one in records if isinstance(one.entry, Decided)]
    window = Window(since=start, until=end)
    report = match(decided, events, taken_at_aws(settings), skew=may_differ, window=window)
    print(output.json_line(data(report)) if json else text(report))
    return DONE if report.fits else DENIED


def taken_at_aws(settings: Settings) -> dict[str, str]:
    """Give the ARN of each role whose sessions are AWS's own, by its name."""
    return {name: role.arn for name, role in settings.roles.items() if role.broker.startswith(_AWS)}


def _contents(files: list[Path]) -> Iterator[tuple[str, bytes]]:
    for file in files:
        try:
            yield file.name, file.read_bytes()
        except OSError as wrong:
            raise BadFile(file=file, why=wrong.strerror or "it cannot be read") from wrong


def text(report: Report) -> str:
    """Write the verdict and the counts, then what does not fit."""
    verdict = "the trails fit" if report.fits else "the trails do not fit"
    lines = [verdict, f"  matched     {len(report.matched)} events, for {_calls(report)} calls"]
    lines += [f"  missing     {len(report.missing)}", f"  unexpected  {len(report.unexpected)}"]
    lines += [f"  others      {report.others} events that are none of our roles'"]
    if report.missing:
        lines += ["", "missing: allowed here, and no event that the role was taken"]
    for one in report.missing:
        why = f"AWS said {one.refused}" if one.refused else "no event"
        lines.append(f"  {one.at:%Y-%m-%dT%H:%M:%SZ}  {one.role}  call {one.call}  {why}")
    if report.unexpected:
        lines += ["", "unexpected: the role was taken, and nothing was allowed here that would be the cause"]
    for event in report.unexpected:
        role = event.taken.role if event.taken else ""
        lines.append(f"  {event.at:%Y-%m-%dT%H:%M:%SZ}  {role}  event {event.id}  {event.action}  {event.outcome}")
    return output.plain("\n".join(lines))


def data(report: Report) -> dict[str, object]:
    """Write the same as data."""
    return {
        "fits": report.fits,
        "matched": [{"event": one.event.id, "calls": list(one.calls)} for one in report.matched],
        "missing": [
            {"call": one.call, "at": one.at.isoformat(), "role": one.role, "refused": one.refused}
            for one in report.missing
        ],
        "unexpected": [
            {
                "event": one.id,
                "at": one.at.isoformat(),
                "role": one.taken.role if one.taken else None,
                "action": one.action,
                "outcome": one.outcome,
            }
            for one in report.unexpected
        ],
        "others": report.others,
    }


def _calls(report: Report) -> int:
    return len({call for one in report.matched for call in one.calls})
