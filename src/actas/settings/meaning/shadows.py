"""Find rules without which every decision would be the same, because another rule covers them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from actas.settings.meaning.circumstances import days
from actas.settings.meaning.targets import named, targets
from actas.settings.meaning.view import View
from actas.settings.schema import Rule, When, many

_WHO = ("subjects", "groups", "roles", "scopes", "clients", "actors", "tenants", "provider", "kind")
"""The keys of ``who``, the most telling first."""


Index = dict[tuple[str, str], list["Reach"]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """A rule as what it reaches, ready to be compared with a thousand others."""

    place: int
    rule: Rule
    over: frozenset[str]
    """The functions, routes and admin actions it names."""
    who: dict[str, frozenset[str]]
    when: When


def reach(place: int, rule: Rule, everything: tuple[str, ...]) -> Reach:
    """Work out what *rule* reaches."""
    over = frozenset().union(*(named(pattern, everything) for pattern in many(rule.may) + many(rule.may_not)))
    asked = ((key, getattr(rule.who, key)) for key in _WHO)
    who = {key: frozenset(many(value)) for key, value in asked if value is not None}
    return Reach(place=place, rule=rule, over=over, who=who, when=rule.when or When())


def check(view: View) -> None:
    """Warn of every rule that changes nothing."""
    everything = targets(view.settings, view.around.admin_actions)
    reaches = [one for place, rule in view.rules() if (one := reach(place, rule, everything)).over]
    index = _index(reaches)
    for one in reaches:
        for other in _candidates(index, one):
            if other is not one and covers(other, one) and _hides(other, one):
                _shadowed(view, one.place, one.rule, other.rule)
                break


def _index(reaches: Iterable[Reach]) -> Index:
    """File each rule under the values of its most telling key, so that not all are compared with all."""
    index: Index = {}
    for one in reaches:
        key = next((key for key in _WHO if key in one.who), None)
        for value in one.who[key] if key else ("",):
            index.setdefault((key or "", value), []).append(one)
    return index


def _candidates(index: Index, one: Reach) -> Iterator[Reach]:
    """Give every rule that may cover *one*: it has to hold all of its values, so also the first."""
    yield from index.get(("", ""), ())
    for key, values in one.who.items():
        if values:
            yield from index.get((key, min(values)), ())


def _hides(other: Reach, one: Reach) -> bool:
    """Tell whether *other*, which covers *one*, leaves it nothing to say."""
    if other.rule.may_not is not None:
        twins = one.rule.may_not is not None and covers(one, other)
        return not twins or other.place < one.place
    if one.rule.roles_from is not None or other.rule.roles_from is not None:
        return False  # which roles it gives is another matter for every caller
    if one.rule.may is None or other.place > one.place:
        return False  # an earlier rule decides the role; a later one only adds to what can be asked for
    gives, given = set(many(one.rule.as_)), set(many(other.rule.as_))
    return gives <= given and bool(gives) == bool(given)


def _shadowed(view: View, place: int, rule: Rule, other: Rule) -> None:
    if other.may_not is not None and rule.may is not None:
        message = f"{rule.id} never lets anybody in: {other.id} forbids all that it allows"
    elif other.may_not is not None:
        message = f"{rule.id} changes nothing: {other.id} forbids all that it forbids"
    else:
        message = f"{rule.id} changes nothing: {other.id}, which comes before it, allows all that it allows"
    view.warn("settings.shadowed", ("rules", place), message, f"Remove {rule.id}, or make {other.id} narrower.")


def covers(wide: Reach, narrow: Reach) -> bool:
    """Tell whether *wide* applies wherever *narrow* does."""
    for key, asked in wide.who.items():
        if (given := narrow.who.get(key)) is None or not given <= asked:
            return False
    return narrow.over <= wide.over and _when_covers(wide.when, narrow.when)


def _when_covers(wide: When, narrow: When) -> bool:
    if wide.mfa is not None and wide.mfa != narrow.mfa:
        return False
    if wide.auth_age is not None and (narrow.auth_age is None or narrow.auth_age.seconds > wide.auth_age.seconds):
        return False
    if wide.networks is not None and (
        narrow.networks is None
        or not all(any(_inside(one.net, net.net) for net in wide.networks) for one in narrow.networks)
    ):
        return False
    return _times_cover(wide, narrow)


def _inside(inner: object, outer: object) -> bool:
    # Networks of two families are never inside each other; `subnet_of` would raise.
    return getattr(inner, "version", 0) == getattr(outer, "version", 1) and inner.subnet_of(outer)  # type: ignore[attr-defined]


def _times_cover(wide: When, narrow: When) -> bool:
    timed = (wide.days, wide.hours, wide.from_, wide.until)
    if timed == (None, None, None, None):
        return True
    if wide.zone != narrow.zone:
        return False
    if wide.from_ is not None and (narrow.from_ is None or narrow.from_ < wide.from_):
        return False
    if wide.until is not None and (narrow.until is None or narrow.until > wide.until):
        return False
    if wide.hours is not None and wide.hours != narrow.hours and not _hours_inside(wide, narrow):
        return False
    if wide.hours != narrow.hours and _over_midnight(narrow) and wide.days is not None:
        return False  # a night counts for two days in one of them only
    return wide.days is None or (narrow.days is not None and days(narrow) <= days(wide))


def _over_midnight(when: When) -> bool:
    return when.hours is not None and when.hours.end < when.hours.start


def _hours_inside(wide: When, narrow: When) -> bool:
    if wide.hours is None or narrow.hours is None or _over_midnight(wide) or _over_midnight(narrow):
        return False
    return wide.hours.start <= narrow.hours.start and narrow.hours.end <= wide.hours.end
