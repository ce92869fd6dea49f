"""Who may take a role for no function in particular, and how far its sessions then reach."""

import json
from datetime import timedelta

import msgspec
import pytest

from actas.assume.policies import work_policy
from actas.decide.ruleset import RuleSet
from actas.model.aws_attributes import AwsAttributes, ClaimedRole
from actas.model.decision import Allow
from actas.model.facts import Known, Missing
from actas.model.held import Held
from actas.model.wish import Wish

READER, WRITER = (f"arn:aws:iam::111122223333:role/{name}" for name in ("reader", "writer"))
ARN = "arn:aws:lambda:us-east-1:000000000000:function:{}:$LATEST"
MAY = {"id": "may", "who": {"provider": "corp", "groups": ["finance"]}, "may": ["report"], "as": "reader"}
ALSO = {"id": "also", "who": {"provider": "corp"}, "may": ["billing"], "as": ["writer", "reader"]}
OTHERS = {"id": "others", "who": {"provider": "corp", "groups": ["board"]}, "may": ["orders"], "as": "reader"}
NEVER = {"id": "never", "who": {"provider": "corp", "groups": ["finance"]}, "may_not": ["report"]}
WEB, CHAIN = "sts:AssumeRoleWithWebIdentity", "sts:AssumeRole"
PROVIDER = "arn:aws:iam::111122223333:oidc-provider/sso.example/realms/corp"


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def lets(principal, *actions, **more):
    return {"Effect": "Allow", "Principal": principal, "Action": list(actions), **more}


@pytest.fixture
def make(settings):
    def rules(*said, trusts=None, policies=None, **more):
        roles = {
            name: {
                "arn": f"arn:aws:iam::111122223333:role/{name}",
                **({"trust": "t"} if name in (trusts or {}) else {}),
            }
            for name in ("reader", "writer")
        }
        return RuleSet(settings(*said, roles=roles, **more), policies or {}, trusts or {})

    return rules


@pytest.fixture
def take(ask):
    def tell(rules, role=READER, *, identity=None, held=None, action=None, at=None, **wish):
        more = {} if identity is None else {"identity": identity}
        more |= {} if at is None else {"at": at}
        action = action or (WEB if held is None else CHAIN)
        return rules.take(ask("sts", **more), Wish(role_arn=role, action=action, **wish), held)

    return tell


@pytest.fixture
def codes(take):
    def tell(*asked, **more):
        decision = take(*asked, **more)
        return [] if isinstance(decision, Allow) else [reason.code for reason in decision.reasons]

    return tell


def test_whoever_may_run_something_as_a_role_may_take_it(make, take):
    grant = take(make(MAY)).grant

    assert (grant.role.name, grant.function, grant.function_arn) == ("reader", WEB, READER)
    assert grant.fence == (ARN.format("report"),)
    assert [rule.id for rule in grant.rules] == ["may"]


def test_the_fence_is_every_function_that_the_rules_name_which_offer_it_to_this_caller(make, take):
    grant = take(make(MAY, ALSO, OTHERS)).grant

    assert [rule.id for rule in grant.rules] == ["may", "also"]
    assert grant.fence == (ARN.format("billing"), ARN.format("report"))


def test_a_rule_that_offers_another_role_lends_this_one_nothing(make, take):
    grant = take(make(MAY, ALSO), WRITER).grant

    assert [rule.id for rule in grant.rules] == ["also"]
    assert grant.fence == (ARN.format("billing"),)


NOS = [
    ("no rule offers it", (MAY,), WRITER, ["role-not-offered"]),
    ("no role has this ARN", (MAY,), "arn:aws:iam::111122223333:role/nobody", ["role-not-offered"]),
    ("the rule is about others", (OTHERS,), READER, ["role-not-offered"]),
    ("everything it would be good for is forbidden", (MAY, NEVER), READER, ["rule-forbids"]),
]


@pytest.mark.parametrize(("rules", "role", "wanted"), [row[1:] for row in NOS], ids=[row[0] for row in NOS])
def test_nobody_takes_a_role_that_is_good_for_nothing(make, codes, rules, role, wanted):
    assert codes(make(*rules), role) == wanted


def test_a_function_that_is_forbidden_does_not_keep_the_role_from_being_good_for_another(make, take):
    grant = take(make(MAY, ALSO, NEVER)).grant

    assert [rule.id for rule in grant.rules] == ["also"]


