"""`actas.iam` beside npm's iam-simulate: the same answers, but for the rows at the end, where the documents decide.

Thousands of random questions over all layers are asked of both. What the two read differently is left out of them and
stands in the table instead, each row with what AWS's user guide says.
"""

import json
import random
import subprocess

import pytest
from parts import IAM_SIMULATE, ROOT

from actas import iam

pytestmark = pytest.mark.part("iam-simulate")

OURS, OTHER = "111122223333", "444455556666"
SESSION, ROLE, ANA = (
    f"arn:aws:sts::{OURS}:assumed-role/r/s",
    f"arn:aws:iam::{OURS}:role/r",
    f"arn:aws:iam::{OURS}:user/ana",
)
CALLERS = [SESSION, ROLE, ANA, SESSION.replace(OURS, OTHER), "lambda.amazonaws.com", "*"]
RESOURCES = {
    "arn:aws:s3:::b/home/ana/x": ["s3:GetObject", "s3:PutObject"],
    "arn:aws:s3:::b": ["s3:ListBucket"],
    f"arn:aws:kms:eu-west-1:{OURS}:key/k1": ["kms:Decrypt"],
    f"arn:aws:iam::{OTHER}:role/r": ["sts:AssumeRole"],
    f"arn:aws:lambda:eu-west-1:{OURS}:function:f:1": ["lambda:InvokeFunction"],
}
ACTIONS = [
    "*",
    "s3:*",
    "s3:Get*",
    "S3:getobject",
    "s3:?etObject",
    "s3:*Object",
    "kms:*",
    "sts:AssumeRole*",
    "lambda:Invoke*",
]
ENTRIES = [
    "*",
    "arn:aws:s3:::b/*",
    "arn:aws:s3:::b",
    "arn:aws:s3:::b/home/${aws:username}/*",
    "arn:aws:s3:::b/home/${aws:PrincipalTag/team, 'ana'}/*",
    "arn:aws:s3:::b/home/${*}/*",
    f"arn:aws:kms:*:{OURS}:key/*",
    "arn:aws:iam::*:role/r",
    f"arn:aws:lambda:eu-*:{OURS}:function:f*",
    "arn:aws:lambda:*:*:function:f",
    "arn:aws:lambda:e?-west-1:1*3:function:f:?",
]
PRINCIPALS = [
    "*",
    {"AWS": OURS},
    {"AWS": f"arn:aws:iam::{OTHER}:root"},
    {"AWS": ROLE},
    {"AWS": SESSION},
    {"AWS": [ANA, ROLE.replace(OURS, OTHER)]},
    {"Service": "lambda.amazonaws.com"},
]
TEXTS = ["ana", "Ana", "a*", "a?a", "${aws:PrincipalAccount}", "${aws:PrincipalTag/team, 'd'}"]
VALUES = {
    "String": TEXTS,
    "Numeric": ["1", "2", "-1", "0.5", "01"],
    "Date": ["2026-03-14T23:00:00Z", "2026-03-14"],
    "Bool": ["true", "false"],
    "IpAddress": ["10.0.0.0/8", "192.0.2.1"],
    "Arn": ["arn:aws:iam::*:role/*", ROLE, f"arn:*:iam::{OURS}:*", "arn:aws:iam::*:role/${aws:PrincipalTag/none, 'r'}"],
}
FOUND = {
    "String": ["ana", "Ana", "*", "a*", "axa", "d"],
    "Numeric": ["1", "1.0", "2", "-3"],
    "Date": ["2026-03-14T23:00:00Z", "2026-03-15T00:00:00Z", "2026-03-14T22:59:59Z"],
    "Bool": ["true", "false"],
    "IpAddress": ["10.1.2.3", "192.0.2.1", "9.9.9.9"],
    "Arn": [ROLE, f"arn:aws:iam::{OURS}:user/p/ana", "arn:aws:s3:::b"],
}
KEYS = {
    "String": "aws:PrincipalTag/team",
    "Numeric": "s3:max-keys",
    "Date": "aws:CurrentTime",
    "Bool": "aws:MultiFactorAuthPresent",
    "IpAddress": "aws:SourceIp",
    "Arn": "aws:SourceArn",
}
OPERATORS = {
    "String": ["Equals", "NotEquals", "EqualsIgnoreCase", "NotEqualsIgnoreCase", "Like", "NotLike"],
    "Numeric": ["Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals"],
    "Date": ["Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals"],
    "Bool": [""],
    "IpAddress": [""],
    "Arn": ["Equals", "NotEquals", "Like", "NotLike"],
}
EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
FOR_ALL = {"Version": "2012-10-17", "Statement": [EVERYTHING["Statement"][0] | {"Principal": "*"}]}
KINDS = {
    "identity": iam.Kind.IDENTITY,
    "policies": iam.Kind.RESOURCE,
    "boundary": iam.Kind.BOUNDARY,
    "session": iam.Kind.SESSION,
    "endpoint": iam.Kind.ENDPOINT,
}


