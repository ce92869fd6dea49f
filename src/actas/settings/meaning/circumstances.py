"""Check ``when``: days, hours, dates and zones, and whether they can ever come true together."""

from collections.abc import Iterator
from datetime import date, timedelta
from functools import lru_cache
from zoneinfo import available_timezones

from actas.settings.meaning.view import View
from actas.settings.mistakes import nearest
from actas.settings.positions import Path
from actas.settings.schema import Rule, When, many
from actas.settings.secrecy import quoted

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def days(when: When) -> frozenset[int]:
    """List the days that ``days`` names, Monday being 0; a range may go over the week's end (``sat-mon``)."""
    found: set[int] = set()
    for text in many(when.days):
        if (some := range_of_days(text)) is not None:
            found |= some
    return frozenset(found)


def range_of_days(text: str) -> frozenset[int] | None:
    """Read ``mon`` or ``mon-fri``; None where it is neither."""
    first, dash, last = text.partition("-")
    if first not in DAYS or (last or first) not in DAYS or (dash and not last):
        return None
    start, end = DAYS.index(first), DAYS.index(last or first)
    return frozenset(day % 7 for day in range(start, end + 1 if end >= start else end + 8))


@lru_cache(maxsize=1)
def zones() -> frozenset[str]:
    """List the names of the IANA time zone database."""
    return frozenset(available_timezones())


def check(view: View) -> None:
    """Check the ``when`` of every rule."""
    for place, rule in enumerate(view.settings.rules):
        if rule.when is not None:
            path: Path = ("rules", place, "when")
            _days(view, path, rule.when)
            _zone(view, path, rule.when)
            _alone(view, path, rule.when)
            _ever(view, path, rule, rule.when)


def _days(view: View, path: Path, when: When) -> None:
    if when.days is not None and not many(when.days):
        view.report("settings.empty-list", (*path, "days"), "days is an empty list: it is never true", "Name a day.")
    for where, text in _texts(when, path):
        if range_of_days(text) is None:
            near = _nearest_days(text)
            hint = f"Write {near}." if near else "Write mon, tue, wed, thu, fri, sat or sun, or a range: mon-fri."
            message = f"{quoted(text)} is no day; wanted: mon, mon-fri or a list of them"
            view.report("settings.wrong-value", where, message, hint, found=quoted(text), nearest=near)


def _texts(when: When, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(when.days, str):
        yield (*path, "days"), when.days
    else:
        for place, text in enumerate(when.days or ()):
            yield (*path, "days", place), text


def _nearest_days(text: str) -> str | None:
    """Read what people write for days: ``Monday``, ``Mon - Fri``, ``mon to fri``, dashes of any length."""
    plain = text.lower().replace("\N{EN DASH}", "-").replace(" to ", "-").replace(" ", "")
    short = "-".join(part[:3] for part in plain.split("-"))
    return short if range_of_days(short) is not None else None


def _zone(view: View, path: Path, when: When) -> None:
    needs = [key for key, value in _in_zone(when) if value is not None]
    if when.zone is None:
        if needs and not view.sketch.is_spoiled(path):
            message = f"{' and '.join(needs)} {'mean' if len(needs) > 1 else 'means'} nothing without a zone"
            hint = "Add zone: with a name of the time zone database, such as Europe/Berlin, or UTC."
            view.report("settings.missing-key", (*path, "zone"), message, hint, at="key", wanted="zone")
        return
    if when.zone not in zones():
        near = nearest(when.zone, zones()) or _city(when.zone)
        message = f"{quoted(when.zone)} is no time zone"
        hint = f"Write {near}." if near else "Write a name of the time zone database, such as Europe/Berlin, or UTC."
        view.report("settings.no-such-zone", (*path, "zone"), message, hint, nearest=near)
    elif not needs:
        message = "zone has no effect without days, hours, from or until"
        view.warn("settings.no-effect", (*path, "zone"), message, "Remove zone.", at="key")


def _in_zone(when: When) -> tuple[tuple[str, object], ...]:
    return ("days", when.days), ("hours", when.hours), ("from", when.from_), ("until", when.until)


def _city(text: str) -> str | None:
    """Find the zone of a city that stands without its continent."""
    ends = sorted(zone for zone in zones() if zone.lower().endswith("/" + text.lower().replace(" ", "_")))
    return ends[0] if text and ends else None


def _alone(view: View, path: Path, when: When) -> None:
    if when == When():
        view.warn("settings.no-effect", path, "when says nothing", "Say when, or remove it.", at="key")
    if when.networks is not None and not when.networks:
        message = "networks is an empty list: it is never true"
        view.report("settings.empty-list", (*path, "networks"), message, "Name a network, or remove networks.")
    if when.auth_age is not None and when.auth_age.seconds < 1:
        message = "auth_age is under a second: nobody has signed in that lately"
        view.report("settings.out-of-range", (*path, "auth_age"), message, "Give at least 1s.")


def _ever(view: View, path: Path, rule: Rule, when: When) -> None:
    first, last = when.from_, when.until
    if first is not None and last is not None and last < first:
        message = f"{rule.id} can never apply: until, {last}, is before from, {first}"
        view.report("settings.never", (*path, "until"), message, "Exchange them, or correct one.")
        return
    if last is not None and view.around.today is not None and last < view.around.today - timedelta(days=1):
        message = f"{rule.id} is over: its last day was {last}"
        view.warn("settings.over", (*path, "until"), message, "Remove the rule, or give it a later day.")
    if first is not None and last is not None and when.days is not None and not _has_a_day(first, last, when):
        message = f"{rule.id} can never apply: no day from {first} to {last} is one of its days"
        view.report("settings.never", (*path, "days"), message, "Correct the days or the dates.")


def _has_a_day(first: date, last: date, when: When) -> bool:
    wanted = days(when)
    if not wanted or (last - first).days >= 6:
        return True
    # A night belongs to the day on which it began, so its hours after midnight fall on the day after.
    over_midnight = when.hours is not None and when.hours.end < when.hours.start
    some = {(first.weekday() + day) % 7 for day in range((last - first).days + 1)}
    return bool(wanted & some) or (over_midnight and bool({(day + 1) % 7 for day in wanted} & some))