def test_hours_count_when_a_role_is_taken(make, codes, noon):
    evening = {**MAY, "when": {"hours": "18:00-20:00", "zone": "UTC"}}

    assert codes(make(evening)) == ["role-not-offered"]
    assert codes(make(evening), at=noon + timedelta(hours=6)) == []


def test_observing_hands_out_no_roles(make, codes):
    http = {"web": {"http": "http://a", "own_authorization": True, "routes": ["GET /x"]}}
    rules = make({**MAY, "who": {"groups": ["board"]}, "may": ["web"]}, functions=http, mode="observe")

    assert codes(rules) == ["role-not-offered"]


def test_of_two_roles_by_one_arn_the_first_that_may_be_taken_is(settings, take):
    roles = {name: {"arn": READER} for name in ("first", "second", "third")}
    rules = RuleSet(settings({**MAY, "as": ["third", "second"]}, roles=roles))

    assert take(rules).grant.role.name == "second"


def test_a_trust_policy_that_does_not_let_the_caller_in_is_a_no(make, codes):
    stranger = policy(lets({"Federated": PROVIDER + "2"}, WEB))
    trusted = policy(lets({"Federated": PROVIDER}, WEB))

    assert codes(make(MAY, trusts={"reader": stranger})) == ["role-not-trusted"]
    assert codes(make(MAY, trusts={"reader": trusted})) == []


TELLING = [
    ("nothing is passed", {}, [WEB], []),
    ("tags need their own right", {"tags": (("team", "blue"),)}, [WEB], ["role-not-trusted"]),
    ("tags with it", {"tags": (("team", "blue"),)}, [WEB, "sts:TagSession"], []),
    ("a source identity needs its own", {"source_identity": "ana"}, [WEB], ["role-not-trusted"]),
    ("a source identity with it", {"source_identity": "ana"}, [WEB, "sts:SetSourceIdentity"], []),
]


@pytest.mark.parametrize(("wish", "actions", "wanted"), [row[1:] for row in TELLING], ids=[row[0] for row in TELLING])
def test_what_is_passed_needs_to_be_trusted_too(make, codes, wish, actions, wanted):
    rules = make(MAY, trusts={"reader": policy(lets({"Federated": PROVIDER}, *actions))})

    assert codes(rules, **wish) == wanted


def test_a_callers_tag_cannot_pass_for_one_of_ours(make, codes):
    bot = policy(lets({"Federated": PROVIDER}, WEB, "sts:TagSession",
                      Condition={"StringEquals": {"aws:RequestTag/kind": "service"}}))  # fmt: skip

    assert codes(make(MAY, trusts={"reader": bot}), tags=(("kind", "service"),)) == ["role-not-trusted"]


def test_claims_for_aws_that_cannot_be_read_are_a_no(make, codes, but):
    assert codes(make(MAY), identity=but(aws=Missing.UNKNOWN)) == ["claims-unreadable"]
    assert codes(make(MAY), identity=but(aws=Known(AwsAttributes()))) == []


def test_roles_from_an_assertion_are_those_it_claims(make, codes, but):
    rules = make({**MAY, "roles_from": "assertion", "accounts": ["111122223333"]})
    claims = AwsAttributes(roles=(ClaimedRole(role_arn=READER, provider_arn="arn:aws:iam::1:saml-provider/corp"),))

    assert codes(rules, identity=but(aws=Known(claims))) == []
    assert codes(rules, identity=but(aws=Known(AwsAttributes()))) == ["role-not-claimed"]


ROOT = {"AWS": "arn:aws:iam::111122223333:root"}
CHAINS = [
    ("the account is trusted", lets(ROOT, CHAIN), {}, []),
    ("the role is trusted", lets({"AWS": READER}, CHAIN), {}, []),
    ("another role is trusted", lets({"AWS": WRITER}, CHAIN), {}, ["role-not-trusted"]),
    ("only web identities are trusted", lets({"Federated": PROVIDER}, WEB), {}, ["role-not-trusted"]),
    (
        "an external id is asked for, and given",
        lets(ROOT, CHAIN, Condition={"StringEquals": {"sts:ExternalId": "42"}}),
        {"external_id": "42"},
        [],
    ),
    (
        "an external id is asked for, and another given",
        lets(ROOT, CHAIN, Condition={"StringEquals": {"sts:ExternalId": "42"}}),
        {"external_id": "43"},
        ["role-not-trusted"],
    ),
    (
        "an external id is asked for, and none given",
        lets(ROOT, CHAIN, Condition={"StringEquals": {"sts:ExternalId": "42"}}),
        {},
        ["role-not-trusted"],
    ),
    (
        "the session's name is asked for",
        lets(ROOT, CHAIN, Condition={"StringLike": {"sts:RoleSessionName": "a*"}}),
        {"session_name": "ben"},
        ["role-not-trusted"],
    ),
    ("tags are not trusted", lets(ROOT, CHAIN), {"tags": (("a", "b"),)}, ["role-not-trusted"]),
    ("tags are trusted", lets(ROOT, CHAIN, "sts:TagSession"), {"tags": (("a", "b"),)}, []),
]


