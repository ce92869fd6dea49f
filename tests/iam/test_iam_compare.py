"""What one set of policies gives that another does not."""

import random
from itertools import product

import pytest

from actas import iam

OBJECTS = "arn:aws:s3:::bucket/*"


def allow(action, resource=OBJECTS, **more):
    return {"Effect": "Allow", "Action": action, "Resource": resource} | more


def policy(*statements, **more):
    return iam.Policy.parse({"Version": "2012-10-17", "Statement": list(statements)}, **more)


def test_a_wider_action_is_gained_for_exactly_the_actions_it_adds():
    comparison = iam.compare(policy(allow("s3:Get*")), policy(allow(["s3:Get*", "s3:PutObject"])))

    assert {action for change in comparison.gained for action in change.actions} == {"s3:PutObject"}
    assert comparison.lost == ()
    assert comparison.undecided == ()


def test_a_new_deny_is_lost_and_named():
    deny = {"Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::bucket/secret/*", "Sid": "NoSecrets"}

    comparison = iam.compare(policy(allow("s3:Get*")), policy(allow("s3:Get*"), deny))

    assert comparison.gained == ()
    assert {ref.sid for change in comparison.lost for ref in change.statements} == {"NoSecrets"}


def test_each_witness_shows_the_change_when_it_is_decided_again():
    old = policy(allow("s3:Get*", Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}))
    new = policy(allow("s3:Get*", Condition={"StringEquals": {"aws:PrincipalTag/team": "finance"}}))

    comparison = iam.compare(old, new)

    assert comparison.gained
    assert comparison.lost
    for change in (*comparison.gained, *comparison.lost):
        effects = [iam.evaluate(change.request, iam.PolicySet(identity=(one,))).effect for one in (old, new)]
        assert effects == [change.before, change.after]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (allow("s3:GetObject"), allow("S3:getobject")),
        (allow(["s3:Get*", "s3:GetObject"]), allow("s3:Get*")),
        (allow("s3:*", [OBJECTS, "arn:aws:s3:::bucket/a"]), allow("s3:*")),
    ],
    ids=["letter case of an action", "a redundant action", "a redundant resource"],
)
def test_a_change_of_words_alone_changes_nothing(old, new):
    assert iam.compare(policy(old), policy(new)).same


FAMILIES = [
    ("NumericLessThan", "7", "8"),
    ("NumericEquals", "7", "7.5"),
    ("NumericLessThanEquals", "7", "7.5"),
    ("DateLessThan", "2026-03-14T23:00:00Z", "2026-03-15T23:00:00Z"),
    ("DateGreaterThan", "2026", "0"),
    ("Bool", "true", "false"),
    ("Null", "true", "false"),
    ("IpAddress", "10.0.0.0/8", "192.0.2.0/24"),
    ("IpAddress", "2001:db8::/32", "2001:db8::/48"),
    ("NotIpAddress", "10.0.0.0/8", "10.0.0.0/16"),
    ("BinaryEquals", "YQ==", "Yg=="),
    ("ArnLike", "arn:aws:s3:::a*", "arn:aws:s3:::b*"),
    ("StringLike", "a*", "b?"),
    ("StringEquals", "${team:other}", "x"),
    ("ForAllValues:StringEquals", "a", "b"),
    ("ForAnyValue:NumericGreaterThan", "7", "9"),
]


def test_a_change_between_two_values_is_found():
    old = policy(allow("s3:GetObject", Condition={"NumericLessThanEquals": {"team:key": "7"}}))
    new = policy(allow("s3:GetObject", Condition={"NumericLessThan": {"team:key": "7.5"}}))

    assert iam.compare(old, new).gained


def test_a_value_that_two_patterns_share_is_found():
    like = [{"Condition": {"StringLike": {"team:key": pattern}}} for pattern in ("a*", "*b")]
    deny = {"Effect": "Deny", "Action": "s3:GetObject", "Resource": OBJECTS} | like[1]

    comparison = iam.compare(policy(allow("s3:GetObject", **like[0])), policy(allow("s3:GetObject", **like[0]), deny))

    assert comparison.lost


@pytest.mark.parametrize(("operator", "one", "other"), FAMILIES)
def test_a_changed_value_is_found_under_each_operator(operator, one, other):
    old = policy(allow("s3:GetObject", Condition={operator: {"team:key": one}}))
    new = policy(allow("s3:GetObject", Condition={operator: {"team:key": other}}))

    comparison = iam.compare(old, new)

    assert not comparison.same
    for change in (*comparison.gained, *comparison.lost):
        effects = [iam.evaluate(change.request, iam.PolicySet(identity=(each,))).effect for each in (old, new)]
        assert effects == [change.before, change.after]
        assert change.to_json()["before"] == change.before


