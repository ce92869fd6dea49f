"""Which layers have to allow, in one account and across two."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from actas import iam

USER = "arn:aws:iam::111122223333:user/ana"
ROLE = "arn:aws:iam::111122223333:role/service/reader"
SESSION = "arn:aws:sts::111122223333:assumed-role/reader/ana"
FEDERATED = "arn:aws:sts::111122223333:federated-user/ana"
ROOT = "arn:aws:iam::111122223333:root"
LINKED = "arn:aws:sts::111122223333:assumed-role/AWSServiceRoleForSupport/s"
SERVICE = "events.amazonaws.com"
PROVIDER = "arn:aws:iam::111122223333:oidc-provider/id.example.com"
ALLOWED, IMPLICIT, EXPLICIT = "Allowed", "ImplicitlyDenied", "ExplicitlyDenied"
OBJECT = "arn:aws:s3:::bucket/a"
FUNCTION = "arn:aws:lambda:eu-west-1:111122223333:function:f"
ELSEWHERE = "arn:aws:lambda:eu-west-1:444455556666:function:f"
KEY = "arn:aws:kms:eu-west-1:111122223333:key/k"
TRUSTED = "arn:aws:iam::111122223333:role/service/reader"


def policy(effect="Allow", kind=iam.Kind.IDENTITY, action="*", principal=None, **more):
    statement = {"Effect": effect, "Action": action} | more
    if kind is not iam.Kind.TRUST:
        statement.setdefault("Resource", "*")
    if principal is not None:
        statement["Principal"] = principal
    return iam.Policy.parse({"Version": "2012-10-17", "Statement": statement}, kind=kind)


def resource(principal="*", effect="Allow", kind=iam.Kind.RESOURCE, **more):
    return policy(effect, kind, principal=principal, **more)


YES = (policy(),)
NO = (policy("Deny"),)


def effect(caller=USER, to=OBJECT, action="s3:GetObject", owner=None, context=None, **layers):
    request = iam.Request(principal=caller, action=action, resource=to, resource_account=owner, context=context or {})
    policies = iam.PolicySet(**layers)
    decided = iam.evaluate(request, policies).effect
    assert iam.compile(policies)(request).effect == decided
    return decided


BOUNDS = (policy(kind=iam.Kind.BOUNDARY),)
SESSIONS = (policy(kind=iam.Kind.SESSION),)
SCP, RCP = policy(kind=iam.Kind.SCP), resource(kind=iam.Kind.RCP)
DENIES = {
    "identity": {"identity": (*YES, *NO)},
    "resource": {"identity": YES, "resource": (resource(effect="Deny"),)},
    "boundary": {"identity": YES, "boundary": (*BOUNDS, policy("Deny", iam.Kind.BOUNDARY))},
    "session": {"identity": YES, "session": (*SESSIONS, policy("Deny", iam.Kind.SESSION))},
    "scp": {"identity": YES, "scps": ((SCP,), (SCP, policy("Deny", iam.Kind.SCP)))},
    "rcp": {"identity": YES, "rcps": ((RCP,), (resource(effect="Deny", kind=iam.Kind.RCP),))},
    "endpoint": {"identity": YES, "endpoint": (resource(effect="Deny", kind=iam.Kind.ENDPOINT),)},
}


@pytest.mark.parametrize("layers", DENIES.values(), ids=DENIES)
def test_an_explicit_deny_in_any_layer_wins_over_a_resource_policy_that_names_the_caller(layers):
    named = (*layers.get("resource", ()), resource({"AWS": SESSION}))

    assert effect(SESSION, **(layers | {"resource": named})) == EXPLICIT


EMPTY = {
    "identity": ({"identity": ()}, IMPLICIT),
    "boundary": ({"identity": YES, "boundary": ()}, IMPLICIT),
    "session": ({"identity": YES, "session": ()}, IMPLICIT),
    "one empty level of scps": ({"identity": YES, "scps": ((SCP,), ())}, IMPLICIT),
    "no level of scps": ({"identity": YES, "scps": ()}, IMPLICIT),
    "endpoint": ({"identity": YES, "endpoint": ()}, IMPLICIT),
    "an empty level of rcps, where full access is implied": ({"identity": YES, "rcps": ((), ())}, ALLOWED),
    "resource, in one account": ({"identity": YES, "resource": ()}, ALLOWED),
    "nothing but identity": ({"identity": YES}, ALLOWED),
}


@pytest.mark.parametrize(("layers", "expected"), EMPTY.values(), ids=EMPTY)
def test_a_layer_that_exists_and_is_empty(layers, expected):
    assert effect(SESSION, **layers) == expected


def test_every_level_of_scps_has_to_allow():
    other = policy(kind=iam.Kind.SCP, action="ec2:*")

    assert effect(identity=YES, scps=((SCP,), (SCP, other))) == ALLOWED
    assert effect(identity=YES, scps=((SCP,), (other,))) == IMPLICIT


# The table of the facts: what an implicit denial elsewhere matters when a resource policy of the account allows.
WAIVED = [
    ("an IAM user by ARN", USER, {"AWS": USER}, (ALLOWED, ALLOWED, None)),
    ("a role by ARN", SESSION, {"AWS": ROLE}, (ALLOWED, IMPLICIT, IMPLICIT)),
    ("a role's session by ARN", SESSION, {"AWS": SESSION}, (ALLOWED, ALLOWED, ALLOWED)),
    ("a federated user's session by ARN", FEDERATED, {"AWS": FEDERATED}, (ALLOWED, ALLOWED, ALLOWED)),
    ("the account by ARN", SESSION, {"AWS": ROOT}, (IMPLICIT, IMPLICIT, IMPLICIT)),
    ("the account by number", SESSION, {"AWS": "111122223333"}, (IMPLICIT, IMPLICIT, IMPLICIT)),
    ("everyone", SESSION, "*", (ALLOWED, ALLOWED, ALLOWED)),
    ("everyone of AWS", SESSION, {"AWS": "*"}, (ALLOWED, ALLOWED, ALLOWED)),
    ("another role", SESSION, {"AWS": "arn:aws:iam::111122223333:role/writer"}, (IMPLICIT, IMPLICIT, IMPLICIT)),
    ("another account's role of that name", SESSION, {"AWS": "arn:aws:iam::444455556666:role/reader"}, (IMPLICIT,) * 3),
]


@pytest.mark.parametrize(("caller", "named", "expected"), [c[1:] for c in WAIVED], ids=[c[0] for c in WAIVED])
def test_a_resource_policy_of_the_same_account_names(caller, named, expected):
    identity, boundary, session = expected
    both = {"identity": YES, "resource": (resource(named),)}

    assert effect(caller, identity=(), resource=(resource(named),)) == identity
    assert effect(caller, **both, boundary=()) == boundary
    if session:
        assert effect(caller, **both, session=()) == session


def test_everyone_narrowed_to_a_role_by_a_condition_waives_all():
    named = resource("*", Condition={"ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/reader"}})

    assert effect(SESSION, identity=(), boundary=(), session=(), resource=(named,)) == ALLOWED
    assert effect(USER, identity=(), resource=(named,)) == IMPLICIT


ACROSS = [
    ("both sides", {"identity": YES, "resource": (resource({"AWS": ROLE}),)}, ALLOWED),
    ("both sides, the account named", {"identity": YES, "resource": (resource({"AWS": ROOT}),)}, ALLOWED),
    ("the resource's side alone", {"identity": (), "resource": (resource({"AWS": SESSION}),)}, IMPLICIT),
    ("the caller's side alone", {"identity": YES, "resource": ()}, IMPLICIT),
    ("the caller's side, and no resource policy", {"identity": YES}, IMPLICIT),
    ("both, but not the boundary", {"identity": YES, "boundary": (), "resource": (resource(),)}, IMPLICIT),
    ("both, but not the session policy", {"identity": YES, "session": (), "resource": (resource(),)}, IMPLICIT),
    ("both, but not the caller's SCPs", {"identity": YES, "scps": ((),), "resource": (resource(),)}, IMPLICIT),
]


@pytest.mark.parametrize(("layers", "expected"), [c[1:] for c in ACROSS], ids=[c[0] for c in ACROSS])
def test_across_accounts(layers, expected):
    assert effect(SESSION, ELSEWHERE, "lambda:InvokeFunction", **layers) == expected


def test_the_owner_of_a_resource_counts_only_where_its_arn_names_none():
    assert effect(identity=YES, owner="111122223333") == ALLOWED
    assert effect(identity=YES, owner="444455556666") == IMPLICIT
    assert effect(identity=YES, to=FUNCTION, owner="444455556666") == ALLOWED


OTHERS = [
    ("a service that is named", SERVICE, (resource({"Service": SERVICE}),), ALLOWED),
    ("a service that is not named", SERVICE, (resource({"Service": "sns.amazonaws.com"}),), IMPLICIT),
    ("a service, with everyone named", SERVICE, (resource(),), ALLOWED),
    ("nobody, with everyone named", iam.ANONYMOUS, (resource(),), ALLOWED),
    ("nobody, with an account named", iam.ANONYMOUS, (resource({"AWS": ROOT}),), IMPLICIT),
    ("nobody, with no resource policy", iam.ANONYMOUS, None, IMPLICIT),
]


@pytest.mark.parametrize(("caller", "named", "expected"), [c[1:] for c in OTHERS], ids=[c[0] for c in OTHERS])
def test_behind_whom_no_account_stands_the_resource_decides(caller, named, expected):
    assert effect(caller, identity=YES, resource=named) == expected
    assert effect(caller, identity=(), scps=((),), resource=named) == expected


def test_the_root_user_needs_no_policy_but_is_under_scps():
    assert effect(ROOT, identity=()) == ALLOWED
    assert effect("111122223333", identity=()) == ALLOWED
    assert effect(ROOT, identity=(), scps=((),)) == IMPLICIT
    assert effect(ROOT, identity=(), resource=(resource({"AWS": ROOT}, "Deny"),)) == EXPLICIT


def test_a_service_linked_role_is_beyond_scps_and_rcps():
    deny = resource(effect="Deny", kind=iam.Kind.RCP)

    assert effect(LINKED, identity=YES, scps=((),), rcps=((deny,),)) == ALLOWED
    assert effect(SESSION, identity=YES, scps=((),)) == IMPLICIT
    assert effect(SESSION, identity=YES, rcps=((deny,),)) == EXPLICIT


def test_a_federated_users_session_needs_a_session_policy():
    assert effect(FEDERATED, identity=YES) == IMPLICIT
    assert effect(FEDERATED, identity=YES, session=SESSIONS) == ALLOWED


KMS = [
    ("identity alone", {"identity": YES}, IMPLICIT),
    ("identity, and a key policy that says nothing", {"identity": YES, "resource": ()}, IMPLICIT),
    ("identity, and a key policy for the account", {"identity": YES, "resource": (resource({"AWS": ROOT}),)}, ALLOWED),
    ("a key policy for the account alone", {"identity": (), "resource": (resource({"AWS": ROOT}),)}, IMPLICIT),
    ("a key policy for the role", {"identity": (), "resource": (resource({"AWS": ROLE}),)}, ALLOWED),
]


@pytest.mark.parametrize(("layers", "expected"), [c[1:] for c in KMS], ids=[c[0] for c in KMS])
def test_a_kms_key_needs_its_own_policy(layers, expected):
    assert effect(SESSION, KEY, "kms:Decrypt", **layers) == expected


def test_kms_without_a_key_is_like_any_other_service():
    assert effect(SESSION, "*", "kms:ListKeys", identity=YES) == ALLOWED
    assert effect(SESSION, "arn:aws:kms:eu-west-1:111122223333:alias/a", "kms:CreateAlias", identity=YES) == ALLOWED


def trust(principal, action="sts:AssumeRole", **more):
    return (resource(principal, kind=iam.Kind.TRUST, action=action, **more),)


TRUST = [
    ("identity alone", USER, {"identity": YES}, IMPLICIT),
    ("a trust in the user", USER, {"identity": (), "resource": trust({"AWS": USER})}, ALLOWED),
    ("a trust in the account alone", USER, {"identity": (), "resource": trust({"AWS": ROOT})}, IMPLICIT),
    ("a trust in the account, and identity", USER, {"identity": YES, "resource": trust({"AWS": ROOT})}, ALLOWED),
    (
        "a trust in a user of another account alone",
        "arn:aws:iam::444455556666:user/ben",
        {"resource": trust({"AWS": "arn:aws:iam::444455556666:user/ben"})},
        IMPLICIT,
    ),
    (
        "a trust in another account, and identity there",
        "arn:aws:iam::444455556666:user/ben",
        {"identity": YES, "resource": trust({"AWS": "444455556666"})},
        ALLOWED,
    ),
    ("a trust in a service", SERVICE, {"resource": trust({"Service": SERVICE})}, ALLOWED),
]


@pytest.mark.parametrize(("caller", "layers", "expected"), [c[1:] for c in TRUST], ids=[c[0] for c in TRUST])
def test_taking_a_role_needs(caller, layers, expected):
    assert effect(caller, TRUSTED, "sts:AssumeRole", **layers) == expected


def test_a_web_identity_takes_a_role_by_its_trust_policy_alone():
    when = {"Condition": {"StringEquals": {"id.example.com:aud": "sts.amazonaws.com"}}}
    trusted = trust({"Federated": PROVIDER}, "sts:AssumeRoleWithWebIdentity", **when)
    asked = {"caller": PROVIDER, "to": TRUSTED, "action": "sts:AssumeRoleWithWebIdentity", "resource": trusted}

    assert effect(**asked, context={"id.example.com:aud": "sts.amazonaws.com"}) == ALLOWED
    assert effect(**asked, context={"id.example.com:aud": "other"}) == IMPLICIT
    assert (
        effect(**(asked | {"action": "sts:TagSession"}), context={"id.example.com:aud": "sts.amazonaws.com"})
        == IMPLICIT
    )


def test_an_endpoint_policy_is_asked_of_everyone():
    endpoint = (resource({"AWS": USER}, kind=iam.Kind.ENDPOINT),)

    assert effect(USER, identity=YES, endpoint=endpoint) == ALLOWED
    assert effect(SESSION, identity=YES, endpoint=endpoint) == IMPLICIT
    assert effect(SERVICE, resource=(resource(),), endpoint=endpoint) == IMPLICIT


NOT_PRINCIPAL = [
    ("account and user spare the user", USER, [USER, ROOT], IMPLICIT),
    ("the user alone spares nobody", USER, [USER], EXPLICIT),
    ("account, role and session spare the session", SESSION, [SESSION, ROLE, ROOT], IMPLICIT),
    ("account and role do not spare the session", SESSION, [ROLE, ROOT], EXPLICIT),
    ("the account spares its root user", ROOT, [ROOT], ALLOWED),
    ("another user is denied", "arn:aws:iam::111122223333:user/ben", [USER, ROOT], EXPLICIT),
    ("a service is denied", SERVICE, [USER, ROOT], EXPLICIT),
]


@pytest.mark.parametrize(
    ("caller", "listed", "expected"), [c[1:] for c in NOT_PRINCIPAL], ids=[c[0] for c in NOT_PRINCIPAL]
)
def test_a_deny_with_not_principal(caller, listed, expected):
    deny = policy("Deny", iam.Kind.RESOURCE, NotPrincipal={"AWS": listed})

    assert effect(caller, identity=(), resource=(deny,)) == expected


def test_an_allow_with_not_principal_is_for_everyone_else():
    allow = policy(kind=iam.Kind.RESOURCE, NotPrincipal={"AWS": USER})

    assert effect(USER, identity=(), resource=(allow,)) == IMPLICIT
    assert effect(SESSION, identity=(), resource=(allow,)) == ALLOWED
    assert effect(iam.ANONYMOUS, resource=(allow,)) == ALLOWED


def test_a_principal_is_never_matched_by_part():
    with pytest.raises(iam.MalformedPolicy):
        resource({"AWS": "arn:aws:iam::111122223333:user/*"})
    assert effect(USER, identity=(), resource=(resource({"AWS": USER[:-1]}),)) == IMPLICIT
    assert (
        effect(
            USER,
            identity=(),
            resource=(
                resource({"AWS": USER.upper().replace("ARN:AWS:IAM", "arn:aws:iam").replace(":USER/", ":user/")}),
            ),
        )
        == IMPLICIT
    )


DERIVED = [
    (USER, "aws:username", "ana"),
    ("arn:aws:iam::111122223333:user/staff/ana", "aws:username", "ana"),
    (USER, "aws:PrincipalArn", USER),
    (USER, "aws:PrincipalAccount", "111122223333"),
    (USER, "aws:PrincipalType", "User"),
    (SESSION, "aws:PrincipalArn", "arn:aws:iam::111122223333:role/reader"),
    (SESSION, "aws:PrincipalType", "AssumedRole"),
    (FEDERATED, "aws:userid", "111122223333:ana"),
    (FEDERATED, "aws:PrincipalType", "FederatedUser"),
    (ROOT, "aws:userid", "111122223333"),
    (ROOT, "aws:PrincipalType", "Account"),
    ("111122223333", "aws:PrincipalArn", ROOT),
    (iam.ANONYMOUS, "aws:PrincipalAccount", "anonymous"),
    (iam.ANONYMOUS, "aws:PrincipalType", "Anonymous"),
]


@pytest.mark.parametrize(("caller", "key", "value"), DERIVED)
def test_the_principal_tells(caller, key, value):
    tells = resource("*", Condition={"StringEquals": {key: value}})

    assert (
        effect(caller, identity=(), resource=(resource("*", "Deny", Condition={"StringEquals": {key: value}}),))
        == EXPLICIT
    )
    assert effect(caller, resource=(tells,)) == ALLOWED


@pytest.mark.parametrize("key", ["aws:username", "aws:userid"])
def test_a_session_does_not_tell_its(key):
    absent = resource("*", Condition={"Null": {key: "true"}})

    assert effect(SESSION, identity=(), resource=(absent,)) == ALLOWED
    assert effect(SESSION, identity=(), resource=(absent,), context={key: "AROAEXAMPLE:ana"}) == IMPLICIT


def test_what_the_context_gives_outweighs_what_the_principal_tells():
    named = resource("*", Condition={"ArnEquals": {"aws:PrincipalArn": ROLE}})

    assert effect(SESSION, identity=(), resource=(named,), context={"AWS:principalARN": ROLE}) == ALLOWED
    assert effect(SESSION, identity=(), resource=(named,)) == IMPLICIT


@pytest.mark.parametrize(
    ("layer", "kind"),
    [("identity", iam.Kind.RESOURCE), ("scps", iam.Kind.RESOURCE), ("resource", iam.Kind.IDENTITY)],
)
def test_a_policy_in_a_layer_that_speaks_otherwise_of_principals_is_refused(layer, kind):
    wrong = resource(kind=kind) if kind is iam.Kind.RESOURCE else policy()

    with pytest.raises(iam.InvalidPolicySet) as refused:
        iam.PolicySet(**{layer: ((wrong,),) if layer == "scps" else (wrong,)})

    assert refused.value.code == "iam.invalid-policy-set"


BAD = [
    {"principal": "ana"},
    {"principal": ""},
    {"principal": "arn:aws:iam"},
    {"principal": 7},
    {"action": ""},
    {"resource": "x" * 9000},
    {"resource_account": "12"},
    {"context": {"a": None}},
    {"context": {"a": float("nan")}},
    {"context": {1: "a"}},
    {"context": {"a": "1", "A": "2"}},
    {"context": {"a": object()}},
    {"context": 7},
    {"context": {"a": datetime(2026, 3, 14, tzinfo=UTC).replace(tzinfo=None)}},
    {"context": {"a": datetime.min.replace(tzinfo=timezone(timedelta(hours=9)))}},
]


@pytest.mark.parametrize("wrong", BAD, ids=[next(iter(one)) + f" {n}" for n, one in enumerate(BAD)])
def test_a_request_that_nobody_could_make_is_refused(wrong):
    asked = {"principal": USER, "action": "s3:GetObject", "resource": OBJECT} | wrong

    with pytest.raises(iam.InvalidRequest) as refused:
        iam.evaluate(iam.Request(**asked), iam.PolicySet())

    assert refused.value.code == "iam.invalid-request"
