"""Ask an account of 10,000 principals who can invoke a function, and what one of them can do.

    python bench/bench_iam_account.py [PRINCIPALS]

Half users, half roles; 300 managed policies of 25 actions and 25 resources, 200 groups, tags, boundaries. Each user
has an inline policy, a managed one and two groups of three; each role an inline policy and three managed ones.
"""

import json
import random
import resource
import sys
import time
from collections.abc import Callable
from typing import Any

import machine

from actas import iam

ACCOUNT = "arn:aws:iam::111122223333"
ASKED = "arn:aws:lambda:eu-west-1:111122223333:function:billing"
QUEUE = "arn:aws:sqs:eu-west-1:111122223333:q17"
SERVICES = ("s3", "sqs", "lambda", "dynamodb", "ec2", "logs", "kms", "sns")


def document(*actions: str, on: str | list[str] = "*", **more: object) -> dict[str, Any]:
    """Write a policy of one statement."""
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": on, **more}
    return {"Version": "2012-10-17", "Statement": [statement]}


def managed(number: int, chance: random.Random) -> dict[str, Any]:
    """Write a managed policy; one of twenty lets finance invoke what is asked about."""
    written = document("lambda:Get*", "lambda:List*")
    for place in range(5):
        actions = [f"{chance.choice(SERVICES)}:{verb}*" for verb in ("Get", "List", "Describe", "Put", "Tag")]
        things = [f"arn:aws:{SERVICES[place]}:eu-west-1:111122223333:thing{number}-{place}-{n}*" for n in range(5)]
        written["Statement"] += document(*actions, on=things)["Statement"]
    if number % 20 == 0:
        finance = {"StringEquals": {"aws:PrincipalTag/team": "finance"}}
        written["Statement"] += document("lambda:Invoke*", on=ASKED, Condition=finance)["Statement"]
    return {
        "PolicyName": f"M{number}",
        "Arn": f"{ACCOUNT}:policy/M{number}",
        "PolicyVersionList": [{"VersionId": "v1", "IsDefaultVersion": True, "Document": written}],
    }


def account(principals: int) -> dict[str, Any]:
    """Make up an account."""
    chance = random.Random(7)  # the same account in every run
    policies = [managed(number, chance) for number in range(300)]

    def attached(count: int) -> dict[str, Any]:
        chosen = chance.sample(policies, count)
        return {"AttachedManagedPolicies": [{"PolicyName": p["PolicyName"], "PolicyArn": p["Arn"]} for p in chosen]}

    def inline(kind: str, action: str, on: str) -> dict[str, Any]:
        return {f"{kind}PolicyList": [{"PolicyName": "own", "PolicyDocument": document(action, on=on)}]}

    bound = {"PermissionsBoundary": {"PermissionsBoundaryArn": policies[0]["Arn"]}}
    return {
        "Policies": policies,
        "GroupDetailList": [
            {"GroupName": f"g{n}", **inline("Group", "s3:GetObject", f"arn:aws:s3:::g{n}/*"), **attached(3)}
            for n in range(200)
        ],
        "UserDetailList": [
            {
                "Arn": f"{ACCOUNT}:user/u{n}",
                "GroupList": [f"g{chance.randrange(200)}", f"g{chance.randrange(200)}"],
                "Tags": [{"Key": "team", "Value": chance.choice(("finance", "legal"))}],
                **inline("User", "sqs:SendMessage", f"arn:aws:sqs:eu-west-1:111122223333:q{n}"),
                **attached(1),
            }
            for n in range(principals // 2)
        ],
        "RoleDetailList": [
            {
                "Arn": f"{ACCOUNT}:role/r{n}",
                **inline("Role", "logs:PutLogEvents", f"arn:aws:logs:*:*:log-group:/l{n}:*"),
                **attached(3),
                **(bound if n % 10 == 0 else {}),
            }
            for n in range(principals - principals // 2)
        ],
    }


def timed(work: Callable[[], Any]) -> tuple[float, float, Any]:
    """Do *work*; give its seconds by the clock on the wall and of CPU, and what came of it."""
    wall, busy = time.perf_counter(), time.process_time()
    found = work()
    return round(time.perf_counter() - wall, 2), round(time.process_time() - busy, 2), found


def main(principals: int) -> None:
    """Measure once and write the table."""
    text = json.dumps(account(principals)).encode()
    wall, busy, known = timed(lambda: iam.Account.read(text))
    rows = [("read the details", wall, busy, len(known.principals))]
    for what, work in (
        ("who can invoke", lambda: list(known.who_can("lambda:InvokeFunction", ASKED))),
        ("who can send to a queue", lambda: list(known.who_can("sqs:SendMessage", QUEUE))),
        ("what can one role do", lambda: known.what_can(f"{ACCOUNT}:role/r3")),
    ):
        wall, busy, found = timed(work)
        rows.append((what, wall, busy, len(found)))
    for what, wall, busy, count in rows:
        print(f"{what:<26} {wall:>8.2f} s  {busy:>8.2f} s CPU  {count:>6} found")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{principals} principals, {len(text) / 1e6:.1f} MB of JSON, {peak} MB at most")
    named = [dict(zip(("what", "seconds", "cpu_seconds", "found"), row, strict=True)) for row in rows]
    result = {"principals": principals, "megabytes": round(len(text) / 1e6, 1), "peak_megabytes": peak, "rows": named}
    machine.keep("iam_account", {**machine.told(), **result})


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
