"""Our token exchanged at Google, then for a service account's."""

from datetime import timedelta

import pytest

from actas.assume.brokers.google_wif import GoogleWifBroker
from actas.assume.errors import BrokerRefused
from actas.testing.contracts.broker import BrokerContract

pytestmark = pytest.mark.anyio


@pytest.fixture
def make(cloud, exchange, voucher, named, broker, pool):
    def made(**more):
        told = {
            "audience": pool, "service_account": "reader@example-project.iam.gserviceaccount.com",
            "scopes": ("https://www.googleapis.com/auth/cloud-platform",), **more,
        }  # fmt: skip
        return GoogleWifBroker(
            exchange=exchange, voucher=voucher(), local=broker, pseudonyms=named, sts=cloud.url, iam=cloud.url, **told
        )

    return made


class TestGoogleWif(BrokerContract):
    """google_wif"""

    @pytest.fixture(autouse=True)
    def _parts(self, make, granted, now):
        self.made, self.granted, self.now = make(), granted, now

    def broker(self):
        return self.made

    def grant(self, **more):
        return self.granted(**more)


async def test_the_account_gives_a_token_that_ends_with_the_session(make, granted, cloud, now):
    sessions = await make().issue(granted(session="7m"), now=now)

    assert sessions.work.bearer.cloud == "google"
    assert sessions.work.bearer.token.reveal().startswith("account-")
    assert sessions.work.expires_at <= now + timedelta(minutes=7)
    path, head, body = cloud.asked[1]
    assert path.endswith("/serviceAccounts/reader@example-project.iam.gserviceaccount.com:generateAccessToken")
    assert body["lifetime"] == "420s"
    assert head["Authorization"].startswith("Bearer federated-")


async def test_the_exchange_is_that_of_rfc_8693(make, granted, cloud, now, pool):
    await make().issue(granted(), now=now)
    _, _, form = cloud.asked[0]

    assert form["grant_type"] == "urn:ietf:params:oauth:grant-type:token-exchange"
    assert form["subject_token_type"] == "urn:ietf:params:oauth:token-type:jwt"
    assert form["requested_token_type"] == "urn:ietf:params:oauth:token-type:access_token"
    assert form["audience"] == pool


ENDS = [("no end", "{}"), ("an end that is no time", '{"expireTime": "soon"}'), ("a number", '{"expireTime": 7}')]


@pytest.mark.parametrize("text", [row[1] for row in ENDS], ids=[row[0] for row in ENDS])
async def test_a_token_without_an_end_is_refused(make, granted, cloud, now, text):
    exchanged = '{"access_token": "federated-1", "token_type": "Bearer", "expires_in": 3599}'
    cloud.says = [(200, exchanged), (200, text.replace("{", '{"accessToken": "a", ', 1).replace(", }", "}"))]
    with pytest.raises(BrokerRefused, match="without an end"):
        await make().issue(granted(), now=now)


async def test_an_account_that_may_not_be_taken_is_told_by_its_status(make, granted, cloud, now):
    exchanged = '{"access_token": "federated-1", "token_type": "Bearer", "expires_in": 3599}'
    refused = '{"error": {"code": 403, "message": "no, ana", "status": "PERMISSION_DENIED"}}'
    cloud.says = [(200, exchanged), (403, refused)]
    with pytest.raises(BrokerRefused, match="PERMISSION_DENIED") as told:
        await make().issue(granted(), now=now)

    assert "ana" not in str(told.value)


async def test_another_account_is_another_shape(make):
    assert len({make().shape, make(service_account="b@c").shape, make(scopes=("s",)).shape}) == 3