def test_what_a_principal_or_a_resource_may_be_can_be_given():
    universe = iam.Universe(
        principals=("arn:aws:iam::111122223333:user/ana",),
        actions=("s3:Get*",),
        resources=("arn:aws:s3:::bucket/a",),
        contexts=(iam.fold({}),),
    )

    comparison = iam.compare(policy(allow("s3:List*")), policy(allow("s3:*")), universe)

    (change,) = comparison.gained
    assert change.request.principal == "arn:aws:iam::111122223333:user/ana"
    assert all(action.startswith("s3:Get") for action in change.actions)


def test_resource_policies_are_compared_too():
    def of(principal):
        statement = allow("s3:GetObject") | {"Principal": principal}
        return policy(statement, kind=iam.Kind.RESOURCE)

    comparison = iam.compare(of({"AWS": "444455556666"}), of("*"))

    assert comparison.gained
    assert not comparison.lost


ANA, REPORTS = "arn:aws:iam::111122223333:user/ana", "arn:aws:iam::111122223333:role/reports"
NAMINGS = [
    ("another role", {"AWS": REPORTS}, {"AWS": REPORTS + "2"}, True, True),
    ("one more role", {"AWS": REPORTS}, {"AWS": [REPORTS, ANA]}, True, False),
    ("another account", {"AWS": "444455556666"}, {"AWS": "777788889999"}, True, True),
    ("the account instead of its role", {"AWS": REPORTS}, {"AWS": "111122223333"}, True, True),
    ("a session instead of its role", {"AWS": REPORTS}, {"AWS": REPORTS.replace("iam", "sts").replace(
        "role/", "assumed-role/") + "/ana"}, True, True),
    ("everyone instead of an account", {"AWS": "444455556666"}, "*", True, False),
    ("another service", {"Service": "lambda.amazonaws.com"}, {"Service": "s3.amazonaws.com"}, True, True),
    ("the same account by its root", {"AWS": "444455556666"}, {"AWS": "arn:aws:iam::444455556666:root"}, False, False),
    ("everyone in other words", "*", {"AWS": "*"}, False, False),
]  # fmt: skip


@pytest.mark.parametrize("kind", [iam.Kind.RESOURCE, iam.Kind.TRUST])
@pytest.mark.parametrize(
    ("one", "other", "gained", "lost"), [row[1:] for row in NAMINGS], ids=[row[0] for row in NAMINGS]
)
def test_a_change_of_whom_a_policy_names_is_found(kind, one, other, gained, lost):
    def of(principal):
        named = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
        return policy(named | ({} if kind is iam.Kind.TRUST else {"Resource": "*"}), kind=kind)

    comparison = iam.compare(of(one), of(other))

    assert (bool(comparison.gained), bool(comparison.lost)) == (gained, lost)
    assert comparison.undecided == ()


BESIDES = {
    "": {},
    "identity policies that allow everything": {"identity": (policy(allow("*", "*")),)},
    "a permissions boundary that allows nothing": {"boundary": ()},
}


@pytest.mark.parametrize(("one", "other"), [row[1:3] for row in NAMINGS], ids=[row[0] for row in NAMINGS])
def test_a_witness_shows_the_change_for_a_caller_who_has_that_besides(one, other):
    def of(principal):
        return policy({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}, kind=iam.Kind.TRUST)

    comparison = iam.compare(of(one), of(other))

    for change in (*comparison.gained, *comparison.lost):
        sets = [iam.PolicySet(resource=(of(each),), **BESIDES[change.besides]) for each in (one, other)]
        assert [iam.evaluate(change.request, each).effect for each in sets] == [change.before, change.after]


def test_the_account_and_nobody_differ_where_the_resource_itself_must_allow():
    def of(*accounts):
        named = [
            {"Effect": "Allow", "Principal": {"AWS": one}, "Action": "kms:Decrypt", "Resource": "*"} for one in accounts
        ]
        return policy(*named, kind=iam.Kind.RESOURCE)

    comparison = iam.compare(of("111122223333"), of("111122223333", "444455556666"))

    assert {change.request.principal.split(":")[4] for change in comparison.gained} == {"444455556666"}


