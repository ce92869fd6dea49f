"""``actas test``: try a table of scenarios against the rules, for a CI."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from actas.cli import DENIED, DONE, asking, output
from actas.cli.errors import BadFile
from actas.cli.junit import junit as junit_report
from actas.cli.options import HERE, Where
from actas.decide.scenarios import Scenario, Scenarios, Supposed, Tried, try_out
from actas.identify.imagine import Imagined, imagine
from actas.model import clock
from actas.model.identity import Identity, Kind
from actas.settings.values import Span


def scenarios(
    file: Path,
    *,
    junit: Path | None = None,
    where: Where = HERE,
    json: bool = False,
) -> int:
    """Try scenarios against the rules: who calls what, and what must come of it.

    For example:
        actas test scenarios.yaml
        actas test scenarios.yaml --junit report.xml

    Parameters
    ----------
    file:
        The scenarios; docs/rules/scenarios.md shows the form.
    junit:
        Write a JUnit report there too.
    json:
        Print one JSON object a scenario.
    """
    asked = asking.ask(where.here())
    now = clock.now()
    tried = []
    for one in read(file):
        try:
            tried.append(try_out(one, asked.rules, _somebody(one.who), now=now))
        except ValueError as wrong:
            raise BadFile(file=file, why=f"{one.says}: {wrong}") from wrong
    for found in tried:
        print(output.json_line(_data(found)) if json else _text(found))
    if junit is not None:
        junit.write_text(junit_text(file.name, tried))
    failed = sum(bool(found.wrong) for found in tried)
    if not json:
        print(f"{len(tried) - failed} passed, {failed} failed")
    return DENIED if failed else DONE


def read(file: Path) -> tuple[Scenario, ...]:
    """Read a file of scenarios, strictly: an unknown key, a duplicate or an alias is a mistake."""
    from actas.settings.yaml import load

    try:
        tree = load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as wrong:
        raise BadFile(file=file, why="it cannot be read as UTF-8 text") from wrong
    if tree.wrongs:
        first = tree.wrongs[0]
        raise BadFile(file=file, why=f"line {first.mark.line}: {first.message}")
    try:
        return msgspec.convert(tree.data, Scenarios, dec_hook=_scalar).scenarios
    except msgspec.ValidationError as wrong:
        raise BadFile(file=file, why=str(wrong)) from wrong


def _scalar(cls: type, value: object) -> object:
    if cls is Span and isinstance(value, str):
        return Span.read(value)
    raise ValueError("expected a span of time: 10m")


def _somebody(who: Supposed) -> Identity:
    return imagine(
        Imagined(
            provider=who.provider,
            subject=who.subject,
            kind=Kind(who.kind),
            groups=frozenset(who.groups),
            roles=frozenset(who.roles),
            scopes=frozenset(who.scopes),
            client=who.client,
            tenant=who.tenant,
            mfa=who.mfa,
            signed_in=None if who.signed_in is None else who.signed_in.time,
            actors=who.actors,
            unknown=frozenset(who.unknown),
        ),
        now=clock.now(),
    )


def _text(found: Tried) -> str:
    head = f"{'FAIL' if found.wrong else 'ok  '}  {found.scenario.says}"
    return "\n".join([head, *(f"      {one}" for one in found.wrong)])


def _data(found: Tried) -> dict[str, object]:
    reasons = [reason.code for reason in found.found.decision.reasons]
    return {"says": found.scenario.says, "passed": not found.wrong, "wrong": list(found.wrong), "reasons": reasons}


def junit_text(name: str, tried: Sequence[Tried]) -> str:
    """Write a JUnit report."""
    return junit_report(name, [(one.scenario.says, one.wrong) for one in tried])
