"""What grants by the same rules have in common is remembered, and never lent to other rules."""

import pytest

from actas.decide import reach as remembering
from actas.model.facts import Known

FINANCE = {"id": "finance", "who": {"groups": ["finance"]}, "may": ["report"], "as": "reader"}
CLERKS = {"id": "clerks", "who": {"roles": ["clerk"]}, "may": ["report", "billing"], "as": "reader"}
NEVER = {"id": "never", "who": {"groups": ["contractors"]}, "may_not": ["billing"]}


@pytest.mark.parametrize("said", [(FINANCE,), (CLERKS,), (CLERKS, NEVER), (FINANCE, CLERKS, NEVER)])
def test_a_grant_is_the_same_whoever_was_granted_before(said, ruleset, ask, but):
    people = [but(), but(groups=Known(frozenset())), but(roles=Known(frozenset())), but(subject="b3n")]
    shared = ruleset(*said)

    for function in ("report", "billing", "report"):
        for person in people:
            question = ask(function, identity=person)

            assert shared.decide(question) == ruleset(*said).decide(question)


def test_a_grant_is_the_same_when_what_was_remembered_is_forgotten(ruleset, ask, but, monkeypatch):
    monkeypatch.setattr(remembering, "MOST", 1)
    shared = ruleset(FINANCE, CLERKS, NEVER)

    for function in ("report", "billing", "report"):
        for person in (but(), but(groups=Known(frozenset())), but()):
            question = ask(function, identity=person)

            assert shared.decide(question) == ruleset(FINANCE, CLERKS, NEVER).decide(question)
