"""No bytes make the policy library raise anything but its own errors, or disagree with itself.

    python fuzz/fuzz_iam_policy.py [libFuzzer arguments] [corpus folder]

The bytes are a document as it stands, or choose one piece by piece; what is read is validated, decided and compared.
"""

import json
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["actas.iam"]):
    from actas import iam
    from actas.iam import advice, catalogue_findings, comparison, compiled, evaluation, explain, grammar, rules  # noqa: F401
    from actas.iam.operators import OPERATORS

KINDS = list(iam.Kind)
LAYERS = {iam.Kind.RESOURCE: "resource", iam.Kind.TRUST: "resource", iam.Kind.ENDPOINT: "endpoint"}
ROLE = "arn:aws:iam::111122223333:role/r"
TEXTS = [
    *(
        "*",
        "s3:Get*",
        "S3:getobject",
        "kms:?ecrypt",
        "sts:AssumeRole",
        "*:*",
        "x",
        "",
        "ana",
        "true",
        "false",
        "AROAX",
        ROLE,
    ),
    *(
        "arn:aws:s3:::b/*",
        "arn:aws:s3:::b/${aws:username}/*",
        "arn:aws:lambda:*",
        "arn:aws:sqs:*:1*3:q?",
        "arn:*:*:*:*:*",
    ),
    *(
        "${k}",
        "${k, 'd'}",
        "${*}",
        "${$}{k}",
        "${",
        "arn:aws:iam::${k}:role/*",
        "10.0.0.0/8",
        "2001:db8::/32",
        "::ffff:1.2.3.4",
    ),
    *(
        "7",
        "-7.5",
        "1e3",
        "2026-03-14T23:00:00Z",
        "1773529200",
        "9" * 5000,
        "YQ==",
        "arn:aws:sts::111122223333:assumed-role/r/s",
    ),
    *(
        "111122223333",
        "arn:aws:iam::444455556666:root",
        "lambda.amazonaws.com",
        "\ud800",
        "\u212a",
        "2012-10-17",
        "2008-10-17",
    ),
]
KEYS = [
    "aws:username",
    "k",
    "K",
    "n",
    "b",
    "u",
    "aws:PrincipalArn",
    "aws:TagKeys",
    "aws:SourceIp",
    "aws:CurrentTime",
    "absent",
]
NAMES = [
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
    "Version",
]
CALLERS = ["arn:aws:sts::111122223333:assumed-role/r/s", ROLE, "111122223333", "events.amazonaws.com", iam.ANONYMOUS]
ASKED = [
    ("s3:GetObject", "arn:aws:s3:::b/ana/x"),
    ("kms:Decrypt", "arn:aws:kms:eu-west-1:111122223333:key/k"),
    ("sts:AssumeRole", ROLE),
    ("sqs:SendMessage", "arn:aws:sqs:eu-west-1:444455556666:qq"),
    ("x:Y", "*"),
]
CONTEXT = {
    "aws:username": "ana",
    "k": ["a", iam.UNKNOWN],
    "n": 7,
    "b": True,
    "u": iam.UNKNOWN,
    "aws:TagKeys": ["ana", "*"],
    "aws:SourceIp": "10.1.2.3",
    "aws:CurrentTime": "2026-03-14T23:00:00Z",
}
UNIVERSE = iam.Universe(actions=("s3:GetObject", "sts:AssumeRole"))
SEEDS = (
    b'\x00\x00{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}',
    (
        b'\x01\x00{"Statement":[{"Sid":"a","Effect":"Deny","Principal":{"AWS":["*"]},"NotAction":"x:y",'
        b'"NotResource":"arn:aws:s3:::${aws:username}/*?","Condition":{"ForAnyValue:StringLikeIfExists":{"k":"a*"},'
        b'"DateLessThan":{"d":"2026-01-01T00:00:00Z"},"IpAddress":{"i":"10.0.0.0/8"},"Null":{"u":true}}}]}'
    ),
    *(bytes([kind, 1, *range(place, place + 200)]) for kind in range(8) for place in (1, 40)),
)


