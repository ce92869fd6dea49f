"""What a decision says about itself."""

import json

import pytest

from actas import iam

CALLER = "arn:aws:sts::111122223333:assumed-role/reader/ana"
OBJECT = "arn:aws:s3:::bucket/a"


def policy(*statements, kind=iam.Kind.IDENTITY, name="team"):
    return iam.Policy.parse({"Version": "2012-10-17", "Statement": list(statements)}, kind=kind, name=name)


def statement(effect="Allow", action="s3:GetObject", **more):
    return {"Effect": effect, "Action": action, "Resource": "*"} | more


def decide(context=None, action="s3:GetObject", to=OBJECT, **layers):
    request = iam.Request(principal=CALLER, action=action, resource=to, context=context or {})
    return iam.evaluate(request, iam.PolicySet(**layers))


IDENTITY = (policy(statement()),)
DENIED = [
    ("identity", {}, "because no identity-based policy allows the s3:GetObject action"),
    (
        "scp",
        {"identity": IDENTITY, "scps": ((),)},
        "because no service control policy allows the s3:GetObject action",
    ),
    (
        "boundary",
        {"identity": IDENTITY, "boundary": ()},
        "because no permissions boundary allows the s3:GetObject action",
    ),
    ("session", {"identity": IDENTITY, "session": ()}, "because no session policy allows the s3:GetObject action"),
    (
        "endpoint",
        {"identity": IDENTITY, "endpoint": ()},
        "because no VPC endpoint policy allows the s3:GetObject action",
    ),
    (
        "an scp's deny",
        {"identity": IDENTITY, "scps": ((policy(statement("Deny"), kind=iam.Kind.SCP),),)},
        "with an explicit deny in a service control policy",
    ),
    (
        "an identity policy's deny",
        {"identity": (*IDENTITY, policy(statement("Deny")))},
        "with an explicit deny in an identity-based policy",
    ),
    (
        "a resource policy's deny",
        {
            "identity": IDENTITY,
            "resource": (policy(statement("Deny", Principal="*"), kind=iam.Kind.RESOURCE),),
        },
        "with an explicit deny in a resource-based policy",
    ),
]


@pytest.mark.parametrize(("layers", "expected"), [c[1:] for c in DENIED], ids=[c[0] for c in DENIED])
def test_a_denial_in_awss_own_sentence(layers, expected):
    said = decide(**layers).access_denied_message()

    assert said == f"User: {CALLER} is not authorized to perform: s3:GetObject on resource: {OBJECT} {expected}"


TRUSTS = [
    ("Deny", CALLER, "with an explicit deny in the role trust policy"),
    ("Allow", "777788889999", "because no role trust policy allows the sts:AssumeRole action"),
]


@pytest.mark.parametrize(("effect", "principal", "expected"), TRUSTS)
def test_a_role_that_is_not_given_is_denied_in_awss_own_words(effect, principal, expected):
    role = "arn:aws:iam::444455556666:role/reader"
    named = {"Effect": effect, "Action": "sts:AssumeRole", "Principal": {"AWS": principal}}
    trust = iam.Policy.parse({"Version": "2012-10-17", "Statement": named}, kind=iam.Kind.TRUST)
    asked = iam.Request(principal=CALLER, action="sts:AssumeRole", resource=role)

    decision = iam.evaluate(asked, iam.PolicySet(identity=IDENTITY, resource=(trust,)))

    start = f"User: {CALLER} is not authorized to perform: sts:AssumeRole on resource: {role}"
    assert decision.access_denied_message() == f"{start} {expected}"


def test_what_is_allowed_has_no_such_sentence():
    assert decide(identity=IDENTITY).access_denied_message() == ""


def test_a_near_miss_is_told_with_what_was_found_and_wanted():
    near = statement(Sid="Near", Condition={"StringEquals": {"aws:PrincipalTag/team": ["finance", "legal"]}})

    said = decide({"aws:PrincipalTag/team": "sales"}, identity=(policy(near, statement(action="ec2:*")),))

    miss = said.layer("identity").missed[0]
    assert (miss.statement.sid, miss.failure.part, miss.failure.key) == ("Near", "condition", "aws:PrincipalTag/team")
    assert (miss.failure.found, miss.failure.wanted) == ("sales", "one of finance, legal")
    assert "to turn it: Allow statement Near of team would allow it" in said.explain()


