"""Roles that a SAML assertion claims: narrowed by the rule, never widened by anybody."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actas.decide.explain import explain
from actas.decide.ruleset import RuleSet
from actas.identify.imagine import Imagined, imagine
from actas.model.aws_attributes import AwsAttributes, ClaimedRole
from actas.model.decision import Allow, Deny, Question
from actas.model.facts import Known, Missing
from actas.settings.meaning.offers import offers
from actas.settings.schema import Settings

NOW = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
HERE, THERE = "111122223333", "444455556666"
NAMES = ("app-reader", "app-writer", "other")


def arn(name, account=HERE):
    return f"arn:aws:iam::{account}:role/{name}"


def rules(*more, accounts=(HERE,), patterns=("app-*",)):
    by_assertion = {
        "id": "by-assertion",
        "who": {"provider": "ping"},
        "may": "report",
        "as": list(patterns),
        "roles_from": "assertion",
        "accounts": list(accounts),
    }
    settings = {
        "providers": {"ping": {"preset": "saml", "metadata": "idp.xml"}},
        "functions": {"report": {"python": "f.py:f"}},
        "roles": {**{name: {"arn": arn(name)} for name in NAMES}, "app-far": {"arn": arn("app-far", THERE)}},
        "rules": [*more, by_assertion],
    }
    return RuleSet(msgspec.convert(settings, Settings, dec_hook=lambda cls, value: cls.read(value)))


def question(*claimed, asked=None, aws=None):
    identity = imagine(Imagined(provider="ping"), now=NOW)
    pairs = tuple(ClaimedRole(role_arn=one, provider_arn="p") for one in claimed)
    said = Known(AwsAttributes(roles=pairs)) if aws is None else aws
    return Question(identity=replace(identity, aws=said), function="report", at=NOW, requested_role=asked)


def role_of(decision):
    assert isinstance(decision, Allow), decision
    return decision.grant.role.name


def codes(decision):
    assert isinstance(decision, Deny), decision
    return [one.code for one in decision.reasons]


def test_the_claimed_role_is_given():
    assert role_of(rules().decide(question(arn("app-writer")))) == "app-writer"


def test_of_several_the_first_of_the_file_is_given_or_the_one_asked_for():
    both = (arn("app-writer"), arn("app-reader"))

    assert role_of(rules().decide(question(*both))) == "app-reader"
    assert role_of(rules().decide(question(*both, asked="app-writer"))) == "app-writer"


CASES = [
    ("nothing is claimed", question(), "role-not-claimed"),
    ("the assertion says nothing for AWS", question(aws=Missing.ABSENT), "role-not-claimed"),
    ("AWS would refuse what it says", question(aws=Missing.UNKNOWN), "role-not-claimed"),
    ("another is asked for", question(arn("app-reader"), asked="app-writer"), "role-not-claimed"),
    ("the pattern leaves it out", question(arn("other")), "role-not-claimed"),
    ("the settings do not know it", question(arn("app-new")), "role-not-claimed"),
    ("it is of another account", question(arn("app-far", THERE)), "role-elsewhere"),
    ("its namesake is of another account", question(arn("app-reader", THERE)), "role-elsewhere"),
    ("it differs in case", question(arn("App-Reader")), "role-not-claimed"),
    ("it has a path", question(arn("x/app-reader")), "role-not-claimed"),
]


@pytest.mark.parametrize(("asked", "code"), [one[1:] for one in CASES], ids=[one[0] for one in CASES])
def test_no_role_is_had_where(asked, code):
    assert codes(rules().decide(asked)) == [code]


def test_a_rule_that_fits_no_role_lets_nobody_in_without_one():
    assert codes(rules(patterns=("nothing-*",)).decide(question(arn("app-reader"))))
    assert codes(rules(accounts=()).decide(question(arn("app-reader"))))


def test_a_rule_beside_it_gives_its_own_role():
    plain = {"id": "plain", "who": {"provider": "ping"}, "may": "report", "as": "other"}

    assert role_of(rules(plain).decide(question())) == "other"
    assert role_of(rules(plain).decide(question(arn("app-reader"), asked="app-reader"))) == "app-reader"
    granted = rules(plain).decide(question(arn("app-reader"), asked="app-reader")).grant
    assert [one.id for one in granted.rules] == ["by-assertion"]


def test_a_no_still_wins():
    never = {"id": "never", "who": {"provider": "ping"}, "may_not": "report"}

    assert codes(rules(never).decide(question(arn("app-reader")))) == ["rule-forbids"]


def test_what_would_help_is_said():
    explained = explain(rules(), question(arn("app-far", THERE)))

    assert explained.helps == (
        f"rule by-assertion allows it once the assertion claims {arn('app-reader')} or {arn('app-writer')}",
    )


def test_the_answer_for_one_caller_is_not_anothers():
    made = rules()

    assert role_of(made.decide(question(arn("app-writer")))) == "app-writer"
    assert codes(made.decide(question())) == ["role-not-claimed"]
    assert role_of(made.decide(question(arn("app-reader")))) == "app-reader"


ROLES = st.lists(
    st.builds(arn, st.sampled_from([*NAMES, "app-far", "app-new"]), st.sampled_from([HERE, THERE])), max_size=6
)
PATTERNS = st.lists(st.sampled_from(["app-*", "*", "other", "app-?eader", "[app-reader]", "app-far"]), min_size=1)


@given(ROLES, PATTERNS, st.lists(st.sampled_from([HERE, THERE]), min_size=1), st.none() | st.sampled_from(NAMES))
def test_a_role_that_is_had_was_claimed_and_offered(claimed, patterns, accounts, asked):
    made = rules(patterns=patterns, accounts=accounts)

    decision = made.decide(question(*claimed, asked=asked))

    if isinstance(decision, Allow):
        role = decision.grant.role
        assert role is not None
        assert role.arn in claimed
        assert role.name in offers(made.settings.rules[-1], made.settings.roles)
        assert role.arn.split(":")[4] in accounts
        assert asked in (None, role.name)
        assert decision.grant.expires_at <= NOW + timedelta(hours=1)
