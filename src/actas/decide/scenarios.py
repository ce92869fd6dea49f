"""Scenarios: what the rules must say of somebody, as data that a security officer can read. Pure.

::

    scenarios:
      - says: someone in finance is turned away by night
        who: {provider: corp, groups: [/finance], mfa: true}
        call: report
        at: "2026-03-14T23:00:00+01:00"
        expect: deny
        because: [no-rule-allows]
"""

from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from typing import Literal

import msgspec

from actas.decide.explain import Explained, explain
from actas.decide.ruleset import RuleSet
from actas.model.decision import Allow, Question
from actas.model.facts import Known, Missing
from actas.model.identity import Identity
from actas.settings.values import Span


class Supposed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who calls. What is left out is known to be empty, absent or no; what is in ``unknown`` cannot be told."""

    provider: str
    subject: str = "somebody"
    kind: Literal["human", "service", "agent"] = "human"
    groups: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    client: str | None = None
    tenant: str | None = None
    mfa: bool = False
    signed_in: Span | None = None
    """How long ago."""
    actors: tuple[str, ...] = ()
    unknown: tuple[Literal["kind", "groups", "roles", "scopes", "client", "tenant", "mfa", "auth_age"], ...] = ()


class Scenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"from_": "from", "as_": "as"}):
    """One sentence about the rules, and how to see whether it is true."""

    says: str
    who: Supposed
    call: str
    expect: Literal["allow", "deny"]
    at: str | None = None
    """When, ISO 8601 with an offset; the moment of the test where it is left out."""
    from_: str | None = None
    role: str | None = None
    """The role that the call asks for."""
    as_: str | None = None
    """The role that an allow must give."""
    because: tuple[str, ...] = ()
    """The reason codes there must be, in any order; any where it is left out."""


class Scenarios(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A whole file."""

    scenarios: tuple[Scenario, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A scenario and what came of it; ``wrong`` is empty where it held."""

    scenario: Scenario
    found: Explained
    wrong: tuple[str, ...]


def question(scenario: Scenario, identity: Identity, *, now: datetime) -> Question:
    """Ask what *scenario* asks; raise ValueError where its time or address is none."""
    at = now if scenario.at is None else datetime.fromisoformat(scenario.at)
    if at.tzinfo is None:
        raise ValueError("a time needs an offset: 2026-03-14T23:00:00+01:00 or …Z")
    function, colon, route = scenario.call.partition(":")
    if function == "admin":
        function, colon = scenario.call, ""
    return Question(
        identity=identity,
        function=function,
        route=route if colon else None,
        at=at,
        address=Missing.UNKNOWN if scenario.from_ is None else Known(ip_address(scenario.from_)),
        requested_role=scenario.role,
    )


def try_out(scenario: Scenario, rules: RuleSet, identity: Identity, *, now: datetime) -> Tried:
    """Ask the rules what *scenario* asks, and compare."""
    found = explain(rules, question(scenario, identity, now=now))
    return Tried(scenario=scenario, found=found, wrong=tuple(_wrong(scenario, found)))


def _wrong(scenario: Scenario, found: Explained) -> list[str]:
    decision = found.decision
    verdict = "allow" if isinstance(decision, Allow) else "deny"
    wrong = [] if verdict == scenario.expect else [f"expected {scenario.expect}, found {verdict}"]
    if isinstance(decision, Allow) and scenario.as_ is not None:
        role = decision.grant.role.name if decision.grant.role else "no role"
        wrong += [] if role == scenario.as_ else [f"expected the role {scenario.as_}, found {role}"]
    codes = {reason.code for reason in decision.reasons}
    if scenario.because and codes != set(scenario.because):
        wrong.append(f"expected because of {', '.join(sorted(scenario.because))}, found {', '.join(sorted(codes))}")
    return wrong