class Dice(random.Random):
    """Chooses questions."""

    def some(self, among, most=2):
        return self.sample(among, self.randint(1, most))

    def condition(self):
        family = self.choice(list(KEYS))
        operator = family + self.choice(OPERATORS[family])
        if family == "IpAddress" and self.random() < 0.5:
            operator = "NotIpAddress"
        key = KEYS[family]
        if family == "String" and self.random() < 0.4:
            return {self.choice(["ForAllValues:", "ForAnyValue:"]) + operator: {"aws:TagKeys": self.some(TEXTS)}}
        if self.random() < 0.15:
            return {"Null": {key: self.choice(["true", "false"])}}
        return {operator + self.choice(["", "", "IfExists"]): {key: self.some(VALUES[family])}}

    def statement(self, *, named):
        found = {
            "Effect": self.choice(["Allow", "Allow", "Deny"]),
            self.choice(["Action"] * 5 + ["NotAction"]): self.some(ACTIONS),
        }
        excluding = self.random() < 0.2
        entries = [one for one in ENTRIES if "${aws" not in one] if excluding else ENTRIES
        found["NotResource" if excluding else "Resource"] = self.some(entries)
        if named:
            found["Principal"] = self.choice(PRINCIPALS)
        if self.random() < 0.5:
            found["Condition"] = self.condition()
        return found

    def document(self, *, named=False, most=3):
        return {
            "Version": "2012-10-17",
            "Statement": [self.statement(named=named) for _ in range(self.randint(1, most))],
        }

    def context(self):
        found = {key: self.choice(FOUND[family]) for family, key in KEYS.items() if self.random() < 0.7}
        return found | ({"aws:TagKeys": self.some(FOUND["String"])} if self.random() < 0.6 else {})

    def rcp(self):
        deny = self.statement(named=False) | {"Effect": "Deny", "Principal": "*"}
        return [{"Version": "2012-10-17", "Statement": [deny]}, FOR_ALL]

    def question(self):
        principal, resource = self.choice(CALLERS), self.choice(list(RESOURCES))
        account = resource.split(":")[4] or self.choice([OURS, OTHER])
        found = question(principal, self.choice(RESOURCES[resource]), resource, account, self.context())
        if principal in (SESSION, ROLE, ANA, SESSION.replace(OURS, OTHER)):
            found["identity"] = [self.document() for _ in range(self.randint(0, 2))]
            found["boundary"] = [self.document()] if self.random() < 0.25 else None
            found["scps"] = [[self.document()] for _ in range(2)] if self.random() < 0.2 else [[EVERYTHING]]
        found["rcps"] = [self.rcp()] if self.random() < 0.2 else [[FOR_ALL]]
        # A role without a trust policy, and everyone beside a session policy, are in the table.
        found["policies"] = [self.document(named=True)] if self.random() < 0.6 or "sts:" in found["action"] else None
        if principal == SESSION and found["policies"] is None and self.random() < 0.4:
            found["session"] = [self.document()]
        return found


def question(principal, action, resource, account, context, **layers):
    told = {"aws:PrincipalAccount": OURS if OURS in principal else OTHER, "aws:PrincipalArn": principal}
    if "assumed-role" in principal:
        told["aws:PrincipalArn"] = principal.replace("sts", "iam").replace("assumed-role", "role").rpartition("/")[0]
    if ":user/" in principal:
        told["aws:username"] = principal.rpartition("/")[2]
    whole = {**(told if principal.startswith("arn:") else {}), **context}
    nothing = {"identity": [], "policies": None, "boundary": None, "session": None, "endpoint": None}
    asked = {"principal": principal, "action": action, "resource": resource, "account": account, "context": whole}
    return asked | nothing | {"scps": [[EVERYTHING]], "rcps": [[FOR_ALL]]} | layers


def ours(asked):
    def read(documents, kind):
        return None if documents is None else tuple(iam.Policy.parse(one, kind=kind, stored=True) for one in documents)

    layers = {name: read(asked[name], kind) for name, kind in KINDS.items()}
    layers["resource"] = layers.pop("policies")
    policies = iam.PolicySet(
        **layers,
        scps=tuple(read(level, iam.Kind.SCP) for level in asked["scps"]),
        rcps=tuple(read(level, iam.Kind.RCP) for level in asked["rcps"]),
    )
    request = iam.Request(
        principal=asked["principal"],
        action=asked["action"],
        resource=asked["resource"],
        resource_account=asked["account"],
        context=asked["context"],
    )
    return iam.evaluate(request, policies).effect


def theirs(questions):
    lines = "\n".join(map(json.dumps, questions))
    command = ["node", ROOT / "tests/real/iam/ask.mjs", IAM_SIMULATE]
    done = subprocess.run(command, input=lines, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-400:]
    return done.stdout.splitlines()


@pytest.mark.parametrize("seed", range(4))
def test_both_answer_alike(seed):
    dice = Dice(seed)
    questions = [dice.question() for _ in range(1500)]

    answers = theirs(questions)

    unlike = [
        (asked, ours(asked), other) for asked, other in zip(questions, answers, strict=True) if ours(asked) != other
    ]
    assert not unlike[:1]
    assert {"Allowed", "ImplicitlyDenied", "ExplicitlyDenied"} == set(answers)


