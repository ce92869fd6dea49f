"""The trade at STS from a base identity, signed, and what is said of the caller in it."""

import hashlib
from datetime import timedelta

import pytest

from actas import sigv4
from actas.assume.base_identity import Chain, OwnRole, given
from actas.assume.brokers.aws_assume_role import AwsAssumeRoleBroker
from actas.assume.errors import BaseIdentityMissing, BrokerRefused
from actas.model.identity import Actor
from actas.model.secret import Secret
from actas.testing.contracts.broker import BrokerContract

pytestmark = pytest.mark.anyio
BASE = given(Secret("AKIABASE"), Secret("secret-of-the-base-identity"), None)


@pytest.fixture
def make(cloud, exchange, named):
    def broker(base=BASE, **more):
        return AwsAssumeRoleBroker(
            exchange=exchange, base=base, base_name="base", pseudonyms=named, endpoint=cloud.url,
            region="eu-west-1", **more,
        )  # fmt: skip

    return broker


class TestAwsAssumeRole(BrokerContract):
    """aws_assume_role"""

    @pytest.fixture(autouse=True)
    def _parts(self, make, granted, now):
        self.made, self.granted, self.now = make(), granted, now

    def broker(self):
        return self.made

    def grant(self, **more):
        return self.granted(**more)


async def test_the_session_is_named_for_the_caller_and_tagged(make, granted, forms, now):
    await make(tags={"Department": "finance"}, external_id=Secret("partner-1")).issue(granted(), now=now)

    for form in forms():
        assert form["RoleSessionName"] == form["SourceIdentity"] == "p-ana"
        assert form["ExternalId"] == "partner-1"
        tags = {form[f"Tags.member.{n}.Key"]: form[f"Tags.member.{n}.Value"] for n in (1, 2, 3)}
        assert tags == {"Department": "finance", "provider": "corp", "kind": "human"}
        assert {form[f"TransitiveTagKeys.member.{n}"] for n in (1, 2, 3)} == set(tags)
        assert "ana-7f0c" not in str(form)


@pytest.mark.parametrize(
    ("client", "is_digested"),
    [("an|agent", True), ("a" * 257, True), ("AWS:agent", True), ("a" * 256, False), ("aws.agent", False)],
    ids=["a character no tag has", "too long", "what AWS keeps to itself", "as long as may be", "nearly that"],
)
async def test_who_acts_for_the_caller_is_a_tag_that_sts_takes(make, grant, but, forms, now, client, is_digested):
    acting = but(actors=(Actor(issuer="https://sso.example", subject="x", client=client),),
                 expires_at=now + timedelta(minutes=30))  # fmt: skip
    await make().issue(grant(acting), now=now)

    values = {form[f"Tags.member.{n}.Key"]: form[f"Tags.member.{n}.Value"] for form in forms() for n in (1, 2, 3)}
    digest = f"sha256:{hashlib.sha256(client.encode()).hexdigest()}"
    assert values["actor"] == (digest if is_digested else client)


async def test_a_base_whose_secret_is_wrong_is_refused(make, granted, cloud, now):
    wrong = given(Secret("AKIABASE"), Secret("another"), None)
    with pytest.raises(BrokerRefused):
        await make(wrong).issue(granted(), now=now)

    assert isinstance(cloud.refused[0], sigv4.BadSignature)


async def test_a_base_can_be_a_role_that_trusts_the_gateway_itself(make, granted, cloud, exchange, voucher, forms, now):
    arn = "arn:aws:iam::111122223333:role/actas-base"
    own = OwnRole(exchange=exchange, voucher=voucher(), role_arn=arn, endpoint=cloud.url)
    sessions = await make(own).issue(granted(), now=now)
    await make(own).issue(granted(), now=now)

    asked = [(form["Action"], form["RoleArn"]) for form in forms()]
    assert asked.count(("AssumeRoleWithWebIdentity", arn)) == 1
    assert asked.count(("AssumeRole", "arn:aws:iam::111122223333:role/reader")) == 4
    assert sessions.work.role_arn == "arn:aws:iam::111122223333:role/reader"


async def test_the_own_role_is_taken_anew_before_it_ends(cloud, exchange, voucher, forms, now):
    own = OwnRole(exchange=exchange, voucher=voucher(), role_arn="arn:aws:iam::1:role/b", endpoint=cloud.url)
    first = await own(now)

    assert await own(now + timedelta(minutes=50)) == first
    cloud.behind = -timedelta(minutes=56)
    assert await own(now + timedelta(minutes=56)) != first


async def test_the_chain_finds_what_awss_own_clients_find(tmp_path, monkeypatch, now):
    file = tmp_path / "credentials"
    file.write_text("[ops]\naws_access_key_id = AKIAOPS\naws_secret_access_key = secret\n")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")

    assert (await Chain("ops")(now)).access_key_id == "AKIAOPS"
    with pytest.raises(BaseIdentityMissing):
        await Chain("absent")(now)
    with pytest.raises(BaseIdentityMissing):
        await Chain()(now)


def test_what_is_no_access_key_is_told_without_showing_it():
    with pytest.raises(BaseIdentityMissing) as told:
        given(Secret("not a key"), Secret("x"), None)

    assert "not a key" not in str(told.value)


async def test_another_external_id_is_another_shape_and_is_not_in_it(make):
    one, other = make(external_id=Secret("partner-1")), make(external_id=Secret("partner-2"))

    assert len({one.shape, other.shape, make().shape}) == 3
    assert "partner" not in one.shape
