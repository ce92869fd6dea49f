"""Rules decided: deny wins, nothing said is a no, what is unknown is never in the caller's favour."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from actas.decide.ruleset import RuleSet
from actas.model.decision import Allow, Deny
from actas.model.facts import Known, Missing
from actas.model.identity import Actor, Kind
from actas.settings.schema import Settings

MAY = {"id": "may", "who": {"provider": "corp"}, "may": ["report"], "as": "reader"}


def codes(decision):
    return [reason.code for reason in decision.reasons]


def test_no_rules_at_all_is_a_no(ruleset, ask):
    decision = ruleset().decide(ask())

    assert type(decision) is Deny
    assert codes(decision) == ["no-rule-allows"]


def test_one_rule_is_enough(ruleset, ask):
    decision = ruleset(MAY).decide(ask())

    assert type(decision) is Allow
    assert decision.grant.role.name == "reader"
    assert [rule.id for rule in decision.grant.rules] == ["may"]


def test_one_objection_outweighs_any_number_of_consents(ruleset, ask):
    objection = {"id": "never", "who": {"groups": ["finance"]}, "may_not": ["report"]}
    consents = [{**MAY, "id": f"may-{n}"} for n in range(3)]

    assert codes(ruleset(*consents, objection).decide(ask())) == ["rule-forbids"]
    assert type(ruleset(*consents).decide(ask())) is Allow


def test_a_function_that_nobody_configured_is_a_no(ruleset, ask):
    assert codes(ruleset({**MAY, "may": ["*"]}).decide(ask("payroll"))) == ["no-such-function"]


WHO = [
    ("provider", ["corp", "other"], ["other"]),
    ("groups", ["none", "finance"], ["finances"]),
    ("groups", "/staff", "staff"),
    ("roles", "clerk", "Clerk"),
    ("scopes", ["reports.read"], ["reports"]),
    ("subjects", ["7f0c"], ["7f0C"]),
    ("clients", ["cli"], ["web"]),
    ("tenants", ["corp"], ["corp2"]),
    ("actors", ["none"], ["helper"]),
    ("kind", ["human", "agent"], ["service"]),
]


@pytest.mark.parametrize(("key", "fits", "misses"), WHO, ids=[f"{row[0]} {row[1]}" for row in WHO])
def test_each_key_of_who_lets_in_its_own_and_nobody_else(ruleset, ask, key, fits, misses):
    def rule(value):
        return {**MAY, "who": {"provider": "corp", key: value}}

    assert type(ruleset(rule(fits)).decide(ask())) is Allow
    assert type(ruleset(rule(misses)).decide(ask())) is Deny


def test_every_key_of_who_must_fit(ruleset, ask):
    rule = {**MAY, "who": {"provider": "corp", "groups": ["finance"], "scopes": ["reports.write"]}}

    assert type(ruleset(rule).decide(ask())) is Deny


def test_names_are_literal_whatever_characters_they_have(ruleset, ask, but):
    odd = ["a*", "b?", "${aws:username}", "$", "ö", "финансы", "a b", '"', "\\"]
    for one in odd:
        rules = ruleset({**MAY, "who": {"provider": "corp", "groups": [one]}})

        assert type(rules.decide(ask(identity=but(groups=Known(frozenset({one})))))) is Allow, one
        assert type(rules.decide(ask(identity=but(groups=Known(frozenset({one + "x", "ab", "bc"})))))) is Deny, one


MISSING = [Missing.ABSENT, Missing.OVERFLOWED, Missing.UNKNOWN]


@pytest.mark.parametrize("missing", MISSING, ids=lambda one: one.value)
@pytest.mark.parametrize(
    ("fact", "condition"),
    [
        ("groups", {"who": {"provider": "corp", "groups": ["finance"]}}),
        ("roles", {"who": {"provider": "corp", "roles": ["clerk"]}}),
        ("scopes", {"who": {"provider": "corp", "scopes": ["reports.read"]}}),
        ("client", {"who": {"provider": "corp", "clients": ["cli"]}}),
        ("tenant", {"who": {"provider": "corp", "tenants": ["corp"]}}),
        ("kind", {"who": {"provider": "corp", "kind": ["human"]}}),
        ("mfa", {"when": {"mfa": True}}),
        ("authenticated_at", {"when": {"auth_age": "1h"}}),
    ],
)
def test_what_is_not_known_is_never_in_the_callers_favour(ruleset, ask, but, missing, fact, condition):
    may = {**MAY, **condition}
    never = {"id": "never", "who": {"provider": "corp"}, "may_not": ["report"], **condition}
    someone = ask(identity=but(**{fact: missing}))

    assert type(ruleset(may).decide(ask())) is Allow
    assert type(ruleset(may).decide(someone)) is Deny
    assert codes(ruleset(MAY, never).decide(someone)) == ["rule-forbids-unknown"]


def test_an_absence_that_means_empty_is_known(ruleset, ask, but):
    never = {"id": "never", "who": {"provider": "corp", "groups": ["contractors"]}, "may_not": ["report"]}
    someone = ask(identity=but(groups=Known(frozenset(), by_absence=True)))

    assert type(ruleset(MAY, never).decide(someone)) is Allow


def test_an_unknown_address_is_not_in_the_callers_favour(ruleset, ask):
    office = {**MAY, "when": {"networks": ["192.0.2.0/24"]}}
    abroad = {
        "id": "never",
        "who": {"provider": "corp"},
        "may_not": ["report"],
        "when": {"networks": ["203.0.113.0/24"]},
    }

    assert type(ruleset(office).decide(ask())) is Allow
    assert type(ruleset(office).decide(ask(address="192.0.3.1"))) is Deny
    assert type(ruleset(office).decide(ask(address=Missing.UNKNOWN))) is Deny
    assert type(ruleset(MAY, abroad).decide(ask())) is Allow
    assert codes(ruleset(MAY, abroad).decide(ask(address=Missing.UNKNOWN))) == ["rule-forbids-unknown"]


def berlin(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


WHEN = [
    ("the first minute is in", {"hours": "07:00-19:00"}, "2026-11-23T06:00:00", Allow),
    ("the minute before is out", {"hours": "07:00-19:00"}, "2026-11-23T05:59:59", Deny),
    ("the last minute is in", {"hours": "07:00-19:00"}, "2026-11-23T17:59:59", Allow),
    ("the end is out", {"hours": "07:00-19:00"}, "2026-11-23T18:00:00", Deny),
    ("in summer the clock is two hours ahead", {"hours": "07:00-19:00"}, "2026-07-01T05:00:00", Allow),
    ("in summer the end comes earlier", {"hours": "07:00-19:00"}, "2026-07-01T17:00:00", Deny),
    ("the hour before clocks go back", {"hours": "02:00-03:00"}, "2026-10-25T00:30:00", Allow),
    ("and the same hour again after it", {"hours": "02:00-03:00"}, "2026-10-25T01:30:00", Allow),
    ("and no longer", {"hours": "02:00-03:00"}, "2026-10-25T02:30:00", Deny),
    ("the hour that spring skips never comes", {"hours": "02:00-03:00"}, "2026-03-29T01:00:00", Deny),
    ("over midnight, before it", {"hours": "22:00-06:00"}, "2026-11-23T21:00:00", Allow),
    ("over midnight, after it", {"hours": "22:00-06:00"}, "2026-11-23T04:59:59", Allow),
    ("over midnight, at its end", {"hours": "22:00-06:00"}, "2026-11-23T05:00:00", Deny),
    ("a friday's night goes into saturday", {"days": "fri", "hours": "22:00-06:00"}, "2026-11-28T03:00:00", Allow),
    (
        "a friday's early hours are thursday's night",
        {"days": "fri", "hours": "22:00-06:00"},
        "2026-11-27T03:00:00",
        Deny,
    ),
    ("a monday is in mon-fri", {"days": "mon-fri"}, "2026-11-23T12:00:00", Allow),
    ("a sunday is not", {"days": "mon-fri"}, "2026-11-22T12:00:00", Deny),
    ("days are of the zone, not of UTC", {"days": "mon-fri"}, "2026-11-22T23:00:00", Allow),
    ("a range may go over the week's end", {"days": "sat-mon"}, "2026-11-23T12:00:00", Allow),
    ("and knows where to stop", {"days": "sat-mon"}, "2026-11-24T12:00:00", Deny),
    ("the first day is in", {"from": "2026-11-23"}, "2026-11-22T23:00:00", Allow),
    ("the day before is out", {"from": "2026-11-23"}, "2026-11-22T22:59:59", Deny),
    ("the last day is in", {"until": "2026-11-23"}, "2026-11-23T22:59:59", Allow),
    ("the day after is out", {"until": "2026-11-23"}, "2026-11-23T23:00:00", Deny),
]


@pytest.mark.parametrize(("when", "at", "verdict"), [row[1:] for row in WHEN], ids=[row[0] for row in WHEN])
def test_when_is_told_in_the_rules_zone(ruleset, ask, when, at, verdict):
    rule = {**MAY, "when": {**when, "zone": "Europe/Berlin"}}

    assert type(ruleset(rule).decide(ask(at=berlin(at)))) is verdict


@pytest.mark.parametrize(
    ("age", "verdict"), [(timedelta(minutes=10), Allow), (timedelta(minutes=10, seconds=1), Deny)], ids=["in", "out"]
)
def test_a_sign_in_may_be_as_old_as_the_rule_says_and_no_older(ruleset, ask, but, noon, age, verdict):
    rule = {**MAY, "when": {"auth_age": "10m"}}

    assert type(ruleset(rule).decide(ask(identity=but(authenticated_at=Known(noon - age))))) is verdict


def test_a_function_named_with_its_routes_and_one_route_alone(ruleset, ask):
    whole = ruleset({**MAY, "may": ["orders"]})
    read = ruleset({**MAY, "may": ["orders:GET /orders/{id}"]})
    globbed = ruleset({**MAY, "may": ["ord*:GET *"]})
    get, delete = "GET /orders/{id}", "DELETE /orders/{id}"

    assert type(whole.decide(ask("orders", route=get))) is Allow
    assert type(whole.decide(ask("orders", route=delete))) is Allow
    assert type(read.decide(ask("orders", route=get))) is Allow
    assert type(read.decide(ask("orders", route=delete))) is Deny
    assert type(read.decide(ask("orders"))) is Deny
    assert type(globbed.decide(ask("orders", route=get))) is Allow
    assert type(globbed.decide(ask("orders", route=delete))) is Deny


def test_a_glob_over_everything_does_not_reach_the_admin_actions(ruleset, ask):
    rules = ruleset({**MAY, "may": ["*"]})

    assert type(rules.decide(ask("billing"))) is Allow
    assert type(rules.decide(ask("admin:sessions.revoke"))) is Deny
    assert type(ruleset({**MAY, "may": ["admin:*"]}).decide(ask("admin:sessions.revoke"))) is Allow


def test_the_first_rule_that_fits_chooses_the_role(ruleset, ask):
    rules = ruleset({**MAY, "id": "second", "as": "writer"}, MAY)
    decision = rules.decide(ask())

    assert decision.grant.role.name == "writer"
    assert [rule.id for rule in decision.grant.rules] == ["second"]
    assert "first role" in decision.reasons[0].because


def test_the_call_may_name_a_role_that_the_rules_offer(ruleset, ask):
    rules = ruleset({**MAY, "id": "second", "as": ["writer", "reader"]})

    assert rules.decide(ask(requested_role="reader")).grant.role.name == "reader"
    assert codes(rules.decide(ask(requested_role="owner"))) == ["role-not-offered"]


def test_a_role_of_a_rule_that_does_not_fit_cannot_be_asked_for(ruleset, ask):
    other = {**MAY, "id": "other", "who": {"provider": "corp", "groups": ["board"]}, "as": "writer"}

    assert codes(ruleset(MAY, other).decide(ask(requested_role="writer"))) == ["role-not-offered"]


def test_a_rule_without_a_role_lets_the_function_run_with_none(ruleset, ask):
    decision = ruleset({"id": "plain", "who": {"provider": "corp"}, "may": ["report"]}).decide(ask())

    assert decision.grant.role is None


def test_whoever_acts_for_the_caller_can_be_told_apart(ruleset, ask, but):
    helped = but(actors=(Actor(issuer="https://sso.example/realms/corp", subject="agent-1", client="assistant"),))
    never = {"id": "no-agents", "who": {"provider": "corp", "actors": ["assistant"]}, "may_not": ["report"]}

    assert type(ruleset(MAY, never).decide(ask())) is Allow
    assert codes(ruleset(MAY, never).decide(ask(identity=helped))) == ["rule-forbids"]


def test_kinds_are_told_apart(ruleset, ask, but):
    rule = {**MAY, "who": {"provider": "corp", "kind": "service"}}

    assert type(ruleset(rule).decide(ask(identity=but(kind=Known(Kind.SERVICE))))) is Allow


def test_observing_lets_pass_and_says_what_would_have_been(ruleset, ask):
    decision = ruleset({**MAY, "may": ["billing"]}, mode="observe").decide(ask())

    assert type(decision) is Allow
    assert [reason.code for reason in decision.observed] == ["no-rule-allows"]
    assert decision.grant.role is None
    assert decision.grant.rules == ()


@pytest.mark.parametrize("action", ["admin:sessions.revoke", "admin:audit.read", "admin:explain"])
def test_observing_never_lets_anybody_administer(action, ruleset, ask):
    rules = ruleset({**MAY, "may": ["report", "admin:status.read"]}, mode="observe")

    assert type(rules.decide(ask(action))) is Deny
    assert type(rules.decide(ask("admin:status.read"))) is Allow


def test_a_function_that_is_called_admin_is_no_admin_action(ask, ana):
    data = {
        "functions": {"admin": {"python": "a.py:handler", "routes": ["GET /admin"]}},
        "rules": [
            {"id": "all", "who": {"provider": "corp"}, "may": ["*"]},
            {"id": "never", "who": {"groups": ["finance"]}, "may_not": ["admin"]},
        ],
    }
    rules = RuleSet(msgspec.convert(data, Settings, dec_hook=lambda cls, text: cls.read(text)))
    other = replace(ana, groups=Known(frozenset()))

    for route in (None, "GET /admin"):
        assert type(rules.decide(ask("admin", route=route))) is Deny
        assert type(rules.decide(ask("admin", route=route, identity=other))) is Allow


def test_an_actor_who_is_called_none_does_not_pass_for_nobody(ruleset, ask, but):
    alone = {**MAY, "who": {"provider": "corp", "actors": ["none"]}}
    helped = but(actors=(Actor(issuer="https://sso.example/realms/corp", subject="none"),))
    client = but(actors=(Actor(issuer="https://sso.example/realms/corp", subject="a", client="none"),))

    assert type(ruleset(alone).decide(ask())) is Allow
    assert type(ruleset(alone).decide(ask(identity=helped))) is Deny
    assert type(ruleset(alone).decide(ask(identity=client))) is Deny


ROUTED = {"routes": ["GET /orders/{id}"]}
ORDERS = "arn:aws:lambda:eu-west-1:111122223333:function:orders"


@pytest.mark.parametrize(
    ("function", "arn"),
    [
        ({"lambda": ORDERS}, f"{ORDERS}:$LATEST"),
        ({"lambda": f"{ORDERS}:live"}, f"{ORDERS}:live"),
        ({"python": "a.py:handler"}, "arn:aws:lambda:us-east-1:000000000000:function:orders:$LATEST"),
        (
            {"http": "https://orders.example"},
            "arn:aws:execute-api:us-east-1:000000000000:orders/$default/GET/orders/{id}",
        ),
    ],
    ids=["in AWS", "in AWS by an alias", "on this machine", "an HTTP backend, which has routes only"],
)
def test_a_grant_for_a_route_names_what_is_invoked(function, arn, ask):
    data = {
        "functions": {"orders": {**function, **ROUTED}},
        "rules": [{"id": "all", "who": {"provider": "corp"}, "may": ["orders:GET *"]}],
    }
    rules = RuleSet(msgspec.convert(data, Settings, dec_hook=lambda cls, text: cls.read(text)))

    assert rules.decide(ask("orders", route="GET /orders/{id}")).grant.function_arn == arn
    assert type(rules.decide(ask("orders"))) is Deny


def test_a_remembered_answer_is_the_answer(ruleset, ask, but):
    rules = ruleset({**MAY, "when": {"hours": "07:00-19:00", "zone": "UTC"}})
    night = datetime(2026, 11, 23, 23, tzinfo=UTC)

    assert type(rules.decide(ask())) is Allow
    assert type(rules.decide(ask(at=night))) is Deny
    assert type(rules.decide(ask())) is Allow
    assert type(rules.decide(ask(identity=but(provider="other")))) is Deny


def test_the_generation_names_what_the_rules_say(ruleset):
    assert ruleset(MAY).generation == ruleset(MAY).generation
    assert ruleset(MAY).generation != ruleset({**MAY, "as": "writer"}).generation