class TestChaining:
    """Taking a role with a session."""

    @pytest.fixture
    def held(self, take, noon):
        def of(rules, role=READER, **changes):
            grant = take(rules, role).grant
            return Held(
                **{
                    "purpose": "work",
                    "access_key_id": "ASIAQAAAAAAAGU7TLX7B",
                    "secret_access_key": "a secret",
                    "issued_at": noon,
                    "expires_at": noon + timedelta(minutes=15),
                    "provider": "corp",
                    "issuer": "https://sso.example/realms/corp",
                    "subject": "p-ana",
                    "actors": (),
                    "kind": "human",
                    "authenticated_at": None,
                    "mfa": True,
                    "evidence_expires_at": noon + timedelta(hours=1),
                    "role": grant.role.name,
                    "role_arn": grant.role.arn,
                    "rules": grant.rules,
                    "facts": grant.facts,
                    "functions": grant.fence,
                    "policy": work_policy(grant.fence, grant.role.policy, chains=True),
                    "took": grant.took,
                    "took_as": grant.took_as,
                    "session_name": "ana",
                    **changes,
                }
            )

        return of

    @pytest.fixture
    def stranger(self, but):
        unknown = dict.fromkeys(("groups", "roles", "scopes", "client"), Missing.UNKNOWN)
        return but(subject="p-ana", **unknown)

    def test_a_session_takes_what_its_own_rules_offer(self, make, take, held, stranger):
        rules = make(MAY, ALSO)
        session = held(rules)
        grant = take(rules, WRITER, identity=stranger, held=session).grant

        assert [rule.id for rule in grant.rules] == ["also"]
        assert (grant.fence, grant.parent) == ((ARN.format("billing"),), session)
        assert (grant.expires_at, grant.facts) == (session.expires_at, session.facts)

    def test_a_session_takes_nothing_by_rules_that_did_not_grant_it(self, make, codes, held, stranger):
        rules = make(MAY, {**ALSO, "as": "writer"})

        assert codes(rules, WRITER, identity=stranger, held=held(rules)) == ["role-not-offered"]
        assert codes(rules, WRITER) == []

    def test_a_session_reaches_no_further_than_the_one_it_came_from(self, make, take, held, stranger):
        rules = make({**ALSO, "may": ["billing", "report"]})
        session = held(rules, functions=(ARN.format("billing"),))

        assert take(rules, WRITER, identity=stranger, held=session).grant.fence == (ARN.format("billing"),)

    def test_a_session_that_a_function_got_takes_no_role(self, make, codes, held, stranger):
        rules = make(MAY, ALSO)
        session = held(rules)
        work = msgspec.structs.replace(session, policy=work_policy(session.functions))

        assert codes(rules, WRITER, identity=stranger, held=work) == ["session-policy"]

    def test_the_policies_of_the_session_must_allow_it(self, make, codes, held, stranger):
        some = policy({"Effect": "Allow", "Action": "lambda:*", "Resource": "*"})
        more = policy({"Effect": "Allow", "Action": ["lambda:*", CHAIN], "Resource": "*"})
        for text, wanted in ((some, ["session-policy"]), (more, [])):
            rules = make(MAY, ALSO, policies={"reader": text})
            plain = make(MAY, ALSO)

            assert codes(rules, WRITER, identity=stranger, held=held(rules)) == wanted
            assert codes(plain, WRITER, identity=stranger, held=held(plain, narrowed=((text,),))) == wanted

    @pytest.mark.parametrize(
        ("action", "wish"),
        [("sts:TagSession", {"tags": (("a", "b"),)}), ("sts:SetSourceIdentity", {"source_identity": "ana"})],
        ids=["tags", "a source identity"],
    )
    def test_the_policies_of_the_session_must_allow_what_it_says_of_itself(
        self, make, codes, held, stranger, action, wish
    ):
        rules = make(MAY, ALSO)
        for actions, wanted in (([CHAIN], ["session-policy"]), ([CHAIN, action], [])):
            text = policy({"Effect": "Allow", "Action": actions, "Resource": "*"})
            session = held(rules, narrowed=((text,),))

            assert codes(rules, WRITER, identity=stranger, held=session) == []
            assert codes(rules, WRITER, identity=stranger, held=session, **wish) == wanted

    def test_a_source_identity_that_is_passed_on_needs_nothing_of_the_session(self, make, codes, held, stranger):
        rules = make(MAY, ALSO)
        text = policy({"Effect": "Allow", "Action": CHAIN, "Resource": "*"})
        session = held(rules, narrowed=((text,),), source_identity="ana")

        assert codes(rules, WRITER, identity=stranger, held=session, source_identity="ana") == []

    @pytest.mark.parametrize("tag", ["provider", "kind", "actor"])
    def test_no_tag_of_the_callers_own_passes_for_the_gateways(self, make, codes, held, stranger, tag):
        def asks(kind, **wish):
            condition = {"StringEquals": {f"aws:{kind}Tag/{tag}": "forged"}}
            trusting = lets(ROOT, CHAIN, "sts:TagSession", Condition=condition if kind == "Request" else {})
            may = {"Effect": "Allow", "Action": "*", "Resource": "*"}
            policies = {"reader": policy({**may, "Condition": condition})} if kind == "Principal" else None
            rules = make(MAY, ALSO, trusts={"writer": policy(trusting)}, policies=policies)
            session = held(rules, tags=((tag, "forged"),), policy=work_policy((), chains=True))
            return codes(rules, WRITER, identity=stranger, held=session, **wish)

        assert asks("Request", tags=((tag, "forged"),)) == ["role-not-trusted"]
        assert asks("Principal") == ["session-policy"]

    @pytest.mark.parametrize(("tag", "value"), [("provider", "corp"), ("kind", "human")])
    def test_what_the_gateway_says_of_a_session_can_be_asked_for(self, make, codes, held, stranger, tag, value):
        condition = {"StringEquals": {f"aws:PrincipalTag/{tag}": value}}
        rules = make(MAY, ALSO, trusts={"writer": policy(lets(ROOT, CHAIN, Condition=condition))})

        assert codes(rules, WRITER, identity=stranger, held=held(rules)) == []

    @pytest.mark.parametrize(("trust", "wish", "wanted"), [row[1:] for row in CHAINS], ids=[row[0] for row in CHAINS])
    def test_the_trust_policy_of_the_other_role_counts(self, make, codes, held, stranger, trust, wish, wanted):
        rules = make(MAY, ALSO, trusts={"writer": policy(trust)})
        session = held(rules)

        assert codes(rules, WRITER, identity=stranger, held=session, **wish) == wanted

    def test_a_chained_session_is_asked_anew_by_what_it_was_taken_with(self, make, take, held, stranger, ask):
        trusts = {"writer": policy(lets(ROOT, CHAIN, Condition={"StringEquals": {"sts:ExternalId": "42"}}))}
        rules = make(MAY, ALSO, trusts=trusts)
        parent = held(rules)
        grant = take(rules, WRITER, identity=stranger, held=parent, external_id="42").grant
        child = msgspec.structs.replace(
            parent, role="writer", role_arn=WRITER, rules=grant.rules, facts=grant.facts, functions=grant.fence,
            took=grant.took, took_as=grant.took_as, policy=work_policy(grant.fence),
        )  # fmt: skip

        assert isinstance(rules.again(ask("billing", identity=stranger), child), Allow)
        forged = msgspec.structs.replace(child, took_as=("arn:aws:sts::999999999999:assumed-role/x/y",))
        assert not isinstance(rules.again(ask("billing", identity=stranger), forged), Allow)

    def test_inherited_tags_need_to_be_trusted_like_new_ones(self, make, codes, held, stranger):
        rules = make(MAY, ALSO, trusts={"writer": policy(lets(ROOT, CHAIN))})
        tagged = held(rules, tags=(("team", "blue"),))

        assert codes(rules, WRITER, identity=stranger, held=tagged) == []
        passed_on = msgspec.structs.replace(tagged, transitive=("team",))
        assert codes(rules, WRITER, identity=stranger, held=passed_on) == ["role-not-trusted"]

    def test_a_session_whose_own_role_is_gone_takes_none(self, make, codes, held, stranger, settings):
        session = held(make(MAY, ALSO))
        rules = RuleSet(settings({**ALSO, "as": "writer"}, roles={"writer": {"arn": WRITER}}))

        assert codes(rules, WRITER, identity=stranger, held=session) == ["rule-gone"]
