"""The trade at STS by our own token, and by the caller's own where the settings say so."""

from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest

from actas import iam, jose
from actas.assume.brokers.aws_web_identity import AwsWebIdentityBroker
from actas.assume.errors import BrokerRefused, BrokerUnreachable, CannotNarrow, EvidenceUnfit, PolicyTooLong
from actas.assume.held import opened
from actas.model.evidence import BearerToken, SamlResponse
from actas.model.secret import Secret
from actas.testing.contracts.broker import BrokerContract

pytestmark = pytest.mark.anyio


@pytest.fixture
def make(cloud, exchange, named, voucher):
    def broker(*, issuer="https://actas.example", endpoint=None, **more):
        return AwsWebIdentityBroker(
            exchange=exchange, voucher=voucher(issuer), pseudonyms=named, endpoint=endpoint or cloud.url, **more
        )

    return broker


@pytest.fixture
def claims(voucher):
    keys = jose.KeySet.from_json({"keys": [voucher().newest().to_json()]})

    def read(form, now):
        return jose.verify_jwt(
            form["WebIdentityToken"], keys, issuer="https://actas.example", audience="sts.amazonaws.com",
            now=now, algorithms=("ES256",),
        )  # fmt: skip

    return read


class TestAwsWebIdentity(BrokerContract):
    """aws_web_identity"""

    @pytest.fixture(autouse=True)
    def _parts(self, make, granted, now):
        self.made, self.granted, self.now = make(), granted, now

    def broker(self):
        return self.made

    def grant(self, **more):
        return self.granted(**more)


async def test_sts_is_shown_our_own_token_and_never_the_callers(make, granted, forms, claims, now):
    await make().issue(granted(), now=now)

    for form in forms():
        said = claims(form, now)
        assert said["sub"] == said["https://aws.amazon.com/source_identity"] == "p-ana"
        assert said["https://aws.amazon.com/tags"]["principal_tags"] == {"provider": ["corp"], "kind": ["human"]}
        assert said.expires_at - said.issued_at == timedelta(seconds=60)
        assert type(said["exp"]) is type(said["iat"]) is int
        assert "ana-7f0c" not in str(form)


async def test_each_session_has_its_own_policy(make, granted, forms, now):
    await make().issue(granted(), now=now)
    policies = sorted(form["Policy"] for form in forms())

    assert len(policies) == 2
    assert sum('"Action":["lambda:InvokeFunction"]' in policy for policy in policies) == 1
    assert sum('"Effect":"Deny","Action":"sts:AssumeRole*"' in policy for policy in policies) == 1


async def test_sts_hands_out_nothing_shorter_than_a_quarter_of_an_hour_so_we_cut(make, granted, forms, now):
    sessions = await make().issue(granted(session="5m"), now=now)

    assert {form["DurationSeconds"] for form in forms()} == {"900"}
    assert sessions.work.expires_at == now + timedelta(minutes=5)


REFUSALS = [
    (
        "a code",
        (
            403,
            "<A xmlns='https://sts.amazonaws.com/doc/2011-06-15/'><Code>AccessDenied</Code><Message>ana</Message></A>",
        ),
        "AccessDenied",
    ),
    ("a status without a code", (500, "<html/>"), "status 500"),
    ("a document type", (200, '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'), "document type"),
    ("no XML", (200, "{}"), "no XML"),
    ("no credentials", (200, "<a/>"), "without credentials"),
]


@pytest.mark.parametrize(("says", "found"), [row[1:] for row in REFUSALS], ids=[row[0] for row in REFUSALS])
async def test_a_refusal_says_what_was_found_and_names_nobody(make, granted, cloud, now, says, found):
    cloud.says = [says] * 6
    with pytest.raises(BrokerRefused) as refused:
        await make().issue(granted(), now=now)

    text = str(refused.value)
    assert found in text
    assert "ana" not in text


async def test_a_token_of_another_issuer_is_refused_by_sts(make, granted, now):
    with pytest.raises(BrokerRefused):
        await make(issuer="https://other.example").issue(granted(), now=now)


async def test_a_silent_sts_is_told_from_one_that_says_no(make, granted, now):
    with pytest.raises(BrokerUnreachable):
        await make(endpoint="http://127.0.0.1:1/").issue(granted(), now=now)


