"""A question as condition keys. Pure.

What rests on the caller alone is worked out once for an identity; what rests on the moment, for each question.
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from actas import iam
from actas.decide import keys
from actas.iam.values import Context
from actas.model.decision import Question
from actas.model.facts import Fact, Known
from actas.model.identity import Identity

NOBODY = "none"
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def caller(identity: Identity) -> Context:
    """Give the keys that rest on the caller alone."""
    context = Context()
    context[keys.PROVIDER] = identity.provider
    context[keys.SUBJECT] = identity.subject
    context[keys.CLIENT] = _one(identity.client)
    context[keys.TENANT] = _one(identity.tenant)
    context[keys.KIND] = identity.kind.value.value if isinstance(identity.kind, Known) else iam.UNKNOWN
    context[keys.MFA] = _one(identity.mfa)
    context[keys.ACTORS] = _actors(identity)
    for key, fact in (
        (keys.GROUPS, identity.groups),
        (keys.ROLES, identity.roles),
        (keys.SCOPES, identity.scopes),
    ):
        if not isinstance(fact, Known):
            context[key] = iam.UNKNOWN
        elif fact.value:  # a known empty list is the same as no key
            context[key] = tuple(sorted(fact.value))
    return context


def whole(known: Context, question: Question, zones: tuple[ZoneInfo, ...]) -> Context:
    """Add to the *known* keys of the caller those of the moment and the place."""
    context = Context(known)
    address, since = question.address, question.identity.authenticated_at
    context[keys.ADDRESS] = str(address.value) if isinstance(address, Known) else iam.UNKNOWN
    context[keys.AUTH_AGE] = (question.at - since.value).total_seconds() if isinstance(since, Known) else iam.UNKNOWN
    for zone in zones:
        context.update(moment(question.at, zone))
    return context


def moment(at: datetime, zone: ZoneInfo) -> dict[str, str | int]:
    """Say what day and minute it is in *zone*; the zone's own rules make daylight saving time right."""
    local = at.astimezone(zone)
    name = zone.key.lower()
    return {
        keys.WEEKDAY + name: DAYS[local.weekday()],
        keys.YESTERDAY + name: DAYS[(local.date() - timedelta(days=1)).weekday()],
        keys.MINUTE + name: local.hour * 60 + local.minute,
        keys.DATE + name: local.year * 10000 + local.month * 100 + local.day,
    }


def _one(fact: Fact[str] | Fact[bool]) -> object:
    return fact.value if isinstance(fact, Known) else iam.UNKNOWN


def _actors(identity: Identity) -> object:
    if not identity.actors:
        return (NOBODY,)
    named = [actor.subject for actor in identity.actors]
    named += [actor.client for actor in identity.actors if actor.client]
    return iam.UNKNOWN if NOBODY in named else tuple(dict.fromkeys(named))  # a name must not pass for nobody
