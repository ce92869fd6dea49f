"""Each fact is told with where it was looked for, and why it is not known."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from actas.identify.explain import fact_steps
from actas.identify.presets import PRESETS
from actas.identify.profile import profile_of
from actas.model.facts import Known, Missing
from actas.model.identity import Actor, Identity
from actas.settings.schema import Claim, Provider

NOW = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
ANA = Identity(
    provider="corp",
    issuer="https://sso.example/realms/corp",
    subject="ana-17",
    kind=Missing.UNKNOWN,
    expires_at=NOW,
    issued_at=NOW,
    evidence="bearer",
    evidence_id="x",
)


def told(identity, *, looked_up=False):
    groups = Claim(lookup="keycloak-admin" if looked_up else None)
    settings = Provider(preset="keycloak", issuer=ANA.issuer, audience="actas", groups=groups)
    profile = profile_of("corp", settings, PRESETS["keycloak"])
    return {step.name: step for step in fact_steps(identity, {}, profile, looked_up=looked_up)}


GROUPS = [
    ("known", Known(frozenset({"a", "b"})), "known", "2 groups in groups"),
    ("known one", Known(frozenset({"a"})), "known", "1 group in groups"),
    ("none", Known(frozenset()), "known", "0 groups in groups"),
    ("empty by absence", Known(frozenset(), by_absence=True), "empty-by-absence", "take for no groups"),
    ("absent", Missing.ABSENT, "absent", "nobody says what that means"),
    ("overflowed", Missing.OVERFLOWED, "overflowed", "more groups than the token lists"),
    ("unknown", Missing.UNKNOWN, "unknown", "cannot be read"),
]


@pytest.mark.parametrize(("fact", "code", "words"), [case[1:] for case in GROUPS], ids=[case[0] for case in GROUPS])
def test_groups_are_told_as(fact, code, words):
    step = told(replace(ANA, groups=fact))["groups"]

    assert step.code == code
    assert words in step.sentence


def test_a_look_up_is_told_with_its_name_whether_it_worked_or_not():
    worked = told(replace(ANA, groups=Known(frozenset({"a"}))), looked_up=True)["groups"]
    failed = told(replace(ANA, groups=Missing.UNKNOWN), looked_up=True)["groups"]

    assert (worked.code, worked.sentence) == ("known", "1 group looked up by keycloak-admin")
    assert failed.code == "unknown"
    assert "keycloak-admin failed" in failed.sentence


def test_facts_that_are_said_and_not_said_are_told_apart():
    steps = told(replace(ANA, mfa=Known(False), authenticated_at=Missing.ABSENT))

    assert steps["mfa"].sentence == "the token says whether a second factor was used, by amr or acr"
    assert steps["authenticated-at"].sentence == "the token does not say when the caller signed in, by auth_time"
    assert steps["tenant"].sentence == "this provider's tokens have no claim for tenant"


def test_the_number_of_actors_is_told():
    actor = Actor(issuer=ANA.issuer, subject="agent")

    assert told(ANA)["actors"].sentence == "nobody acts on the caller's behalf"
    assert told(replace(ANA, actors=(actor, actor)))["actors"].sentence.startswith("2 actors")
