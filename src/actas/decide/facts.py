"""The facts that a grant rests on: those its rules tested, and those every ``may_not`` over its functions tested. Pure.

A session is sealed with these and no more: not the whole list of somebody's groups, but which of the *tested* ones
they are in. When a session is used again, a fact that was not kept is unknown, and so never in the caller's favour.
"""

import json
from collections.abc import Iterable, Mapping
from functools import lru_cache

from actas import iam
from actas.decide import keys
from actas.decide.statements import who_parts
from actas.iam.values import Context
from actas.model.facts import Known
from actas.model.identity import Identity
from actas.settings.schema import Rule

SINCE = "actas:authenticated-at"
"""Kept instead of the age, which changes by the second: when the caller signed in, in seconds since 1970."""

Facts = tuple[tuple[str, str], ...]
Tested = Mapping[str, frozenset[str]]


def tested(rules: Iterable[Rule]) -> Tested:
    """Say which keys *rules* test, and the values they compare them with."""
    found: dict[str, frozenset[str]] = {}
    for rule in rules:
        for _, condition in who_parts(rule.who, written=str):
            for block in condition.values():
                for key, wanted in block.items():
                    found[key] = found.get(key, frozenset()) | frozenset(wanted)
        if rule.when is not None and rule.when.mfa is not None:
            found[keys.MFA] = frozenset()
        if rule.when is not None and rule.when.auth_age is not None:
            found[SINCE] = frozenset()
    return found


def kept(identity: Identity, known: Context, wanted: Tested) -> Facts:
    """Write down the caller's answer to each key that was tested; ``null`` is unknown."""
    found: list[tuple[str, str]] = []
    for key, values in sorted(wanted.items()):
        if key == SINCE:
            since = identity.authenticated_at
            found.append((key, json.dumps(since.value.timestamp() if isinstance(since, Known) else None)))
            continue
        value = known.get(key, ())
        if value is iam.UNKNOWN:
            found.append((key, "null"))
        elif isinstance(value, bool):
            found.append((key, "true" if value else "false"))
        else:
            has = values.intersection((value,) if isinstance(value, str) else value)
            found.append((key, _listed(has)))
    return tuple(found)


@lru_cache(maxsize=4096)  # the same few for every caller: of all values only those that rules name
def _listed(values: frozenset[str]) -> str:
    return json.dumps(sorted(values))


def opened(facts: Facts, now: float) -> Context:
    """Make condition keys of kept *facts*; *now* is in seconds since 1970."""
    context = Context(dict.fromkeys(_EVERY, iam.UNKNOWN))
    for key, text in facts:
        value = json.loads(text)
        if key == SINCE:
            context[keys.AUTH_AGE] = iam.UNKNOWN if value is None else now - value
        elif value is None:
            context[key] = iam.UNKNOWN
        elif isinstance(value, bool):
            context[key] = value
        elif value:
            context[key] = tuple(value) if key in _LISTS else value[0]
        else:
            context.pop(key, None)
    return context


_EVERY = (
    keys.PROVIDER,
    keys.SUBJECT,
    keys.CLIENT,
    keys.TENANT,
    keys.KIND,
    keys.GROUPS,
    keys.ROLES,
    keys.SCOPES,
    keys.ACTORS,
    keys.MFA,
    keys.AUTH_AGE,
)
_LISTS = frozenset({keys.GROUPS, keys.ROLES, keys.SCOPES, keys.ACTORS})