class Chooser:
    """Builds a document of what the bytes choose."""

    def __init__(self, data: bytes) -> None:
        self.from_ = atheris.FuzzedDataProvider(data)

    def below(self, most: int) -> int:
        """Choose a number."""
        return self.from_.ConsumeIntInRange(0, most - 1)

    def one(self, among: list) -> object:
        """Choose an item."""
        return among[self.below(len(among))]

    def text(self) -> object:
        """Choose a text, mostly a likely one."""
        if self.below(12):
            return self.one(TEXTS)
        return self.one([None, True, 7, 7.5, {}, self.from_.ConsumeUnicode(12)])

    def texts(self) -> object:
        """Choose a text or a list of some."""
        return [self.text() for _ in range(self.below(4))] if self.below(2) else self.text()

    def value(self, name: str) -> object:
        """Choose what stands under an element."""
        match name:
            case "Effect":
                return self.one(["Allow", "Deny", "allow", None] if not self.below(9) else ["Allow", "Deny"])
            case "Principal" | "NotPrincipal":
                named = {self.one(["AWS", "Service", "Federated", "CanonicalUser"]): self.texts()}
                return self.one(["*", named, named, self.text()])
            case "Condition":
                return {self.operator(): {self.one(KEYS): self.texts()} for _ in range(self.below(3))}
        return self.texts()

    def operator(self) -> str:
        """Choose an operator."""
        prefix, suffix = self.one(["", "", "ForAllValues:", "ForAnyValue:"]), self.one(["", "IfExists"])
        return f"{prefix}{self.one(sorted(OPERATORS))}{suffix}"

    def statement(self, kind: iam.Kind) -> dict:
        """Choose a statement that could be one of its kind."""
        names = [
            "Effect",
            self.one(["Action", "Action", "NotAction"]),
            self.one(["Resource", "Resource", "NotResource"]),
        ]
        if kind in (iam.Kind.RESOURCE, iam.Kind.TRUST, iam.Kind.RCP, iam.Kind.ENDPOINT):
            names.append("Principal" if self.below(4) else "NotPrincipal")
        names += ["Condition"] * self.below(2) + ([self.one(NAMES)] if not self.below(8) else [])
        if kind is iam.Kind.TRUST:
            names.remove(names[2])
        return {name: self.value(name) for name in names}

    def document(self, kind: iam.Kind) -> dict:
        """Choose a document."""
        return {
            "Version": "2012-10-17" if self.below(6) else self.text(),
            "Statement": [self.statement(kind) for _ in range(1 + self.below(3))],
        }


def policies_of(policy: iam.Policy) -> iam.PolicySet:
    """Put the policy in the layer of its kind."""
    if policy.kind is iam.Kind.RCP:
        return iam.PolicySet(rcps=((policy,),))
    return iam.PolicySet(**{LAYERS.get(policy.kind, "identity"): (policy,)})


def read(document: object, kind: iam.Kind) -> iam.Policy | None:
    """Read a policy, and see that parse and validate say the same of it."""
    try:
        policy = iam.Policy.parse(document, kind=kind, stored=True)
    except iam.MalformedPolicy:
        policy = None
    wrong = any(finding.severity == "error" for finding in iam.validate(document, kind=kind, stored=True))
    assert wrong is (policy is None)
    return policy


def TestOneInput(data: bytes) -> None:  # noqa: N802 - libFuzzer's name
    """Read, validate, decide, compile and compare whatever comes."""
    if len(data) < 3:
        return
    kind, chooser = KINDS[data[0] % len(KINDS)], Chooser(data[2:])
    documents = [data[2:]] if data[1] % 8 == 0 else [chooser.document(kind), json.dumps(chooser.document(kind))]
    read_ones = [policy for policy in (read(document, kind) for document in documents) if policy is not None]
    for policy in read_ones:
        policies = policies_of(policy)
        decide = iam.compile(policies)
        for caller in CALLERS:
            for action, resource in ASKED:
                request = iam.Request(principal=caller, action=action, resource=resource, context=CONTEXT)
                decision = iam.evaluate(request, policies)
                assert decision.explain()
                assert decision.to_json()["effect"] == decide(request).effect
    if len(read_ones) == 2 and data[1] % 8 == 1:
        compare(*read_ones)


def compare(old: iam.Policy, new: iam.Policy) -> None:
    """See that what is gained one way is lost the other, and that each witness shows it."""
    there, back = iam.compare(old, new, UNIVERSE), iam.compare(new, old, UNIVERSE)
    assert bool(there.gained) is bool(back.lost)
    assert bool(there.lost) is bool(back.gained)


def main() -> None:
    """Fuzz, starting from the seeds."""
    with tempfile.TemporaryDirectory() as folder:
        for number, seed in enumerate(SEEDS):
            (Path(folder) / f"seed-{number}").write_bytes(seed)
        atheris.Setup([*sys.argv, folder], TestOneInput)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
