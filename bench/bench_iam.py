"""Decide one request by 10 to 10,000 rules with actas.iam, cedarpy, casbin, moto's evaluator and pbac, in one run.

    python bench/bench_iam.py [ROUNDS]

Each rule lets members of one group invoke one function with MFA. Rounds are interleaved; the rounds' median
is told, in CPU time. Policies, requests and entities are prepared where a library can prepare them. pbac runs in Node
and is left out where tools/pbac.sh has not installed it.
"""

import gc
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import casbin
import cedarpy
from moto.iam.access_control import IAMPolicy

from actas import iam
from actas.model import clock

HERE = Path(__file__).parent
RESULTS = HERE / "results" / "iam.json"
PBAC = HERE.parent / ".cache/pbac"
PBAC_VERSION = "0.3.2"
SIZES = (10, 100, 1_000, 10_000)
PRINCIPAL = "arn:aws:sts::111122223333:assumed-role/reader/ana"
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


def function(number: int) -> str:
    """Name a function."""
    return f"arn:aws:lambda:eu-west-1:111122223333:function:f{number}"


def rule(number: int) -> dict:
    """Write one rule as the gateway compiles it."""
    return {
        "Sid": f"Rule{number}",
        "Effect": "Allow",
        "Action": "lambda:InvokeFunction",
        "Resource": function(number),
        "Condition": {
            "ForAnyValue:StringEquals": {"actas:groups": [f"group{number}"]},
            "Bool": {"actas:mfa": "true"},
        },
    }


def document(count: int) -> dict:
    """Write a policy of *count* rules."""
    return {"Version": "2012-10-17", "Statement": [rule(number) for number in range(count)]}


