"""Why: each rule's conditions as they stand, and what would help; scenarios as data."""

import msgspec
import pytest

from actas.decide.explain import explain
from actas.decide.scenarios import Scenarios, try_out
from actas.identify.imagine import Imagined, imagine
from actas.model.decision import Allow
from actas.model.facts import Known, Missing

DAY = {"hours": "07:00-19:00", "days": "mon-fri", "zone": "Europe/Berlin"}
MAY = {
    "id": "finance-reads",
    "who": {"provider": "corp", "groups": ["finance", "board"]},
    "may": ["report"],
    "when": {"mfa": True, **DAY},
    "as": "reader",
}
NEVER = {"id": "never", "who": {"provider": "corp", "groups": ["contractors"]}, "may_not": ["report"]}
OTHER = {"id": "other", "who": {"provider": "corp"}, "may": ["billing"]}


def told(found, rule):
    (weighed,) = [one for one in found.weighed if one.rule == rule]
    return {condition.key: (condition.truth, condition.wants) for condition in weighed.conditions}


def test_each_condition_of_each_rule_about_the_function_is_told(ruleset, ask, but):
    found = explain(ruleset(MAY, NEVER, OTHER), ask(identity=but(mfa=Missing.UNKNOWN)))

    assert told(found, "finance-reads") == {
        "provider": ("true", "corp"),
        "groups": ("true", "finance or board"),
        "mfa": ("unknown", "yes"),
        "days and hours": ("true", "mon-fri 07:00-19:00 Europe/Berlin"),
    }
    assert told(found, "never") == {"provider": ("true", "corp"), "groups": ("false", "contractors")}
    assert found.others == 1


def test_a_no_says_what_it_would_take(ruleset, ask, but):
    found = explain(ruleset(MAY, NEVER), ask(identity=but(mfa=Missing.UNKNOWN, groups=Known(frozenset()))))

    assert found.helps == (
        "rule finance-reads allows it once groups is finance or board and mfa is yes (it is not known)",
    )


def test_a_rule_that_forbids_says_what_must_be_otherwise(ruleset, ask, but):
    rules = ruleset(MAY, NEVER)

    assert explain(rules, ask(identity=but(groups=Known(frozenset({"finance", "contractors"}))))).helps == (
        "rule never must not apply: the caller's provider or groups match",
    )
    assert explain(rules, ask(identity=but(groups=Missing.OVERFLOWED))).helps == (
        "rule never must not apply: it is not known of the caller's groups that they do not match",
    )


def test_a_yes_needs_no_help(ruleset, ask):
    found = explain(ruleset(MAY, NEVER), ask())

    assert type(found.decision) is Allow
    assert found.helps == ()
    assert [one.applies for one in found.weighed] == [True, False]


def test_a_function_that_no_rule_names_says_so(ruleset, ask):
    assert explain(ruleset(MAY), ask("billing")).helps == (
        "no rule speaks of billing; one with `may: [billing]` is needed",
    )


def test_explaining_agrees_with_deciding(ruleset, ask, but):
    rules = ruleset(MAY, NEVER, OTHER)
    for groups in (Known(frozenset({"finance"})), Known(frozenset({"contractors"})), Missing.ABSENT):
        question = ask(identity=but(groups=groups))

        assert explain(rules, question).decision == rules.decide(question)


def scenario(**more):
    data = {
        "says": "a sentence",
        "who": {"provider": "corp", "groups": ["finance"], "mfa": True},
        "call": "report",
        "at": "2026-11-23T13:00:00+01:00",
        "expect": "allow",
    }
    return msgspec.convert({"scenarios": [{**data, **more}]}, Scenarios).scenarios[0]


def tried(rules, one, noon):
    who = one.who
    imagined = Imagined(
        provider=who.provider, groups=frozenset(who.groups), mfa=who.mfa, unknown=frozenset(who.unknown)
    )
    return try_out(one, rules, imagine(imagined, now=noon), now=noon).wrong


WRONG = [
    ("it holds", {}, ()),
    ("the verdict", {"expect": "deny"}, ("expected deny, found allow",)),
    ("the role", {"as": "writer"}, ("expected the role writer, found reader",)),
    ("the reason", {"because": ["x"]}, ("expected because of x, found rule-allows",)),
    ("the hour", {"at": "2026-11-23T23:00:00+01:00"}, ("expected allow, found deny",)),
    ("what is unknown", {"who": {"provider": "corp", "unknown": ["groups"]}}, ("expected allow, found deny",)),
]


@pytest.mark.parametrize(("more", "wrong"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_a_scenario_says_what_did_not_hold(ruleset, noon, more, wrong):
    assert tried(ruleset(MAY, NEVER), scenario(**more), noon) == wrong


def test_a_scenario_without_an_offset_is_no_moment(ruleset, noon):
    with pytest.raises(ValueError, match="offset"):
        tried(ruleset(MAY), scenario(at="2026-11-23T13:00:00"), noon)


@pytest.mark.parametrize(
    "wrong", [{"unknown": 1}, {"says": 1}, {"expect": "maybe"}, {"who": {"provider": "corp", "x": 1}}]
)
def test_a_scenario_with_a_key_that_is_none_is_refused(wrong):
    with pytest.raises(msgspec.ValidationError):
        scenario(**wrong)


def test_what_is_imagined_and_unknown_is_unknown(noon):
    somebody = imagine(Imagined(provider="corp", unknown=frozenset({"groups", "mfa", "kind"})), now=noon)

    assert {somebody.groups, somebody.mfa, somebody.kind} == {Missing.UNKNOWN}
    assert somebody.roles == Known(frozenset())
