"""``actas audit …``: read the trail, prove it, and, for officers, learn whom it speaks of."""

import sys
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from cyclopts import App

from actas.cli import CANNOT_TELL, DENIED, DONE, output
from actas.cli.asking import moment, settings_file
from actas.cli.errors import NoSuchCall
from actas.model import clock

if TYPE_CHECKING:
    from actas.audit.read import Numbered

app = App(name="audit", help="Read the trail, prove it, and, for officers, learn whom it speaks of.")
STATE = Path(".actas")


@app.command
def verify(
    folder: Path = STATE / "audit", *, keys: Path | None = None, anchor: list[Path] | None = None, json: bool = False
) -> int:
    """Prove that no record was changed, cut, reordered or lost, up to the last head that is anchored elsewhere.

    Examples:
        actas audit verify
        actas audit verify /backup/audit --keys audit-keys.json --anchor heads/

    Parameters
    ----------
    folder:
        The trail.
    keys:
        The public keys, kept elsewhere; those beside the trail where they are left out.
    anchor:
        Copies of head.json kept elsewhere, or folders of them.
    json:
        Print one JSON object.
    """
    from actas.audit.read import verify_folder
    from actas.audit.render import report_data, report_text

    report = verify_folder(folder, keys=keys, anchors=anchor or ())
    print(output.json_line(report_data(report)) if json else report_text(report), end="\n" if json else "")
    return DONE if report.holds else DENIED


@app.command
def tail(count: int = 20, *, folder: Path = STATE / "audit", follow: bool = False, json: bool = False) -> int:
    """Show the last records, and with --follow those that come.

    Examples:
        actas audit tail
        actas audit tail 100 --follow --json

    Parameters
    ----------
    count:
        How many records.
    folder:
        The trail.
    follow:
        Go on until Ctrl-C.
    json:
        Print one JSON object a record.
    """
    import time

    from actas.audit import read

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
def show(call: str, *, folder: Path = STATE / "audit", json: bool = False) -> int:
    """Show everything that the trail holds of one call.

    Example:
        actas audit show 06H0H4HJNZAB18K6AAY5Q3GSWC

    Parameters
    ----------
    call:
        The call id, as the answer's Actas-Call-Id gave it.
    folder:
        The trail.
    json:
        Print one JSON object a record.
    """
    from actas.audit import read

    found = read.show(folder, call)
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
    folder: Path = STATE / "audit",
) -> int:
    """Write the records of a span of time to standard output.

    Example:
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
        The trail.
    """
    from actas.audit import read
    from actas.audit.render import csv_lines

    now = clock.now()
    found = read.between(folder, _time(since, now), _time(until, now))
    if form == "jsonl":
        _print(found, json=True)
    else:
        for line in csv_lines(found):
            print(line, end="" if line.endswith("\n") else "\n")
    return DONE


@app.command
def officer(name: Path) -> int:
    """Make an officer's key pair: NAME.key stays with the officer, NAME.pub goes into audit.officers.

    It takes two officers and a reason to learn whom a pseudonym stands for.

    Example:
        actas audit officer dalia

    Parameters
    ----------
    name:
        Where to write the two files, without an ending.
    """
    from actas.audit.officers import make_officer

    made = make_officer(name.with_suffix(".key"), name.with_suffix(".pub"))
    print(f"officer {made}")
    print(f"  {name.with_suffix('.key')}  keep it from the gateway and from everybody else", file=sys.stderr)
    print(f"  {name.with_suffix('.pub')}  list it under audit.officers in the settings", file=sys.stderr)
    return DONE


@app.command
def approve(
    pseudonym: str, *, key: Path, partner: Path, reason: str, settings: Path | None = None, state: Path = STATE
) -> int:
    """Consent, as the first officer, that the second unmasks a pseudonym; prints a line to hand over.

    Example:
        actas audit approve p4u56tezb... --key dalia.key --partner emi.pub --reason "case 17"

    Parameters
    ----------
    pseudonym:
        The name in the trail.
    key:
        Your private key file.
    partner:
        The other officer's public key file.
    reason:
        Why; it is recorded.
    settings:
        The settings file; by default that of the gateway that runs here, else actas.yaml.
    state:
        The state folder of the gateway.
    """
    import anyio

    from actas.audit import unmask as two
    from actas.audit.officers import read_private, read_public

    async def approved() -> str:
        audit = _audit(settings, state)
        async with audit.attended():
            given = await two.approve(
                audit, pseudonym, officer=read_private(key), partner=read_public(partner), reason=reason
            )
        return given.written()

    print(anyio.run(approved))
    return DONE


@app.command
def unmask(approval: str, *, key: Path, settings: Path | None = None, state: Path = STATE) -> int:
    """Learn, as the second officer, whom a pseudonym stands for; the trail records it first.

    Example:
        actas audit unmask actas-approval-... --key emi.key

    Parameters
    ----------
    approval:
        The line that the first officer handed over.
    key:
        Your private key file.
    settings:
        The settings file; by default that of the gateway that runs here, else actas.yaml.
    state:
        The state folder of the gateway.
    """
    import anyio

    from actas.audit import unmask as two
    from actas.audit.officers import read_private

    async def unmasked() -> str:
        audit = _audit(settings, state)
        async with audit.attended():
            person = await two.unmask(audit, two.read_approval(approval), officer=read_private(key), now=clock.now())
        return f"{person.subject}  at {person.issuer}"

    print(anyio.run(unmasked))
    return DONE


@app.command
def erase(*, issuer: str, subject: str, settings: Path | None = None, state: Path = STATE) -> int:
    """Erase a person: delete what links them to their pseudonyms. The chain still verifies.

    Example:
        actas audit erase --issuer https://sso.example.com/realms/corp --subject 0bc6d3c6-...

    Parameters
    ----------
    issuer:
        The provider's issuer.
    subject:
        The person's stable identifier there.
    settings:
        The settings file; by default that of the gateway that runs here, else actas.yaml.
    state:
        The state folder of the gateway.
    """
    import anyio

    from actas.audit import unmask as two

    async def erased() -> int:
        audit = _audit(settings, state)
        async with audit.attended():
            return await two.erase(audit, issuer=issuer, subject=subject, now=clock.now())

    rows = anyio.run(erased)
    print(f"erased {rows} {'row' if rows == 1 else 'rows'}" if rows else "nothing is kept of that person")
    return DONE if rows else CANNOT_TELL


def _audit(settings: Path | None, state: Path) -> "Audit":
    from actas.audit import Audit
    from actas.wiring.load import load

    loaded = load(settings_file(settings, state), weak=True)
    found = loaded.usable()
    return Audit(found.audit, loaded.locate(found.gateway.state), base=loaded.path.parent)


def _time(text: str | None, now: datetime) -> datetime | None:
    return None if text is None else moment(text, now=now)


def _print(found: "Iterable[Numbered]", *, json: bool) -> None:
    from actas.audit.render import entry_data, entry_text

    for one in found:
        print(output.json_line(entry_data(one)) if json else entry_text(one))


if TYPE_CHECKING:
    from actas.audit import Audit