def one(effect, action="*", resource="*", **more):
    return {
        "Version": more.pop("Version", "2012-10-17"),
        "Statement": [{"Effect": effect, "Action": action, "Resource": resource, **more}],
    }


OBJECT = ("s3:GetObject", "arn:aws:s3:::b/x", OURS)
READS = one("Allow")
TEAM = "arn:aws:s3:::b/${aws:PrincipalTag/none}"
LEFT_OUT = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "NotResource": TEAM}]}
NAMED = one("Allow", Principal={"AWS": OURS})
SPARES = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*", "NotPrincipal": {"AWS": OURS}}],
}
ROWS = [
    ("the root user has every right in its account (user guide, root user)",
     question(f"arn:aws:iam::{OURS}:root", *OBJECT, {}), "Allowed", "ImplicitlyDenied"),
    ("without Version 2012-10-17 a variable is text (element Version)",
     question(ANA, *OBJECT, {}, identity=[one("Allow", resource="arn:aws:s3:::b/${aws:k, 'x'}", Version="2008-10-17")]),
     "ImplicitlyDenied", "Allowed"),
    ("every action can be written *:* (element Action)",
     question(ANA, *OBJECT, {}, identity=[one("Allow", "*:*")]), "Allowed", "ImplicitlyDenied"),
    ("IfExists is true without the key, under ForAnyValue too (condition operators, IfExists)",
     question(ANA, *OBJECT, {}, identity=[
         one("Allow", Condition={"ForAnyValue:StringEqualsIfExists": {"aws:TagKeys": ["a"]}})]),
     "Allowed", "ImplicitlyDenied"),
    ("an empty text is a null data set to ForAllValues (multivalued context keys)",
     question(ANA, *OBJECT, {"aws:TagKeys": ""}, identity=[
         one("Allow", Condition={"ForAllValues:StringEquals": {"aws:TagKeys": ["a"]}})]),
     "Allowed", "ImplicitlyDenied"),
    ("an address is no number (numeric condition operators)",
     question(ANA, *OBJECT, {"s3:max-keys": "192.0.2.1"}, identity=[
         READS, one("Deny", Condition={"NumericLessThan": {"s3:max-keys": "2026"}})]),
     "Allowed", "ExplicitlyDenied"),
    ("seconds since 1970 are a date (date condition operators)",
     question(ANA, *OBJECT, {"aws:CurrentTime": "1773529200"}, identity=[
         one("Allow", Condition={"DateEquals": {"aws:CurrentTime": "2026-03-14T23:00:00Z"}})]),
     "Allowed", "ImplicitlyDenied"),
    ("an address of version 6 is in no network of version 4 (IP address condition operators)",
     question(ANA, *OBJECT, {"aws:SourceIp": "2001:db8::1"}, identity=[
         one("Allow", Condition={"NotIpAddress": {"aws:SourceIp": "192.0.2.1"}})]),
     "Allowed", "ImplicitlyDenied"),
    ("a variable without a value differs from every value (policy variables)",
     question(ANA, *OBJECT, {"aws:PrincipalTag/team": "a"}, identity=[
         one("Allow", Condition={"StringNotEquals": {"aws:PrincipalTag/team": "${aws:PrincipalTag/none}"}})]),
     "Allowed", "ImplicitlyDenied"),
    ("${*} is a star without regard to letter case too (policy variables)",
     question(ANA, *OBJECT, {"aws:PrincipalTag/team": "*"}, identity=[
         one("Allow", Condition={"StringEqualsIgnoreCase": {"aws:PrincipalTag/team": "${*}"}})]),
     "Allowed", "ImplicitlyDenied"),
    ("a variable may be the account of an ARN to compare with (ARN condition operators)",
     question(ANA, *OBJECT, {"aws:SourceArn": ROLE}, identity=[
         one("Allow", Condition={"ArnLike": {"aws:SourceArn": "arn:aws:iam::${aws:PrincipalAccount}:role/*"}})]),
     "Allowed", "ImplicitlyDenied"),
    ("a role without a trust policy is taken by nobody (roles, trust policy)",
     question(ANA, "sts:AssumeRole", ROLE, OURS, {}, identity=[READS]), "ImplicitlyDenied", "Allowed"),
    ("whom everyone is named to needs no session policy (evaluation logic, resource-based policies)",
     question(SESSION, *OBJECT, {}, policies=[FOR_ALL], session=[one("Allow", "sqs:*")]),
     "Allowed", "ImplicitlyDenied"),
    ("NotPrincipal spares a role only with account and role (element NotPrincipal)",
     question(ROLE, *OBJECT, {}, identity=[READS], policies=[SPARES]), "ExplicitlyDenied", "Allowed"),
    ("what a Deny leaves out by a variable without a value is not left out: the caller has no advantage of it",
     question(ANA, *OBJECT, {}, identity=[READS, LEFT_OUT]), "ExplicitlyDenied", "Allowed"),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "answer", "other"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_the_two_differ_where_the_documents_decide(asked, answer, other):
    assert ours(asked) == answer
    assert theirs([asked]) == [other]
