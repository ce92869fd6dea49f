"""Decide by 10, 100 and 1,000 rules of the settings, beside cedarpy and casbin, in one run.

    python bench/bench_decide.py [ROUNDS]

Three questions are timed of `RuleSet.decide`:

* *remembered*: the same identity asks the same again, which is what a caller with a token in use does;
* *another function*: the identity is known to the rules, and asks what it has not asked before;
* *never asked*: an identity that the rules have not seen, as with every new token.

cedarpy and casbin remember nothing, and are asked with everything prepared that they can prepare. Each rule lets one
group run one function, with a second factor. Rounds are interleaved; medians of processor time are told.
"""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import casbin
import cedarpy
import msgspec

sys.path.insert(0, str(Path(__file__).parent))

import machine

from actas.decide.ruleset import RuleSet
from actas.model.decision import Allow, Question
from actas.model.facts import Known
from actas.model.identity import Identity, Kind
from actas.settings.schema import Settings

SIZES = (10, 100, 1_000)
CALLS = 300
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
REMEMBERED, ANOTHER, NEVER = "actas, remembered", "actas, another function", "actas, never asked"
CEDAR, CASBIN = "cedarpy", "casbin"
GOAL_US = 3.0
MODEL = """[request_definition]
r = sub, obj, act
[policy_definition]
p = sub, obj, act
[role_definition]
g = _, _
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act
"""
Timed = Callable[[], Callable[[], object]]
"""Prepares a batch of `CALLS` calls and gives what makes them."""


def settings(count: int) -> Settings:
    data = {
        "providers": {"corp": {"preset": "oidc", "issuer": "https://sso.example", "audience": "actas"}},
        "functions": {f"f{n}": {"python": "f.py:handler"} for n in range(count)},
        "roles": {"reader": {"arn": "arn:aws:iam::111122223333:role/reader"}},
        "rules": [
            {
                "id": f"rule-{n}",
                "who": {"provider": "corp", "groups": [f"group{n}"]},
                "may": [f"f{n}"],
                "when": {"mfa": True},
                "as": "reader",
            }
            for n in range(count)
        ],
    }
    return msgspec.convert(data, Settings, dec_hook=lambda cls, text: cls.read(text))


def identity(groups: set[str]) -> Identity:
    return Identity(
        provider="corp",
        issuer="https://sso.example",
        subject="ana",
        kind=Known(Kind.HUMAN),
        expires_at=NOW + timedelta(hours=1),
        issued_at=NOW,
        evidence="bearer",
        evidence_id="0" * 16,
        groups=Known(frozenset(groups)),
        roles=Known(frozenset()),
        scopes=Known(frozenset({"openid"})),
        client=Known("cli"),
        tenant=Known("corp"),
        mfa=Known(value=True),
        authenticated_at=Known(NOW - timedelta(minutes=10)),
    )


def actas(count: int) -> dict[str, Timed]:
    """Prepare the three questions."""
    rules, middle = RuleSet(settings(count)), f"f{count // 2}"
    groups = {f"group{count // 2}", "everyone", "staff"}
    ana = identity(groups)

    def asks(who: Identity, function: str) -> Question:
        return Question(identity=who, function=function, at=NOW)

    if type(rules.decide(asks(ana, middle))) is not Allow:
        raise SystemExit("actas denies what it should allow")

    def remembered() -> Callable[[], object]:
        question = asks(ana, middle)
        return lambda: [rules.decide(question) for _ in range(CALLS)]

    def never() -> Callable[[], object]:
        questions = [asks(replace(ana, evidence_id=f"{n:016}"), middle) for n in range(CALLS)]
        return lambda: [rules.decide(question) for question in questions]

    def another() -> Callable[[], object]:
        people = [replace(ana, evidence_id=f"{n:016}") for n in range(CALLS)]
        for person in people:
            rules.decide(asks(person, "f0"))
        questions = [asks(person, middle) for person in people]
        return lambda: [rules.decide(question) for question in questions]

    return {REMEMBERED: remembered, ANOTHER: another, NEVER: never}


