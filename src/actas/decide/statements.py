"""A rule as IAM statements. Pure.

Values are written so that IAM takes none of their characters for a variable; globs are expanded before, so that a
statement names exact ARNs only.
"""

from collections.abc import Callable

from actas.decide import keys
from actas.decide.context import DAYS
from actas.decide.targets import Target
from actas.settings.schema import Rule, When, Who, many

Conditions = dict[str, dict[str, list[str]]]
Statement = dict[str, object]


def statements(rule: Rule, over: tuple[Target, ...], sid: str) -> list[Statement]:
    """Compile *rule* over the targets it names; hours over midnight make two statements of one rule."""
    return [
        {
            "Sid": f"{sid}{half}",
            "Effect": "Deny" if rule.may_not is not None else "Allow",
            "Action": sorted({target.action for target in over}),
            "Resource": sorted({exact(target.arn) for target in over}),
            **({"Condition": conditions} if conditions else {}),
        }
        for half, conditions in zip("ab", alternatives(rule), strict=False)
    ]


def alternatives(rule: Rule) -> list[Conditions]:
    """Give the rule's conditions: one block, or one for each side of midnight."""
    parts = [condition for _, condition in who_parts(rule.who)]
    if rule.when is None:
        return [_together(parts)]
    parts += [condition for _, condition in when_parts(rule.when)]
    return [_together([*parts, *night]) for night in _hours(rule.when)]


def who_parts(who: Who, written: Callable[[str], str] | None = None) -> list[tuple[str, Conditions]]:
    """Give each key of ``who`` that the rule states, with its condition; *written* spells its values."""
    spell = written or literal
    single = (
        ("provider", keys.PROVIDER, who.provider),
        ("subjects", keys.SUBJECT, who.subjects),
        ("clients", keys.CLIENT, who.clients),
        ("tenants", keys.TENANT, who.tenants),
        ("kind", keys.KIND, who.kind),
    )
    several = (
        ("groups", keys.GROUPS, who.groups),
        ("roles", keys.ROLES, who.roles),
        ("scopes", keys.SCOPES, who.scopes),
        ("actors", keys.ACTORS, who.actors),
    )
    return [
        (name, {operator: {key: [spell(one) for one in many(wanted)]}})
        for operator, rows in (("StringEquals", single), ("ForAnyValue:StringEquals", several))
        for name, key, wanted in rows
        if wanted is not None
    ]


def when_parts(when: When) -> list[tuple[str, Conditions]]:
    """Give each key of ``when`` but the hours and the days that go with them."""
    parts: list[tuple[str, Conditions]] = []
    if when.mfa is not None:
        parts.append(("mfa", {"Bool": {keys.MFA: [str(when.mfa).lower()]}}))
    if when.auth_age is not None:
        parts.append(("auth_age", {"NumericLessThanEquals": {keys.AUTH_AGE: [str(int(when.auth_age.seconds))]}}))
    if when.from_ is not None:
        day = f"{when.from_:%Y%m%d}"
        parts.append(("from", {"NumericGreaterThanEquals": {keys.DATE + zone_of(when): [day]}}))
    if when.until is not None:
        day = f"{when.until:%Y%m%d}"
        parts.append(("until", {"NumericLessThanEquals": {keys.DATE + zone_of(when): [day]}}))
    if when.networks is not None:
        parts.append(("networks", {"IpAddress": {keys.ADDRESS: [str(one.net) for one in when.networks]}}))
    return parts


def hours_parts(when: When) -> list[tuple[str, list[Conditions]]]:
    """Give ``days`` and ``hours`` as alternatives: any of the blocks is enough."""
    if when.days is None and when.hours is None:
        return []
    name = "hours" if when.days is None else "days" if when.hours is None else "days and hours"
    return [(name, [_together(block) for block in _hours(when)])]


def _hours(when: When) -> list[list[Conditions]]:
    zone = zone_of(when)
    today: list[Conditions] = []
    yesterday: list[Conditions] = []
    if when.days is not None:
        wanted = days(when)
        today.append({"StringEquals": {keys.WEEKDAY + zone: wanted}})
        yesterday.append({"StringEquals": {keys.YESTERDAY + zone: wanted}})
    if when.hours is None:
        return [today]
    start: Conditions = {"NumericGreaterThanEquals": {keys.MINUTE + zone: [str(when.hours.start)]}}
    end: Conditions = {"NumericLessThan": {keys.MINUTE + zone: [str(when.hours.end)]}}
    if when.hours.start < when.hours.end:
        return [[*today, start, end]]
    return [[*today, start], [*yesterday, end]]  # the night belongs to the day on which it began


def days(when: When) -> list[str]:
    """List the days that ``days`` names; a range may go over the week's end (``sat-mon``)."""
    found: list[str] = []
    for text in many(when.days):
        first, _, last = text.partition("-")
        start, end = DAYS.index(first), DAYS.index(last or first)
        found += [DAYS[day % 7] for day in range(start, end + 1 if end >= start else end + 8)]
    return sorted(set(found), key=DAYS.index)


def zone_of(when: When) -> str:
    """Name the zone as condition keys spell it."""
    return (when.zone or "UTC").lower()


def literal(text: str) -> str:
    """Write *text* so that IAM reads every character of it as itself."""
    return text.replace("$", "${$}") if "$" in text else text


def exact(arn: str) -> str:
    """Write *arn* so that IAM takes no character of it for a wildcard either."""
    return "".join(_EXACT.get(one, one) for one in arn)


_EXACT = {"*": "${*}", "?": "${?}", "$": "${$}"}


def _together(parts: list[Conditions]) -> Conditions:
    block: Conditions = {}
    for part in parts:
        for operator, condition in part.items():
            block.setdefault(operator, {}).update(condition)
    return block
