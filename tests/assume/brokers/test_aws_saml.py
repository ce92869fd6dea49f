"""The caller's own assertion, passed on to STS as it is; whether it holds is for `identify` and for STS to say."""

import base64
from dataclasses import replace
from datetime import timedelta

import pytest

from actas.assume.brokers.aws_saml import AwsSamlBroker
from actas.assume.cache import SessionCache
from actas.assume.errors import BrokerRefused, EvidenceUnfit
from actas.assume.passed_on import PassedOn
from actas.model.evidence import BearerToken, SamlResponse
from actas.model.secret import Secret
from actas.testing.contracts.broker import BrokerContract

pytestmark = pytest.mark.anyio
PROVIDER = "arn:aws:iam::111122223333:saml-provider/ping"
SHOWN = base64.b64encode(b"<samlp:Response/>").decode()
EVIDENCE = SamlResponse(shown=Secret(SHOWN), provider="ping", recipient="https://signin.aws.amazon.com/saml")


class Showing:
    """The broker, called by somebody who shows an assertion."""

    shows_evidence = True

    def __init__(self, broker):
        self.broker, self.shape = broker, broker.shape

    async def issue(self, grant, *, now, evidence=EVIDENCE):
        return await self.broker.issue(grant, now=now, evidence=evidence)


@pytest.fixture
def make(cloud, exchange, named):
    cloud.callers_own = SHOWN
    told = {"exchange": exchange, "pseudonyms": named, "endpoint": cloud.url, "saml_provider": PROVIDER}
    return lambda kept=None: AwsSamlBroker(passed_on=PassedOn() if kept is None else kept, **told)


class TestAwsSaml(BrokerContract):
    """aws_saml"""

    @pytest.fixture(autouse=True)
    def _parts(self, make, granted, now):
        self.made, self.granted, self.now = Showing(make()), granted, now

    def broker(self):
        return self.made

    def grant(self, **more):
        return self.granted(**more)


async def test_sts_is_shown_the_assertion_and_the_provider_and_nothing_is_signed(make, granted, cloud, forms, now):
    await make().issue(granted(), now=now, evidence=EVIDENCE)

    for form in forms():
        assert form["Action"] == "AssumeRoleWithSAML"
        assert (form["SAMLAssertion"], form["PrincipalArn"]) == (SHOWN, PROVIDER)
        assert "RoleSessionName" not in form
    assert all("authorization" not in {name.lower() for name in head} for _, head, _ in cloud.asked)


async def test_whoever_showed_a_token_cannot_have_it_passed_on_as_an_assertion(make, granted, cloud, now):
    with pytest.raises(EvidenceUnfit):
        await make().issue(granted(), now=now, evidence=BearerToken(shown=Secret("a.b.c")))

    assert cloud.asked == []


async def test_an_assertion_that_sts_refuses_is_refused_here(make, granted, now):
    other = replace(EVIDENCE, shown=Secret("b3RoZXI="))
    with pytest.raises(BrokerRefused, match="InvalidIdentityToken"):
        await make().issue(granted(), now=now, evidence=other)


async def test_sessions_are_shared_by_equal_assertions_only(make, granted, cloud, now):
    cache, broker, grant = SessionCache(most=10, most_per_subject=10), make(), granted()
    one = await cache.take(grant, broker, now=now, evidence=EVIDENCE)
    same = await cache.take(grant, broker, now=now, evidence=EVIDENCE)
    cloud.callers_own = "b3RoZXI="
    other = await cache.take(grant, broker, now=now, evidence=replace(EVIDENCE, shown=Secret("b3RoZXI=")))

    assert one.sessions is same.sessions
    assert one.sessions.id != other.sessions.id


async def test_a_token_of_ours_stands_for_the_assertion_that_it_was_traded_for_until_that_ends(
    make, granted, forms, now
):
    kept, grant = PassedOn(), granted()
    kept.remember(grant.identity.evidence_id, EVIDENCE, until=now + timedelta(minutes=5))
    shown = BearerToken(shown=Secret("a.token.of-ours"))
    await make(kept).issue(grant, now=now + timedelta(minutes=5, microseconds=-1), evidence=shown)
    assert {form["SAMLAssertion"] for form in forms()} == {SHOWN}

    with pytest.raises(EvidenceUnfit):
        await make(kept).issue(grant, now=now + timedelta(minutes=5), evidence=shown)
    assert len(kept) == 0


async def test_what_somebody_else_showed_is_not_found(make, granted, now):
    kept = PassedOn()
    kept.remember("another", EVIDENCE, until=now + timedelta(minutes=5))

    with pytest.raises(EvidenceUnfit):
        await make(kept).issue(granted(), now=now, evidence=BearerToken(shown=Secret("a.b.c")))


def test_assertions_that_are_kept_are_bounded(now, monkeypatch):
    monkeypatch.setattr("actas.assume.passed_on.MOST", 3)
    kept = PassedOn()
    for number in range(5):
        kept.remember(str(number), EVIDENCE, until=now + timedelta(minutes=5))

    assert len(kept) == 3
    assert kept.find("0", now=now) is None
    assert kept.find("4", now=now) is EVIDENCE
