"""How events are shown: as lines for people, and as data. Pure."""

from collections.abc import Iterator
from typing import Any, Final

from actas.cli.output import json_line, plain
from actas.events.desk import Compared, Examined, Letter
from actas.events.interface import Advice
from actas.store.heard_rows import Heard


def heard(one: Heard) -> str:
    """Write one event on one line."""
    lag = max(0.0, (one.heard_at - one.happened_at).total_seconds())
    ended = "  matches nobody" if one.ended == "nobody" else f"  ended: {one.ended}" if one.ended else ""
    runs = f"  runs {one.deliveries}" if one.deliveries else ""
    at = one.happened_at.isoformat(timespec="seconds")
    return f"{one.sequence:>8}  {at}  {one.source}  {one.kind:<18}  heard after {lag:.1f} s{ended}{runs}"


def event(data: dict[str, Any]) -> str:
    """Write it, a fact a line."""
    width = max(map(len, data))
    return "\n".join(f"{name:<{width}}  {plain(_shown(value))}" for name, value in data.items())


def _shown(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(str(one) for one in value) or "-"
    return "-" if value is None else str(value)


def letter(one: Letter) -> str:
    """Write one delivery that is set apart."""
    at = one.died_at.isoformat(timespec="seconds")
    tries = "1 attempt" if one.attempts == 1 else f"{one.attempts} attempts"
    return f"{one.id}  {at}  {one.source}  {one.kind} -> {one.function}  {tries}: {plain(one.why)}"


def compared(one: Compared) -> str:
    """Write what a provider lists beside what was heard."""
    span = f"{one.since.isoformat(timespec='seconds')} to {one.until.isoformat(timespec='seconds')}"
    if one.trouble == "cannot":
        return f"{one.source}  cannot tell what its provider has: nothing of it can be proved"
    if one.trouble is not None:
        return f"{one.source}  could not be compared: {one.trouble}"
    verdict = (
        "nothing is missing" if not one.missing else f"{one.missing} {'is' if one.missing == 1 else 'are'} missing"
    )
    lines = [f"{one.source}  {span}: the provider lists {one.listed}, {verdict}"]
    if one.bound is not None:
        lines.append(f"  from {one.asked.isoformat(timespec='seconds')} to then: {_BOUND[one.bound]}")
    lines += [f"  {each.happened_at.isoformat()}  {each.kind}  {plain(each.id)}" for each in one.examples]
    return "\n".join(lines)


_BOUND: Final = {
    "began": "not looked at; it was not heard yet, and only what ends access was asked for",
    "forgotten-here": "cannot be proved; what was heard is forgotten (events.keep says after how long)",
    "forgotten-there": "cannot be proved; the provider keeps nothing that long",
}


def examined(one: Examined, *, json: bool) -> Iterator[str]:
    """Write what a source advises, a piece a line."""
    if one.trouble is not None:
        why = "has nothing to look at" if one.trouble == "cannot" else f"could not be examined: {one.trouble}"
        yield json_line({"source": one.source, "trouble": one.trouble}) if json else f"{one.source}  {why}"
    for each in one.advice:
        yield advice(one.source, each, json=json)


def advice(source: str, one: Advice, *, json: bool, mended: bool = False) -> str:
    """Write one piece of advice."""
    if json:
        told = {"source": source, "code": one.code, "severity": one.severity, "message": one.message, "hint": one.hint}
        return json_line(told | {"can_mend": one.can_mend, "mended": mended})
    head = "mended" if mended else one.severity
    more = "\n  with --fix this is put right" if one.can_mend and not mended else ""
    hint = f"\n  hint: {plain(one.hint)}" if one.hint and not mended else ""
    return f"{source}  {head}[{one.code}]: {plain(one.message)}{hint}{more}"