def allows(policy, at):
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    layers = iam.PolicySet(
        identity=(iam.Policy.parse(everything),), session=(iam.Policy.parse(policy, kind=iam.Kind.SESSION),)
    )
    request = iam.Request(
        principal="arn:aws:sts::000000000000:assumed-role/reader/p-ana",
        action="lambda:InvokeFunction",
        resource="arn:aws:lambda:us-east-1:000000000000:function:report:$LATEST",
        context={"aws:CurrentTime": at},
    )
    return iam.evaluate(request, layers).allowed


async def test_credentials_that_aws_lets_live_for_longer_are_worth_nothing_after_the_evidence(
    make, grant, but, now, forms
):
    ends = now + timedelta(minutes=5)
    await make().issue(grant(but(expires_at=ends)), now=now)

    assert len(forms()) == 2
    for form in forms():
        assert form["DurationSeconds"] == "900"
        assert allows(form["Policy"], ends - timedelta(seconds=1))
        assert not allows(form["Policy"], ends)


async def test_a_session_that_sts_can_end_itself_has_no_such_statement(make, granted, now, forms):
    await make().issue(granted(), now=now)

    assert all(int(form["DurationSeconds"]) >= 900 for form in forms())
    assert [form["Policy"] for form in forms() if "aws:CurrentTime" in form["Policy"]] == []


async def test_the_settings_add_tags_and_never_replace_ours(make, granted, forms, claims, now):
    await make(tags={"Department": "finance", "kind": "board"}).issue(granted(), now=now)

    said = claims(forms()[0], now)["https://aws.amazon.com/tags"]
    assert said["principal_tags"] == {"Department": ["finance"], "kind": ["human"], "provider": ["corp"]}
    assert set(said["transitive_tag_keys"]) == {"Department", "kind", "provider"}


async def test_a_policy_that_sts_would_not_take_is_told_before_it_is_sent(make, granted, cloud, now):
    grant = granted()
    whole = "x" * 2048
    policy = f'{{"Version": "2012-10-17", "Statement": [{{"Sid": "{whole}", "Effect": "Allow"}}]}}'

    with pytest.raises(PolicyTooLong):
        await make().issue(replace(grant, role=replace(grant.role, policy=policy)), now=now)

    assert cloud.asked == []


async def test_the_callers_own_token_is_shown_where_the_settings_say_so(make, granted, cloud, forms, now):
    cloud.callers_own = "the.callers.own"
    shown = BearerToken(shown=Secret("the.callers.own"))
    sessions = await make(caller_token=True).issue(granted(), now=now, evidence=shown)

    assert {form["WebIdentityToken"] for form in forms()} == {"the.callers.own"}
    assert sessions.work.role_arn == "arn:aws:iam::111122223333:role/reader"


OTHERS = [
    ("nothing", None),
    ("an assertion", SamlResponse(shown=Secret("PHNhbWw+"), provider="ping", recipient="https://actas.example/saml")),
]


@pytest.mark.parametrize("shown", [row[1] for row in OTHERS], ids=[row[0] for row in OTHERS])
async def test_who_showed_something_else_cannot_have_it_passed_on(make, granted, cloud, now, shown):
    with pytest.raises(EvidenceUnfit):
        await make(caller_token=True).issue(granted(), now=now, evidence=shown)

    assert cloud.asked == []


async def test_brokers_of_other_settings_have_another_shape(make):
    shapes = [
        make().shape, make(tags={"a": "b"}).shape, make(caller_token=True).shape,
        make(endpoint="https://sts.example/").shape, make(issuer="https://other.example").shape,
    ]  # fmt: skip

    assert len(set(shapes)) == 5
    assert make().shape == make().shape


async def test_what_came_by_a_session_of_ours_is_named_as_its_first_caller_is(make, granted, forms, now, broker, ring):
    parent = opened((await broker.issue(granted(), now=now)).work.session_token.reveal(), ring.find, now=now)
    await make().issue(replace(granted(), parent=parent), now=now)

    assert {form["RoleSessionName"] for form in forms()} == {parent.subject}


async def test_a_session_that_was_narrowed_is_not_carried_elsewhere(make, granted, cloud, now, broker, ring):
    parent = opened((await broker.issue(granted(), now=now)).work.session_token.reveal(), ring.find, now=now)
    narrowed = msgspec.structs.replace(parent, narrowed=(('{"Version": "2012-10-17", "Statement": []}',),))
    with pytest.raises(CannotNarrow):
        await make().issue(replace(granted(), parent=narrowed), now=now)

    assert cloud.asked == []
