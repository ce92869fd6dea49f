"""A session stands as long as what granted it stands (design.md, 8.3)."""

import pytest

from actas.decide import again
from actas.model.facts import Known, Missing

MAY = {"id": "may", "who": {"provider": "corp", "groups": ["finance"]}, "may": ["report"], "as": "reader"}
NEVER = {"id": "never", "who": {"provider": "corp", "groups": ["contractors"]}, "may_not": ["report"]}
NIGHT = {**MAY, "when": {"hours": "20:00-22:00", "zone": "UTC"}}


@pytest.fixture
def codes(ruleset, ask, noon):
    def tell(before, after, identity=None, address=Missing.UNKNOWN):
        question = ask() if identity is None else ask(identity=identity)
        grant = ruleset(*before).decide(question).grant
        rules = ruleset(*after)
        target = next(one for one in rules.targets if one.arn == grant.function_arn)
        because, _ = again.stands(
            rules, grant.rules, target, again.moment_of(rules, grant.facts, at=noon, address=address)
        )
        return [reason.code for reason in because]

    return tell


def test_a_session_stands_while_nothing_changed(codes):
    assert codes([MAY, NEVER], [MAY, NEVER]) == []


def test_a_rule_that_was_removed_ends_what_it_granted(codes):
    other = {**MAY, "id": "other", "as": "writer"}

    assert codes([MAY], [other]) == ["rule-gone"]
    assert codes([MAY], []) == ["no-rule-allows"]


def test_a_rule_that_was_edited_ends_what_it_granted(codes):
    assert codes([MAY], [{**MAY, "as": ["reader", "writer"]}]) == ["rule-gone"]


def test_another_rule_may_come_and_go_without_harm(codes):
    assert codes([MAY], [MAY, {**MAY, "id": "other", "may": ["billing"]}]) == []


def test_a_rule_that_is_not_true_any_more_ends_it(codes):
    assert codes([MAY], [NIGHT]) == ["no-rule-allows"]


def test_a_may_not_that_tests_what_was_not_kept_ends_it(codes):
    late = {"id": "late", "who": {"provider": "corp", "roles": ["intern"]}, "may_not": ["report"]}

    assert codes([MAY], [MAY, late]) == ["rule-forbids-unknown"]
    assert codes([MAY, late], [MAY, late]) == []


def test_only_the_tested_facts_are_kept(ruleset, ask, but):
    someone = but(groups=Known(frozenset({"finance", "chess-club", "contractors-of-old"})))
    facts = dict(ruleset(MAY, NEVER).decide(ask(identity=someone)).grant.facts)

    assert facts["actas:groups"] == '["finance"]'
    assert "chess-club" not in str(facts)


def test_the_fence_is_what_the_granting_rules_name(ruleset, ask):
    lent = {"id": "lent", "who": {"provider": "corp", "groups": ["board"]}, "may": ["billing"], "as": "reader"}
    grant = ruleset({**MAY, "may": ["report", "orders:GET *"]}, lent).decide(ask()).grant

    assert grant.fence == (
        "arn:aws:execute-api:us-east-1:000000000000:orders/$default/GET/orders/{id}",
        "arn:aws:lambda:us-east-1:000000000000:function:report:$LATEST",
    )
