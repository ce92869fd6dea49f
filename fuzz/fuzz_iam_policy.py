"""No bytes make the policy library raise anything but its own errors, or disagree with itself.

    python fuzz/fuzz_iam_policy.py [libFuzzer arguments] [corpus folder]

The first bytes choose kind, action and resource; the rest is the document.
"""

import sys

import atheris

with atheris.instrument_imports(include=["actas.iam"]):
    from actas import iam
    from actas.iam import advice, catalogue_findings, comparison, compiled, evaluation, explain, grammar, rules  # noqa: F401

KINDS = list(iam.Kind)
ACTIONS = ["s3:GetObject", "kms:Decrypt", "sts:AssumeRole", "x:Y"]
RESOURCES = ["*", "arn:aws:s3:::b/a", "arn:aws:kms:eu-west-1:111122223333:key/k", "arn:aws:iam::111122223333:role/r"]
CALLERS = ["arn:aws:sts::111122223333:assumed-role/r/s", "111122223333", "events.amazonaws.com", iam.ANONYMOUS]
CONTEXT = {"aws:username": "ana", "k": ["a", iam.UNKNOWN], "n": 7, "b": True, "u": iam.UNKNOWN}
SEEDS = (
    b'\x00\x00\x00\x00{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}',
    (
        b'\x01\x01\x01\x01{"Statement":[{"Sid":"a","Effect":"Deny","Principal":{"AWS":["*"]},"NotAction":"x:y",'
        b'"NotResource":"arn:aws:s3:::${aws:username}/*?","Condition":{"ForAnyValue:StringLikeIfExists":{"k":"a*"},'
        b'"DateLessThan":{"d":"2026-01-01T00:00:00Z"},"IpAddress":{"i":"10.0.0.0/8"},"Null":{"u":true}}}]}'
    ),
)


def policies_of(policy: iam.Policy) -> iam.PolicySet:
    """Put the policy in the layer of its kind."""
    if policy.kind in (iam.Kind.RESOURCE, iam.Kind.TRUST, iam.Kind.ENDPOINT):
        return iam.PolicySet(resource=(policy,))
    if policy.kind is iam.Kind.RCP:
        return iam.PolicySet(rcps=((policy,),))
    return iam.PolicySet(identity=(policy,))


def TestOneInput(data: bytes) -> None:  # noqa: N802 - libFuzzer's name
    """Read, validate, decide and compile whatever comes."""
    if len(data) < 4:
        return
    kind = KINDS[data[0] % len(KINDS)]
    try:
        policy = iam.Policy.parse(data[4:], kind=kind, stored=True)
    except iam.MalformedPolicy:
        assert any(finding.severity == "error" for finding in iam.validate(data[4:], kind=kind, stored=True))
        return
    iam.validate(data[4:], kind=kind, stored=True)
    request = iam.Request(
        principal=CALLERS[data[1] % 4], action=ACTIONS[data[2] % 4], resource=RESOURCES[data[3] % 4], context=CONTEXT
    )
    policies = policies_of(policy)
    decision = iam.evaluate(request, policies)
    decision.explain()
    decision.to_json()
    assert iam.compile(policies)(request).effect == decision.effect


def main() -> None:
    """Fuzz, starting from the seeds."""
    for seed in SEEDS:
        TestOneInput(seed)
    atheris.Setup(sys.argv, TestOneInput)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