def test_what_an_account_gains_at_resources_of_another_is_found():
    queue = "arn:aws:sqs:*:111122223333:q"
    named = {"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "s3:GetObject"}
    nothing = {"Effect": "Deny", "Principal": "*", "Action": "sqs:*", "Resource": queue}

    comparison = iam.compare(
        policy(nothing, kind=iam.Kind.RESOURCE), policy(nothing, named | {"NotResource": queue}, kind=iam.Kind.RESOURCE)
    )

    # In the account itself its own policies say all that; elsewhere the resource's policy has to.
    owners = {change.request.resource.split(":")[4] or change.request.resource_account for change in comparison.gained}
    assert owners
    assert "111122223333" not in owners


@pytest.mark.parametrize("kind", [iam.Kind.RCP, iam.Kind.ENDPOINT])
def test_what_can_only_take_away_is_compared_where_all_else_allows(kind):
    everything = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
    deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": "*"}

    comparison = iam.compare(policy(everything, kind=kind), policy(everything, deny, kind=kind))

    assert {action for change in comparison.lost for action in change.actions} == {"s3:PutObject"}
    assert comparison.gained == ()


FOOLED = [
    ("arn:aws:s3:::b/a??*", "arn:aws:s3:::b/a*x*"),
    ("arn:aws:s3:::b/a?*", "arn:aws:s3:::b/a?*w*"),
    ("arn:aws:s3:::b/*", ["arn:aws:s3:::b/*w*", "arn:aws:s3:::b/"]),
    ("arn:aws:sqs:*:*:q", ["arn:aws:sqs:*-*-1:*:q", "arn:aws:sqs:*:1111*:q"]),
]


@pytest.mark.parametrize(("old", "new"), FOOLED, ids=[row[0] for row in FOOLED])
def test_a_pattern_is_not_taken_for_another_that_the_witness_happens_to_match(old, new):
    assert iam.compare(policy(allow("s3:*", old)), policy(allow("s3:*", new))).lost
    like = [{"Condition": {"StringLike": {"team:key": one}}} for one in (old, new)]
    assert iam.compare(policy(allow("s3:*", **like[0])), policy(allow("s3:*", **like[1]))).lost


def test_a_variable_that_meets_what_another_statement_names_is_found():
    own = allow("s3:GetObject", "arn:aws:s3:::bucket/${aws:PrincipalTag/team}/*")
    deny = {"Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::bucket/legal/*"}

    comparison = iam.compare(policy(own), policy(own, deny))

    assert [dict(change.request.context) for change in comparison.lost] == [{"aws:principaltag/team": "legal"}]
    assert comparison.undecided


def test_the_same_statements_are_the_same_whatever_the_limits():
    conditions = {"StringEquals": {f"aws:PrincipalTag/t{n}": ["${aws:username}", "b"] for n in range(9)}}
    one, other = (policy(allow("s3:Get*", Condition=conditions), name=name) for name in ("old", "new"))

    assert iam.compare(one, other) == iam.Comparison(gained=(), lost=(), asked=0, undecided=())


def test_a_boundary_takes_away_what_it_does_not_allow():
    identity = (policy(allow("s3:*")),)
    boundary = (policy(allow("s3:Get*"), kind=iam.Kind.BOUNDARY),)

    comparison = iam.compare(iam.PolicySet(identity=identity), iam.PolicySet(identity=identity, boundary=boundary))

    assert comparison.gained == ()
    assert "s3:PutObject" in {action for change in comparison.lost for action in change.actions}
    assert "s3:GetObject" not in {action for change in comparison.lost for action in change.actions}


def test_a_key_policy_in_nobodys_hands_is_taken_to_leave_it_to_the_account():
    key = "arn:aws:kms:*:444455556666:key/*"

    comparison = iam.compare(policy(allow("kms:*", key)), policy(allow("kms:Decrypt", key)))

    assert "kms:Encrypt" in {action for change in comparison.lost for action in change.actions}


def test_given_requests_are_the_only_ones_asked():
    request = iam.Request(
        principal="arn:aws:iam::111122223333:user/ana", action="s3:PutObject", resource="arn:aws:s3:::bucket/a"
    )

    comparison = iam.compare(policy(allow("s3:Get*")), policy(allow("s3:*")), [request])

    assert comparison.asked == 1
    assert [change.request for change in comparison.gained] == [request]


def test_what_was_left_out_is_said():
    conditions = {"StringEquals": {f"aws:PrincipalTag/t{n}": ["a", "b", "c"] for n in range(14)}}

    comparison = iam.compare(policy(allow("s3:Get*")), policy(allow("s3:Get*", Condition=conditions)))

    assert comparison.lost
    assert comparison.undecided


ACTIONS = ["s3:GetObject", "s3:PutObject", "s3:Get*", "s3:*", "sqs:SendMessage", "*"]
RESOURCES = ["*", OBJECTS, "arn:aws:s3:::bucket/a*", "arn:aws:s3:::*/a", "arn:aws:s3:::bucket/*z", "arn:aws:sqs:*:*:q"]
OPERATORS = ["StringEquals", "StringNotLike", "NumericLessThan", "ForAnyValue:StringEquals", "StringEqualsIfExists"]
PLACES = [f"arn:aws:s3:::{name}" for name in ("bucket/a", "bucket/az", "bucket/cz", "other/a", "bucket/q")]


def any_statement(dice):
    statement = {"Effect": dice.choice(["Allow", "Allow", "Deny"])}
    statement[dice.choice(["Action", "Action", "NotAction"])] = dice.sample(ACTIONS, dice.randint(1, 2))
    statement[dice.choice(["Resource", "Resource", "NotResource"])] = dice.sample(RESOURCES, dice.randint(1, 2))
    if dice.random() < 0.6:
        statement["Condition"] = {dice.choice(OPERATORS): {"team:key": dice.sample(["x", "y*", "7"], 2)}}
    return statement


@pytest.mark.parametrize("seed", range(30))
def test_no_request_shows_a_change_that_the_comparison_did_not_find(seed):
    dice = random.Random(seed)
    statements = [any_statement(dice) for _ in range(2)]
    old, new = policy(*statements), policy(statements[0], any_statement(dice))
    found = iam.compare(old, new)
    before, after = (iam.compile(iam.PolicySet(identity=(one,))) for one in (old, new))

    for _ in range(300):
        value = dice.choice([None, "x", "yx", "z", 6, 7, ["x", "q"], ["q"]])
        request = iam.Request(
            principal="arn:aws:iam::111122223333:user/ana",
            action=dice.choice(["s3:GetObject", "s3:PutObject", "sqs:SendMessage", "ec2:RunInstances"]),
            resource=dice.choice([*PLACES, "arn:aws:sqs:eu-west-1:111122223333:q"]),
            context={} if value is None else {"team:key": value},
        )
        one, other = before(request).allowed, after(request).allowed
        assert found.gained or not other or one
        assert found.lost or not one or other


CALLERS = [
    "arn:aws:sts::111122223333:assumed-role/reports/ana",
    "arn:aws:sts::111122223333:assumed-role/reports/ben",
    "arn:aws:sts::111122223333:assumed-role/other/ben",
    ANA,
    "arn:aws:iam::444455556666:user/chidi",
    "arn:aws:sts::777788889999:assumed-role/other/dora",
    "lambda.amazonaws.com",
    iam.ANONYMOUS,
]
WHOM = [
    "*",
    {"AWS": "111122223333"},
    {"AWS": "444455556666"},
    {"AWS": REPORTS},
    {"AWS": CALLERS[0]},
    {"AWS": [ANA, "arn:aws:iam::444455556666:root"]},
    {"Service": "lambda.amazonaws.com"},
]
KEYED = ["arn:aws:kms:eu-west-1:111122223333:key/k", "arn:aws:s3:::bucket/az", "arn:aws:sqs:eu-west-1:444455556666:q"]


@pytest.mark.parametrize("seed", range(12))
def test_no_caller_shows_a_change_of_a_resource_policy_that_the_comparison_did_not_find(seed):
    dice = random.Random(seed)

    def one():
        named = {dice.choice(["Principal"] * 5 + ["NotPrincipal"]): dice.choice(WHOM)}
        entries = dice.sample(
            ["*", "arn:aws:kms:*:*:key/*", OBJECTS, "arn:aws:sqs:*:444455556666:*"], dice.randint(1, 2)
        )
        found = {"Action": dice.sample(["kms:*", "s3:*", "*"], 1), dice.choice(["Resource", "NotResource"]): entries}
        return {"Effect": dice.choice(["Allow", "Allow", "Deny"])} | found | named

    shared = [one()]
    old, new = (policy(*shared, one(), kind=iam.Kind.RESOURCE) for _ in range(2))
    found = iam.compare(old, new)
    sides = [
        tuple(iam.compile(iam.PolicySet(resource=(each,), **besides)) for each in (old, new))
        for besides in BESIDES.values()
    ]

    for caller in CALLERS:
        for resource, action, owner in product(KEYED, ["kms:Decrypt", "s3:GetObject"], [None, "123412341234"]):
            request = iam.Request(principal=caller, action=action, resource=resource, resource_account=owner)
            for before, after in sides:
                was, is_now = before(request).allowed, after(request).allowed
                assert found.gained or was or not is_now
                assert found.lost or is_now or not was