def actas_decider(count: int) -> Callable[[], bool]:
    """Prepare actas.iam."""
    decide = iam.compile(iam.PolicySet(identity=(iam.Policy.parse(document(count)),)))
    context = iam.fold({"actas:groups": ["everyone", f"group{count // 2}"], "actas:mfa": True})
    request = iam.Request(
        principal=PRINCIPAL, action="lambda:InvokeFunction", resource=function(count // 2), context=context
    )
    return lambda: decide(request).allowed


def cedar_decider(count: int) -> Callable[[], bool]:
    """Prepare cedarpy."""
    policies = cedarpy.PolicySet.from_str(
        "\n".join(
            f'permit(principal in Group::"group{n}", action == Action::"invoke", resource == Function::"f{n}") '
            "when { context.mfa };"
            for n in range(count)
        )
    )
    group = {"type": "Group", "id": f"group{count // 2}"}
    entities = cedarpy.Entities.from_json_str(
        json.dumps(
            [
                {"uid": {"type": "User", "id": "ana"}, "attrs": {}, "parents": [group]},
                {"uid": group, "attrs": {}, "parents": []},
            ]
        )
    )
    request = {
        "principal": 'User::"ana"',
        "action": 'Action::"invoke"',
        "resource": f'Function::"f{count // 2}"',
        "context": {"mfa": True},
    }
    return lambda: bool(cedarpy.is_authorized(request, policies, entities).allowed)


def casbin_decider(count: int) -> Callable[[], bool]:
    """Prepare casbin; MFA is left out, which favours it."""
    model = casbin.Model()
    model.load_model_from_text(MODEL)
    enforcer = casbin.Enforcer(model, enable_log=False)
    enforcer.add_policies([[f"group{n}", f"f{n}", "invoke"] for n in range(count)])
    enforcer.add_grouping_policy("ana", f"group{count // 2}")
    return lambda: bool(enforcer.enforce("ana", f"f{count // 2}", "invoke"))


def moto_decider(count: int) -> Callable[[], bool]:
    """Prepare moto's evaluator; it has no conditions, which favours it."""
    plain = document(count)
    for statement in plain["Statement"]:
        del statement["Condition"]
    policy = IAMPolicy({"policy_document": json.dumps(plain)})
    resource = function(count // 2)
    return lambda: policy.is_action_permitted("lambda:InvokeFunction", resource).name == "PERMITTED"


class Pbac:
    """npm's pbac in a process of its own; a call is a round there, and gives microseconds a decision."""

    def __init__(self, count: int) -> None:
        """Start it and give it the policy."""
        context = {"actas": {"groups": ["everyone", f"group{count // 2}"], "mfa": True}}
        request = {"action": "lambda:InvokeFunction", "resource": function(count // 2), "context": context}
        policy = document(count)
        for statement in policy["Statement"]:
            statement |= {"Action": [statement["Action"]], "Resource": [statement["Resource"]]}
        self._node = subprocess.Popen(
            ["node", HERE / "iam/pbac.cjs", PBAC], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.allows = self._ask(json.dumps({"policy": policy, "request": request})) is True

    def _ask(self, line: str) -> object:
        assert self._node.stdin is not None
        assert self._node.stdout is not None
        self._node.stdin.write(line + "\n")
        self._node.stdin.flush()
        return json.loads(self._node.stdout.readline())

    def round(self) -> float:
        """Measure one round."""
        return float(str(self._ask("again")))

    def end(self) -> None:
        """Let it go."""
        self._node.communicate("")


DECIDERS = {"actas.iam": actas_decider, "cedarpy": cedar_decider, "casbin": casbin_decider, "moto": moto_decider}
SLOW = {("casbin", 10_000)}
"""A decision takes seconds there."""


def timed(call: Callable[[], object], budget: float = 0.05) -> float:
    """Return microseconds of CPU a call, over about *budget* seconds."""
    start = time.process_time()
    call()
    count = max(1, int(budget / max(time.process_time() - start, 1e-7)))
    start = time.process_time()
    for _ in range(count):
        call()
    return (time.process_time() - start) / count * 1e6


def decisions(rounds: int) -> dict[str, dict[str, float]]:
    """Measure each library at each size."""
    has_pbac = (PBAC / "node_modules/pbac").is_dir() and shutil.which("node") is not None
    table: dict[str, dict[str, float]] = {name: {} for name in (*DECIDERS, *(["pbac"] if has_pbac else []))}
    for size in SIZES:
        calls = {name: make(size) for name, make in DECIDERS.items() if (name, size) not in SLOW}
        for name, call in calls.items():
            if not call():
                raise SystemExit(f"{name} denies what it should allow")
        taken: dict[str, list[float]] = {name: [] for name in table if (name, size) not in SLOW}
        pbac = Pbac(size) if has_pbac else None
        if pbac is not None and not pbac.allows:
            raise SystemExit("pbac denies what it should allow")
        for _ in range(rounds):
            for name, call in calls.items():
                taken[name].append(timed(call))
            if pbac is not None:
                taken["pbac"].append(pbac.round())
        if pbac is not None:
            pbac.end()
        for name, times in taken.items():
            table[name][str(size)] = round(statistics.median(times), 2)
    return table


def reading(rounds: int) -> dict[str, float]:
    """Measure reading, validating and compiling a policy of 6 KB, and the memory of 10,000 policies."""
    count = 21
    text = json.dumps(document(count), separators=(",", ":"))
    policy = iam.Policy.parse(text)
    policies = iam.PolicySet(identity=(policy,))
    iam.validate(text)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    kept = [iam.Policy.parse({"Version": "2012-10-17", "Statement": rule(n)}) for n in range(10_000)]
    held = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    gc.collect()
    return {
        "characters": len(text),
        "parse_us": round(statistics.median(timed(lambda: iam.Policy.parse(text)) for _ in range(rounds)), 1),
        "validate_us": round(statistics.median(timed(lambda: iam.validate(text)) for _ in range(rounds)), 1),
        "compile_us": round(statistics.median(timed(lambda: iam.compile(policies)) for _ in range(rounds)), 1),
        "bytes_a_policy": held // len(kept),
    }


def main(rounds: int = 7) -> None:
    """Measure, print and keep."""
    table, read = decisions(rounds), reading(rounds)
    print(f"{'rules':<12}" + "".join(f"{size:>14,}" for size in SIZES) + "   µs a decision")
    for name, row in table.items():
        print(f"{name:<12}" + "".join(f"{row.get(str(size), float('nan')):>14,.2f}" for size in SIZES))
    print(
        f"a policy of {read['characters']} characters: parse {read['parse_us']} µs, validate {read['validate_us']} µs, "
        f"compile {read['compile_us']} µs; {read['bytes_a_policy']} bytes kept for a policy of one statement"
    )
    RESULTS.parent.mkdir(exist_ok=True)
    kept = {
        "date": clock.now().date().isoformat(),
        "machine": {"cpus": os.cpu_count(), "python": platform.python_version(), "system": platform.machine()},
        "versions": {name: version(name) for name in ("cedarpy", "casbin", "moto")}
        | ({"pbac": PBAC_VERSION} if "pbac" in table else {}),
        "rounds": rounds,
        "decide_us": table,
        "ratio_to_actas": {
            name: {size: round(value / table["actas.iam"][size], 1) for size, value in row.items()}
            for name, row in table.items()
            if name != "actas.iam"
        },
        "reading": read,
    }
    RESULTS.write_text(json.dumps(kept, indent=2) + "\n")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
