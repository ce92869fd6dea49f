"""What is remembered never changes an answer: a rule set that was asked much agrees with one that was never asked."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actas.model.facts import Known, Missing
from actas.model.identity import Kind

RULES = (
    {"id": "day", "who": {"provider": "corp", "groups": ["finance"]}, "may": ["report"], "as": ["reader", "writer"],
     "when": {"days": "mon-fri", "hours": "07:00-19:00", "zone": "Europe/Berlin"}},
    {"id": "office", "who": {"provider": "corp"}, "may": ["billing"], "as": "writer",
     "when": {"networks": ["192.0.2.0/24"]}},
    {"id": "fresh", "who": {"provider": "corp", "kind": "human"}, "may": ["orders"], "when": {"auth_age": "15m"}},
    {"id": "never", "who": {"provider": "corp", "groups": ["contractors"]}, "may_not": ["report", "orders"],
     "when": {"hours": "18:00-06:00", "zone": "UTC"}},
    {"id": "second", "who": {"provider": "corp", "roles": ["clerk"]}, "may": ["report"], "as": "reader"},
)  # fmt: skip

groups = st.one_of(
    st.sampled_from(list(Missing)),
    st.frozensets(st.sampled_from(["finance", "contractors", "x"])).map(Known),
)
questions = st.tuples(
    st.sampled_from([("report", None), ("billing", None), ("orders", "GET /orders/{id}"), ("gone", None)]),
    st.sampled_from([None, "reader", "writer", "owner"]),
    st.integers(0, 3 * 24 * 3600).map(lambda seconds: datetime(2026, 11, 20, tzinfo=UTC) + timedelta(seconds=seconds)),
    st.sampled_from([Missing.UNKNOWN, Known(ip_address("192.0.2.9")), Known(ip_address("203.0.113.9"))]),
)


def test_what_is_remembered_is_bounded_for_all_callers_together(ruleset, ask, but, monkeypatch):
    monkeypatch.setattr("actas.decide.ruleset.ANSWERS_IN_ALL", 10)
    rules = ruleset(*RULES)
    callers = [but(subject=f"person-{number}") for number in range(30)]

    for minute in range(3):
        for one in callers:
            rules.decide(ask(identity=one, at=datetime(2026, 11, 23, 12, minute, tzinfo=UTC)))
            assert sum(len(found.answers) for found in rules._remembered.values()) <= 10


def test_an_answer_about_one_qualifier_is_none_about_another(ruleset, ask):
    rules = ruleset(*RULES)
    asked = [ask(qualifier=one) for one in ("$LATEST", "7", "$LATEST")]

    assert [rules.decide(one).grant.qualifier for one in asked] == ["$LATEST", "7", "$LATEST"]


@pytest.fixture
def people(ana):
    def make(facts):
        kind = st.sampled_from([Known(Kind.HUMAN), Known(Kind.SERVICE), Missing.UNKNOWN])
        return st.builds(
            lambda found, kind, roles: replace(ana, groups=found, kind=kind, roles=roles), facts, kind, facts
        )

    return make


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_rule_set_that_remembers_agrees_with_a_fresh_one(data, ruleset, ask, people):
    rules = ruleset(*RULES)
    somebody = data.draw(st.lists(people(groups), min_size=1, max_size=3))

    for (function, route), role, at, address in data.draw(st.lists(questions, min_size=2, max_size=12)):
        question = ask(
            function, route=route, requested_role=role, at=at, address=address,
            identity=data.draw(st.sampled_from(somebody)),
        )  # fmt: skip

        assert rules.decide(question) == ruleset(*RULES).decide(question)
