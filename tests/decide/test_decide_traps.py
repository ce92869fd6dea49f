"""The traps of deciding, each by its name in the table of traps, with the same question that is no trap beside it."""

from itertools import product

import pytest

from actas.model.decision import Allow
from actas.model.facts import Known

FACTS = [
    "*",
    "fin*",
    "?inance",
    "${actas:subject}",
    "${*}",
    "${actas:groups, 'finance'}",
    "finance\n",
    "Finance",
    "ﬁnance",
]
KEYS = {
    "groups": lambda one: {"groups": Known(frozenset({one}))},
    "roles": lambda one: {"roles": Known(frozenset({one}))},
    "scopes": lambda one: {"scopes": Known(frozenset({one}))},
    "subjects": lambda one: {"subject": one},
    "clients": lambda one: {"client": Known(one)},
    "tenants": lambda one: {"tenant": Known(one)},
}


def rule(**more):
    return {"id": "may", "may": ["report"], "as": "reader"} | more


def allowed(decision):
    return isinstance(decision, Allow)


@pytest.mark.parametrize(("key", "claimed"), list(product(KEYS, FACTS)))
def test_policy_variable_wildcard_injection(key, claimed, ruleset, ask, but):
    rules = ruleset(rule(who={"provider": "corp", key: ["finance"]}))

    assert not allowed(rules.decide(ask(identity=but(**KEYS[key](claimed)))))
    assert allowed(rules.decide(ask(identity=but(**KEYS[key]("finance")))))


@pytest.mark.parametrize(("key", "written"), list(product(KEYS, FACTS)))
def test_policy_variable_wildcard_injection_by_a_rule(key, written, ruleset, ask, but):
    rules = ruleset(rule(who={"provider": "corp", key: [written]}))

    assert not allowed(rules.decide(ask(identity=but(**KEYS[key]("finance")))))
    assert allowed(rules.decide(ask(identity=but(**KEYS[key](written)))))


WISHED = [
    "writer",
    "reade",
    "reader2",
    "READER",
    "*",
    "rea*",
    "${aws:username}",
    "",
    "arn:aws:iam::111122223333:role/reader",
]


@pytest.mark.parametrize("wished", WISHED)
def test_role_choice_by_the_client(wished, ruleset, ask):
    rules = ruleset(rule(who={"provider": "corp"}))

    assert not allowed(rules.decide(ask(requested_role=wished)))
    assert allowed(rules.decide(ask(requested_role="reader")))