@pytest.mark.parametrize(
    ("more", "asked", "part"),
    [
        ({"Action": "ec2:*"}, {}, "action"),
        ({"Resource": "arn:aws:s3:::other/*"}, {}, "resource"),
        ({"Condition": {"Bool": {"aws:SecureTransport": "true"}}}, {}, "condition"),
    ],
    ids=["action", "resource", "condition"],
)
def test_the_first_thing_that_failed_is_named(more, asked, part):
    said = decide(asked, identity=(policy(statement(**more) | more),))

    assert [miss.failure.part for miss in said.layer("identity").missed] == [part]


def test_a_key_that_the_request_left_out_is_named():
    when = {"Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}

    said = decide(identity=(policy(statement(**when)),)).explain()

    assert "Bool on aws:MultiFactorAuthPresent does not hold: the request has no such key, wanted is true" in said


def test_a_deny_names_itself_and_its_layer():
    said = decide(identity=(*IDENTITY, policy(statement("Deny", Sid="Never"), name="guard")))

    assert said.effect == "ExplicitlyDenied"
    assert [(ref.policy, ref.sid) for ref in said.matched if ref.effect == "Deny"] == [("guard", "Never")]
    assert "Deny statement Never of guard" in said.explain()


def test_the_data_says_what_the_text_says():
    said = decide(identity=(policy(statement(action="ec2:*"), statement(Sid="Read")),))

    data = json.loads(json.dumps(said.to_json()))

    assert (data["effect"], data["allowed"], data["missing"], data["message"]) == ("Allowed", True, None, "")
    assert data["layers"][0]["matched"] == [
        {"policy": "team", "index": 1, "sid": "Read", "effect": "Allow", "unknown": False}
    ]
    assert data["layers"][0]["missed"][0]["part"] == "action"


def test_each_level_of_scps_is_a_layer_of_its_own():
    scp = policy(statement(action="*"), kind=iam.Kind.SCP)

    said = decide(identity=IDENTITY, scps=((scp,), ()))

    assert [(layer.name, layer.level, layer.effect) for layer in said.layers] == [
        ("scp", 0, "Allowed"),
        ("scp", 1, "ImplicitlyDenied"),
        ("identity", None, "Allowed"),
    ]
    assert said.layer("scp", 1).effect == "ImplicitlyDenied"
    assert said.layer("boundary") is None
    assert said.missing == "scp"


KEY = "arn:aws:kms:eu-west-1:111122223333:key/k"
ELSEWHERE = "arn:aws:lambda:eu-west-1:444455556666:function:f"
ALL = (policy(statement(action="*")),)
ANYONE = (policy(statement(action="*", Principal="*"), kind=iam.Kind.RESOURCE),)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"action": "kms:Decrypt", "to": KEY, "identity": ALL}, "identity policies alone are not enough here"),
        ({"to": ELSEWHERE, "identity": ALL}, "a resource policy has to allow"),
        ({"to": ELSEWHERE, "resource": ANYONE}, "identity policies have to allow as well as its own policy"),
        ({}, "the first that had to allow and did not: identity"),
    ],
    ids=["a key", "another account", "another account's side alone", "nothing"],
)
def test_it_says_which_layer_had_to_allow_and_why(asked, said):
    assert said in decide(**asked).explain()


def test_a_denial_for_want_of_knowledge_asks_for_knowledge():
    when = {"Condition": {"Bool": {"actas:mfa": "false"}}}

    said = decide({"actas:mfa": iam.UNKNOWN}, identity=(policy(statement(), statement("Deny", Sid="NoMfa", **when)),))

    assert (
        "to turn it: find out what is unknown; as far as is known, Deny statement NoMfa of team may apply"
        in said.explain()
    )


def test_what_is_allowed_needs_no_turn():
    said = decide(identity=IDENTITY).explain()

    assert said.startswith(f"allowed: {CALLER} may s3:GetObject on {OBJECT}")
    assert "to turn it" not in said


def test_of_many_misses_the_nearest_are_told():
    statements = [statement(action=f"ec2:Describe{n}*") for n in range(9)]

    said = decide(identity=(policy(*statements),)).explain()

    assert "4 more statements do not apply" in said