def cedar(count: int) -> Callable[[], object]:
    policies = cedarpy.PolicySet.from_str(
        "\n".join(
            f'permit(principal in Group::"group{n}", action == Action::"invoke", resource == Function::"f{n}") '
            "when { context.mfa };"
            for n in range(count)
        )
    )
    group = {"type": "Group", "id": f"group{count // 2}"}
    people = [{"uid": {"type": "User", "id": "ana"}, "attrs": {}, "parents": [group]}]
    entities = cedarpy.Entities.from_json_str(json.dumps([*people, {"uid": group, "attrs": {}, "parents": []}]))
    request = {
        "principal": 'User::"ana"',
        "action": 'Action::"invoke"',
        "resource": f'Function::"f{count // 2}"',
        "context": {"mfa": True},
    }
    if not cedarpy.is_authorized(request, policies, entities).allowed:
        raise SystemExit("cedarpy denies what it should allow")
    return lambda: cedarpy.is_authorized(request, policies, entities)


def casbin_of(count: int) -> Callable[[], object]:
    """Prepare casbin; the second factor is left out, which favours it."""
    model = casbin.Model()
    model.load_model_from_text(MODEL)
    enforcer = casbin.Enforcer(model, enable_log=False)
    enforcer.add_policies([[f"group{n}", f"f{n}", "invoke"] for n in range(count)])
    enforcer.add_grouping_policy("ana", f"group{count // 2}")
    if not enforcer.enforce("ana", f"f{count // 2}", "invoke"):
        raise SystemExit("casbin denies what it should allow")
    return lambda: enforcer.enforce("ana", f"f{count // 2}", "invoke")


def spent_us(work: Callable[[], object], calls: int) -> float:
    begun = time.process_time()
    work()
    return (time.process_time() - begun) / calls * 1e6


def measure(rounds: int) -> dict[str, dict[str, float]]:
    """Time every one at every size, in turns."""
    table: dict[str, dict[str, float]] = {name: {} for name in (REMEMBERED, ANOTHER, NEVER, CEDAR, CASBIN)}
    for size in SIZES:
        ours, theirs = actas(size), {CEDAR: cedar(size), CASBIN: casbin_of(size)}
        taken: dict[str, list[float]] = {name: [] for name in table}
        few = max(3, CALLS // size)
        for number in range(rounds):
            for name, prepare in ours.items():
                taken[name].append(spent_us(prepare(), CALLS))
            for name, call in theirs.items():
                taken[name].append(spent_us(lambda call=call, few=few: [call() for _ in range(few)], few))
            if number % 10 == 0:
                print(f"{size:>5} rules, round {number + 1}/{rounds}", flush=True)
        for name, times in taken.items():
            table[name][str(size)] = machine.median(times, 2)
    return table


def main(rounds: int = 31) -> None:
    """Measure, print and keep."""
    table = measure(rounds)
    print(f"{'rules':<26}" + "".join(f"{size:>12,}" for size in SIZES) + "   µs a decision")
    for name, row in table.items():
        print(f"{name:<26}" + "".join(f"{value:>12,.2f}" for value in row.values()))
    first, last = str(SIZES[0]), str(SIZES[-1])
    goals = {
        f"{name}, 1,000 rules, µs": {"value": table[name][last], "goal": GOAL_US, "met": table[name][last] <= GOAL_US}
        for name in (REMEMBERED, ANOTHER, NEVER)
    }
    flat = {
        f"{name}, 1,000 rules / 10 rules": {
            "value": (ratio := round(table[name][last] / table[name][first], 2)),
            "goal": 1.5,
            "met": ratio <= 1.5,
        }
        for name in (REMEMBERED, ANOTHER, NEVER)
    }
    ratios = {
        f"{peer} / actas, never asked": {size: round(table[peer][size] / table[NEVER][size], 1) for size in table[peer]}
        for peer in (CEDAR, CASBIN)
    }
    run = {"rounds": rounds, "calls_a_round": CALLS}
    kept = {**machine.told("cedarpy", "casbin"), **run, "decide_us": table, "ratios": ratios, "goals": goals | flat}
    machine.keep("decide", kept)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
